"""The packed bits of a whole source in memory, divided into shards."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.matching.bits import Polarity, pack
from app.matching.control import Control
from app.matching.edges import LocalEdges, combine, cut_evenly, scan_ends, spans
from app.matching.search import Passes
from app.matching.shard import Shard, Span, Terms
from app.matching.states import States

Words = NDArray[np.uint64]
Integers = NDArray[np.int64]

# More shards than threads, since matches are unevenly distributed; a minimum of steps each.
_SHARDS_PER_THREAD = 4
_STEPS_PER_SHARD = 1 << 15
# Some passes with limits go over a shard without checking whether they were cancelled.
_SHARD_STEPS = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """Packed bits at one threshold and polarity.

    Attributes
    ----------
    bits
        (n_steps, n_words); see `pack`.
    shards
        The shards, in order. The result does not depend on the division.
    """

    bits: Words
    shards: tuple[Span, ...]

    @property
    def n_bytes(self) -> int:
        """The approximate size in memory."""
        edges = sum(3 * shard.edges.since.nbytes for shard in self.shards)
        return int(self.bits.nbytes) + edges

    @property
    def in_memory(self) -> Words:
        """See `search.Bits`."""
        return self.bits

    def passes(self, terms: Terms, threads: int, control: Control) -> Passes:
        """See `search.Bits`."""
        return _Threads(self, terms, threads, control)


def pack_states(
    states: States,
    threshold: float,
    polarity: Polarity,
    *,
    threads: int = 1,
    n_shards: int | None = None,
    control: Control | None = None,
) -> Packed:
    """Pack the bits of a source.

    Parameters
    ----------
    states
        The source.
    threshold, polarity
        As for `is_on`.
    threads
        The number of threads.
    n_shards
        A fixed number of shards; by default chosen for `threads`.
    control
        Receives the progress in steps, and can cancel the work.
    """
    bits = pack(states.rows, threshold, polarity, control, threads=threads)
    if n_shards is None:
        most = states.n_steps // _STEPS_PER_SHARD
        enough = 1 if threads == 1 else max(1, min(_SHARDS_PER_THREAD * threads, most))
        n_shards = max(enough, -(-states.n_steps // _SHARD_STEPS))
    cuts = cut_evenly(states.n_steps, n_shards)
    offsets = np.array(states.offsets, dtype=np.int64)

    def scan(shard: tuple[int, int]) -> LocalEdges:
        return scan_ends(bits, 0, *shard, offsets, states.n_states)

    if len(cuts) == 2:
        parts = [LocalEdges.unknown(bits.shape[1] * 64)]
    else:
        with ThreadPoolExecutor(threads) as pool:
            parts = list(pool.map(scan, spans(cuts)))
    return Packed(bits, span_shards(cuts, offsets, parts))


def span_shards(
    cuts: Sequence[int], offsets: Integers, parts: Sequence[LocalEdges]
) -> tuple[Span, ...]:
    """Return the shards between `cuts`, with their edges."""
    return tuple(
        Span(first, last, sequences_of(first, last, offsets), edges)
        for (first, last), edges in zip(spans(cuts), combine(cuts, offsets, parts), strict=True)
    )


def sequences_of(first: int, last: int, offsets: Integers) -> Integers:
    """Return the starts of the sequences of the steps [first, last), and the end of the last one."""
    low = int(np.searchsorted(offsets, first, side="right")) - 1
    high = int(np.searchsorted(offsets, last, side="left"))
    return offsets[low : high + 1].copy()


class _Threads:
    """Passes over bits in memory, made by threads."""

    def __init__(self, packed: Packed, terms: Terms, threads: int, control: Control) -> None:
        self._threads = threads
        self._shards = [
            Shard(terms, span, packed.bits[span.base : span.last], control)
            for span in packed.shards
        ]

    def run(self, method: str, arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        """See `search.Passes`."""

        def work(i: int) -> Any:
            return getattr(self._shards[i], method)(*arguments[i])

        n_shards = len(self._shards)
        if min(self._threads, n_shards) == 1:
            return [work(i) for i in range(n_shards)]
        with ThreadPoolExecutor(min(self._threads, n_shards)) as pool:
            return list(pool.map(work, range(n_shards)))
