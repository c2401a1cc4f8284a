"""A source as the search takes it: its rows, and how any process gets their on-bits."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.matching import Polarity, States, pack
from loaders import Dataset, Source
from loaders.kept import keep, open_rows

#: What the on-bits of one source that are kept on disk may take, unless one threshold takes more.
MOST_BYTES = 32 << 30


@dataclass(frozen=True, slots=True)
class StoredBits:
    """The on-bits of a source, packed from its copy and kept beside it.

    Attributes
    ----------
    home
        The folder of the copy (`Source.home`). Every process that works on the source must see it
        there: processes of this machine do, and machines that share the file system.
    most_bytes
        What all on-bits kept of this source may take on disk.
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
            They cannot be written.
        """
        # Which states are on is decided by the threshold's float64, whatever it was written as.
        level = np.float64(threshold).tobytes().hex()
        return keep(
            self.home / "bits",
            f"{Polarity(polarity)}-{level}",
            f"{first}-{last}",
            lambda: pack(open_rows(self.home)[first:last], threshold, polarity, threads=1),
            self.most_bytes,
        )


def processes(n_workers: int) -> list[Executor]:
    """Return executors of one process each, which begins with its first task.

    One process each and not one pool: a worker then gets the same steps every time, and has the
    pages of their on-bits at hand.
    """
    # Spawned, not forked: a fork of a process with threads may inherit a lock that nobody frees.
    context = multiprocessing.get_context("spawn")
    return [ProcessPoolExecutor(1, mp_context=context) for _ in range(n_workers)]


def states_of(dataset: Dataset, source: Source) -> States:
    """Return what a search reads of a source."""
    return States(source.rows, dataset.sequences.offsets, StoredBits(source.home))
