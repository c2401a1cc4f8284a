"""The derived copies that are still missing: built in threads, told from any process.

Opening a source the first time reads all of its Parquet files, which may take minutes. No request
waits for that: a thread builds the copy, and whichever worker process is asked tells how far it is.

A copy is built for everyone who waits for it, so a cancel takes back one wish: the build ends when
nobody else waits. Files tell the processes of each other: `KEY.PAGE.waiting`, written to as often as
that page asks; `KEY.cancelled`, which every builder looks for; `KEY.failed`, why there is no copy. All
of them may be deleted at any time.
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

#: Who has not asked for so long does not wait any more. Browsers let a hidden page ask once a minute.
WAITING_SECONDS = 180
_NICENESS = 5


class CopyCancelled(Exception):  # noqa: N818 - no error: somebody asked for it
    """A copy is not built to its end: nobody waits for it any more."""


@dataclass(frozen=True, slots=True)
class Copy:
    """How the copy of a source stands.

    Attributes
    ----------
    state
        ``failed`` says why in `sentence`.
    done, total
        Bytes; both 0 while nobody has begun.
    left
        Seconds it will still take, by how long the part done has taken; None when nobody knows.
    """

    state: Literal["ready", "building", "failed"]
    done: int = 0
    total: int = 0
    left: float | None = None
    sentence: str = ""


class Copies:
    """Builds copies, each in a thread of its own and once a process. Thread-safe.

    Parameters
    ----------
    folder
        Where the worker processes tell each other who waits, what is cancelled and what failed.
    patience
        Seconds that `ready` waits for a copy which is nearly there.
    """

    def __init__(self, folder: Path, patience: float = 1.0) -> None:
        self._folder = folder
        self._patience = patience
        self._lock = threading.Lock()
        self._under_way: dict[str, Future[None]] = {}
        self._failures: dict[str, str] = {}

    def ready(self, dataset: Dataset, source: str, page: str | None = None) -> bool:
        """Whether a source can be opened at once; if not, its copy is being built from here on.

        `page` names who will wait for it, as for `state`.

        Raises
        ------
        DatasetError
            No such source; or building its copy failed just now, in this process or another.
        """
        if dataset.is_ready(source):
            return True
        key = dataset.source_key(source)
        self._forget(key)  # asked for again: tried again
        self._want(key, page)
        try:
            self._begin(dataset, source, key).result(timeout=self._patience)
        except (TimeoutError, CopyCancelled):  # cancelled just before: `state` begins it again
            return False
        return True

    def state(self, dataset: Dataset, source: str, page: str | None = None) -> Copy:
        """Return how a copy stands; begins to build it when the process that did so has ended.

        Parameters
        ----------
        dataset, source
            What is waited for.
        page
            Who waits, a name that fits into a file's. From here on and for `WAITING_SECONDS` nobody
            else's `cancel` ends the build.

        Raises
        ------
        DatasetError
            No such source.
        """
        key = dataset.source_key(source)
        if dataset.is_ready(source):
            self._leave(key, page)
            return Copy("ready")
        self._want(key, page)
        building = dataset.building(source)
        if building is None:
            sentence = self._failed(key)
            if sentence is not None:
                return Copy("failed", sentence=sentence)
            self._begin(dataset, source, key)
            return Copy("building")
        left = None
        if building.done and building.seconds > 1:
            left = building.seconds * (building.total - building.done) / building.done
        return Copy("building", building.done, building.total, left)

    def leave(self, dataset: Dataset, source: str, page: str | None) -> None:
        """Take note that a page does not wait any more; the build goes on for whoever comes back.

        Raises
        ------
        DatasetError
            No such source.
        """
        self._leave(dataset.source_key(source), page)

    def cancel(
        self, dataset: Dataset, source: str, page: str | None = None
    ) -> Literal["cancelled", "wanted"]:
        """Take back the wish of a page, whichever process builds for it.

        Returns
        -------
        str
            ``cancelled``: nobody else waits, and the build ends in a moment; nothing of it stays.
            ``wanted``: somebody else does, and it goes on.

        Raises
        ------
        DatasetError
            No such source.
        OSError
            The builders cannot be told.
        """
        key = dataset.source_key(source)
        self._leave(key, page)
        if self._is_waited_for(key):
            return "wanted"
        # Whoever asks between these lines asks again soon, and takes it back.
        self._folder.mkdir(parents=True, exist_ok=True)
        self._cancelled(key).touch()
        return "cancelled"

    def _begin(self, dataset: Dataset, source: str, key: str) -> Future[None]:
        with self._lock:
            if key not in self._under_way:
                future: Future[None] = Future()
                # A daemon: half a copy is worth nothing, and the server can end at once.
                threading.Thread(
                    target=self._build,
                    args=(dataset, source, key, future),
                    name=f"copy {source}",
                    daemon=True,
                ).start()
                # Only now: where no thread can begin, nobody is to wait for one.
                self._under_way[key] = future
            return self._under_way[key]

    def _build(self, dataset: Dataset, source: str, key: str, future: Future[None]) -> None:
        def look(done: int, total: int) -> None:
            if self._cancelled(key).exists():
                raise CopyCancelled
            if dataset.progress is not None:
                dataset.progress(done, total)

        # As do the threads that it starts: whoever looks at something else goes first.
        lower_priority(_NICENESS)
        try:
            dataset.open_source(source, look)
        except CopyCancelled as error:
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
        # In memory too: on a full disk there is no room for the file.
        with self._lock:
            self._failures[key] = sentence
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file(key).write_text(sentence, encoding="utf-8")
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

    def _want(self, key: str, page: str | None) -> None:
        """Note that a page waits, and that the copy is to be built: an earlier cancel is void."""
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
            with contextlib.suppress(OSError):  # gone meanwhile
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
