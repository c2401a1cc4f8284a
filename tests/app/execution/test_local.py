"""On-bits in files: read by any process, bounded on disk, and gone without harm."""

from __future__ import annotations

import errno
import os
import pickle
import select
import shutil
import signal
import subprocess
import sys
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from app.execution.local import StoredBits, processes, states_of
from app.matching import MatchService, Polarity, Query, find_matches, pack, spread_states
from loaders import Dataset, DatasetError, Source, open_dataset
from loaders.sources import array_cache
from loaders.writer import write_dataset
from tests.app.matching.test_engine import variants, whole_answer

N_STEPS = 4000


@pytest.fixture
def opened(tmp_path: Path) -> tuple[Dataset, Source]:
    rng = np.random.default_rng(0)
    rows = rng.random((N_STEPS, 70)).astype(np.float16)
    for t in range(1, N_STEPS):
        stays = rng.random(70) < 0.9
        rows[t, stays] = rows[t - 1, stays]
    path = write_dataset(
        tmp_path / "d",
        tokens=["t"] * N_STEPS,
        sequences=[0] * 1000 + [1] * (N_STEPS - 1000),
        states={"s": rows},
    )
    dataset = open_dataset(path, tmp_path / "cache")
    return dataset, dataset.open_source("s")


def files(source: Source) -> list[str]:
    return sorted(path.name for path in (source.home / "bits").iterdir())


