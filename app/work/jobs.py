"""Work that may take long: run in threads of one process, followed and cancelled from any.

A job that takes longer than a moment leaves a note in the cache folder, and later its answer, so
that any worker process can report its progress, return its answer, or cancel it. A quick job touches
no file. No Dash, no Flask.

Files, all of them safe to delete: `PAGE-KIND-N.note` (the stage and the share done, rewritten as the
work goes on); `PAGE-KIND-N.answer`, and `PAGE-KIND-N.file`, which the work itself may leave;
`PAGE-KIND.cancelled`, the number below which the jobs of that page and kind are cancelled;
`WORKER.alive`, locked by the operating system while that process lives.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from app.matching import Cancelled, Control
from app.matching.priority import lower_priority
from loaders.atomic import whole_file
from loaders.locks import hold_for_life, is_held

Answer = Mapping[str, Any]
Work = Callable[[Control], Answer]

#: Seconds after which a job is worth a note, and between two updates of the note.
MOMENT, BETWEEN = 0.25, 0.2
#: The random name of a page, known only to that page.
PAGE_NAME = "[0-9a-f]{16,64}"
_OLD_SECONDS = 3600

_LOG = logging.getLogger("statebrush")


def check_page(page: str) -> str:
    """Return the name of a page, which becomes part of a file name; ValueError if it is invalid."""
    if not re.fullmatch(PAGE_NAME, page):
        raise ValueError("a page is 16 to 64 hex digits")
    return page


@dataclass(frozen=True, slots=True)
class JobName:
    """The `n`-th job of one kind for a page. Each kind (``match``, ``file``) is numbered separately."""

    page: str
    kind: str
    n: int

    def __post_init__(self) -> None:
        check_page(self.page)
        if not re.fullmatch("[a-z]+", self.kind) or self.n < 0:
            raise ValueError("a kind is lower-case letters, a number is 0 or more")

    @classmethod
    def of(cls, page: str, kind: str, n: str) -> JobName:
        """Read the parts of an address or of a file's name; ValueError if they are not a job's."""
        if not re.fullmatch(r"[0-9]{1,15}", n):
            raise ValueError("a number of up to 15 digits")
        return cls(page, kind, int(n))

    @property
    def series(self) -> str:
        """Page and kind: a newer job cancels the older ones of its series."""
        return f"{self.page}-{self.kind}"

    def __str__(self) -> str:
        return f"{self.series}-{self.n}"


@dataclass(frozen=True, slots=True)
class Status:
    """The progress of a job.

    Attributes
    ----------
    state
        ``done`` has an answer; ``unknown``: it is over, never came, or came a moment ago; ``lost``:
        the process that worked on it has ended.
    stage, done
        Of a running job, from its `Control`; ``queued`` while it waits for its turn.
    seconds
        Since the request.
    """

    state: Literal["running", "done", "lost", "unknown"]
    stage: str = ""
    done: float = 0.0
    seconds: float = 0.0
    answer: Answer | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name. Unlike `asdict`, it does not copy the answer."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


class Jobs:
    """Runs jobs, a few at once. Thread-safe.

    Parameters
    ----------
    folder
        The folder for notes and answers, shared by all worker processes.
    at_once
        The number of jobs that run at the same time; others wait for their turn.
    slots
        The number of requests that may wait for their job at the same time. Others return at once, so that
        small requests always find a thread of the server free.
    patience
        Seconds that a request waits at most.
    niceness
        The niceness of the threads, relative to the process.

    Attributes
    ----------
    BUSY
        The sentence for a request that gets no slot.
    """

    BUSY = "The server is busy with other long searches and large answers; try again in a moment."

    def __init__(
        self, folder: Path, *, at_once: int, slots: int, patience: float = 1.0, niceness: int = 5
    ) -> None:
        self._folder = folder
        self._notes = _Notes(folder)
        self._waiting = threading.Semaphore(slots)
        self._slots = threading.Semaphore(max(1, slots))
        self._patience = patience
        # Threads start with the first job, so that a server can fork before.
        self._threads = ThreadPoolExecutor(
            at_once, thread_name_prefix="job", initializer=lower_priority, initargs=(niceness,)
        )
        self._lock = threading.Lock()
        self._jobs: dict[JobName, _Job] = {}
        self._watching = False

    def run(self, name: JobName, work: Work) -> Answer | None:
        """Start a job and wait a moment for its answer.

        Parameters
        ----------
        name
            Older jobs of the same page and kind in this process are cancelled. (`cancel` also
            cancels those of other processes.)
        work
            Takes the job's control and returns the answer, which must have a JSON form. It must not
            catch `Cancelled`.

        Returns
        -------
        dict or None
            None: it is not there yet, or the job is cancelled; see `status`.
        """
        self._end_older(name)
        job = _Job(name, self._notes)
        with self._lock:
            self._jobs[name] = job
        future = self._threads.submit(self._do, job, work)
        if self._waiting.acquire(blocking=False):
            try:
                wait([future], timeout=min(MOMENT, self._patience))
                self._publish(job)
                wait([future], timeout=max(0.0, self._patience - MOMENT))
            finally:
                self._waiting.release()
        self._publish(job)
        return job.answer(future)

    @contextmanager
    def slot(self) -> Iterator[bool]:
        """Hold a slot for a request that occupies a thread of the server; False: none is free.

        There are as many as for `run`, and at least one.
        """
        held = self._slots.acquire(timeout=self._patience)
        try:
            yield held
        finally:
            if held:
                self._slots.release()

    def file(self, name: JobName) -> Path:
        """Return where a job may leave a file beside its answer, for any process to send.

        The process that sends it deletes it; otherwise it is deleted after an hour.
        """
        return self._folder / f"{name}.file"

    def status(self, name: JobName) -> Status:
        """Return the progress of a job, whichever process works on it."""
        return self._notes.status(name)

    def cancel(self, oldest: JobName) -> None:
        """Cancel the jobs of a page and kind that are older than `oldest`, in whichever process."""
        self._notes.cancel(oldest)
        self._end_older(oldest)

    def _end_older(self, oldest: JobName) -> None:
        with self._lock:
            ended = [job for name, job in self._jobs.items() if _is_older(name, oldest)]
        for job in ended:
            job.control.cancel()

    def _do(self, job: _Job, work: Work) -> Answer | None:
        answer = None
        try:
            job.begin()
            answer = work(job.control)
        except Cancelled:
            pass
        finally:
            try:
                job.finish(answer)
            finally:
                with self._lock:
                    # Not the newer one of the same name: a request may be sent twice.
                    if self._jobs.get(job.name) is job:
                        del self._jobs[job.name]
        return answer

    def _publish(self, job: _Job) -> None:
        """Keep a note of a job for the other processes from here on, unless it is over."""
        if not job.note():
            return
        with self._lock:
            if self._watching:
                return
            self._watching = True
        # A thread only while there is something to watch; a daemon, so that the server can end.
        threading.Thread(target=self._watch, name="job notes", daemon=True).start()

    def _watch(self) -> None:
        while True:
            time.sleep(BETWEEN)
            with self._lock:
                jobs = [job for job in self._jobs.values() if job.noted]
                if not jobs:
                    self._watching = False
                    return
            for job in jobs:
                job.update()


class _Job:
    """A running job, and its note for other processes."""

    def __init__(self, name: JobName, notes: _Notes) -> None:
        self.name = name
        self.control = Control()
        self.noted = False
        self._notes = notes
        self._lock = threading.Lock()
        self._began = time.time()
        self._running = self._store = self._over = False

    def begin(self) -> None:
        """Note that it is the job's turn; raise `Cancelled` if it was cancelled meanwhile."""
        self.control.check()
        self._running = True

    def note(self) -> bool:
        """Write the note; False when the job is over."""
        with self._lock:
            if not self._over:
                self.noted = True
                stage = self.control.stage if self._running else "queued"
                self._notes.note(self.name, stage, self.control.done, self._began)
            return not self._over

    def update(self) -> None:
        """Update the note; cancel the work if another process has asked for that."""
        if self._notes.cancelled_below(self.name) > self.name.n:
            self.control.cancel()
        self.note()

    def answer(self, future: Future[Answer | None]) -> Answer | None:
        """Return the answer if it is ready; otherwise have it stored when it is."""
        with self._lock:
            if not self._over:
                self._store = True
                return None
        return future.result()

    def finish(self, answer: Answer | None) -> None:
        """Store the answer if the request did not wait for it; remove the note."""
        with self._lock:
            self._over = True
            try:
                if self._store and answer is not None and not self.control.cancelled:
                    self._notes.store(self.name, answer)
            finally:
                if self.noted:
                    self._notes.forget(self.name)


