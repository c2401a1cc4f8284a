"""The prepared copies: atomic, shared, rebuilt when a file changes, with clear errors."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loaders.config import SourceSettings
from loaders.dataset import open_dataset
from loaders.problems import DatasetError
from loaders.sources import store
from loaders.sources.files import inspect_source
from loaders.sources.summary import Summarizer, sample_rows, suggest_threshold
from loaders.writer import write_dataset
from tests import ROOT


@pytest.fixture
def path(tmp_path: Path) -> Any:
    rows = np.random.default_rng(0).normal(size=(500, 4)).astype("float16")
    return write_dataset(tmp_path / "d", tokens=["t"] * 500, states={"s": rows})


def files_of(path: Path, transform: str | None = None) -> Any:
    settings = SourceSettings(transform=transform)
    files, problems = inspect_source("s", path / "states" / "s.parquet", "d/states/s", settings)
    assert not problems
    return files


def copies(cache: Path) -> Any:
    """Complete copies and leftovers in the cache folder."""
    entries = [p for p in (cache / "sources").iterdir() if p.is_dir()]
    return (
        [p for p in entries if p.suffix != ".tmp"],
        [p for p in entries if p.suffix == ".tmp"],
    )


def test_the_copy_is_built_once_and_only_in_the_cache(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "deep" / "cache"
    before = sorted(p for p in path.rglob("*"))
    first = open_dataset(path, cache).open_source("s")
    assert sorted(p for p in path.rglob("*")) == before
    monkeypatch.setattr(store, "_build", None)  # a second build would fail
    again = open_dataset(path, cache).open_source("s")
    assert again.key == first.key
    assert isinstance(again.rows, np.memmap)
    np.testing.assert_array_equal(first.rows, again.rows)
    for name, values in first.summary.arrays().items():
        np.testing.assert_array_equal(values, again.summary.arrays()[name])


def test_progress_counts_steps(path: Path, tmp_path: Path) -> None:
    seen = []
    open_dataset(path, tmp_path / "c", lambda *p: seen.append(p)).open_source("s")
    assert seen == [(0, 500), (500, 500)]


def test_progress_can_stop_the_build(path: Path, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_dataset(path, tmp_path / "c").open_source("s", stop)
    assert copies(tmp_path / "c") == ([], [])
    assert open_dataset(path, tmp_path / "c").open_source("s").n_steps == 500


def test_the_key_depends_on_content_time_and_transform(path: Path) -> None:
    first = files_of(path)
    key = store.source_key(first)
    assert store.source_key(files_of(path)) == key
    assert store.source_key(files_of(path, "tanh")) != key
    file = path / "states" / "s.parquet"
    info = file.stat()
    os.utime(file, ns=(info.st_atime_ns, info.st_mtime_ns + 1))
    assert store.source_key(files_of(path)) != key
    assert first.changed()
    assert files_of(path).digest(times=False) == first.digest(times=False)


def test_the_fingerprint_depends_on_the_content_only(path: Path, tmp_path: Path) -> None:
    original = open_dataset(path, tmp_path / "c")
    assert len(original.fingerprint) == 8
    int(original.fingerprint, 16)
    copy = tmp_path / "elsewhere" / "other"
    shutil.copytree(path, copy, copy_function=shutil.copy)  # other modification times
    assert open_dataset(copy, tmp_path / "c").fingerprint == original.fingerprint
    rows = original.open_source("s").window(0, 500)
    rows[7, 2] = 100
    write_dataset(copy, tokens=["t"] * 500, states={"s": rows}, overwrite=True)
    assert open_dataset(copy, tmp_path / "c").fingerprint != original.fingerprint
    (path / "dataset.yaml").write_text("sources: {s: {transform: tanh}}")
    assert open_dataset(path, tmp_path / "c").fingerprint != original.fingerprint


BUILDER = """
import sys, time
from loaders.sources import store
from loaders.dataset import open_dataset
slow = float(sys.argv[3])
build = store._build
def noted(*args):
    print("building", flush=True)
    build(*args)
store._build = noted
def progress(done, total):
    if done:
        print("half", flush=True)
        time.sleep(slow)
