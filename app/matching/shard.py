"""One shard of a search: the passes over its steps.

A shard is a range of steps and finds the matches that end in it; its edges describe what it needs to
know about other shards. It returns little, and the sum or merge over all shards is the answer,
whatever the division.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from app.matching import kernels
from app.matching.control import Control
from app.matching.counts import Counts, Found
from app.matching.dense import Moves
from app.matching.edges import FAR, Edges

Words = NDArray[np.uint64]
Integers = NDArray[np.int64]

NO_WORDS: Words = np.zeros(0, dtype=np.uint64)
_NO_COUNTS: Integers = np.zeros(0, dtype=np.int64)

# Matches collected before the best of them are selected.
_BUFFER = 1 << 17
# Unions use blocks of steps if reading step by step might cost more passes than this.
_PASSES_BEFORE_BLOCKS = 4
# Words of selected bits that a kernel processes before the control is checked again: some milliseconds,
# some tens of them if nearly every step ends matches.
_STRETCH_WORDS = 1 << 16
# Matches whose unions are counted before the control is checked again.
_STRETCH_UNIONS = 1 << 13


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """The parameters of a search for every shard.

    Attributes
    ----------
    n_steps
        The number of steps of the whole source.
    selected, selected_mask
        The selected states, ascending, and as (n_words,) bits.
    moves
        How to gather their bits into few words.
    off_before, off_after
        The limits, capped at n_steps, which no gap inside a sequence exceeds.
    least, most
        The length filter, inclusive.
    bin_shift
        Bins of the overview have 2 ** bin_shift steps.
    """

    n_steps: int
    selected: tuple[int, ...]
    selected_mask: Words
    moves: Moves
    off_before: int
    off_after: int
    least: int
    most: int
    bin_shift: int

    @property
    def n_selected(self) -> int:
        """The number of selected states."""
        return len(self.selected)

    @property
    def n_bins(self) -> int:
        """The number of bins of the overview."""
        return -(-self.n_steps >> self.bin_shift)

    def keys(self, found: Found) -> Integers:
        """Return the ranking keys of the matches, smallest first; equal keys rank by start.

        Overlap, union and length in one int64 each: (n_selected + 1) * (n_states + 64) *
        (n_steps + 1) stays below 2 ** 63 for 10,000 selected of 10,000 states and 9e10 steps.
        """
        n_unions = self.selected_mask.size * 64 + 1
        better = (self.n_selected - found.overlaps) * n_unions + found.unions
        keys: Integers = better * (self.n_steps + 1) + (self.n_steps - found.stops + found.starts)
        return keys

    def best(self, found: Found, limit: int) -> Found:
        """Return the `limit` best in their original order; ties are broken by position."""
        if found.size <= limit:
            return found
        keys = self.keys(found)
        worst = np.partition(keys, limit - 1)[limit - 1]
        keep = keys < worst
        ties = np.flatnonzero(keys == worst)
        keep[ties[: limit - int(keep.sum())]] = True
        return found.take(keep)


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """The position of a shard.

    Attributes
    ----------
    first, last
        Its half-open range of steps.
    offsets
        int64: the starts of the sequences of its steps, and the end of the last one.
    edges
        What is beyond its ends.
    """

    first: int
    last: int
    offsets: Integers
    edges: Edges

    @property
    def base(self) -> int:
        """The first step whose bits are read: the one before the shard, if there is one."""
        return max(0, self.first - 1)


@dataclass(frozen=True, eq=False)
class Shard:
    """One shard of one search.

    Attributes
    ----------
    terms, span
        The parameters of the search, and the position.
    bits
        (last - base, n_words) packed bits of all states.
    control
        Receives the progress.
    """

    terms: Terms
    span: Span
    bits: Words
    control: Control = field(default_factory=Control)

    @cached_property
    def dense(self) -> Words:
        """The bits of the selected states alone at the same steps, in as few words as possible."""
        return self.terms.moves.gather(self.bits, self.control.check)

    @cached_property
    def _limited(self) -> tuple[Words, Words]:
        """Where runs begin and end with enough off steps around; without rows if not needed."""
        terms, span, dense = self.terms, self.span, self.dense
        none = np.zeros((0, dense.shape[1]), dtype=np.uint64)
        starts = np.zeros_like(dense) if terms.off_before > 1 else none
        ends = np.zeros_like(dense) if terms.off_after > 1 else none
        if terms.off_before > 1 or terms.off_after > 1:
            chosen = np.array(terms.selected, dtype=np.int64)
            places = terms.moves.places(terms.selected, self.bits.shape[1])
            went_off, next_on = (np.full(dense.shape[1] * 64, -FAR) for _ in range(2))
            went_off[places] = span.first - span.edges.gap[chosen]
            next_on[places] = span.edges.next_on[chosen]
            kernels.find_limited_runs(
                dense,
                span.base,
                span.offsets,
                span.first,
                span.last,
                terms.off_before,
                terms.off_after,
                went_off,
                next_on,
                starts,
                ends,
            )
            self.control.check()
        return starts, ends

    @cached_property
    def groups(self) -> tuple[Words, Integers]:
        """The selected states that are on when the shard begins, by the step since which they are on.

        Returns
        -------
        (n_groups, n_dense) masks and (n_groups,) starts, oldest first.
        """
        terms, edges = self.terms, self.span.edges
        chosen = np.array(terms.selected, dtype=np.int64)
        since = edges.since[chosen]
        living = (since < self.span.first) & (edges.gap[chosen] >= terms.off_before)
        starts = np.unique(since[living])
        rows = np.zeros((starts.size, self.bits.shape[1]), dtype=np.uint64)
        for state, group in zip(
            chosen[living].tolist(), np.searchsorted(starts, since[living]).tolist(), strict=True
        ):
            rows[group, state // 64] |= np.uint64(1 << (state % 64))
        return terms.moves.gather(rows), starts.astype(np.int64)

    def count(self, min_overlap: int, min_length: int) -> Counts:
        """Count all matches (conditions 1 to 3 of the definition)."""
        reaches_back = self.span.last - min([self.span.first, *self.groups[1].tolist()])
        longest = min(reaches_back, int(np.diff(self.span.offsets).max(initial=0)))
        tally = _Tally.zeros(longest, self.terms)
        walk = _Walk(self, 0)
        while not walk.over:
            walk.go_on(min_overlap, self.terms.n_selected, min_length, NO_WORDS, 0, tally)
        return tally.counts()

    def on_by_bin(self) -> tuple[int, Integers]:
        """Return the first bin, and the number of (step, selected state) pairs on in each bin."""
        shift = self.terms.bin_shift
        first_bin = self.span.first >> shift
        on = np.zeros(((self.span.last - 1) >> shift) + 1, dtype=np.int64)
        kernels.count_on(self.dense, self.span.base, shift, self.span.first, self.span.last, on)
        return first_bin, on[first_bin:]

    def largest_overlap(self) -> int:
        """Return the largest overlap of any range that ends in this shard; 0 if there is none."""
        largest = 0
        terms = replace(self.terms, least=1, most=self.terms.n_steps)
        everything = replace(self, terms=terms)
        # A small buffer: the walk pauses early and then continues with larger overlaps only.
        walk = _Walk(everything, terms.n_selected + 1)
        while not walk.over and largest < terms.n_selected:
            found = walk.go_on(largest + 1, terms.n_selected, 1, NO_WORDS, 0)
            largest = max(largest, int(found.overlaps.max(initial=0)))
        return largest

    def best(
        self,
        low: int,
        high: int,
        min_length: int,
        limit: int,
        after: tuple[int, int] | None,
        taken: Words,
        taken_base: int,
    ) -> tuple[Found, bool]:
        """Return the best matches of overlaps `low` to `high`, in the order found.

        Parameters
        ----------
        low, high
            Overlaps, inclusive.
        min_length
            Shorter matches are left out, and so are those that the length filter drops.
        limit
            The maximum number to return; little more is ever in memory.
        after
            The (key, start) of a match: return only those that rank after it.
        taken, taken_base
            One bit per step from `taken_base`: return only matches without such a step. Size 0 for
            none.

        Returns
        -------
        The matches, and whether any was left out because of `limit`.
        """
        kept: list[Found] = []
        n_kept = 0
        left_out = False
        walk = _Walk(self, max(_BUFFER, self.terms.n_selected + 1))
        while not walk.over:
            matches = walk.go_on(low, high, min_length, taken, taken_base)
            if matches.size == 0:
                continue
            matches = self._with_unions(matches)
            kept.append(matches if after is None else self._after(matches, *after))
            n_kept += kept[-1].size
            if n_kept > 2 * limit + _BUFFER:
                kept = [self.terms.best(Found.join(kept), limit)]
                n_kept = limit
                left_out = True
        found = Found.join(kept)
        return self.terms.best(found, limit), left_out or found.size > limit

    def on_counts(self, lows: Integers, highs: Integers) -> list[tuple[int, NDArray[np.uint16]]]:
        """Return the number of selected states on at each step of [low, high) within this shard.

        Returns
        -------
        The indices of the ranges with steps in this shard, and their counts.
        """
        span = self.span
        counts = []
        for i in np.flatnonzero((lows < span.last) & (highs > span.first)).tolist():
            here = slice(
                max(int(lows[i]), span.first) - span.base, min(int(highs[i]), span.last) - span.base
            )
            on = np.bitwise_count(self.dense[here]).sum(axis=1, dtype=np.uint16)
            counts.append((i, on))
        return counts

    def _after(self, found: Found, key: int, start: int) -> Found:
        keys = self.terms.keys(found)
        return found.take((keys > key) | ((keys == key) & (found.starts > start)))

    def _with_unions(self, found: Found) -> Found:
        terms, span = self.terms, self.span
        starts, stops = found.starts, found.stops
        unions = np.empty_like(starts)
        around = terms.off_before + terms.off_after
        all_on = self._pyramid(False, int((stops - np.maximum(starts, span.base)).sum()))
        any_on = self._pyramid(True, starts.size * around)
        sequences = np.searchsorted(span.offsets, starts, side="right").astype(np.int64) - 1
        for first in range(0, starts.size, _STRETCH_UNIONS):
            part = slice(first, first + _STRETCH_UNIONS)
            self.control.check()
            kernels.count_unions(
                self.bits,
                span.base,
                terms.selected_mask,
                span.offsets,
                span.first,
                span.last,
                span.edges.since,
                span.edges.gap,
                span.edges.next_on,
                terms.off_before,
                terms.off_after,
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
        """Return blocks for combining `n_reads` rows; without levels if there are few."""
        if n_reads <= _PASSES_BEFORE_BLOCKS * len(self.bits):
            return _Pyramid.flat(self.bits.shape[1])
        return self._any_on if either else self._all_on

    @cached_property
    def _all_on(self) -> _Pyramid:
        return _Pyramid.over(self.bits, either=False)

    @cached_property
    def _any_on(self) -> _Pyramid:
        return _Pyramid.over(self.bits, either=True)


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


@dataclass(frozen=True, slots=True, eq=False)
class _Tally:
    """Counts in progress: arrays that the kernel adds to, indexed from 0."""

    by_length: Integers
    full_by_length: Integers
    by_overlap: Integers
    by_bin: Integers
    full_by_bin: Integers

    @classmethod
    def empty(cls) -> _Tally:
        return cls(*[_NO_COUNTS] * 5)

    @classmethod
    def zeros(cls, longest: int, terms: Terms) -> _Tally:
        # Untouched memory costs nothing: `longest` may be the length of the corpus.
        sizes = (longest + 1, longest + 1, terms.n_selected + 1, terms.n_bins, terms.n_bins)
        return cls(*(np.zeros(size, dtype=np.int64) for size in sizes))

    def counts(self) -> Counts:
        lengths = np.flatnonzero(self.by_length)
        return Counts(
            lengths=lengths,
            by_length=self.by_length[lengths],
            full_by_length=self.full_by_length[lengths],
            by_overlap=self.by_overlap,
            by_bin=self.by_bin,
            full_by_bin=self.full_by_bin,
        )


class _Walk:
    """One sweep over a shard, which pauses when its buffer is full, and regularly to check the control."""

    def __init__(self, shard: Shard, room: int) -> None:
        self._shard = shard
        masks, starts = shard.groups
        n_groups = shard.terms.n_selected + 1
        self._groups = np.zeros((n_groups, masks.shape[1]), dtype=np.uint64)
        self._group_starts = np.zeros(n_groups, dtype=np.int64)
        self._groups[: len(masks)] = masks
        self._group_starts[: len(starts)] = starts
        self._cursor = np.array([shard.span.first, len(starts), 0], dtype=np.int64)
        self._starts, self._stops, self._overlaps = (
            np.empty(room, dtype=np.int64) for _ in range(3)
        )

    @property
    def over(self) -> bool:
        """Whether the end of the shard was reached."""
        return int(self._cursor[0]) < 0

    def go_on(
        self,
        low: int,
        high: int,
        min_length: int,
        taken: Words,
        taken_base: int,
        tally: _Tally | None = None,
    ) -> Found:
        """Walk some steps; return the matches found, without unions, or add all to `tally` if given.

        `low` may increase from call to call; the other arguments must not change.
        """
        shard, terms, span = self._shard, self._shard.terms, self._shard.span
        into = tally or _Tally.empty()
        first = int(self._cursor[0])
        steps_at_once = max(1, _STRETCH_WORDS // shard.dense.shape[1])
        starts, ends = shard._limited
        n_found = kernels.sweep(
            shard.dense,
            span.base,
            span.offsets,
            starts,
            ends,
            min(terms.off_before, 2),
            min(terms.off_after, 2),
            span.last,
            first + steps_at_once,
            terms.n_selected,
            low,
            high,
            min(min_length, terms.n_steps + 1),
            terms.least,
            terms.most,
            self._cursor,
            self._groups,
            self._group_starts,
            into.by_length,
            into.full_by_length,
            into.by_overlap,
            terms.bin_shift,
            into.by_bin,
            into.full_by_bin,
            taken,
            taken_base,
            self._starts,
            self._stops,
            self._overlaps,
        )
        reached = span.last if self.over else int(self._cursor[0])
        shard.control.advance((reached - first) / terms.n_steps)
        return Found(
            self._starts[:n_found].copy(),
            self._stops[:n_found].copy(),
            self._overlaps[:n_found].copy(),
            np.zeros(n_found, dtype=np.int64),
        )
