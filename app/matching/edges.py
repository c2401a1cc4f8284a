"""What a shard needs to know about the steps beyond its ends.

A match that ends in a shard may begin before it, and a limit may reach beyond either end. Three
numbers per state decide both: since when it has been on when the shard begins, how long it was off
before that, and when it next comes on after the shard's end. Each shard computes its own numbers,
which are then combined from shard to shard (an associative scan). So the result does not depend on
the division into shards, and no shard reads the steps of another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from app.matching import kernels
from app.matching.selection import mask_of

Words = NDArray[np.uint64]
Integers = NDArray[np.int64]

FAR = 1 << 60
"""Longer than any source."""

_OPEN = -1


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """The past and the future of the states at the ends of a shard [first, last).

    Attributes
    ----------
    since
        int64 `(n_bits,)`: the step from which the state is on through `first - 1`, within the
        sequence of that step; `first` if it is off there or a sequence begins at `first`.
    gap
        int64 `(n_bits,)`: the number of steps right before `since` at which it is off; FAR if it has
        been off since the sequence began.
    next_on
        int64 `(n_bits,)`: the first step from `last` on, within the sequence that continues there,
        at which it is on; FAR if there is none.
    """

    since: Integers
    gap: Integers
    next_on: Integers


@dataclass(frozen=True, slots=True, eq=False)
class LocalEdges:
    """What a shard alone knows about its ends; -1 where that depends on the neighbouring shards.

    Attributes
    ----------
    since, gap
        At the shard's last step, for the edges of the next shard.
    next_on
        From the shard's first step on, for the edges of the one before.
    """

    since: Integers
    gap: Integers
    next_on: Integers

    @classmethod
    def unknown(cls, n_bits: int) -> LocalEdges:
        """Return an instance for a shard without neighbours, where it is not used."""
        return cls(*(np.full(n_bits, _OPEN, dtype=np.int64) for _ in range(3)))


def scan_ends(
    bits: Words, base: int, first: int, last: int, offsets: Integers, n_states: int
) -> LocalEdges:
    """Compute what the steps [first, last) alone know about their ends.

    Parameters
    ----------
    bits, base
        `(n_rows, n_words)` packed bits from step `base`, which include [first, last).
    offsets
        int64: where sequences begin, and the end of the last one; at least those in [first, last].
    n_states
        The number of states.
    """
    n_bits = bits.shape[1] * 64
    since, gap, next_on = (np.full(n_bits, _OPEN, dtype=np.int64) for _ in range(3))
    used = mask_of(tuple(range(n_states)), n_bits)
    begin, stop = _sequence(offsets, last - 1)
    if stop == last:
        since[:], gap[:] = last, FAR
    else:
        floor = max(first, begin)
        kernels.look_back(bits, used, floor - base, last - base, since, gap)
        since[since != _OPEN] += base
        if floor == begin:
            since[since == _OPEN] = begin
            gap[gap == _OPEN] = FAR
    begin, stop = _sequence(offsets, first)
    kernels.look_ahead(bits, used, first - base, min(stop, last) - base, next_on)
    next_on[next_on != _OPEN] += base
    if stop <= last:
        next_on[next_on == _OPEN] = FAR
    # The bits after the last state are never on.
    since[n_states:], gap[n_states:], next_on[n_states:] = last, FAR, FAR
    return LocalEdges(since, gap, next_on)


def combine(
    cuts: Sequence[int], offsets: Integers, parts: Sequence[LocalEdges]
) -> tuple[Edges, ...]:
    """Return the edges of each shard.

    Parameters
    ----------
    cuts
        The steps where shards begin, and the end of the last one.
    offsets
        int64: where all sequences begin, and the end of the last one.
    parts
        What each shard alone knows about its ends.
    """
    n_bits = parts[0].since.size
    pasts = [(np.full(n_bits, cuts[0]), np.full(n_bits, FAR))]
    for first, part in zip(cuts, parts[:-1], strict=False):
        since, gap = pasts[-1]
        # On at the first step of the shard: its run continues the one before. Off: so does its gap.
        longer = part.since - first + np.where(since == first, gap, 0)
        own_gap = np.where(part.since == _OPEN, gap, np.minimum(longer, FAR))
        pasts.append(
            (
                np.where(part.since == _OPEN, since, part.since),
                np.where(part.gap == _OPEN, own_gap, part.gap),
            )
        )
    futures = [np.full(n_bits, FAR)]
    for last, part in zip(reversed(cuts[1:-1]), reversed(parts[1:]), strict=True):
        ends = bool(offsets[np.searchsorted(offsets, last)] == last)
        own = np.where(part.next_on == _OPEN, futures[-1], part.next_on)
        futures.append(np.full(n_bits, FAR) if ends else own)
    return tuple(
        Edges(since, gap, next_on)
        for (since, gap), next_on in zip(pasts, reversed(futures), strict=True)
    )


def cut_evenly(n_steps: int, n_shards: int) -> tuple[int, ...]:
    """Return the starts of up to `n_shards` equal shards, none empty, and `n_steps`."""
    n_shards = max(1, min(n_shards, n_steps))
    return tuple(n_steps * i // n_shards for i in range(n_shards + 1))


def spans(cuts: Sequence[int]) -> list[tuple[int, int]]:
    """Return the shards [first, last) between cuts."""
    return list(pairwise(cuts))


def _sequence(offsets: Integers, step: int) -> tuple[int, int]:
    ordinal = int(np.searchsorted(offsets, step, side="right")) - 1
    return int(offsets[ordinal]), int(offsets[ordinal + 1])