source = open_dataset(sys.argv[1], sys.argv[2]).open_source("s", progress)
print("done", float(source.rows.astype("f8").sum()), flush=True)
"""


def start(path: Path, cache: Path, slow: Any) -> Any:
    return subprocess.Popen(
        [sys.executable, "-c", BUILDER, str(path), str(cache), str(slow)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_two_processes_build_one_copy(path: Path, tmp_path: Path) -> None:
    cache = tmp_path / "c"
    builders = [start(path, cache, 0.5) for _ in range(2)]
    outputs = [builder.communicate(timeout=60)[0].split() for builder in builders]
    assert [builder.returncode for builder in builders] == [0, 0]
    assert outputs[0][-1] == outputs[1][-1]
    assert sum(output.count("building") for output in outputs) == 1
    finished, leftovers = copies(cache)
    assert len(finished) == 1
    assert leftovers == []


def test_two_builders_without_locks_get_equal_copies(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loaders.locks._HAS_LOCKS", False)
    cache = tmp_path / "c"
    gate = threading.Barrier(2, timeout=20)
    sources = []

    def wait(done: int, total: int) -> None:
        if done == total:
            gate.wait()  # both have built before either renames

    def build() -> None:
        sources.append(open_dataset(path, cache).open_source("s", wait))

    threads = [threading.Thread(target=build) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(sources) == 2
    np.testing.assert_array_equal(sources[0].rows, sources[1].rows)
    finished, leftovers = copies(cache)
    assert len(finished) == 1
    assert leftovers == []


def test_threads_open_one_source(path: Path, tmp_path: Path) -> None:
    dataset = open_dataset(path, tmp_path / "c")
    sources = []
    threads = [
        threading.Thread(target=lambda: sources.append(dataset.open_source("s"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len({id(source) for source in sources}) == 1


def test_a_killed_builder_leaves_nothing_that_matters(path: Path, tmp_path: Path) -> None:
    cache = tmp_path / "c"
    builder = start(path, cache, 60)
    assert builder.stdout is not None
    while builder.stdout.readline() != "half\n":
        assert builder.poll() is None
    builder.send_signal(signal.SIGKILL)
    builder.communicate(timeout=20)
    finished, leftovers = copies(cache)
    assert finished == []
    assert len(leftovers) == 1
    assert open_dataset(path, cache).open_source("s").n_steps == 500
    finished, leftovers = copies(cache)
    assert len(finished) == 1
    assert leftovers == []


def test_leftovers_of_other_sources_are_deleted_after_a_day(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "c" / "sources"
    old, new = folder / "v1-old.1-a.tmp", folder / "v1-new.1-a.tmp"
    for leftover in (old, new):
        leftover.mkdir(parents=True)
        (leftover / "rows.npy").write_bytes(b"half")
    os.utime(old, (time.time() - 90_000,) * 2)
    open_dataset(path, tmp_path / "c").open_source("s")
    assert not old.exists()
    assert new.exists()


def rewrite(path: Path, number: int) -> None:
    rows = np.full((500, 4), number, "float16")
    write_dataset(path, tokens=["t"] * 500, states={"s": rows}, overwrite=True)


def age_copies(cache: Path, seconds: float = 90_000) -> None:
    """Make all copies look as if they had last been opened this long ago."""
    for about in (cache / "sources").glob("*/about.json"):
        os.utime(about, (time.time() - seconds,) * 2)


def test_the_copy_of_a_rewritten_file_is_deleted_a_day_after_its_last_use(
    path: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "c"
    other = write_dataset(tmp_path / "o", tokens=["t"], states={"s": np.ones((1, 1), "float32")})
    removed = write_dataset(tmp_path / "g", tokens=["t"], states={"s": np.zeros((1, 1), "float32")})
    old = open_dataset(path, cache).open_source("s")
    for kept in (other, removed):
        open_dataset(kept, cache).open_source("s")
    (kept_home,) = [home for home in homes(cache) if home.name == old.key]
    rewrite(path, 1)
    open_dataset(path, cache).open_source("s")
    assert kept_home.exists(), "it may still be in use"
    shutil.rmtree(removed)
    age_copies(cache)
    rewrite(path, 2)
    open_dataset(path, cache).open_source("s")
    assert not kept_home.exists()
    assert len(homes(cache)) == 3, "this one, the unchanged one, the one whose file is missing"
    assert copies(cache)[1] == []
    assert old.window(0, 500).shape == (500, 4), "open copies stay readable"
    # opening counts as use, whether or not a copy is built
    before = homes(cache)
    age_copies(cache)
    open_dataset(path, cache).open_source("s")
    rewrite(path, 3)
    open_dataset(path, cache).open_source("s")
    assert set(before) < set(homes(cache))


def test_when_space_is_needed_older_copies_are_deleted_at_once(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "c"
    open_dataset(path, cache).open_source("s")
    (old,) = homes(cache)
    rewrite(path, 1)
    full, free = (shutil._ntuple_diskusage(10**9, 0, n) for n in (5000, 10**9))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full if old.exists() else free)
    open_dataset(path, cache).open_source("s")
    assert not old.exists()
    assert len(homes(cache)) == 1


@pytest.mark.parametrize(
    "damage", ["no rows", "short rows", "other rows", "no summary", "lost page", "garbage"]
)
def test_a_damaged_copy_is_built_again(path: Path, tmp_path: Path, damage: Any) -> None:
    cache = tmp_path / "c"
    expected = open_dataset(path, cache).open_source("s").window(0, 500)
    ((home,), _) = copies(cache)
    rows = home / "rows.npy"
    if damage == "no rows":
        rows.unlink()
    elif damage == "short rows":
        rows.write_bytes(rows.read_bytes()[:-10])
    elif damage == "other rows":
        np.save(rows, np.zeros((3, 4), "float16"))
    elif damage == "no summary":
        (home / "summary.npz").unlink()
    elif damage == "lost page":
        content = bytearray((home / "summary.npz").read_bytes())
        content[160:300] = bytes(140)
        (home / "summary.npz").write_bytes(content)
    else:
        (home / "summary.npz").write_bytes(b"PK garbage")
    source = open_dataset(path, cache).open_source("s")
    np.testing.assert_array_equal(source.window(0, 500), expected)
    finished, leftovers = copies(cache)
    assert finished == [home]
    assert leftovers == []


def test_the_cache_may_be_deleted_while_a_source_is_open(path: Path, tmp_path: Path) -> None:
    cache = tmp_path / "c"
    dataset = open_dataset(path, cache)
    source = dataset.open_source("s")
    assert dataset.open_source("s") is source
    shutil.rmtree(cache)
    assert source.window(0, 500).shape == (500, 4)
    assert not dataset.is_ready("s")
    assert dataset.open_source("s").home.exists()
    assert dataset.is_ready("s")


def refused(path: Path, cache: Path) -> Any:
    with pytest.raises(DatasetError) as error:
        open_dataset(path, cache).open_source("s")
    sentence = str(error.value)
    assert "\n" not in sentence
    assert "--cache-dir" in sentence
    assert str(cache) in sentence
    return sentence


def test_a_full_disk_is_refused_before_writing(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil._ntuple_diskusage(10**9, 10**9 - 5000, 5000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    sentence = refused(path, tmp_path / "c")
    assert "16.8 MB of free disk space for the copy of d/states/s.parquet" in sentence
    assert "found 5.0 kB" in sentence
    assert copies(tmp_path / "c") == ([], [])


def test_a_disk_that_fills_up_while_writing(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: Any, array: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(store.np.lib.format, "write_array_header_1_0", full)
    assert "no space left on device" in refused(path, tmp_path / "c")
    assert copies(tmp_path / "c") == ([], [])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_writes_to_a_full_device_are_an_error_not_a_crash(path: Path) -> None:
    files = files_of(path)
    with pytest.raises(OSError, match="No space left"), Path("/dev/full").open("wb") as file:
        store._write_rows(file, files, Summarizer(500, 4), lambda done, total: None)


def homes(cache: Path) -> Any:
    return copies(cache)[0]


def marked(home: Path) -> Any:
    for _ in range(1000):
        if (home / "on-disk").read_bytes() == b"1":
            return True
        time.sleep(0.01)
    return False


def restarted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine has been rebooted."""
    monkeypatch.setattr(store, "_boot", lambda: "another boot")


