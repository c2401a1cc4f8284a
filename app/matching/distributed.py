"""Search with shards processed by any `concurrent.futures.Executor`.

For sources whose packed bits do not fit into memory, and for several machines. A task contains steps,
not values: its worker gets the packed bits from an `Opener`, which caches them (in a memory-mapped
file), so that no process ever has all of them in memory. Only a few numbers per state and shard, and
the best matches of each shard, are transferred.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.matching.bits import Polarity
from app.matching.control import Control
from app.matching.edges import LocalEdges, cut_evenly, scan_ends, spans
from app.matching.packed import sequences_of, span_shards
from app.matching.search import Passes
from app.matching.shard import Shard, Span, Terms
from app.matching.states import Opener, States

Words = NDArray[np.uint64]
Integers = NDArray[np.int64]

# Steps per shard: with 130 selected states and limits on both sides, a task needs 40 MB.
_STEPS_PER_SHARD = 1 << 19
# Interval of the checks for cancellation while workers compute.
_SECONDS_TO_WAIT = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class DistributedBits:
    """On-bits at one threshold and polarity, cached by workers.

    Attributes
    ----------
    opener
        Gets the packed bits of some steps in a worker.
    threshold, polarity
        As for `is_on`.
    shards
        The shards, in order. The result does not depend on the division.
    executors
        One per worker. Each gets the same neighbouring shards every time, so that an executor of one
        process, or one pinned to a machine, finds their packed bits in its cache. A pool of several
        processes may be given several times.
    """

    opener: Opener
    threshold: float
    polarity: Polarity
    shards: tuple[Span, ...]
    executors: tuple[Executor, ...]

    @property
    def n_bytes(self) -> int:
        """The approximate size in the memory of this process."""
        return sum(3 * shard.edges.since.nbytes + shard.offsets.nbytes for shard in self.shards)

    @property
    def in_memory(self) -> None:
        """None: this process does not have the bits in memory; see `search.Bits`."""
        return

    def passes(self, terms: Terms, threads: int, control: Control) -> Passes:
        """See `search.Bits`; the executors determine the parallelism, not `threads`."""
        return _Workers(self, terms, control)


def distribute_states(
    states: States,
    threshold: float,
    polarity: Polarity,
    *,
    opener: Opener,
    executors: Sequence[Executor],
    n_shards: int | None = None,
    control: Control | None = None,
) -> DistributedBits:
    """Have workers pack the bits of a source, each its own shards.

    Parameters
    ----------
    states
        The source; its values are not read in this process.
    threshold, polarity
        As for `is_on`.
    opener
        Gets the packed bits of some steps in a worker.
    executors
        One per worker; see `DistributedBits`.
    n_shards
        A fixed number of shards.
    control
        Receives the progress in shards. Cancelling it ends this call and drops the tasks that no
        worker has started; tasks already started run to their end.

    Raises
    ------
    Cancelled
        If `control` was cancelled.
    """
    control = control or Control()
    if n_shards is None:
        n_shards = max(len(executors), -(-states.n_steps // _STEPS_PER_SHARD))
    cuts = cut_evenly(states.n_steps, n_shards)
    offsets = np.array(states.offsets, dtype=np.int64)
    futures = []
    for i, (first, last) in enumerate(spans(cuts)):
        # One task per shard, which makes the progress of packing visible.
        executor = executors[i * len(executors) // (len(cuts) - 1)]
        near = sequences_of(first, last, offsets)
        futures.append(
            executor.submit(
                _scan_ends, opener, threshold, polarity, first, last, near, states.n_states
            )
        )
    parts = _results(futures, control)
    return DistributedBits(
        opener, threshold, polarity, span_shards(cuts, offsets, parts), tuple(executors)
    )


class _Workers:
    """Passes made by executors, one task per worker."""

    def __init__(self, distributed: DistributedBits, terms: Terms, control: Control) -> None:
        self._spread = distributed
        self._terms = terms
        self._control = control

    def run(self, method: str, arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        """See `search.Passes`."""
        distributed = self._spread
        n_shards, n_workers = len(distributed.shards), len(distributed.executors)
        # The inverse of `i * n_workers // n_shards` above.
        edges = [-(-n_shards * i // n_workers) for i in range(n_workers + 1)]
        futures = [
            executor.submit(
                _work,
                distributed.opener,
                distributed.threshold,
                distributed.polarity,
                self._terms,
                distributed.shards[low:high],
                method,
                list(arguments[low:high]),
            )
            for executor, low, high in zip(
                distributed.executors, edges[:-1], edges[1:], strict=True
            )
            if low < high
        ]
        return [result for part in _results(futures, self._control) for result in part]


def _results(futures: Sequence[Future[Any]], control: Control) -> list[Any]:
    """Wait for all; on an error or cancellation, drop the tasks that have not started."""
    try:
        left = set(futures)
        while left:
            done, left = wait(left, _SECONDS_TO_WAIT, return_when="FIRST_COMPLETED")
            for future in done:
                future.result()
            control.advance(len(done) / len(futures))
        return [future.result() for future in futures]
    finally:
        for future in futures:
            future.cancel()


def _scan_ends(
    opener: Opener,
    threshold: float,
    polarity: Polarity,
    first: int,
    last: int,
    offsets: Integers,
    n_states: int,
) -> LocalEdges:
    """Pack the steps [first, last) and scan their ends; runs in a worker."""
    base = max(0, first - 1)
    bits = opener.bits(base, last, threshold, polarity)
    return scan_ends(bits, base, first, last, offsets, n_states)


def _work(
    opener: Opener,
    threshold: float,
    polarity: Polarity,
    terms: Terms,
    shards: Sequence[Span],
    method: str,
    arguments: Sequence[tuple[Any, ...]],
) -> list[Any]:
    """Make one pass over some shards, one after the other; runs in a worker."""
    results = []
    for span, given in zip(shards, arguments, strict=True):
        bits = opener.bits(span.base, span.last, threshold, polarity)
        results.append(getattr(Shard(terms, span, bits), method)(*given))
    return results
