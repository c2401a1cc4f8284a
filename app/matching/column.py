"""One state over the whole corpus: its distribution, how often it is on, its strongest places."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.matching.bits import Polarity, is_on

#: Bars of a distribution.
BINS = 60
# Steps read at once: memory does not grow with the corpus.
_BLOCK = 1 << 17


@dataclass(frozen=True, slots=True)
class Place:
    """A step at which a state is strong.

    Attributes
    ----------
    step, value
        The strongest step of the place (the earliest of several), and the stored value there.
    start, stop
        Its on-run, half-open; both are `step` where the state is off.
    """

    step: int
    value: float
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Described:
    """The values of one state over all steps.

    Attributes
    ----------
    on, runs
        The number of steps at which the state is on, and of its on-runs.
    bins
        How many finite values are in each of `BINS` equal parts of their range; the last part holds
        the greatest. One part if all are the same, none without a finite value.
    places
        The strongest places, best first.
    """

    on: int
    runs: int
    bins: tuple[int, ...]
    places: tuple[Place, ...]


def describe(
    rows: NDArray[Any],
    state: int,
    offsets: NDArray[np.int64],
    bounds: tuple[float, float],
    threshold: float,
    polarity: Polarity,
    most: int = 20,
    *,
    threads: int = 2,
) -> Described:
    """Describe one state; its column is read in blocks.

    The places are the steps sorted by strength, ties in the order of the corpus, except that an
    on-run is one place, and that a step at which the state is off is none beside a stronger step, or
    an earlier one as strong, of its sequence. The strongest value is the highest, the lowest or the
    largest in magnitude, by `polarity`. NaN is never a place; infinities are.

    Parameters
    ----------
    rows
        (n_steps, n_states) of float16, float32 or float64; may be a memory map.
    state
        The column, from 0.
    offsets
        int64 (n_sequences + 1,): where sequences begin and the last one ends.
    bounds
        The least and the greatest finite value of the column; NaN where there is none.
    threshold, polarity
        As for `is_on`.
    most
        The number of places.
    threads
        The number of threads.
    """
    column = _Column(rows[:, state], offsets, threshold, Polarity(polarity))
    n_bins = 0 if np.isnan(bounds[0]) else 1 if bounds[0] == bounds[1] else BINS

    def read(start: int) -> _Part:
        return column.part(start, bounds, n_bins, most)

    starts = range(0, len(rows), _BLOCK)
    if len(starts) > 1 and threads > 1:
        # Waiting for memory is most of it: threads wait side by side.
        with ThreadPoolExecutor(threads) as pool:
            parts = list(pool.map(read, starts))
    else:
        parts = [read(start) for start in starts]
    bins = sum((part.bins for part in parts), np.zeros(n_bins, np.int64))
    # A part of a run that is not among these has as many stronger runs: it is not listed.
    strongest = [run for part in parts for run in part.strongest]
    places: list[Place] = []
    for _, step in sorted(strongest, key=_strongest_first):
        if len(places) == most:
            break
        if not any(place.start <= step < place.stop for place in places):
            places.append(Place(step, column.value(step), *column.run(step)))
    if len(places) < most:
        weaker: list[tuple[float, int]] = []
        for start in starts:
            weaker += column.peaks(start, start + _BLOCK, most)
        weaker.sort(key=_strongest_first)
        places += [
            Place(step, column.value(step), step, step) for _, step in weaker[: most - len(places)]
        ]
    on, runs = sum(part.on for part in parts), sum(part.runs for part in parts)
    return Described(on, runs, tuple(bins.tolist()), tuple(places))


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """What is known of a block; `runs` without one that goes on from the block before."""

    bins: NDArray[np.int64]
    on: int
    runs: int
    strongest: list[tuple[float, int]]


@dataclass(frozen=True, slots=True, eq=False)
class _Column:
    values: NDArray[Any]
    offsets: NDArray[np.int64]
    threshold: float
    polarity: Polarity

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """The values of [start, stop), clipped to the corpus."""
        return np.array(self.values[start:stop])

    def part(self, start: int, bounds: tuple[float, float], n_bins: int, most: int) -> _Part:
        """Describe the block from `start`."""
        stored = self.read(start, start + _BLOCK)
        bins = _histogram(stored, bounds, n_bins)
        values = _widened(stored)
        mask = is_on(values, self.threshold, self.polarity)
        begins, ends = self.runs(start, mask)
        runs = len(begins)
        if start and runs and begins[0] == 0 and self.goes_on(start):
            runs -= 1
        strongest = _best_runs(start, self.strength(values), begins, ends, most)
        return _Part(bins, int(np.count_nonzero(mask)), runs, strongest)

    def value(self, step: int) -> float:
        return float(self.values[step])

    def strength(self, values: NDArray[Any]) -> NDArray[Any]:
        """Larger is stronger."""
        if self.polarity is Polarity.MAGNITUDE:
            values = np.abs(values)
        if self.polarity is Polarity.LOW:
            values = -values
        return values

    def begins(self, start: int, stop: int) -> NDArray[np.int64]:
        """Where sequences begin in [start, stop), counted from `start`."""
        first, last = np.searchsorted(self.offsets[:-1], (start, stop))
        begins: NDArray[np.int64] = self.offsets[first:last] - start
        return begins

    def runs(
        self, start: int, mask: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The first steps of the on-runs of a block from `start`, and the steps after their last."""
        before = np.zeros(len(mask), np.bool_)
        before[1:] = mask[:-1]
        cuts = self.begins(start, start + len(mask))
        before[cuts] = False
        begins = np.flatnonzero(mask & ~before)
        after = np.zeros(len(mask), np.bool_)
        after[:-1] = mask[1:]
        after[cuts[cuts > 0] - 1] = False
        return begins, np.flatnonzero(mask & ~after) + 1

    def goes_on(self, step: int) -> bool:
        """Whether an on-run goes on from the step before to this one, at which the state is on."""
        if len(self.begins(step, step + 1)):
            return False
        return bool(is_on(self.values[step - 1 : step], self.threshold, self.polarity)[0])

    def run(self, step: int) -> tuple[int, int]:
        """The on-run of a step at which the state is on."""
        ordinal = int(np.searchsorted(self.offsets, step, side="right"))
        first, last = int(self.offsets[ordinal - 1]), int(self.offsets[ordinal])
        start, length = step, 64
        while start > first:
            low = max(first, start - length)
            off = np.flatnonzero(~is_on(self.values[low:start], self.threshold, self.polarity))
            if len(off):
                start = low + int(off[-1]) + 1
                break
            start, length = low, min(2 * length, _BLOCK)
        stop, length = step + 1, 64
        while stop < last:
            high = min(last, stop + length)
            off = np.flatnonzero(~is_on(self.values[stop:high], self.threshold, self.polarity))
            if len(off):
                stop += int(off[0])
                break
            stop, length = high, min(2 * length, _BLOCK)
        return start, stop

    def peaks(self, start: int, stop: int, most: int) -> list[tuple[float, int]]:
        """The strongest steps of a block that are off and not beside a stronger one."""
        first = max(0, start - 1)
        values = _widened(self.read(first, stop + 1))
        strength = self.strength(values)
        cuts = self.begins(first, first + len(values))
        weaker = np.isnan(strength) | is_on(values, self.threshold, self.polarity)
        left, right = np.zeros((2, len(values)), np.bool_)
        # NaN compares false: it is beside no step.
        left[1:] = strength[:-1] >= strength[1:]
        right[:-1] = strength[1:] > strength[:-1]
        left[cuts] = False
        right[cuts[cuts > 0] - 1] = False
        found = np.flatnonzero(~(weaker | left | right))
        found = found[(found + first >= start) & (found + first < stop)]
        return _best(strength[found], found + first, most)