class _Notes:
    """The files of `Jobs`. A note that cannot be written is missing, which is not an error."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._worker: str | None = None
        self._alive: int | None = None

    def note(self, name: JobName, stage: str, done: float, began: float) -> None:
        note = {"worker": self._this_worker(), "stage": stage, "done": done, "began": began}
        self._write(f"{name}.note", json.dumps(note))

    def store(self, name: JobName, answer: Answer) -> None:
        self._sweep(name)
        self._write(f"{name}.answer", json.dumps(answer))

    def forget(self, name: JobName) -> None:
        # After the answer: a process that finds no note checks for the answer next.
        with contextlib.suppress(OSError):
            (self._folder / f"{name}.note").unlink()

    def cancel(self, oldest: JobName) -> None:
        if oldest.n > self.cancelled_below(oldest):
            self._sweep(oldest)
            self._write(f"{oldest.series}.cancelled", str(oldest.n))

    def cancelled_below(self, name: JobName) -> int:
        try:
            return int((self._folder / f"{name.series}.cancelled").read_text())
        except (OSError, ValueError):
            return 0

    def status(self, name: JobName) -> Status:
        try:
            note = json.loads((self._folder / f"{name}.note").read_text())
            if not self._is_alive(note["worker"]):
                return Status("lost")
            seconds = max(0.0, time.time() - note["began"])
            return Status("running", note["stage"], note["done"], seconds)
        except (OSError, ValueError):
            pass
        try:
            return Status("done", answer=json.loads((self._folder / f"{name}.answer").read_text()))
        except (OSError, ValueError):
            return Status("unknown")

    def _this_worker(self) -> str:
        with self._lock:
            # If the file was deleted, other processes assume that this process has ended.
            if self._alive is not None and os.fstat(self._alive).st_nlink == 0:
                os.close(self._alive)
                self._worker = self._alive = None
            if self._worker is None:
                self._worker = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
                with contextlib.suppress(OSError):
                    self._folder.mkdir(parents=True, exist_ok=True)
                    path = self._folder / f"{self._worker}.alive"
                    # Left open: the lock ends with the process, however that ends.
                    self._alive = hold_for_life(path)
            return self._worker

    def _is_alive(self, worker: str) -> bool:
        """Whether a process holds its lock; True where the file system has no locks."""
        return is_held(self._folder / f"{Path(worker).name}.alive") is not False

    def _write(self, name: str, text: str) -> None:
        """Write completely or not at all, since other processes read at any time."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with whole_file(self._folder / name) as file:
                file.write(text.encode())
        except OSError as error:
            _LOG.warning("cannot write %s: %s", self._folder / name, error.strerror or error)

    def _sweep(self, oldest: JobName) -> None:
        """Remove the answers of a page and kind that are older than `oldest`, and all old files."""
        now = time.time()
        with contextlib.suppress(OSError):
            for path in self._folder.iterdir():
                with contextlib.suppress(OSError):  # deleted meanwhile
                    expired = now - path.stat().st_mtime > _OLD_SECONDS
                    if path.suffix == ".alive":
                        expired = expired and not self._is_alive(path.stem)
                    elif path.suffix == ".answer":
                        name = _job_of(path)
                        expired = expired or (name is not None and _is_older(name, oldest))
                    if expired:
                        path.unlink()


def _is_older(name: JobName, oldest: JobName) -> bool:
    return name.series == oldest.series and name.n < oldest.n


def _job_of(path: Path) -> JobName | None:
    """The job that a file belongs to; None if its name is not one that a job gives."""
    parts = path.stem.split("-")
    try:
        return JobName.of(*parts) if len(parts) == 3 else None
    except ValueError:
        return None
