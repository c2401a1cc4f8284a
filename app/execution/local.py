"""A source as the search takes it: its rows, and how any process gets their on-bits."""

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

#: Bytes that the on-bits on disk may take by default.
MOST_BYTES = Settings().bits_on_disk


@dataclass(frozen=True, slots=True)
class StoredBits:
    """The on-bits of a source, packed from its copy and cached beside it.

    Attributes
    ----------
    home
        The folder of the copy (`Source.home`). Every process that works on the source must see it
        there: processes of this machine do, and machines that share the file system.
    most_bytes
        Bytes that the on-bits of all sources of the cache folder may take on disk together.
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
            There is no room for those of the whole source, or they cannot be written.
        """
        # Which states are on is decided by the threshold's float64, whatever it was written as.
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
    """One process that makes passes: started with the first task, and again after it was killed.

    It is begun by whichever process gives it the first task, so that servers may still be forked,
    and ends with that one, however that ends.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """See `Executor`. Tasks that a killed process had raise BrokenProcessPool, later ones run."""
        with self._lock:
            if self._pool is not None:
                try:
                    return self._pool.submit(fn, *args, **kwargs)
                except BrokenProcessPool:
                    self._pool.shutdown(wait=False)
            # Spawned, not forked: a fork of a process with threads may inherit a lock that no
            # thread frees.
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
    """Have the processes begun in this block ignore Ctrl+C: the process that started them ends them.

    A terminal sends it to every process of a command, and each would report it with a traceback.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_parent() -> None:
    """End this worker when the process that began it is gone: it would wait for tasks for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def processes(n_workers: int) -> list[Executor]:
    """Return executors of one process each.

    One process each and not one pool: a worker then gets the same steps every time, and has the
    pages of their on-bits at hand.
    """
    return [Worker() for _ in range(n_workers)]


def states_of(dataset: Dataset, source: Source, bits_on_disk: int = MOST_BYTES) -> States:
    """Return what a search reads of a source; `bits_on_disk` is the setting of that name."""
    opener = StoredBits(source.home, bits_on_disk)
    return States(source.rows, dataset.sequences.offsets, opener, source.state_names)
