"""The values of each kind of annotation, per step."""

import itertools
import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from loaders.annotations.exact import ValueType, texts

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Category:
    """One value of a categorical annotation, or one label of intervals; `color` is `#rrggbb`."""

    label: str
    color: str


@dataclass(frozen=True, slots=True, eq=False)
class Categorical:
    """At most one category per step.

    Attributes
    ----------
    categories
        In the order of dataset.yaml, then false before true, numbers by value, text
        alphabetically; if there are more categories than colours, the most frequent first.
    counts
        int64 `(n_categories,)`: the number of steps with each category.
    """

    kind: ClassVar[Literal["categorical"]] = "categorical"
    name: str
    categories: tuple[Category, ...]
    counts: NDArray[np.int64]
    _codes: NDArray[Any]

    def codes(self, start: int, stop: int) -> NDArray[np.int32]:
        """int32 `(stop - start,)`: the category of each step, -1 for null; half-open, clipped."""
        return self._codes[max(0, start) : max(0, stop)].astype(np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """One number per step, or a value with a place on a scale: a date, a time, a duration, a decimal.

    Attributes
    ----------
    unit
        From dataset.yaml, or None.
    minimum, maximum
        Over the finite values; None if there are none.
    type
        What the values are.
    extremes
        The smallest and the largest value as text, if float64 cannot hold the values.
    """

    kind: ClassVar[Literal["scalar"]] = "scalar"
    name: str
    unit: str | None
    minimum: float | None
    maximum: float | None
    _values: NDArray[Any]
    type: ValueType = "number"
    extremes: tuple[str, str] | None = None
    _exact: pa.Array | None = None

    def values(self, start: int, stop: int) -> NDArray[np.float64]:
        """float64 `(stop - start,)`: the value at each step, NaN for null; half-open, clipped.

        Of dates, times and durations, the number that is stored, in its unit; rounded if `texts`
        is not None.
        """
        return self._values[max(0, start) : max(0, stop)].astype(np.float64)

    def texts(self, start: int, stop: int) -> list[str | None] | None:
        """The value at each step, written in full; None if `values` is exact."""
        return None if self._exact is None else texts(self.column(start, stop))

    def plain(self, start: int, stop: int) -> list[float | int | str | None]:
        """The value at each step, exact, as a JSON value: a number or a text; None for null.

        NaN and the infinities, which JSON does not have, are None as well.
        """
        if self._exact is None:
            values = self.values(start, stop).tolist()
            return [value if math.isfinite(value) else None for value in values]
        if self.type == "number":
            whole: list[float | int | str | None] = self.column(start, stop).to_pylist()
            return whole
        return [*texts(self.column(start, stop))]

    def column(self, start: int, stop: int) -> pa.Array:
        """The value at each step as an Arrow array, of the stored type if float64 cannot hold it."""
        if self._exact is None:
            return pa.array(self.values(start, stop))
        start, stop = max(0, start), max(0, stop)
        return self._exact.slice(start, max(0, stop - start))


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """A list of words per step, best first, with or without weights."""

    kind: ClassVar[Literal["ranked"]] = "ranked"
    name: str
    has_weights: bool
    _offsets: NDArray[np.int64]
    _codes: NDArray[np.int32]
    _words: pa.Array
    _weights: NDArray[Any] | None

    def items(self, start: int, stop: int) -> list[list[str]]:
        """The words of each step, half-open, clipped; an empty list for null."""
        cuts = self._cuts(start, stop)
        flat = self._words.take(pa.array(self._codes[cuts[0] : cuts[-1]])).to_pylist()
        return _split(flat, cuts)

    def weights(self, start: int, stop: int) -> list[list[float]] | None:
        """The weights of the words, shaped like `items`; None without a weight column; NaN for null."""
        if self._weights is None:
            return None
        cuts = self._cuts(start, stop)
        flat = self._weights[cuts[0] : cuts[-1]].astype(np.float64).tolist()
        return _split(flat, cuts)

    def _cuts(self, start: int, stop: int) -> list[int]:
        last = len(self._offsets) - 1
        start = min(max(0, start), last)
        stop = min(max(start, stop), last)
        cuts: list[int] = self._offsets[start : stop + 1].tolist()
        return cuts


@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """Labelled ranges of steps: half-open, sorted, not overlapping, each within one sequence.

    Attributes
    ----------
    categories
        The labels, ordered and coloured like those of a categorical annotation.
    counts
        int64 `(n_categories,)`: the number of ranges of each.
    """

    kind: ClassVar[Literal["interval"]] = "interval"
    name: str
    categories: tuple[Category, ...]
    counts: NDArray[np.int64]
    _starts: NDArray[np.int64]
    _stops: NDArray[np.int64]
    _codes: NDArray[Any]

    def __len__(self) -> int:
        return len(self._starts)

    def codes(self, start: int, stop: int) -> NDArray[np.int32]:
        """int32 `(stop - start,)`: the category of each step, -1 for none; half-open."""
        codes = np.full(max(0, stop - start), -1, np.int32)
        for low, high, code in self.coded_spans(start, stop):
            codes[max(low, start) - start : high - start] = code
        return codes

    def spans(self, start: int, stop: int) -> list[tuple[int, int, str]]:
        """The ranges that share a step with [start, stop), not clipped: (start, stop, label)."""
        return [
            (low, high, self.categories[code].label)
            for low, high, code in self.coded_spans(start, stop)
        ]

    def coded_spans(self, start: int, stop: int) -> list[tuple[int, int, int]]:
        """Like `spans`, with the index of the category instead of its label."""
        if stop <= start:
            return []
        first = int(np.searchsorted(self._stops, start, side="right"))
        last = int(np.searchsorted(self._starts, stop, side="left"))
        columns = (self._starts, self._stops, self._codes)
        return list(zip(*(column[first:last].tolist() for column in columns), strict=True))


Annotation = Categorical | Scalar | Ranked | Interval


def _split(flat: list[_T], cuts: list[int]) -> list[list[_T]]:
    base = cuts[0]
    return [flat[a - base : b - base] for a, b in itertools.pairwise(cuts)]