def test_a_copy_is_used_at_once_and_marked_once_it_is_on_the_disk(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = threading.Event()
    real = os.fsync

    def slow(descriptor: int) -> None:
        assert synced.wait(30)
        real(descriptor)

    monkeypatch.setattr(store.os, "fsync", slow)
    assert open_dataset(path, tmp_path / "c").open_source("s").n_steps == 500
    (home,) = homes(tmp_path / "c")
    assert (home / "on-disk").read_bytes() == b"0"
    synced.set()
    assert marked(home)


def test_a_disk_that_fails_leaves_no_mark_and_the_next_opening_tries_again(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = threading.Event()

    def failing(_: Any) -> None:
        tried.set()
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(store.os, "fsync", failing)
        open_dataset(path, tmp_path / "c").open_source("s")
        assert tried.wait(30)
    (home,) = homes(tmp_path / "c")
    assert (home / "on-disk").read_bytes() == b"0"
    open_dataset(path, tmp_path / "c").open_source("s")
    assert marked(home)


def test_other_derived_files_do_not_prevent_the_mark(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(store, "_send_to_disk", lambda home: None)
        open_dataset(path, tmp_path / "c").open_source("s")
    (home,) = homes(tmp_path / "c")
    (home / "bits").mkdir()
    open_dataset(path, tmp_path / "c").open_source("s")
    assert marked(home)


@pytest.mark.parametrize("lost", [True, False])
def test_after_a_restart_an_unmarked_copy_is_checked(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: Any
) -> None:
    cache = tmp_path / "c"
    monkeypatch.setattr(store, "_send_to_disk", lambda home: None)
    expected = open_dataset(path, cache).open_source("s").window(0, 500)
    (home,) = homes(cache)
    if lost:
        content = bytearray((home / "rows.npy").read_bytes())
        content[1024:2048] = bytes(1024)
        (home / "rows.npy").write_bytes(content)
    built = []
    real = store._build
    monkeypatch.setattr(store, "_build", lambda *given: (built.append(1), real(*given))[1])
    # Until the next boot, everything written is there, and nothing is read again.
    assert open_dataset(path, cache).open_source("s").n_steps == 500
    assert built == []
    restarted(monkeypatch)
    np.testing.assert_array_equal(
        open_dataset(path, cache).open_source("s").window(0, 500), expected
    )
    assert len(built) == lost


def test_a_copy_that_must_be_read_first_is_not_ready(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_send_to_disk", lambda home: None)
    open_dataset(path, tmp_path / "c").open_source("s")
    dataset = open_dataset(path, tmp_path / "c")
    assert dataset.is_ready("s")
    restarted(monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(store, "_checksum", None)  # reading it would fail
        assert not dataset.is_ready("s")
    dataset.open_source("s")
    assert dataset.is_ready("s")


def test_after_a_restart_a_marked_copy_is_not_read_again(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_dataset(path, tmp_path / "c").open_source("s")
    assert marked(homes(tmp_path / "c")[0])
    restarted(monkeypatch)
    monkeypatch.setattr(store, "_checksum", None)  # reading it would fail
    assert open_dataset(path, tmp_path / "c").open_source("s").n_steps == 500


def test_disk_space_is_allocated_at_once_where_the_file_system_can(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def cannot(descriptor: int, offset: int, size: int) -> None:
        asked.append(size)
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(store.os, "posix_fallocate", cannot, raising=False)
    assert open_dataset(path, tmp_path / "c").open_source("s").n_steps == 500
    (home,) = homes(tmp_path / "c")
    assert asked == [(home / "rows.npy").stat().st_size]

    def full(descriptor: int, offset: int, size: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(store.os, "posix_fallocate", full, raising=False)
    assert "no space left on device" in refused(path, tmp_path / "other")


def test_a_cache_folder_that_is_a_file(path: Path, tmp_path: Path) -> None:
    (tmp_path / "c").touch()
    assert "writable" in refused(path, tmp_path / "c")


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
def test_a_cache_folder_that_cannot_be_made(path: Path) -> None:
    refused(path, Path("/proc/statebrush"))


def test_a_read_only_cache_folder(path: Path, tmp_path: Path) -> None:
    cache = tmp_path / "c"
    cache.mkdir(mode=0o555)
    if os.access(cache, os.W_OK):
        pytest.skip("this user may write anywhere")
    assert "permission denied" in refused(path, cache)


def test_a_read_only_cache_that_contains_the_copy_is_enough(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_dataset(path, tmp_path / "c").open_source("s")

    def read_only(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "mkdir", read_only)
    assert open_dataset(path, tmp_path / "c").open_source("s").n_steps == 500
    assert "read-only file system" in refused(path, tmp_path / "other")


def test_a_file_that_changes_while_it_is_read(path: Path, tmp_path: Path) -> None:
    file = path / "states" / "s.parquet"

    def touch(done: int, total: int) -> None:
        os.utime(file, ns=(1, time.time_ns()))

    with pytest.raises(DatasetError, match="do not change while they are read"):
        open_dataset(path, tmp_path / "c").open_source("s", touch)
    assert copies(tmp_path / "c") == ([], [])


def test_a_file_deleted_after_opening(path: Path, tmp_path: Path) -> None:
    dataset = open_dataset(path, tmp_path / "c")
    (path / "states" / "s.parquet").unlink()
    with pytest.raises(DatasetError, match=r"d/states/s.parquet: .* no such file"):
        dataset.open_source("s")


def test_memory_stays_bounded_for_one_large_row_group(tmp_path: Path) -> None:
    """160 MB in one row group, built by a process limited to far less than two copies."""
    rows = np.random.default_rng(0).normal(size=(40_000, 200)).astype("f4")
    columns = [pa.array(np.tile(column, 5)) for column in rows.T.copy()]
    folder = tmp_path / "d"
    (folder / "states").mkdir(parents=True)
    table = pa.Table.from_arrays(columns, [str(i) for i in range(200)])
    pq.write_table(table, folder / "states" / "s.parquet", row_group_size=1 << 20)
    pq.write_table(pa.table({"token": ["t"] * 200_000}), folder / "tokens.parquet")
    code = """
import resource, sys
from loaders.dataset import open_dataset
dataset = open_dataset(sys.argv[1], sys.argv[2])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
dataset.open_source("s")
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    run = subprocess.run(
        [sys.executable, "-c", code, str(folder), str(tmp_path / "c")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert int(run.stdout) < 300  # MB; reading the row group whole takes 400 and more


# ---- summaries


def test_per_state_summary_is_exact_over_blocks() -> None:
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(1000, 5)).astype("float16")
    rows[rng.random(rows.shape) < 0.05] = np.nan
    rows[rng.random(rows.shape) < 0.02] = np.inf
    rows[rng.random(rows.shape) < 0.02] = -np.inf
    rows[:, 3] = 2
    rows[:, 4] = np.nan
    summarizer = Summarizer(*rows.shape)
    for start_row in range(0, 1000, 77):
        summarizer.update(start_row, rows[start_row : start_row + 77])
    summary = summarizer.finish()
    finite = np.where(np.isfinite(rows), rows.astype("f8"), np.nan)
    np.testing.assert_array_equal(summary.minima[:4], np.nanmin(finite[:, :4], axis=0))
    np.testing.assert_array_equal(summary.maxima[:4], np.nanmax(finite[:, :4], axis=0))
    assert np.isnan(summary.minima[4])
    np.testing.assert_array_equal(summary.nan_counts, np.isnan(rows).sum(axis=0))
    np.testing.assert_array_equal(summary.high_counts, np.isposinf(rows).sum(axis=0))
    np.testing.assert_array_equal(summary.low_counts, np.isneginf(rows).sum(axis=0))
    assert summary.constant.tolist() == [False, False, False, True, False]
    for kind, first in (("nan", summary.first_nan), ("inf", summary.first_infinity)):
        mask = np.isnan(rows) if kind == "nan" else np.isinf(rows)
        assert first == tuple(np.argwhere(mask)[0])
    values = np.sort(finite[np.isfinite(finite)])
    np.testing.assert_allclose(summary.quantiles, np.quantile(values, np.linspace(0, 1, 1001)))
    assert summarizer.share_on(0.5) == (rows.astype("f8") >= 0.5).mean()


@pytest.mark.parametrize("seed", range(20))
def test_extremes_of_float16_are_those_of_its_numbers(seed: int) -> None:
    """Every kind of column: one sign, both, zeros and NaN of both signs, infinities."""
    rng = np.random.default_rng(seed)
    patterns = rng.integers(0, 1 << 16, size=(int(rng.integers(1, 9)), 60)).astype("u2")
    patterns[:, :20] &= 0x7FFF
    patterns[:, 20:40] |= 0x8000
    patterns[:, 40:45] &= 0x8000
    rows = patterns.view("f2")
    if seed % 2:
        rows = np.where(np.isfinite(rows), rows, np.float16(seed))
    summarizer = Summarizer(*rows.shape)
    summarizer.update(0, rows)
    summary = summarizer.finish()
    for state, column in enumerate(rows.T.astype("f8")):
        finite = column[np.isfinite(column)]
        if len(finite):
            assert (summary.minima[state], summary.maxima[state]) == (finite.min(), finite.max())
        else:
            assert np.isnan(summary.minima[state])
    np.testing.assert_array_equal(summary.nan_counts, np.isnan(rows).sum(axis=0))


@pytest.mark.parametrize(
    ("n_steps", "n_states"), [(10, 3), (1_000_000, 650), (3_000_000, 1), (5, 4_000_000)]
)
def test_the_sample_is_spread_out_and_bounded(n_steps: int, n_states: int) -> None:
    rows = sample_rows(n_steps, n_states)
    assert len(rows) == min(n_steps, max(1, 2_000_000 // n_states))
    assert rows[0] >= 0
    assert rows[-1] < n_steps
    assert (np.diff(rows) > 0).all()
    assert np.diff(rows).max(initial=1) <= 2 * -(-n_steps // len(rows))
    np.testing.assert_array_equal(rows, sample_rows(n_steps, n_states))


def suggested(values: Any) -> Any:
    values = np.asarray(values, np.float64)
    return suggest_threshold(np.sort(values[~np.isnan(values)]), len(values))


def share(values: Any, threshold: float) -> Any:
    return float((np.asarray(values, np.float64) >= threshold).mean())


RNG = np.random.default_rng(5)


@pytest.mark.parametrize(
    "values",
    [
        np.tanh(RNG.normal(size=5000)),
        RNG.normal(size=5000),
        RNG.normal(size=5000) * 1e-6,
        RNG.normal(size=5000) * 1e200,
        RNG.normal(size=5000) + 1000,
        -np.abs(RNG.normal(size=5000)) - 1,
        RNG.random(5000),
        RNG.standard_cauchy(5000),
        np.append(RNG.normal(size=5000), [1e30, -1e30]),
        np.where(RNG.random(5000) < 0.3, np.nan, RNG.normal(size=5000)),
        np.maximum(RNG.normal(size=5000), 0),
        RNG.integers(0, 10, 5000),
    ],
    ids=lambda _: "",
)
def test_about_a_fifth_is_on_at_the_suggested_threshold(values: Any) -> None:
    threshold = suggested(values)
    assert 0.1 <= share(values, threshold) <= 0.3
    assert len(f"{threshold:.15g}".replace("-", "").replace(".", "").strip("0").split("e")[0]) <= 6


def test_usual_ranges_give_round_numbers() -> None:
    assert suggested(np.linspace(-1, 1, 2001)) == 0.5 or suggested(np.linspace(-1, 1, 2001)) == 0.6
    assert suggested(np.linspace(0, 1, 1001)) == 0.8


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], 0.0),
        ([np.nan] * 5, 0.0),
        ([np.inf, -np.inf], 0.0),
        ([0.0] * 5, 0.0),
        ([0.123] * 5, 0.12),
        ([-0.123] * 5, -0.13),
        ([7.0, np.nan], 7.0),
        ([5e-324] * 3, 5e-324),
    ],
)
def test_suggestions_for_constant_values(values: Any, expected: Any) -> None:
    assert suggested(values) == pytest.approx(expected, rel=0.05, abs=0)
    if np.isfinite(values).any():
        assert share([v for v in values if v == v], suggested(values)) == 1


@pytest.mark.parametrize(
    "values",
    [[0.0] * 99 + [1.0], [0.0] + [1.0] * 99, [-1e308, 1e308], [0, 5e-324], [np.inf, 1.0, 2.0]],
)
def test_odd_distributions_give_a_finite_number(values: Any) -> None:
    assert np.isfinite(suggested(values))
    assert share(values, suggested(values)) > 0
