"""What a shard must know of the steps beyond its ends.

A match that ends in a shard may begin before it, and a limit may reach beyond either end. For each
state three numbers decide both: since when it has been on when the shard begins, how long it was
off before that, and when it next comes on after the shard's end. Each shard finds its own numbers,
and they are combined shard after shard (an associative scan), so that the answer does not
depend on the cuts, and no shard reads another's steps.
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
"""A number of steps that no source has."""

_OPEN = -1


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """The past and the future of the states at the ends of a shard [first, last).

    Attributes
    ----------
    since
        int64 `(n_bits,)`: the step from which the state is on through `first - 1`, in the sequence
        that holds that step; `first` where it is off there, and where a sequence begins.
    gap
        int64 `(n_bits,)`: the number of steps right before `since` at which it is off; FAR where it
        is off there since the sequence began.
    next_on
        int64 `(n_bits,)`: the first step from `last` on, in the sequence that goes on there, at
        which it is on; FAR where there is none.
    """

    since: Integers
    gap: Integers
    next_on: Integers


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """What is known of a shard's ends from its own steps; -1 where it depends on other shards.

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
    def nothing(cls, n_bits: int) -> Ends:
        """Return the ends of the only shard, which are not used."""
        return cls(*(np.full(n_bits, _OPEN, dtype=np.int64) for _ in range(3)))


def scan_ends(
    bits: Words, base: int, first: int, last: int, offsets: Integers, n_states: int
) -> Ends:
    """Return what is known of the ends of [first, last) from these steps alone.

    Parameters
    ----------
    bits, base
        `(n_rows, n_words)` on-bits from step `base` on, which hold [first, last).
    offsets
        int64: where sequences begin, and the end of the last one; those of [first, last] at least.
    n_states
        How many of the bits are states.
    """
    n_bits = bits.shape[1] * 64
    since, gap, next_on = (np.full(n_bits, _OPEN, dtype=np.int64) for _ in range(3))
    requested = mask_of(tuple(range(n_states)), n_bits)
    begin, stop = _sequence(offsets, last - 1)
    if stop == last:
        since[:], gap[:] = last, FAR
    else:
        floor = max(first, begin)
        kernels.scan_back(bits, requested, floor - base, last - base, since, gap)
        since[since != _OPEN] += base
        if floor == begin:
            since[since == _OPEN] = begin
            gap[gap == _OPEN] = FAR
    begin, stop = _sequence(offsets, first)
    kernels.scan_ahead(bits, requested, first - base, min(stop, last) - base, next_on)
    next_on[next_on != _OPEN] += base
    if stop <= last:
        next_on[next_on == _OPEN] = FAR
    # The bits past the last state are never on.
    since[n_states:], gap[n_states:], next_on[n_states:] = last, FAR, FAR
    return Ends(since, gap, next_on)


def combine(cuts: Sequence[int], offsets: Integers, parts: Sequence[Ends]) -> tuple[Edges, ...]:
    """Combine the ends of all shards into the edges of each (an associative scan).

    Parameters
    ----------
    cuts
        The steps where shards begin, and the end of the last one.
    offsets
        int64: where all sequences begin, and the end of the last one.
    parts
        The ends of each shard (`scan_ends`).
    """
    n_bits = parts[0].since.size
    pasts = [(np.full(n_bits, cuts[0]), np.full(n_bits, FAR))]
    for first, part in zip(cuts, parts[:-1], strict=False):
        since, gap = pasts[-1]
        # On from the shard's first step: what was before it goes on. Off from there: that, too.
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
    """Return where up to `n_shards` equal shards begin, and `n_steps`; none is empty."""
    n_shards = max(1, min(n_shards, n_steps))
    return tuple(n_steps * i // n_shards for i in range(n_shards + 1))


def spans(cuts: Sequence[int]) -> list[tuple[int, int]]:
    """Return the shards [first, last) between cuts."""
    return list(pairwise(cuts))


def _sequence(offsets: Integers, step: int) -> tuple[int, int]:
    ordinal = int(np.searchsorted(offsets, step, side="right")) - 1
    return int(offsets[ordinal]), int(offsets[ordinal + 1])
