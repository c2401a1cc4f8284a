"""A search whose shards are worked on by any `concurrent.futures.Executor`.

For sources whose on-bits do not fit into memory, and for more than one machine. A task names steps,
not values: the worker that takes it gets the on-bits from an `Opener`, which maps them from a file,
so that no process ever holds them all. What goes over the wire is a few
numbers per state and shard, and the best matches of each.
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
from app.matching.edges import Ends, cut_evenly, scan_ends, spans
from app.matching.packed import sequences_of, span_shards
from app.matching.search import Passes
from app.matching.shard import Shard, Span, Terms
from app.matching.states import Opener, States

Words = NDArray[np.uint64]
Integers = NDArray[np.int64]

# Steps of one shard: of 130 selected states with limits on both sides, 40 MB while it is worked on.
_STEPS_PER_SHARD = 1 << 19
# Between two checks whether the search was cancelled while workers make its passes.
_SECONDS_TO_WAIT = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Distributed:
    """On-bits at one threshold and polarity, held by workers.

    Attributes
    ----------
    opener
        How a worker gets the on-bits of some steps.
    threshold, polarity
        As for `is_on`.
    shards
        Where they are cut, first to last. No answer depends on it.
    executors
        One entry a worker. Each gets the same neighbouring shards every time, so that an executor
        of one process, or one pinned to a machine, finds their on-bits at hand. A pool of several
        processes may be given several times.
    """

    opener: Opener
    threshold: float
    polarity: Polarity
    shards: tuple[Span, ...]
    executors: tuple[Executor, ...]

    @property
    def n_bytes(self) -> int:
        """What it takes in the memory of this process, nearly."""
        return sum(3 * shard.edges.since.nbytes + shard.offsets.nbytes for shard in self.shards)

    @property
    def in_memory(self) -> None:
        """None: this process does not hold the bits; see `search.Bits`."""
        return

    def passes(self, terms: Terms, threads: int, control: Control) -> Passes:
        """See `search.Bits`; the executors decide how many work at once, not `threads`."""
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
) -> Distributed:
    """Have workers pack the on-bits of a source, each its own shards.

    Parameters
    ----------
    states
        The source; its values are not read here.
    threshold, polarity
        As for `is_on`.
    opener
        How a worker gets the on-bits of some steps.
    executors
        One entry a worker; see `Distributed`.
    n_shards
        How many shards, if that is to be fixed.
    control
        Shows the progress by shard. Cancelling it ends this call and drops the tasks that no worker
        has begun; tasks under way run to their end.

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
        # One task a shard: packing takes long, and this is how its progress is seen.
        executor = executors[i * len(executors) // (len(cuts) - 1)]
        near = sequences_of(first, last, offsets)
        futures.append(
            executor.submit(_scan, opener, threshold, polarity, first, last, near, states.n_states)
        )
    parts = _results(futures, control)
    return Distributed(
        opener, threshold, polarity, span_shards(cuts, offsets, parts), tuple(executors)
    )


class _Workers:
    """Passes made by executors, one task a worker."""

    def __init__(self, bits: Distributed, terms: Terms, control: Control) -> None:
        self._bits = bits
        self._terms = terms
        self._control = control

    def run(self, method: str, arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        """See `search.Passes`."""
        bits = self._bits
        n_shards, n_workers = len(bits.shards), len(bits.executors)
        # As `i * n_workers // n_shards` above, turned around.
        edges = [-(-n_shards * i // n_workers) for i in range(n_workers + 1)]
        futures = [
            executor.submit(
                _work,
                bits.opener,
                bits.threshold,
                bits.polarity,
                self._terms,
                bits.shards[low:high],
                method,
                list(arguments[low:high]),
            )
            for executor, low, high in zip(bits.executors, edges[:-1], edges[1:], strict=True)
            if low < high
        ]
        return [result for part in _results(futures, self._control) for result in part]


def _results(futures: Sequence[Future[Any]], control: Control) -> list[Any]:
    """Wait for all; on an error, or when cancelled, drop what has not begun."""
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


def _scan(
    opener: Opener,
    threshold: float,
    polarity: Polarity,
    first: int,
    last: int,
    offsets: Integers,
    n_states: int,
) -> Ends:
    """Pack the steps [first, last) and return what is known of their ends; runs in a worker."""
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
