"""Summaries of a source's values: ranges, NaN and infinities, quantiles, a suggested threshold."""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loaders.problems import Problem, Severity, counted

SAMPLE_VALUES = 2_000_000
"""Quantiles are computed from at most about this many values; exact for smaller sources."""
GRID_POINTS = 1_001
LOW, HIGH = 0.001, 0.999
SHARE_ON = 0.2
"""The share of values on that the suggested threshold aims at."""

_NONE = (sys.maxsize, 0)  # sorts after every (step, state)


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """Statistics per state and quantiles of one source, after its transform.

    Attributes
    ----------
    minima, maxima
        float64 `(n_states,)`, exact, over the finite values; NaN for a state without any.
    nan_counts, high_counts, low_counts
        int64 `(n_states,)`, exact: counts of NaN, +infinity and -infinity.
    first_nan, first_infinity
        (step, state) of the first one, or -1.
    quantiles
        float64 `(1001,)`: the 0, 0.1, ... 100 % quantiles of the finite values in a sample of about
        2,000,000 values (all values if there are fewer); zeros if there are none.
    suggested_threshold
        See `suggest_threshold`.
    """

    minima: NDArray[np.float64]
    maxima: NDArray[np.float64]
    nan_counts: NDArray[np.int64]
    high_counts: NDArray[np.int64]
    low_counts: NDArray[np.int64]
    first_nan: tuple[int, int]
    first_infinity: tuple[int, int]
    quantiles: NDArray[np.float64]
    suggested_threshold: float

    @property
    def minimum(self) -> float:
        """The smallest finite value; 0 if there is none."""
        finite = self.minima[np.isfinite(self.minima)]
        return float(finite.min()) if len(finite) else 0.0

    @property
    def maximum(self) -> float:
        """The largest finite value; 0 if there is none."""
        finite = self.maxima[np.isfinite(self.maxima)]
        return float(finite.max()) if len(finite) else 0.0

    @property
    def low_quantile(self) -> float:
        """The 0.1 % quantile of the finite values."""
        return float(self.quantiles[round(LOW * (GRID_POINTS - 1))])

    @property
    def high_quantile(self) -> float:
        """The 99.9 % quantile of the finite values."""
        return float(self.quantiles[round(HIGH * (GRID_POINTS - 1))])

    @property
    def constant(self) -> NDArray[np.bool_]:
        """Constant states, bool `(n_states,)`: all values other than NaN are the same finite number."""
        same: NDArray[np.bool_] = self.minima == self.maxima
        finite: NDArray[np.bool_] = self.high_counts + self.low_counts == 0
        return np.logical_and(same, finite)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything as named arrays, for saving."""
        return {
            "minima": self.minima,
            "maxima": self.maxima,
            "nan_counts": self.nan_counts,
            "high_counts": self.high_counts,
            "low_counts": self.low_counts,
            "first_nan": np.array(self.first_nan, np.int64),
            "first_infinity": np.array(self.first_infinity, np.int64),
            "quantiles": self.quantiles,
            "suggested_threshold": np.array(self.suggested_threshold, np.float64),
        }

    def warnings(
        self, where: str, n_steps: int, state_names: tuple[str, ...]
    ) -> tuple[Problem, ...]:
        """Warnings about NaN, infinities and constant states, one each for the whole source."""
        n_states = len(state_names)
        found: list[Problem] = []

        def warn(expected: str, words: str, remedy: str) -> None:
            found.append(Problem(where, expected, words, remedy, Severity.WARNING))

        def extent(counts: NDArray[np.int64], first: tuple[int, int]) -> str:
            states = int(np.count_nonzero(counts))
            return (
                f"in {states:,} of {counted(n_states, 'state')} "
                f"({counted(int(counts.sum()), 'value')}, the first in row {first[0]:,} of column "
                f"'{state_names[first[1]]}')"
            )

        if self.nan_counts.any():
            words = f"NaN {extent(self.nan_counts, self.first_nan)}"
            warn("numbers only", words, "NaN is never on")
        infinite = self.high_counts + self.low_counts
        if infinite.any():
            words = f"infinities {extent(infinite, self.first_infinity)}"
            warn(
                "finite values",
                words,
                "they are compared as numbers and drawn at the end of the axis",
            )
        constant = np.flatnonzero(self.constant)
        if len(constant) and n_steps > 1:
            state = int(constant[0])
            words = (
                f"{len(constant):,} of {counted(n_states, 'state')} with a single value "
                f"(column '{state_names[state]}' is always {self.minima[state]:g})"
            )
            warn("states that vary", words, "a constant state is on everywhere or nowhere")
        return tuple(found)


def summary_from(arrays: Mapping[str, NDArray[Any]]) -> Summary:
    """Load a summary saved as `Summary.arrays`; KeyError or ValueError if it is not one."""

    def pair(name: str) -> tuple[int, int]:
        step, state = arrays[name]
        return int(step), int(state)

    return Summary(
        minima=np.asarray(arrays["minima"], np.float64),
        maxima=np.asarray(arrays["maxima"], np.float64),
        nan_counts=np.asarray(arrays["nan_counts"], np.int64),
        high_counts=np.asarray(arrays["high_counts"], np.int64),
        low_counts=np.asarray(arrays["low_counts"], np.int64),
        first_nan=pair("first_nan"),
        first_infinity=pair("first_infinity"),
        quantiles=np.asarray(arrays["quantiles"], np.float64),
        suggested_threshold=float(arrays["suggested_threshold"]),
    )


class Summarizer:
    """Summarizes the rows of a source block by block, in any order and in bounded memory.

    `update` may be called by several threads at once; the result does not depend on the order.
    """

    def __init__(self, n_steps: int, n_states: int) -> None:
        self._lock = threading.Lock()
        self._minima = np.full(n_states, np.inf)
        self._maxima = np.full(n_states, -np.inf)
        self._nan = np.zeros(n_states, np.int64)
        self._high = np.zeros(n_states, np.int64)
        self._low = np.zeros(n_states, np.int64)
        self._first_nan = self._first_infinity = _NONE
        self._rows = sample_rows(n_steps, n_states)
        self._sample: dict[int, NDArray[Any]] = {}
        self._sorted: NDArray[np.float64] | None = None

    def update(self, start: int, block: NDArray[Any]) -> None:
        """Add the rows from step `start`: float16, float32 or float64 `(any, n_states)`."""
        if not len(block):
            return
        low, high = _extremes(block)
        finite = np.isfinite(low) & np.isfinite(high)
        faults = None if finite.all() else _Faults.of(start, block, np.flatnonzero(~finite))
        first, last = np.searchsorted(self._rows, (start, start + len(block)))
        sample = block[self._rows[first:last] - start].ravel()
        with self._lock:
            if faults is not None:
                self._count(faults)
                low, high = low.copy(), high.copy()
                low[faults.states], high[faults.states] = faults.low, faults.high
            np.minimum(self._minima, low, out=self._minima)
            np.maximum(self._maxima, high, out=self._maxima)
            if len(sample):
                self._sample[start] = sample

    def _count(self, faults: _Faults) -> None:
        self._nan[faults.states] += faults.nan_counts
        self._high[faults.states] += faults.high_counts
        self._low[faults.states] += faults.low_counts
        self._first_nan = min(self._first_nan, faults.first_nan)
        self._first_infinity = min(self._first_infinity, faults.first_infinity)

    def _values(self) -> tuple[NDArray[np.float64], int]:
        """The sorted sample without NaN but with infinities, and its size including NaN."""
        total = self.sampled
        if self._sorted is None:
            parts = [self._sample[start] for start in sorted(self._sample)]
            joined = np.concatenate(parts).astype(np.float64) if total else np.zeros(0)
            self._sorted = np.sort(joined[~np.isnan(joined)])
        return self._sorted, total

    def share_on(self, threshold: float) -> float:
        """Return the share of the sample that is >= threshold (as real numbers; NaN is not)."""
        values, total = self._values()
        return _share(values, total, threshold)

    @property
    def sampled(self) -> int:
        """The number of values in the sample, including NaN."""
        return sum(len(part) for part in self._sample.values())

    def finish(self) -> Summary:
        """Return the summary of all rows added."""
        values, total = self._values()
        finite = values[np.isfinite(values)]
        grid = np.zeros(GRID_POINTS)
        if len(finite):
            # Values are sorted; interpolating with weights avoids overflow at the limits of the type.
            position = np.linspace(0, len(finite) - 1, GRID_POINTS)
            below = position.astype(np.int64)
            above = np.minimum(below + 1, len(finite) - 1)
            part = position - below
            between = finite[below] * (1 - part) + finite[above] * part
            grid = np.clip(between, finite[below], finite[above])  # rounding may go one bit too far
        none = ~np.isfinite(self._minima)
        return Summary(
            minima=np.where(none, np.nan, self._minima),
            maxima=np.where(none, np.nan, self._maxima),
            nan_counts=self._nan,
            high_counts=self._high,
            low_counts=self._low,
            first_nan=(-1, -1) if self._first_nan == _NONE else self._first_nan,
            first_infinity=(-1, -1) if self._first_infinity == _NONE else self._first_infinity,
            quantiles=grid,
            suggested_threshold=suggest_threshold(values, total),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Faults:
    """Values that are not finite in some states of a block, and the extremes of the others."""

    states: NDArray[np.int64]
    low: NDArray[Any]
    high: NDArray[Any]
    nan_counts: NDArray[np.int64]
    high_counts: NDArray[np.int64]
    low_counts: NDArray[np.int64]
    first_nan: tuple[int, int]
    first_infinity: tuple[int, int]

    @classmethod
    def of(cls, start: int, block: NDArray[Any], states: NDArray[np.int64]) -> _Faults:
        """Inspect some states of the rows from step `start`."""
        part = block[:, states]
        nan, up, down = np.isnan(part), np.isposinf(part), np.isneginf(part)
        other = nan | up | down

        def first(bad: NDArray[np.bool_]) -> tuple[int, int]:
            rows = np.flatnonzero(bad.any(axis=1))
            if not len(rows):
                return _NONE
            row = int(rows[0])
            return (start + row, int(states[np.flatnonzero(bad[row])[0]]))

        return cls(
            states=states,
            low=np.where(other, np.inf, part).min(axis=0),
            high=np.where(other, -np.inf, part).max(axis=0),
            nan_counts=nan.sum(axis=0),
            high_counts=up.sum(axis=0),
            low_counts=down.sum(axis=0),
            first_nan=first(nan),
            first_infinity=first(up | down),
        )


def _extremes(block: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return minimum and maximum of each column; not finite if a value in the column is not."""
    if block.dtype != np.float16:
        return block.min(axis=0), block.max(axis=0)
    # Arithmetic on float16 is done in software, value by value, but not on its bits. The bits of
    # numbers without a sign bit order like the numbers; those with one order in reverse and, unsigned,
    # come after all others; NaN is beyond infinity on either side.
    unsigned, signed = block.view(np.uint16), block.view(np.int16)
    most, least = unsigned.max(axis=0), unsigned.min(axis=0)
    greatest = signed.max(axis=0).view(np.uint16)
    low = np.where(most >= 0x8000, most, least).astype(np.uint16)
    high = np.where(greatest < 0x8000, greatest, least).astype(np.uint16)
    return low.view(np.float16).astype(np.float32), high.view(np.float16).astype(np.float32)