def test_bits_are_packed_once_and_then_mapped(
    opened: tuple[Dataset, Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = opened[1]
    opener = pickle.loads(pickle.dumps(StoredBits(source.home)))  # noqa: S301 - our own
    expected = pack(np.asarray(source.rows)[100:300], 0.5, Polarity.HIGH)
    assert np.array_equal(opener.bits(100, 300, 0.5, Polarity.HIGH), expected)
    monkeypatch.setattr("app.execution.local.pack", None)  # packing again would fail
    bits = opener.bits(100, 300, 0.5, Polarity.HIGH)
    assert np.array_equal(bits, expected)
    # The kernels are compiled for arrays like those in memory; no write reaches the file.
    assert bits.flags.writeable and bits.flags.c_contiguous and type(bits) is np.ndarray
    bits[:] = 0
    assert np.array_equal(opener.bits(100, 300, 0.5, Polarity.HIGH), expected)
    assert len(files(source)) == 1


def test_every_threshold_and_polarity_has_its_own(opened: tuple[Dataset, Source]) -> None:
    source = opened[1]
    opener, rows = StoredBits(source.home), np.asarray(source.rows)
    for threshold in (0.5, float(np.nextafter(0.5, 1)), -0.5):
        for polarity in Polarity:
            bits = opener.bits(0, 50, threshold, polarity)
            assert np.array_equal(bits, pack(rows[:50], threshold, polarity))
    assert len(files(source)) == 9


def test_the_thresholds_used_longest_ago_go_when_the_disk_bound_is_met(
    opened: tuple[Dataset, Source],
) -> None:
    source = opened[1]
    one = 128 + 1000 * 2 * 8
    opener = StoredBits(source.home, most_bytes=7 * one)
    for age, threshold in enumerate((0.1, 0.2, 0.3)):
        for first in (0, 1000):
            opener.bits(first, first + 1000, threshold, Polarity.HIGH)
        for path in (source.home / "bits").iterdir():
            if path.stat().st_mtime > 1e6:
                os.utime(path, (1000 * (age + 1),) * 2)
        if threshold == 0.2:  # 0.1 is used again: 0.2 is now the oldest
            opener.bits(0, 1000, 0.1, Polarity.HIGH)
    groups = [name.split(".")[0] for name in files(source)]
    assert sorted(groups.count(one) for one in set(groups)) == [2, 2]
    level = {threshold: np.float64(threshold).tobytes().hex() for threshold in (0.1, 0.3)}
    assert set(groups) == {f"high-{one}" for one in level.values()}


def test_the_bound_is_one_for_all_sources(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).random((1000, 64)).astype(np.float16)
    states = {"a": rows, "b": rows + 1, "c": rows + 2}
    dataset = open_dataset(
        write_dataset(tmp_path / "d", tokens=["t"] * 1000, states=states), tmp_path / "cache"
    )
    one = 128 + 8000
    homes = {name: dataset.open_source(name).home for name in states}

    def use(name: str) -> None:
        StoredBits(homes[name], most_bytes=2 * one).bits(0, 1000, 0.5, Polarity.HIGH)

    def kept_of() -> list[str]:
        return [name for name, home in homes.items() if list((home / "bits").glob("*.npy"))]

    use("a")
    use("b")
    assert kept_of() == ["a", "b"]
    ((oldest),) = (homes["a"] / "bits").iterdir()
    os.utime(oldest, (0, 0))
    use("c")
    assert kept_of() == ["b", "c"]


def test_a_bound_below_one_threshold_is_a_sentence_before_anything_is_packed(
    opened: tuple[Dataset, Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, source = opened
    monkeypatch.setattr("app.execution.local.pack", None)  # packing would fail
    states = states_of(dataset, source, 50_000)
    service, query = MatchService(cache_bytes=0), Query(threshold=0.6, start=50, stop=51)
    with pytest.raises(
        DatasetError, match=r"expected at most the 50\.0 kB.*found 64\.0 kB.*--bits-on-disk.*memory"
    ):
        service.match("a", states, query)
    assert files(source) == []


def test_a_disk_without_room_is_a_sentence_before_anything_is_packed(
    opened: tuple[Dataset, Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = opened[1]
    opener, spare = StoredBits(source.home), 16 << 20
    free = [spare + 64_000]

    def usage(_: Path) -> SimpleNamespace:
        return SimpleNamespace(free=free[0])

    monkeypatch.setattr(array_cache.shutil, "disk_usage", usage)
    opener.bits(0, N_STEPS, 0.5, Polarity.HIGH)
    free[0] = spare - 200
    with monkeypatch.context() as patch:
        patch.setattr("app.execution.local.pack", None)
        with pytest.raises(DatasetError, match=r"16\.8 MB of free disk space.*--cache-dir"):
            opener.bits(0, N_STEPS, 0.6, Polarity.HIGH)
    assert len(files(source)) == 1, "nothing goes where that is not enough"
    opener.bits(0, N_STEPS, 0.5, Polarity.HIGH)  # what is there needs no room
    free[0] = spare
    opener.bits(0, N_STEPS, 0.6, Polarity.HIGH)
    assert len(files(source)) == 1, "the older one makes room"


def test_what_a_killed_process_left_goes_after_a_day(opened: tuple[Dataset, Source]) -> None:
    source = opened[1]
    opener = StoredBits(source.home)
    opener.bits(0, 90, 0.5, Polarity.HIGH)
    old, new = (source.home / "bits" / f"high-0.{name}.partial" for name in ("old", "new"))
    old.touch()
    new.touch()
    os.utime(old, (0, 0))
    opener.bits(90, 180, 0.5, Polarity.HIGH)
    assert not old.exists()
    assert new.exists(), "it may be being written"


def test_files_that_are_gone_or_damaged_are_packed_again(opened: tuple[Dataset, Source]) -> None:
    source = opened[1]
    opener = StoredBits(source.home)
    expected = pack(np.asarray(source.rows)[:90], 0.5, Polarity.LOW)
    held = opener.bits(0, 90, 0.5, Polarity.LOW)
    ((path),) = (source.home / "bits").iterdir()
    path.unlink()
    assert np.array_equal(held, expected)
    opener.bits(0, 90, 0.5, Polarity.LOW)
    path.write_bytes(path.read_bytes()[:100])
    assert np.array_equal(opener.bits(0, 90, 0.5, Polarity.LOW), expected)


def test_bits_in_a_cache_that_may_only_be_read_are_used(
    opened: tuple[Dataset, Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    opener = StoredBits(opened[1].home)
    expected = opener.bits(0, 90, 0.5, Polarity.HIGH)

    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(array_cache.os, "utime", read_only)
    monkeypatch.setattr(
        "app.execution.local.pack", None
    )  # packing again would fail, and so would writing
    monkeypatch.setattr(array_cache.np, "save", read_only)
    assert np.array_equal(opener.bits(0, 90, 0.5, Polarity.HIGH), expected)


def test_a_full_disk_is_a_sentence_and_leaves_nothing(
    opened: tuple[Dataset, Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = opened[1]

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(array_cache.np, "save", full)
    with pytest.raises(DatasetError, match=r"no space left on device.*--cache-dir"):
        StoredBits(source.home).bits(0, 90, 0.5, Polarity.HIGH)
    assert files(source) == []


def test_a_search_goes_on_after_the_cache_was_emptied(opened: tuple[Dataset, Source]) -> None:
    dataset, source = opened
    service, query = MatchService(cache_bytes=0), Query(threshold=0.6, start=50, stop=51)
    expected = whole_answer(find_matches(states_of(dataset, source), query))
    for least in (2, 3):
        shutil.rmtree(source.home.parent)
        states = states_of(dataset, dataset.open_source("s"))
        again = replace(query, min_overlap=least)
        assert service.match("a", states, again).total_matches > 0
    assert whole_answer(service.match("a", states, query)) == expected


def test_processes_give_the_same_answer_from_files(opened: tuple[Dataset, Source]) -> None:
    states = states_of(*opened)
    assert states.opener is not None
    executors = processes(2)
    try:
        for query in [replace(one, threshold=0.6) for one in variants(2)[:12]]:
            bits = spread_states(
                states,
                query.threshold,
                query.polarity,
                opener=states.opener,
                executors=executors,
                n_shards=5,
            )
            answer = whole_answer(find_matches(states, query, bits=bits))
            assert answer == whole_answer(find_matches(states, query))
        service = MatchService(executors=executors)
        query = Query(threshold=0.6, start=50, stop=51)
        assert whole_answer(service.match("a", states, query)) == whole_answer(
            find_matches(states, query)
        )
    finally:
        for executor in executors:
            executor.shutdown()


def test_a_worker_that_was_killed_is_begun_anew() -> None:
    (worker,) = processes(1)
    try:
        first = worker.submit(os.getpid).result(60)
        assert first != os.getpid()
        with pytest.raises(BrokenProcessPool):
            worker.submit(os.kill, first, signal.SIGKILL).result(60)
        assert worker.submit(os.getpid).result(60) not in (first, os.getpid())
    finally:
        worker.shutdown()


def test_a_worker_hears_no_interrupt_that_is_meant_for_the_command() -> None:
    (worker,) = processes(1)
    try:
        first = worker.submit(os.getpid).result(60)
        os.kill(first, signal.SIGINT)
        assert worker.submit(os.getpid).result(60) == first
        assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    finally:
        worker.shutdown()


def test_a_worker_ends_with_the_process_that_began_it() -> None:
    # Not as a main module: a spawned worker would run that again.
    code = (
        "import os, threading; from app.execution.local import processes; "
        "print(processes(1)[0].submit(os.getpid).result(), flush=True); threading.Event().wait()"
    )
    server = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
    )
    assert server.stdout is not None
    with server.stdout:
        worker = int(server.stdout.readline())
        server.kill()
        server.wait()
        # The worker holds the same pipe: there is an end to read when it is gone.
        ended, _, _ = select.select([server.stdout], [], [], 60)
        if not ended:
            os.kill(worker, signal.SIGKILL)
        assert ended
