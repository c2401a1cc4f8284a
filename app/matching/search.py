"""One query on one source, made ready for passes over the on-bits of its selected states.

A pass either counts every match and stores none, or collects the matches of some overlaps. Only
for collected matches is the union computed, from the bits of all states.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields, replace
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from app.matching import kernels
from app.matching.bits import words_for
from app.matching.control import Control
from app.matching.query import Query
from app.matching.selection import mask_of

Words = NDArray[np.uint64]
Integers = NDArray[np.int64]
_Answer = TypeVar("_Answer")

_NO_WORDS: Words = np.zeros(0, dtype=np.uint64)
_NO_COUNTS: Integers = np.zeros(0, dtype=np.int64)

# Matches collected between two looks at how many are worth keeping.
_BUFFER = 1 << 18
# Unions fold blocks of steps when reading step by step might cost more passes than this.
_PASSES_BEFORE_BLOCKS = 4
# Fewer steps than this are not worth a thread of their own.
_STEPS_PER_THREAD = 1 << 16
# Words of selected states' bits that a kernel takes before the control is looked at again: some
# milliseconds, some tens where nearly every step ends matches.
_STRETCH_WORDS = 1 << 16
# Matches whose unions are counted before the control is looked at again.
_STRETCH_UNIONS = 1 << 13
# At most 2 ** this many bins in the overview of a corpus.
_OVERVIEW_BITS = 10


@dataclass(frozen=True, slots=True)
class Counts:
    """How many matches there are.

    Attributes
    ----------
    by_length, full_by_length
        Matches, and full matches, of each length (the index).
    by_overlap
        Matches that pass the length filter, of each overlap (the index).
    by_bin, full_by_bin
        Matches that pass the length filter, and full ones of them, by the bin of their start
        (`Search.bin_shift`).
    """

    by_length: Integers
    full_by_length: Integers
    by_overlap: Integers
    by_bin: Integers
    full_by_bin: Integers

    @classmethod
    def none(cls) -> Counts:
        """Return the counts of no match."""
        return cls(*[_NO_COUNTS] * 5)

    @classmethod
    def zeros(cls, longest: int, n_selected: int, n_bins: int) -> Counts:
        """Return counts to add to."""
        sizes = (longest + 1, longest + 1, n_selected + 1, n_bins, n_bins)
        return cls(*(np.zeros(size, dtype=np.int64) for size in sizes))

    def add(self, other: Counts) -> None:
        """Add the counts of another part of the steps."""
        for item in fields(self):
            getattr(self, item.name)[:] += getattr(other, item.name)

    @property
    def total(self) -> int:
        """Matches of any length."""
        return int(self.by_length.sum())


@dataclass(frozen=True, slots=True)
class Found:
    """Matches [starts, stops), in the order met (by stop) unless said otherwise."""

    starts: Integers
    stops: Integers
    overlaps: Integers
    unions: Integers

    @classmethod
    def join(cls, parts: list[Found]) -> Found:
        """Return the matches of all `parts`, one part after the other."""
        if len(parts) == 1:
            return parts[0]
        none = [_NO_COUNTS]
        return cls(
            np.concatenate([part.starts for part in parts] or none),
            np.concatenate([part.stops for part in parts] or none),
            np.concatenate([part.overlaps for part in parts] or none),
            np.concatenate([part.unions for part in parts] or none),
        )

    @property
    def size(self) -> int:
        """How many matches."""
        return int(self.starts.size)

    def take(self, which: Integers | NDArray[np.bool_] | slice) -> Found:
        """Return the matches that `which` picks, in its order."""
        return Found(
            self.starts[which], self.stops[which], self.overlaps[which], self.unions[which]
        )


@dataclass(frozen=True, slots=True)
class _Pyramid:
    """ANDs or ORs of blocks of rows: level k is rows levels[k] to levels[k + 1] of `blocks`."""

    blocks: Words
    levels: Integers

    @classmethod
    def flat(cls, n_words: int) -> _Pyramid:
        return cls(np.zeros((0, n_words), dtype=np.uint64), np.zeros(1, dtype=np.int64))

    @classmethod
    def over(cls, rows: Words, *, either: bool) -> _Pyramid:
        parts: list[Words] = []
        while rows.shape[0] >= 2 * kernels.FANOUT:
            blocks = np.zeros((-(-rows.shape[0] // kernels.FANOUT), rows.shape[1]), dtype=np.uint64)
            kernels.fold_blocks(rows, either, blocks)
            parts.append(blocks)
            rows = blocks
        if not parts:
            return cls.flat(rows.shape[1])
        sizes = [0, *(part.shape[0] for part in parts)]
        return cls(np.concatenate(parts), np.cumsum(sizes).astype(np.int64))


@dataclass(frozen=True, slots=True)
class Search:
    """A query, its selected states and their on-bits.

    Attributes
    ----------
    bits
        (n_steps, n_words) on-bits of all states.
    offsets
        int64 (n_sequences + 1,).
    n_selected, selected_mask
        The selected states, counted and as (n_words,) bits.
    dense
        (n_steps, n_dense) on-bits of the selected states alone, in any order.
    run_starts, run_ends
        Where their runs begin and end with enough off steps around; no rows where the limit is
        below two steps (see `kernels.find_limited_runs`).
    off_before, off_after
        The limits, never more than n_steps: a gap inside a sequence is shorter than that.
    least, most
        The length filter, inclusive.
    threads
        How many threads share a pass. No answer depends on it.
    control
        Told of every stretch of steps.
    """

    bits: Words
    offsets: Integers
    n_selected: int
    selected_mask: Words
    dense: Words
    run_starts: Words
    run_ends: Words
    off_before: int
    off_after: int
    least: int
    most: int
    threads: int
    control: Control
    _pyramids: dict[bool, _Pyramid] = field(default_factory=dict)

    @classmethod
    def prepare(
        cls,
        bits: Words,
        offsets: Integers,
        query: Query,
        selected: tuple[int, ...],
        threads: int,
        control: Control,
    ) -> Search:
        """Gather the on-bits that the passes read."""
        n_steps, n_words = bits.shape
        off_before = min(int(query.off_before), n_steps)
        off_after = min(int(query.off_after), n_steps)
        selected_mask = mask_of(selected, n_words * 64)
        dense = _gather(bits, selected_mask, len(selected), threads)
        control.check()
        none = np.zeros((0, dense.shape[1]), dtype=np.uint64)
        run_starts = np.zeros_like(dense) if off_before > 1 else none
        run_ends = np.zeros_like(dense) if off_after > 1 else none
        if off_before > 1 or off_after > 1:
            kernels.find_limited_runs(dense, offsets, off_before, off_after, run_starts, run_ends)
        least, most = query.length or (1, n_steps)
        return cls(
            bits=bits,
            offsets=offsets,
            n_selected=len(selected),
            selected_mask=selected_mask,
            dense=dense,
            run_starts=run_starts,
            run_ends=run_ends,
            off_before=off_before,
            off_after=off_after,
            least=max(1, min(int(least), n_steps + 1)),
            most=min(int(most), n_steps),
            threads=threads,
            control=control,
        )

    @property
    def n_steps(self) -> int:
        """Number of steps of the source."""
        return int(self.bits.shape[0])

    def sequences_of(self, steps: Integers) -> Integers:
        """Return the ordinals of the sequences that `steps` belong to."""
        return np.searchsorted(self.offsets, steps, side="right").astype(np.int64) - 1

    def count(self, min_overlap: int, min_length: int) -> Counts:
        """Count every match (conditions 1 to 3 of the definition)."""

        def count_shard(shard: tuple[int, int]) -> Counts:
            longest = int(np.diff(self.offsets).max(initial=0))
            counts = Counts.zeros(longest, self.n_selected, self.n_bins)
            walk = _Walk(self, shard, 0)
            while not walk.over:
                walk.go_on(min_overlap, self.n_selected, min_length, _NO_WORDS, counts)
            return counts

        self.control.begin("counting", 0.9)
        parts = self._each(count_shard, self._shards(min_overlap))
        for other in parts[1:]:
            parts[0].add(other)
        return parts[0]

    @property
    def bin_shift(self) -> int:
        """Bins of the overview hold 2 ** `bin_shift` steps: the least that gives few enough."""
        return max(0, (max(1, self.n_steps) - 1).bit_length() - _OVERVIEW_BITS)

    @property
    def n_bins(self) -> int:
        """How many bins of the overview there are."""
        return -(-self.n_steps >> self.bin_shift)

    def on_by_bin(self) -> Integers:
        """Return how many (step, selected state) pairs are on in each bin of the overview."""

        def count_part(part: tuple[int, int]) -> Integers:
            on = np.zeros(self.n_bins, dtype=np.int64)
            kernels.count_on(self.dense, self.bin_shift, *part, on)
            return on

        n_parts = max(1, min(self.threads, self.n_steps // _STEPS_PER_THREAD))
        edges = [self.n_steps * i // n_parts for i in range(n_parts + 1)]
        total: Integers = np.sum(self._each(count_part, list(pairwise(edges))), axis=0)
        return total

    def largest_overlap(self) -> int:
        """Return the largest overlap of any range of one step or more, 0 when there is none."""
        largest = 0
        everything = replace(self, least=1, most=self.n_steps)
        # A small buffer: the walk pauses early, and goes on for larger overlaps only.
        walk = _Walk(everything, (0, self.n_steps), self.n_selected + 1)
        self.control.begin_next("listing")
        while not walk.over and largest < self.n_selected:
            found = walk.go_on(largest + 1, self.n_selected, 1, _NO_WORDS)
            largest = max(largest, int(found.overlaps.max(initial=0)))
        return largest

    def best(
        self,
        low: int,
        high: int,
        min_length: int,
        limit: int,
        after: tuple[int, int] | None = None,
        taken: Words = _NO_WORDS,
    ) -> tuple[Found, bool]:
        """Return the best matches of overlaps `low` to `high`, in the order met.

        Parameters
        ----------
        low, high
            Overlaps, inclusive.
        min_length
            Shorter matches are left out, as are those that the length filter drops.
        limit
            How many to return at most; little more than this is ever held in memory.
        after
            The (key, start) of a match: only those that rank after it.
        taken
            One bit a step: only matches that hold no such step. Size 0 for none.

        Returns
        -------
        The matches, and whether any was left out because of `limit`.
        """

        def best_of_shard(shard: tuple[int, int]) -> tuple[Found, bool]:
            kept: list[Found] = []
            n_kept = 0
            left_out = False
            walk = _Walk(self, shard, max(_BUFFER, self.n_selected + 1))
            while not walk.over:
                met = self._with_unions(walk.go_on(low, high, min_length, taken))
                kept.append(met if after is None else self._after(met, *after))
                n_kept += kept[-1].size
                if n_kept > 2 * limit + _BUFFER:
                    kept = [self._shorten(Found.join(kept), limit)]
                    n_kept = limit
                    left_out = True
            return Found.join(kept), left_out

        self.control.begin_next("listing")
        parts = self._each(best_of_shard, self._shards(low))
        found = Found.join([part for part, _ in parts])
        left_out = any(out for _, out in parts)
        if found.size > limit:
            return self._shorten(found, limit), True
        return found, left_out

    def keys(self, found: Found) -> Integers:
        """Return what the matches rank by, smallest first; equal keys rank by start.

        Overlap, union and length in one int64 each: (n_selected + 1) * (n_states + 64) *
        (n_steps + 1) stays far below 2 ** 63 for any source that fits on one machine.
        """
        n_unions = self.bits.shape[1] * 64 + 1
        better = (self.n_selected - found.overlaps) * n_unions + found.unions
        keys: Integers = better * (self.n_steps + 1) + (self.n_steps - found.stops + found.starts)
        return keys

    def rank(self, found: Found) -> Integers:
        """Return the order that ranks `found`, best first. `found` must be in the order met."""
        # Of one length, the order met is that of the starts: a stable sort needs no second key.
        return np.argsort(self.keys(found), kind="stable").astype(np.int64)

    def _after(self, found: Found, key: int, start: int) -> Found:
        keys = self.keys(found)
        return found.take((keys > key) | ((keys == key) & (found.starts > start)))

    def _shorten(self, found: Found, limit: int) -> Found:
        if found.size <= limit:
            return found
        keys = self.keys(found)
        worst = np.partition(keys, limit - 1)[limit - 1]
        keep = keys < worst
        ties = np.flatnonzero(keys == worst)
        keep[ties[: limit - int(keep.sum())]] = True
        return found.take(keep)

    def _with_unions(self, found: Found) -> Found:
        if found.size == 0:
            return found
        starts, stops = found.starts, found.stops
        unions = np.empty_like(starts)
        around = self.off_before + self.off_after
        all_on = self._pyramid(False, int((stops - starts).sum()))
        any_on = self._pyramid(True, starts.size * around)
        sequences = self.sequences_of(starts)
        for first in range(0, starts.size, _STRETCH_UNIONS):
            part = slice(first, first + _STRETCH_UNIONS)
            self.control.check()
            kernels.count_unions(
                self.bits,
                self.selected_mask,
                self.offsets,
                self.off_before,
                self.off_after,
                all_on.blocks,
                all_on.levels,
                any_on.blocks,
                any_on.levels,
                starts[part],
                stops[part],
                sequences[part],
                unions[part],
            )
        return replace(found, unions=unions)

    def _pyramid(self, either: bool, n_reads: int) -> _Pyramid:
        """Return blocks to fold `n_reads` rows with; without levels when there are few."""
        if n_reads <= _PASSES_BEFORE_BLOCKS * self.n_steps:
            return _Pyramid.flat(self.bits.shape[1])
        if either not in self._pyramids:
            # Two threads may both build it: the same blocks, so no harm but the time.
            self._pyramids[either] = _Pyramid.over(self.bits, either=either)
        return self._pyramids[either]

    def _shards(self, low_overlap: int) -> list[tuple[int, int]]:
        """Cut the steps where no match of `low_overlap` or more states can lie across."""
        n_shards = max(1, min(self.threads, self.n_steps // _STEPS_PER_THREAD))
        cuts = [0]
        for i in range(1, n_shards):
            aim = max(self.n_steps * i // n_shards, cuts[-1] + 1)
            cut = self._cut(aim, self.n_steps * (i + 1) // n_shards, low_overlap)
            if cut is not None:
                cuts.append(cut)
        cuts.append(self.n_steps)
        return list(pairwise(cuts))

    def _cut(self, first: int, last: int, low_overlap: int) -> int | None:
        """Return a step in [first, last) that no match spans together with the one before."""
        boundary = int(self.offsets[np.searchsorted(self.offsets, first)])
        last = min(last, boundary + 1)
        for start in range(first, last, 4096):
            stop = min(start + 4096, last)
            both = self.dense[start - 1 : stop - 1] & self.dense[start:stop]
            free = np.bitwise_count(both).sum(axis=1) < low_overlap
            if start <= boundary < stop:
                free[boundary - start] = True
            if free.any():
                return start + int(free.argmax())
        return None

    def _each(
        self, run: Callable[[tuple[int, int]], _Answer], shards: list[tuple[int, int]]
    ) -> list[_Answer]:
        if len(shards) == 1:
            return [run(shards[0])]
        with ThreadPoolExecutor(len(shards)) as pool:
            return list(pool.map(run, shards))


class _Walk:
    """One sweep over a shard, which pauses when its buffer is full."""

    def __init__(self, search: Search, shard: tuple[int, int], room: int) -> None:
        first, self._last = shard
        self._search = search
        sequence = int(np.searchsorted(search.offsets, first, side="right")) - 1
        self._cursor = np.array([first, 0, sequence], dtype=np.int64)
        n_groups = search.n_selected + 1
        self._groups = np.zeros((n_groups, search.dense.shape[1]), dtype=np.uint64)
        self._group_starts = np.zeros(n_groups, dtype=np.int64)
        self._starts, self._stops, self._overlaps = (
            np.empty(room, dtype=np.int64) for _ in range(3)
        )

    @property
    def over(self) -> bool:
        """Whether the shard's end was reached."""
        return int(self._cursor[0]) < 0

    def go_on(
        self, low: int, high: int, min_length: int, taken: Words, counts: Counts | None = None
    ) -> Found:
        """Walk a stretch; return the matches met, without unions, or add all to `counts` if given.

        `low` may grow from one call to the next, and nothing else may change.
        """
        search = self._search
        into = counts or Counts.none()
        first = int(self._cursor[0])
        stretch = max(1, _STRETCH_WORDS // search.dense.shape[1])
        n_found = kernels.sweep(
            search.dense,
            search.offsets,
            search.run_starts,
            search.run_ends,
            min(search.off_before, 2),
            min(search.off_after, 2),
            self._last,
            first + stretch,
            search.n_selected,
            low,
            high,
            min(min_length, search.n_steps + 1),
            search.least,
            search.most,
            self._cursor,
            self._groups,
            self._group_starts,
            into.by_length,
            into.full_by_length,
            into.by_overlap,
            search.bin_shift,
            into.by_bin,
            into.full_by_bin,
            taken,
            self._starts,
            self._stops,
            self._overlaps,
        )
        reached = self._last if self.over else int(self._cursor[0])
        search.control.advance((reached - first) / search.n_steps)
        return Found(
            self._starts[:n_found].copy(),
            self._stops[:n_found].copy(),
            self._overlaps[:n_found].copy(),
            np.zeros(n_found, dtype=np.int64),
        )


def _gather(bits: Words, selected_mask: Words, n_selected: int, threads: int) -> Words:
    """Return the (n_steps, n_dense) on-bits of the selected states alone, in any order."""
    n_steps = bits.shape[0]
    plan = _plan_moves(selected_mask, words_for(n_selected))
    dense = np.empty((n_steps, words_for(n_selected)), dtype=np.uint64)
    n_parts = max(1, min(threads, n_steps // _STEPS_PER_THREAD))
    edges = [n_steps * i // n_parts for i in range(n_parts + 1)]

    def run(part: int) -> None:
        kernels.gather(bits, *plan, edges[part], edges[part + 1], dense)

    if n_parts == 1:
        run(0)
    else:
        with ThreadPoolExecutor(n_parts) as pool:
            list(pool.map(run, range(n_parts)))
    return dense


def _plan_moves(selected_mask: Words, n_dense: int) -> tuple[Integers, Words, Words, Integers]:
    """Plan how to fit the selected bits of a row into `n_dense` words with few rotations.

    Greedy: each source word is rotated so that as many of its selected bits as possible fall on
    free bits; a few scattered states mostly need one rotation a word, not one a state.

    Returns
    -------
    (sources, masks, turns, moves) as `kernels.gather` takes them.
    """
    full = (1 << 64) - 1
    free = [full] * n_dense
    moves: list[list[tuple[int, int, int]]] = [[] for _ in range(n_dense)]
    masks = selected_mask.tolist()
    # Full words first: what is left of the free bits suits the sparse ones.
    for source in sorted(range(len(masks)), key=lambda w: -masks[w].bit_count()):
        left = masks[source]
        while left:
            fit = _best_fit(left, free)
            back = ((fit.placed >> fit.turn) | (fit.placed << (64 - fit.turn))) & full
            moves[fit.target].append((source, back, fit.turn))
            free[fit.target] &= ~fit.placed
            left &= ~back
    flat = [move for target in moves for move in target]
    return (
        np.array([source for source, _, _ in flat], dtype=np.int64),
        np.array([mask for _, mask, _ in flat], dtype=np.uint64),
        np.array([turn for _, _, turn in flat], dtype=np.uint64),
        np.cumsum([0, *(len(target) for target in moves)]).astype(np.int64),
    )


@dataclass(frozen=True, slots=True)
class _Fit:
    target: int
    turn: int
    placed: int


def _best_fit(mask: int, free: list[int]) -> _Fit:
    wanted = mask.bit_count()
    best = _Fit(0, 0, 0)
    tried = 0
    for target, room in enumerate(free):
        if room == 0:
            continue
        for turn in range(64):
            turned = ((mask << turn) | (mask >> (64 - turn))) & ((1 << 64) - 1)
            placed = turned & room
            if placed.bit_count() > best.placed.bit_count():
                best = _Fit(target, turn, placed)
                if placed.bit_count() == wanted:
                    return best
        tried += 1
        # A few words with room are enough to choose from; wide sources have hundreds.
        if tried == 4:
            break
    return best
