"""Jobs: any process can report, answer and end them; two `Jobs` over one folder represent two workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from app.matching import Control
from app.work.jobs import JobName, Jobs, Status

PAGE, OTHER = "a" * 32, "b" * 32
LONG = 30.0


class Slow:
    """Work that pauses half way until it is released or cancelled."""

    def __init__(self, answer: Any = "found") -> None:
        self.started, self.go, self.over = threading.Event(), threading.Event(), threading.Event()
        self.answer = answer

    def __call__(self, control: Control) -> dict[str, Any]:
        try:
            control.begin("packing", 0.6)
            control.advance(0.5)
            self.started.set()
            while not self.go.wait(0.005):
                control.check()
            return {"answer": self.answer}
        finally:
            self.over.set()


def wait_for(jobs: Jobs, name: JobName, state: str) -> Status:
    for _ in range(int(LONG / 0.01)):
        status = jobs.status(name)
        if status.state == state:
            return status
        threading.Event().wait(0.01)
    raise AssertionError(f"{name} is {jobs.status(name)}, not {state}")


@pytest.fixture
def slow() -> Iterator[Slow]:
    work = Slow()
    yield work
    work.go.set()


def test_a_quick_job_is_answered_at_once_and_touches_no_file(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path / "jobs", at_once=1, slots=1, patience=LONG)
    assert jobs.run(JobName(PAGE, "match", 1), lambda control: {"answer": 1}) == {"answer": 1}
    assert not (tmp_path / "jobs").exists()


def test_any_worker_tells_how_far_a_job_is_and_hands_over_its_answer(
    tmp_path: Path, slow: Slow
) -> None:
    mine, other = (Jobs(tmp_path, at_once=1, slots=1, patience=0.1) for _ in range(2))
    name = JobName(PAGE, "match", 7)
    assert mine.run(name, slow) is None
    assert slow.started.wait(LONG)
    for jobs in (mine, other):
        assert wait_for(jobs, name, "running").answer is None
    while other.status(name).stage != "packing":  # the note follows within a fraction of a second
        threading.Event().wait(0.01)
    assert other.status(name).done == pytest.approx(0.3)
    slow.go.set()
    for jobs in (other, mine):
        assert wait_for(jobs, name, "done").answer == {"answer": "found"}
    assert not list(tmp_path.glob("*.note"))
    assert other.status(JobName(OTHER, "match", 7)).state == "unknown"


def test_another_worker_ends_a_job(tmp_path: Path, slow: Slow) -> None:
    mine, other = (Jobs(tmp_path, at_once=1, slots=1, patience=0.1) for _ in range(2))
    name = JobName(PAGE, "match", 7)
    mine.run(name, slow)
    assert slow.started.wait(LONG)
    other.cancel(JobName(OTHER, "match", 99))
    other.cancel(JobName(PAGE, "match", 7))  # that is: everything before 7
    assert not slow.over.wait(0.6)
    other.cancel(JobName(PAGE, "match", 8))
    assert slow.over.wait(LONG)
    assert wait_for(other, name, "unknown").answer is None
    assert not list(tmp_path.glob("*.answer"))


@pytest.mark.parametrize("at_once", [1, 2])
def test_a_newer_request_ends_the_older_ones_of_its_page_running_or_queued(
    tmp_path: Path, slow: Slow, at_once: int
) -> None:
    jobs = Jobs(tmp_path, at_once=at_once, slots=4, patience=0.1)
    stranger, queued = Slow(), Slow()
    jobs.run(JobName(PAGE, "match", 1), slow)
    assert slow.started.wait(LONG)
    jobs.run(JobName(OTHER, "match", 1), stranger)
    jobs.run(JobName(PAGE, "match", 2), queued)
    assert slow.over.wait(LONG)
    newest = jobs.run(JobName(PAGE, "match", 3), lambda control: {"answer": 3})
    stranger.go.set()
    assert (newest or wait_for(jobs, JobName(PAGE, "match", 3), "done").answer) == {"answer": 3}
    assert wait_for(jobs, JobName(OTHER, "match", 1), "done").answer == {"answer": "found"}
    wait_for(jobs, JobName(PAGE, "match", 2), "unknown")


def test_a_job_waits_for_its_turn_and_says_so(tmp_path: Path, slow: Slow) -> None:
    jobs = Jobs(tmp_path, at_once=1, slots=0)
    jobs.run(JobName(OTHER, "match", 1), slow)
    assert slow.started.wait(LONG)
    name = JobName(PAGE, "match", 1)
    assert jobs.run(name, lambda control: {"answer": 1}) is None
    assert jobs.status(name).stage == "queued"
    slow.go.set()
    assert wait_for(jobs, name, "done").answer == {"answer": 1}


def test_only_so_many_callers_wait(tmp_path: Path, slow: Slow) -> None:
    jobs = Jobs(tmp_path, at_once=3, slots=1, patience=LONG)
    second = Slow()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(jobs.run, JobName(OTHER, "match", 1), slow)
        assert slow.started.wait(LONG)
        assert (
            jobs.run(JobName(PAGE, "match", 1), second) is None
        )  # sent away, not kept for LONG seconds
        assert not waiting.done()
        slow.go.set()
        assert waiting.result() == {"answer": "found"}
    second.go.set()
    assert wait_for(jobs, JobName(PAGE, "match", 1), "done").answer == {"answer": "found"}


def test_only_so_many_requests_hold_a_place_for_long_work(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path, at_once=1, slots=2, patience=0)
    with jobs.slot() as first, jobs.slot() as second, jobs.slot() as third:
        assert (first, second, third) == (True, True, False)
    with jobs.slot() as held:
        assert held
    with Jobs(tmp_path, at_once=1, slots=0, patience=0).slot() as held:
        assert held, "a server of one thread has one"


def test_a_folder_that_was_emptied_does_not_make_a_running_job_look_lost(
    tmp_path: Path, slow: Slow
) -> None:
    mine, other = (Jobs(tmp_path, at_once=1, slots=0) for _ in range(2))
    name = JobName(PAGE, "match", 1)
    mine.run(name, slow)
    wait_for(other, name, "running")
    for path in tmp_path.iterdir():
        path.unlink()
    wait_for(other, name, "running")  # the note is written again
    slow.go.set()
    assert wait_for(other, name, "done").answer == {"answer": "found"}


def test_a_job_whose_process_was_killed_is_lost(tmp_path: Path) -> None:
    code = f"""
        import threading
        from pathlib import Path
        from app.work.jobs import JobName, Jobs

        jobs = Jobs(Path({str(tmp_path)!r}), at_once=1, slots=0)
        jobs.run(JobName("{PAGE}", "match", 1), lambda control: threading.Event().wait() and {{}})
        print("under way", flush=True)
    """
    worker = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    )
    assert worker.stdout is not None
    with worker.stdout:
        assert worker.stdout.readline() == "under way\n"
        jobs = Jobs(tmp_path, at_once=1, slots=0)
        assert jobs.status(JobName(PAGE, "match", 1)).state == "running"
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
    assert jobs.status(JobName(PAGE, "match", 1)).state == "lost"


def test_what_goes_wrong_reaches_the_caller_and_leaves_nothing(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path / "jobs", at_once=1, slots=1, patience=LONG)

    def broken(control: Control) -> dict[str, Any]:
        raise KeyError("no such thing")

    with pytest.raises(KeyError, match="no such thing"):
        jobs.run(JobName(PAGE, "match", 1), broken)
    assert not (tmp_path / "jobs").exists()
    assert jobs.run(JobName(PAGE, "match", 2), lambda control: {"answer": 2}) == {"answer": 2}


def test_without_a_folder_for_notes_quick_jobs_are_answered_all_the_same(
    tmp_path: Path, slow: Slow
) -> None:
    (tmp_path / "jobs").write_text("a file with this name")
    jobs = Jobs(tmp_path / "jobs", at_once=2, slots=2, patience=0.1)
    assert jobs.run(JobName(PAGE, "match", 1), lambda control: {"answer": 1}) == {"answer": 1}
    assert jobs.run(JobName(PAGE, "match", 2), slow) is None
    assert jobs.status(JobName(PAGE, "match", 2)).state == "unknown"


def test_answers_that_nobody_fetched_are_swept_away(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path, at_once=2, slots=0)
    for page in (PAGE, OTHER):
        work = Slow()
        assert jobs.run(JobName(page, "match", 1), work) is None
        work.go.set()
        wait_for(jobs, JobName(page, "match", 1), "done")
    jobs.cancel(JobName(PAGE, "match", 2))
    assert jobs.status(JobName(PAGE, "match", 1)).state == "unknown", (
        "the page has started a newer one"
    )
    assert jobs.status(JobName(OTHER, "match", 1)).state == "done"
    for path in tmp_path.iterdir():
        os.utime(path, (0, 0))
    jobs.cancel(JobName(PAGE, "match", 3))
    assert jobs.status(JobName(OTHER, "match", 1)).state == "unknown", "old"
    assert [path.suffix for path in tmp_path.iterdir()].count(".alive") == 1, "in use"


def test_old_answers_go_when_a_new_one_is_kept(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path, at_once=1, slots=0)
    for n, page in enumerate((OTHER, PAGE, PAGE)):
        for path in tmp_path.glob(f"{OTHER}*"):
            os.utime(path, (0, 0))
        work = Slow()
        assert jobs.run(JobName(page, "match", n), work) is None
        work.go.set()
        wait_for(jobs, JobName(page, "match", n), "done")
    assert [path.name for path in tmp_path.glob("*.answer")] == [f"{PAGE}-match-2.answer"]


@pytest.mark.parametrize("n_processes", [1, 2])
def test_jobs_of_two_kinds_share_no_note_no_answer_and_no_cancel(
    tmp_path: Path, n_processes: int
) -> None:
    """Two `Jobs` over one folder represent two processes; one, two kinds in one process."""
    made = [Jobs(tmp_path, at_once=2, slots=0) for _ in range(n_processes)]
    mine, other = made[0], made[-1]
    match, analysis = (JobName(PAGE, kind, 7) for kind in ("match", "analysis"))
    works = {match: Slow("a match"), analysis: Slow("an analysis")}
    mine.run(match, works[match])
    other.run(analysis, works[analysis])
    assert works[match].started.wait(LONG)
    assert works[analysis].started.wait(LONG)
    assert {f"{name}.note" for name in works} <= {path.name for path in tmp_path.iterdir()}

    works[analysis].go.set()
    for jobs in made:
        assert wait_for(jobs, analysis, "done").answer == {"answer": "an analysis"}
        assert jobs.status(match).state == "running"
    other.cancel(JobName(PAGE, "analysis", 8))  # and its answer is not needed any more
    assert mine.run(JobName(PAGE, "analysis", 8), Slow()) is None
    assert not works[match].over.wait(0.6)
    other.cancel(JobName(PAGE, "analysis", 9))
    works[match].go.set()
    for jobs in made:
        assert wait_for(jobs, match, "done").answer == {"answer": "a match"}
        assert jobs.status(analysis).state == "unknown"
    assert mine.file(match) != mine.file(analysis)


@pytest.mark.parametrize(
    "page", ["", "abc", "../../" + "a" * 20, "A" * 32, "a" * 65, "a" * 20 + "\n"]
)
def test_a_page_cannot_choose_the_name_of_a_file(page: str) -> None:
    with pytest.raises(ValueError, match="hex digits"):
        JobName(page, "match", 1)


@pytest.mark.parametrize("kind", ["", "Match", "match-1", "../match", "match\n"])
def test_a_kind_is_lower_case_letters(kind: str) -> None:
    with pytest.raises(ValueError, match="lower-case letters"):
        JobName(PAGE, kind, 1)


def test_files_of_other_names_are_left_alone_until_they_are_old(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path, at_once=1, slots=0)
    names = [f"{PAGE}-0.answer", f"{PAGE}-match-x.answer", f"{PAGE}-match-0-1.answer", "0.answer"]
    for name in names:
        (tmp_path / name).write_text("{}")
    jobs.cancel(JobName(PAGE, "match", 9))
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {*names, f"{PAGE}-match.cancelled"}
    for name in names:
        os.utime(tmp_path / name, (0, 0))
    jobs.cancel(JobName(PAGE, "match", 10))
    assert {path.name for path in tmp_path.iterdir()} == {f"{PAGE}-match.cancelled"}