def _widened(values: NDArray[Any]) -> NDArray[Any]:
    """float16 as float32, with which NumPy is many times faster."""
    return values.astype(np.float32) if values.dtype == np.float16 else values


def _strongest_first(place: tuple[float, int]) -> tuple[float, int]:
    return -place[0], place[1]


def _best(strength: NDArray[Any], steps: NDArray[np.int64], most: int) -> list[tuple[float, int]]:
    """The strongest of some steps that are in the order of the corpus, in that order at ties."""
    if len(steps) > most:
        least = np.partition(strength, -most)[-most]
        chosen = np.flatnonzero(strength >= least)
        chosen = chosen[np.argsort(-strength[chosen], kind="stable")[:most]]
        strength, steps = strength[chosen], steps[chosen]
    return list(zip(strength.tolist(), steps.tolist(), strict=True))


def _best_runs(
    start: int,
    strength: NDArray[Any],
    begins: NDArray[np.int64],
    ends: NDArray[np.int64],
    most: int,
) -> list[tuple[float, int]]:
    """The strongest on-runs of a block from `start`: strength and step of the best step of each."""
    if not len(begins):
        return []
    cuts = np.stack([begins, ends], axis=1).ravel()
    maxima = np.maximum.reduceat(strength, cuts[:-1] if cuts[-1] == len(strength) else cuts)[::2]
    found = _best(maxima, np.arange(len(begins)), most)
    return [
        (best, start + int(begins[k] + strength[begins[k] : ends[k]].argmax())) for best, k in found
    ]


def _histogram(values: NDArray[Any], bounds: tuple[float, float], n_bins: int) -> NDArray[np.int64]:
    """How many finite values are in each of the equal parts of `bounds`."""
    times = None
    if values.dtype == np.float16:  # few different ones
        counts = np.bincount(values.view(np.uint16), minlength=1 << 16)
        patterns = np.flatnonzero(counts)
        values, times = patterns.astype(np.uint16).view(np.float16), counts[patterns]
    finite = np.isfinite(values)
    if not finite.all():
        values, times = values[finite], None if times is None else times[finite]
    if n_bins <= 1:
        return np.full(n_bins, len(values) if times is None else times.sum(), np.int64)
    low, high = bounds
    scale = 0.5 if math.isinf(high - low) else 1.0
    share = (values * np.float64(scale) - low * scale) / (high * scale - low * scale)
    index = np.minimum((share * n_bins).astype(np.intp), n_bins - 1)
    found = np.bincount(index, times, n_bins)
    return found.astype(np.int64)
