"""Prepared copies that are missing: built in threads, followed and cancelled from any process.

Opening a source the first time reads all of its Parquet files, which may take minutes. No request
waits for that: a thread builds the copy, and any worker process can report its progress.

A copy is built for all pages that wait for it, so cancelling withdraws one request: the build ends when
no other page waits. Processes communicate through files: `KEY.PAGE.waiting`, touched whenever that page
asks; `KEY.cancelled`, which every builder checks; `KEY.failed`, why there is no copy. All of them may
be deleted at any time.
"""

from __future__ import annotations

import contextlib
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.matching.priority import lower_priority
from app.work.failures import sentence_for
from loaders import Dataset
from loaders.atomic import whole_file

#: A page that has not polled for this long no longer waits. Browsers let a hidden page ask once a minute.
WAITING_SECONDS = 180
_NICENESS = 5


class PreparationCancelled(Exception):  # noqa: N818 - not an error, but requested
    """A copy is not finished: no page waits for it any more."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """The progress of the copy of a source.

    Attributes
    ----------
    state
        ``failed`` says why in `sentence`.
    done, total
        Bytes; both 0 before the build has started.
    left
        Seconds left, estimated from the part that is done; None before there is an estimate.
    """

    state: Literal["ready", "building", "failed"]
    done: int = 0
    total: int = 0
    left: float | None = None
    sentence: str = ""


class Preparations:
    """Builds copies, each once per process in a separate thread. Thread-safe.

    Parameters
    ----------
    folder
        The folder in which worker processes note the waiting pages, cancelled builds and failures.
    patience
        Seconds that `ready` waits for a copy that is nearly finished.
    """

    def __init__(self, folder: Path, patience: float = 1.0) -> None:
        self._folder = folder
        self._patience = patience
        self._lock = threading.Lock()
        self._under_way: dict[str, Future[None]] = {}
        self._failures: dict[str, str] = {}

    def ready(self, dataset: Dataset, source: str, page: str | None = None) -> bool:
        """Whether a source can be opened at once; if not, its copy is being built from here on.

        `page` is the page that will wait for it, as for `state`.

        Raises
        ------
        DatasetError
            No such source, or building its copy has just failed, in this process or another.
        """
        if dataset.is_ready(source):
            return True
        key = dataset.source_key(source)
        self._forget(key)  # requested again: try again
        self._request(key, page)
        try:
            self._begin(dataset, source, key).result(timeout=self._patience)
        except (
            TimeoutError,
            PreparationCancelled,
        ):  # it was just cancelled: `state` starts it again
            return False
        return True

    def state(self, dataset: Dataset, source: str, page: str | None = None) -> Preparation:
        """Return the progress of a copy; begin to build it if the process that did so has ended.

        Parameters
        ----------
        dataset, source
            What the page waits for.
        page
            The page that waits (`app.work.jobs.check_page`). For `WAITING_SECONDS` from now on, the
            `cancel` of another page does not end the build.

        Raises
        ------
        DatasetError
            No such source.
        """
        key = dataset.source_key(source)
        if dataset.is_ready(source):
            self._leave(key, page)
            return Preparation("ready")
        self._request(key, page)
        building = dataset.building(source)
        if building is None:
            sentence = self._failed(key)
            if sentence is not None:
                return Preparation("failed", sentence=sentence)
            self._begin(dataset, source, key)
            return Preparation("building")
        left = None
        if building.done and building.seconds > 1:
            left = building.seconds * (building.total - building.done) / building.done
        return Preparation("building", building.done, building.total, left)

    def leave(self, dataset: Dataset, source: str, page: str | None) -> None:
        """Note that a page no longer waits; the build continues in case it comes back.

        Raises
        ------
        DatasetError
            No such source.
        """
        self._leave(dataset.source_key(source), page)

    def cancel(
        self, dataset: Dataset, source: str, page: str | None = None
    ) -> Literal["cancelled", "wanted"]:
        """Withdraw the request of a page, whichever process builds for it.

        Returns
        -------
        str
            ``cancelled``: no other page waits; the build stops and leaves nothing behind.
            ``wanted``: another page waits, and the build continues.

        Raises
        ------
        DatasetError
            No such source.
        OSError
            The note for the builders cannot be written.
        """
        key = dataset.source_key(source)
        self._leave(key, page)
        if self._is_waited_for(key):
            return "wanted"
        # A page that polls between these lines will poll again soon, which withdraws the cancel.
        self._folder.mkdir(parents=True, exist_ok=True)
        self._cancelled(key).touch()
        return "cancelled"

    def _begin(self, dataset: Dataset, source: str, key: str) -> Future[None]:
        with self._lock:
            if key not in self._under_way:
                future: Future[None] = Future()
                # A daemon thread: an incomplete copy is of no use, and the server can end at once.
                threading.Thread(
                    target=self._build,
                    args=(dataset, source, key, future),
                    name=f"copy {source}",
                    daemon=True,
                ).start()
                # Only now: if no thread can begin, no call may wait for one.
                self._under_way[key] = future
            return self._under_way[key]

    def _build(self, dataset: Dataset, source: str, key: str, future: Future[None]) -> None:
        def report(done: int, total: int) -> None:
            if self._cancelled(key).exists():
                raise PreparationCancelled
            if dataset.progress is not None:
                dataset.progress(done, total)

        # As do the threads that it starts: small requests come first.
        lower_priority(_NICENESS)
        try:
            dataset.open_source(source, report)
        except PreparationCancelled as error:
            self._end(key)
            future.set_exception(error)
        except Exception as error:
            self._fail(key, sentence_for(error))
            future.set_exception(error)
        else:
            self._end(key)
            future.set_result(None)

    def _end(self, key: str) -> None:
        with self._lock:
            del self._under_way[key]

    def _fail(self, key: str, sentence: str) -> None:
        # Also in memory, since a full disk has no space for the file.
        with self._lock:
            self._failures[key] = sentence
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            with whole_file(self._file(key)) as file:
                file.write(sentence.encode())
        self._end(key)

    def _failed(self, key: str) -> str | None:
        with self._lock:
            if key in self._under_way:
                return None
            if key in self._failures:
                return self._failures[key]
        try:
            return self._file(key).read_text(encoding="utf-8")
        except OSError:
            return None

    def _forget(self, key: str) -> None:
        with self._lock:
            self._failures.pop(key, None)
        with contextlib.suppress(OSError):
            self._file(key).unlink()

    def _request(self, key: str, page: str | None) -> None:
        """Note that a page waits for the copy, which withdraws an earlier cancel."""
        with contextlib.suppress(OSError):
            if page is not None:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._waiting(key, page).touch()
            self._cancelled(key).unlink(missing_ok=True)

    def _leave(self, key: str, page: str | None) -> None:
        if page is not None:
            with contextlib.suppress(OSError):
                self._waiting(key, page).unlink(missing_ok=True)

    def _is_waited_for(self, key: str) -> bool:
        oldest, found = time.time() - WAITING_SECONDS, False
        for path in self._folder.glob(f"{key}.*.waiting"):
            with contextlib.suppress(OSError):  # deleted meanwhile
                if path.stat().st_mtime >= oldest:
                    found = True
                else:
                    path.unlink()
        return found

    def _file(self, key: str) -> Path:
        return self._folder / f"{key}.failed"

    def _cancelled(self, key: str) -> Path:
        return self._folder / f"{key}.cancelled"

    def _waiting(self, key: str, page: str) -> Path:
        return self._folder / f"{key}.{page}.waiting"
