"""The derived copies that are still missing: built in threads, told from any process.

Opening a source the first time reads all of its Parquet files, which may take minutes. No request
waits for that: a thread builds the copy, and whichever worker process is asked tells how far it is.
"""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.failures import sentence_for
from loaders import Dataset


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
        Where a failed build leaves its sentence, for the other worker processes.
    patience
        Seconds that `ready` waits for a copy which is nearly there.
    """

    def __init__(self, folder: Path, patience: float = 1.0) -> None:
        self._folder = folder
        self._patience = patience
        self._lock = threading.Lock()
        self._under_way: dict[str, Future[None]] = {}
        self._failures: dict[str, str] = {}

    def ready(self, dataset: Dataset, source: str) -> bool:
        """Whether a source can be opened at once; if not, its copy is being built from here on.

        Raises
        ------
        DatasetError
            No such source; or building its copy failed just now, in this process or another.
        """
        if dataset.is_ready(source):
            return True
        key = dataset.source_key(source)
        self._forget(key)  # asked for again: tried again
        try:
            self._begin(dataset, source, key).result(timeout=self._patience)
        except TimeoutError:
            return False
        return True

    def state(self, dataset: Dataset, source: str) -> Copy:
        """Return how a copy stands; begins to build it when the process that did so has ended.

        Raises
        ------
        DatasetError
            No such source.
        """
        if dataset.is_ready(source):
            return Copy("ready")
        building = dataset.building(source)
        if building is None:
            key = dataset.source_key(source)
            sentence = self._failed(key)
            if sentence is not None:
                return Copy("failed", sentence=sentence)
            self._begin(dataset, source, key)
            return Copy("building")
        left = None
        if building.done and building.seconds > 1:
            left = building.seconds * (building.total - building.done) / building.done
        return Copy("building", building.done, building.total, left)

    def _begin(self, dataset: Dataset, source: str, key: str) -> Future[None]:
        with self._lock:
            if key not in self._under_way:
                self._under_way[key] = Future()
                # A daemon: half a copy is worth nothing, and the server can end at once.
                threading.Thread(
                    target=self._build,
                    args=(dataset, source, key, self._under_way[key]),
                    name=f"copy {source}",
                    daemon=True,
                ).start()
            return self._under_way[key]

    def _build(self, dataset: Dataset, source: str, key: str, future: Future[None]) -> None:
        try:
            dataset.open_source(source)
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

    def _file(self, key: str) -> Path:
        return self._folder / f"{key}.failed"
