"""Prepared copies that are missing: built in a thread, followed from any process, tried again on request."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from app.work.preparation import Preparation, Preparations
from loaders import Catalog, Dataset, DatasetError

LONG = 30.0


class Gate:
    """A progress function that pauses builders half way until it is opened."""

    def __init__(self) -> None:
        self.reached, self.open = threading.Event(), threading.Event()
        self.error: Exception | None = None
        self.builds = 0

    def __call__(self, done: int, total: int) -> None:
        self.builds += done == 0
        if 0 < done < total:
            self.reached.set()
            self.open.wait(LONG)
            if self.error:
                raise self.error


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.open.set()


@pytest.fixture
def folder(dataset_folder: Callable[..., Path]) -> Path:
    rows = np.random.default_rng(0).normal(size=(50_000, 40)).astype(np.float32)
    return dataset_folder("big", {"layer": rows})


def opened(folder: Path, cache: Path, gate: Gate | None = None) -> Dataset:
    return Catalog([folder], cache, gate).get(folder.name)


def wait_for(preparations: Preparations, dataset: Dataset, state: str) -> Preparation:
    for _ in range(int(LONG / 0.01)):
        found = preparations.state(dataset, "layer")
        if found.state == state:
            return found
        time.sleep(0.01)
    raise AssertionError(f"{found}, not {state}")


def test_a_small_copy_is_there_at_once(folder: Path, tmp_path: Path) -> None:
    dataset = opened(folder, tmp_path / "cache")
    preparations = Preparations(tmp_path / "jobs", patience=LONG)
    assert not dataset.is_ready("layer")
    assert preparations.ready(dataset, "layer")
    assert dataset.is_ready("layer")
    assert preparations.state(dataset, "layer") == Preparation("ready")
    with pytest.raises(DatasetError, match="other"):
        preparations.ready(dataset, "other")


def test_nobody_waits_for_a_large_one_and_every_process_tells_how_far_it_is(
    folder: Path, tmp_path: Path, gate: Gate
) -> None:
    mine = opened(folder, tmp_path / "cache", gate)
    other = opened(folder, tmp_path / "cache", gate)
    here, there = (Preparations(tmp_path / "jobs", patience=0.05) for _ in range(2))
    assert not here.ready(mine, "layer")
    assert gate.reached.wait(LONG)
    total = 50_000 * 40 * 4
    for preparations, dataset in ((here, mine), (there, other)):
        found = preparations.state(dataset, "layer")
        assert (found.state, found.total) == ("building", total)
        assert 0 < found.done < total
        assert not preparations.ready(dataset, "layer"), "asked once more: it does not wait longer"
    gate.open.set()
    wait_for(here, mine, "ready")
    assert wait_for(there, other, "ready") == Preparation("ready")
    assert here.ready(mine, "layer")
    assert there.ready(other, "layer")


def test_the_time_left_follows_from_the_time_taken(
    folder: Path, tmp_path: Path, gate: Gate
) -> None:
    dataset = opened(folder, tmp_path / "cache", gate)
    preparations = Preparations(tmp_path / "jobs", patience=0)
    preparations.ready(dataset, "layer")
    assert gate.reached.wait(LONG)
    assert preparations.state(dataset, "layer").left is None, "too early to say"
    (temporary,) = (tmp_path / "cache" / "sources").glob("*.tmp")
    written = (temporary / "rows.npy").stat().st_mtime
    os.utime(temporary, (written - 100, written - 100))
    found = preparations.state(dataset, "layer")
    assert found.left == pytest.approx(100 * (found.total - found.done) / found.done, rel=0.01)


def test_a_failure_is_the_same_sentence_in_every_process_until_it_is_tried_again(
    folder: Path, tmp_path: Path, gate: Gate
) -> None:
    mine = opened(folder, tmp_path / "cache", gate)
    other = opened(folder, tmp_path / "cache")
    here, there = (Preparations(tmp_path / "jobs", patience=0.05) for _ in range(2))
    gate.error = OSError(28, "No space left on device")
    assert not here.ready(mine, "layer")
    gate.open.set()
    sentence = wait_for(here, mine, "failed").sentence
    assert "no space left on device" in sentence
    assert "--cache-dir" in sentence
    assert there.state(other, "layer").sentence == sentence
    with pytest.raises(DatasetError, match="no space left on device"):
        Preparations(tmp_path / "jobs", patience=LONG).ready(mine, "layer")
    assert Preparations(tmp_path / "jobs", patience=LONG).ready(other, "layer"), "there is room now"


def test_a_failure_that_cannot_be_written_down_is_told_all_the_same(
    folder: Path, tmp_path: Path, gate: Gate
) -> None:
    (tmp_path / "jobs").write_text("a file with this name")
    dataset = opened(folder, tmp_path / "cache", gate)
    preparations = Preparations(tmp_path / "jobs", patience=0)
    gate.error = OSError(28, "No space left on device")
    gate.open.set()
    preparations.ready(dataset, "layer")
    assert "no space left" in wait_for(preparations, dataset, "failed").sentence
    assert gate.builds == 1, "polling does not try again"


def ended(dataset: Dataset) -> bool:
    """Whether no process builds the copy of ``layer``, possibly after a while."""
    for _ in range(int(LONG / 0.01)):
        if dataset.building("layer") is None:
            return True
        time.sleep(0.01)
    return False


def left_behind(folder: Path, cache: Path) -> list[str]:
    """What a build has left: in the cache folder without its locks, which are empty and stay."""
    found = sorted(path.name for path in (cache / "sources").iterdir() if path.suffix != ".lock")
    return found + sorted(path.name for path in folder.glob("*"))


def test_a_cancel_ends_the_build_whichever_process_makes_it_and_leaves_nothing(
    folder: Path, tmp_path: Path, gate: Gate
) -> None:
    cache, jobs = tmp_path / "cache", tmp_path / "jobs"
    mine, other = opened(folder, cache, gate), opened(folder, cache, gate)
    here, there = (Preparations(jobs, patience=0) for _ in range(2))
    for preparations, dataset in (
        (here, mine),
        (there, other),
    ):  # one builds, one waits for its lock
        assert not preparations.ready(dataset, "layer")
    assert here.state(mine, "layer", "a1").state == "building"
    assert gate.reached.wait(LONG)
    assert there.cancel(other, "layer", "a1") == "cancelled"
    gate.open.set()
    assert ended(mine)
    assert left_behind(jobs, cache) == [f"{mine.source_key('layer')}.cancelled"]
    assert not mine.is_ready("layer")
    # Nobody takes over by himself, and no process calls it a failure.
    for thread in [one for one in threading.enumerate() if one.name == "copy layer"]:
        thread.join(LONG)
        assert not thread.is_alive()
    assert ended(other)
    assert not other.is_ready("layer")

    assert not there.ready(other, "layer", "b2")
    wait_for(there, other, "ready")
    assert wait_for(here, mine, "ready") == Preparation("ready")
    assert left_behind(jobs, cache) == [
        mine.source_key("layer"),
        f"{mine.source_key('layer')}.b2.waiting",
    ]
    assert there.state(other, "layer", "b2") == Preparation("ready")
    assert left_behind(jobs, cache) == [mine.source_key("layer")]


def test_a_cancel_takes_the_copy_from_nobody_else_who_waits(
    folder: Path, tmp_path: Path, gate: Gate
) -> None:
    dataset = opened(folder, tmp_path / "cache", gate)
    here, there = (Preparations(tmp_path / "jobs", patience=0) for _ in range(2))
    here.ready(dataset, "layer")
    assert gate.reached.wait(LONG)
    assert here.state(dataset, "layer", "a1").state == "building"
    assert there.state(dataset, "layer", "b2").state == "building"
    assert there.cancel(dataset, "layer", "a1") == "wanted"
    # A page that was closed, or has not polled for long, does not wait.
    here.leave(dataset, "layer", "b2")
    assert not here.ready(dataset, "layer", "c3")
    (mark,) = (tmp_path / "jobs").glob("*.c3.waiting")
    os.utime(mark, (0, 0))
    assert here.cancel(dataset, "layer", "a1") == "cancelled"
    assert not mark.exists()
    # It comes back before the builder has seen that: it gets its copy.
    assert there.state(dataset, "layer", "c3").state == "building"
    gate.open.set()
    wait_for(there, dataset, "ready")
    assert gate.builds == 1


def test_whoever_asks_after_a_cancel_has_it_built_anew(
    folder: Path, tmp_path: Path, gate: Gate
) -> None:
    dataset = opened(folder, tmp_path / "cache", gate)
    preparations = Preparations(tmp_path / "jobs", patience=LONG)
    gate.open.set()
    preparations.cancel(dataset, "layer")
    assert preparations.ready(dataset, "layer"), "a cancel of long ago"
    assert dataset.progress is gate


@pytest.mark.skipif(sys.platform != "linux", reason="threads have individual priorities on Linux")
def test_a_build_for_which_there_is_no_thread_is_begun_when_there_is_one(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    dataset, preparations = (
        opened(folder, tmp_path / "cache"),
        Preparations(tmp_path / "notes", patience=LONG),
    )
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        with pytest.raises(RuntimeError, match="thread"):
            preparations.ready(dataset, "layer")
    assert preparations.ready(dataset, "layer")


def test_building_goes_after_answering(folder: Path, tmp_path: Path) -> None:
    seen: list[int] = []

    def look(done: int, total: int) -> None:
        if done:  # by the thread that has read them
            seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    dataset = Catalog([folder], tmp_path / "cache", look).get(folder.name)
    assert Preparations(tmp_path / "notes", patience=LONG).ready(dataset, "layer")
    usual = os.getpriority(os.PRIO_PROCESS, os.getpid())
    assert seen
    assert set(seen) == {min(19, usual + 5)}


def test_when_the_building_process_is_killed_another_takes_over(
    folder: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    code = f"""
        import threading
        from loaders import Catalog

        def stop(done, total):
            if 0 < done < total:
                print("half way", flush=True)
                threading.Event().wait()

        Catalog([{str(folder)!r}], {str(cache)!r}, stop).get("big").open_source("layer")
    """
    worker = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    )
    dataset = opened(folder, cache)
    preparations = Preparations(tmp_path / "jobs", patience=0)
    assert worker.stdout is not None
    with worker.stdout:
        assert worker.stdout.readline() == "half way\n"
        assert preparations.state(dataset, "layer").done > 0
        assert not preparations.ready(dataset, "layer")
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
    wait_for(preparations, dataset, "ready")
    assert not list((cache / "sources").glob("*.tmp"))
