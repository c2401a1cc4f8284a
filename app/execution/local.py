"""A source as input of a search: its rows, and the packed bits for any process."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.matching import Polarity, States, pack
from app.matching.bits import words_for
from app.settings import Settings
from loaders import Dataset, Source
from loaders.sources.array_cache import cached, open_rows

#: The default limit for packed bits on disk.
MOST_BYTES = Settings().bits_on_disk


@dataclass(frozen=True, slots=True)
class StoredBits:
    """The packed bits of a source, cached on disk next to its copy.

    Attributes
    ----------
    home
        The folder of the copy (`Source.home`). It must have the same path in every process that
        works on the source: on this machine, or on machines that share the file system.
    most_bytes
        Limit for the packed bits of all sources in the cache folder together.
    """

    home: Path
    most_bytes: int = MOST_BYTES

    def bits(
        self, first: int, last: int, threshold: float, polarity: Polarity
    ) -> NDArray[np.uint64]:
        """See `app.matching.Opener`.

        Raises
        ------
        DatasetError
            Those of the whole source do not fit, or they cannot be written.
        """
        # The float64 value of the threshold determines which states are on, not its text.
        level = np.float64(threshold).tobytes().hex()
        return cached(
            self.home / "bits",
            f"{Polarity(polarity)}-{level}",
            f"{first}-{last}",
            lambda: pack(open_rows(self.home)[first:last], threshold, polarity, threads=1),
            group_bytes=self._whole,
            most_bytes=self.most_bytes,
        )

    def _whole(self) -> int:
        n_steps, n_states = open_rows(self.home).shape
        return int(n_steps) * words_for(int(n_states)) * 8


class Worker(Executor):
    """One process that makes passes; started with the first task, and again if it is killed.

    It is a child of whichever process gives it the first task, so that servers can be forked before,
    and it ends with that process, even if that is killed.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """See `Executor`. Tasks of a killed process raise BrokenProcessPool; later tasks run."""
        with self._lock:
            if self._pool is not None:
                try:
                    return self._pool.submit(fn, *args, **kwargs)
                except BrokenProcessPool:
                    self._pool.shutdown(wait=False)
            # Spawned, not forked: a fork of a process with threads may inherit a lock that is never
            # released.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, mp_context=context, initializer=_end_with_parent)
            with _ignoring_interrupts():
                return self._pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """See `Executor`."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait, cancel_futures=cancel_futures)


@contextmanager
def _ignoring_interrupts() -> Iterator[None]:
    """Make processes started in this block ignore Ctrl+C; their parent ends them.

    A terminal sends it to every process of a command, and each would print a traceback.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_parent() -> None:
    """End this worker when its parent has ended; otherwise it would wait for tasks for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def processes(n_workers: int) -> list[Executor]:
    """Return executors of one process each.

    A process each instead of one pool, so that a worker gets the same steps every time and has the
    pages of their packed bits in memory.
    """
    return [Worker() for _ in range(n_workers)]


def states_of(dataset: Dataset, source: Source, bits_on_disk: int = MOST_BYTES) -> States:
    """Return the input of a search; `bits_on_disk` is the setting of that name."""
    opener = StoredBits(source.home, bits_on_disk)
    return States(source.rows, dataset.sequences.offsets, opener, source.state_names)