def sample_rows(n_steps: int, n_states: int) -> NDArray[np.int64]:
    """Return the steps of the sample, ascending: one from each of equally long ranges.

    The step within a range is chosen by a fixed hash, so that the sample is the same on every machine
    and does not align with periodic data.
    """
    count = min(n_steps, max(1, SAMPLE_VALUES // max(1, n_states)))
    if count == n_steps:
        return np.arange(n_steps, dtype=np.int64)
    i = np.arange(count, dtype=np.uint64)
    edges = (np.arange(count + 1, dtype=np.int64) * n_steps) // count
    hashed = ((i * np.uint64(2_654_435_761)) % np.uint64(2**32)).astype(np.int64)
    return edges[:-1] + (hashed * np.diff(edges) >> 32)


def suggest_threshold(values: NDArray[np.float64], total: int) -> float:
    """Suggest a round threshold at which about a fifth of the values are on.

    The value that exactly a fifth of the sample reach is rounded down and up to multiples of 1, 2 or 5
    times a power of ten, from coarse to fine, down to a thousandth of the range (0.1 to 99.9 %
    quantile). The first result with 15 to 25 % of the values on is chosen; if there is none (many equal
    values), the closest to a fifth, where a finer step must be better by two percentage points. At
    least one value is on.

    Parameters
    ----------
    values
        Sorted, without NaN; infinities are included.
    total
        The number of values including NaN, which is never on.

    Returns
    -------
    float
        Finite. For a constant source its value, rounded down to two digits, so that it is on; without
        finite values, 0.
    """
    finite = values[np.isfinite(values)]
    if not len(finite):
        return 0.0
    low = finite[int(LOW * (len(finite) - 1))]
    high = finite[math.ceil(HIGH * (len(finite) - 1))]
    if low == high:
        low, high = finite[0], finite[-1]
    if low == high:
        return _two_digits_down(float(low))
    on = min(max(1, round(SHARE_ON * total)), len(values))
    near = Decimal(float(min(max(values[len(values) - on], finite[0]), finite[-1])))
    span = Decimal(float(high)) - Decimal(float(low))
    best, best_error = float(finite[0]), math.inf
    for step in _steps(span):
        floor = (near / step).to_integral_value(ROUND_FLOOR)
        tried = [float(floor * step), float((floor + 1) * step)]
        errors = [_distance(values, total, number) for number in tried]
        pick = int(np.argmin(errors))
        if errors[pick] <= 0.05:
            return tried[pick] + 0.0  # never -0.0
        if errors[pick] < best_error - 0.02:
            best, best_error = tried[pick] + 0.0, errors[pick]
    return best


def _distance(values: NDArray[np.float64], total: int, threshold: float) -> float:
    """The distance of the share of values on from a fifth; infinite if none is on."""
    share = _share(values, total, threshold) if math.isfinite(threshold) else 0.0
    return abs(share - SHARE_ON) if share else math.inf


def _steps(span: Decimal) -> list[Decimal]:
    """1-2-5 steps from at most the span down to a thousandth of it."""
    exponent = span.adjusted()
    ladder = [Decimal((0, (m,), e)) for e in range(exponent, exponent - 5, -1) for m in (5, 2, 1)]
    return [step for step in ladder if span >= step >= span / 1000]


def _two_digits_down(value: float) -> float:
    if value == 0:
        return 0.0
    exact = Decimal(value)
    return float(exact.quantize(Decimal((0, (1,), exact.adjusted() - 1)), ROUND_FLOOR))


def _share(values: NDArray[np.float64], total: int, threshold: float) -> float:
    if total == 0:
        return 0.0
    return (len(values) - int(np.searchsorted(values, threshold, side="left"))) / total
