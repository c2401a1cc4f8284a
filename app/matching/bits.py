"""When a state is on: the only definition of it in Python.

A state is on at a step when the stored value, widened exactly, is at or beyond the threshold, a
float64 that is never rounded to the stored type (docs/matching.md, "Values"; section 5.1 of the
paper). Everything else in Python asks this module.
"""

from __future__ import annotations

import enum
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from app.matching.control import Control

BITS_PER_WORD = 64

# A block of values and its truth values stay in the cache. Smaller ones cost more: after each of NumPy's
# steps over a block the thread needs the interpreter back, for which small requests wait as well.
_BLOCK_VALUES = 1 << 20

# float16, read as uint16: the sign bit, and the largest pattern that is not NaN (infinity).
_HALF_SIGN = np.uint16(0x8000)
_HALF_MAGNITUDE = np.uint16(0x7FFF)
_HALF_INFINITY = 0x7C00


class Polarity(enum.StrEnum):
    """Which side of the threshold is on: value >= l, value <= -l, or abs(value) >= l."""

    HIGH = "high"
    LOW = "low"
    MAGNITUDE = "magnitude"


def words_for(n_states: int) -> int:
    """Return how many 64-bit words hold the on-bits of `n_states` states."""
    return -(-n_states // BITS_PER_WORD)


def is_on(values: ArrayLike, threshold: float, polarity: Polarity) -> NDArray[np.bool_]:
    """Return where `values` are on, element by element and exactly.

    Parameters
    ----------
    values
        float16, float32 or float64, any shape, empty ones included.
    threshold
        Finite float64. It is compared as a real number: for float16 and float32 it is replaced by
        the smallest number of that type at or above it, which changes no answer.
    polarity
        `high`: value >= threshold; `low`: value <= -threshold; `magnitude`: the larger of both.

    Returns
    -------
    bool array of the shape of `values`. NaN is never on; infinities compare as numbers.

    Raises
    ------
    TypeError
        If the values are not of one of the three floating types.
    """
    array = np.asarray(values)
    rule = _rule(array.dtype, threshold, Polarity(polarity))
    out = np.empty(array.shape, dtype=np.bool_)
    rule.apply(array, out)
    return out


def pack(
    rows: NDArray[np.floating],
    threshold: float,
    polarity: Polarity,
    control: Control | None = None,
    *,
    threads: int = 2,
) -> NDArray[np.uint64]:
    """Return the on-bits of `rows`, 64 states a word.

    Parameters
    ----------
    rows
        (n_steps, n_states) of float16, float32 or float64; may be a memory map, read once, in
        blocks that stay in cache.
    threshold, polarity
        As for `is_on`.
    control
        Shows the steps packed; can cancel the work.
    threads
        How many threads share the steps.

    Returns
    -------
    uint64 array of shape (n_steps, ceil(n_states / 64)). State c is bit c % 64 (from the least
    significant) of word c // 64; the bits past the last state are 0.

    Raises
    ------
    TypeError
        If the values are not of one of the three floating types.
    Cancelled
        If `control` was cancelled.
    """
    n_steps, n_states = rows.shape
    rule = _rule(rows.dtype, threshold, Polarity(polarity))
    n_words = words_for(n_states)
    packed = np.zeros((n_steps, n_words), dtype="<u8")
    if packed.size == 0:
        return packed.astype(np.uint64, copy=False)
    block = max(1, _BLOCK_VALUES // (n_words * BITS_PER_WORD))
    as_bytes = packed.view(np.uint8)

    def fill(first: int, last: int) -> None:
        # The columns past the last state are never written, so their bits stay 0.
        on = np.zeros((min(block, last - first), n_words * BITS_PER_WORD), dtype=np.bool_)
        for start in range(first, last, block):
            stop = min(start + block, last)
            part = on[: stop - start]
            rule.apply(np.asarray(rows[start:stop]), part[:, :n_states])
            as_bytes[start:stop] = np.packbits(part.reshape(-1), bitorder="little").reshape(
                stop - start, -1
            )
            if control is not None:
                control.advance((stop - start) / n_steps)

    threads = max(1, min(threads, n_steps // (2 * block)))
    if threads == 1:
        fill(0, n_steps)
    else:
        edges = [n_steps * i // threads for i in range(threads + 1)]
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(fill, edges[:-1], edges[1:]))
    return packed.astype(np.uint64, copy=False)


@dataclass(frozen=True, slots=True)
class _Rule:
    """A threshold made ready for one stored type.

    `bound` is the smallest number of the stored type at or above the threshold; comparing the
    stored numbers with it gives the answers that comparing real numbers would give.
    """

    dtype: np.dtype[Any]
    bound: float
    polarity: Polarity

    def apply(self, values: NDArray[np.floating], out: NDArray[np.bool_]) -> None:
        """Write into `out` where `values` are on."""
        native = values.astype(self.dtype, copy=False)
        if self.dtype == np.float16:
            self._apply_half(native, out)
            return
        bound = self.dtype.type(self.bound)
        with np.errstate(invalid="ignore"):
            if self.polarity is Polarity.HIGH:
                np.greater_equal(native, bound, out=out)
            elif self.polarity is Polarity.LOW:
                np.less_equal(native, -bound, out=out)
            else:
                np.greater_equal(np.abs(native), bound, out=out)

    def _apply_half(self, values: NDArray[np.floating], out: NDArray[np.bool_]) -> None:
        # Comparing float16 natively is 15 times slower than comparing its bits. Positive numbers
        # order like their bit patterns, so "on" is one or two ranges of patterns, NaN in none.
        patterns = np.ascontiguousarray(values).view(np.uint16)
        if self.polarity is Polarity.LOW:
            patterns = patterns ^ _HALF_SIGN
        elif self.polarity is Polarity.MAGNITUDE:
            patterns = patterns & _HALF_MAGNITUDE
        pattern = int(np.float16(self.bound).view(np.uint16))
        if self.bound > 0:
            _within(patterns, pattern, _HALF_INFINITY, out)
            return
        _within(patterns, 0, _HALF_INFINITY, out)
        if self.polarity is not Polarity.MAGNITUDE:
            negative = np.empty_like(out)
            # Minus zero equals zero; below it, the larger the pattern the smaller the number.
            _within(patterns, 0x8000, pattern | 0x8000, negative)
            np.logical_or(out, negative, out=out)


def _within(patterns: NDArray[np.uint16], low: int, high: int, out: NDArray[np.bool_]) -> None:
    # One comparison instead of two: what is below `low` wraps around to above `high - low`.
    np.less_equal(patterns - np.uint16(low), np.uint16(high - low), out=out)


def _rule(dtype: np.dtype[np.generic], threshold: float, polarity: Polarity) -> _Rule:
    native = np.dtype(dtype).newbyteorder("=")
    if native not in (np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64)):
        raise TypeError(f"state values must be float16, float32 or float64, not {dtype}")
    with np.errstate(over="ignore", under="ignore"):
        bound = native.type(threshold)
        if float(bound) < float(threshold):
            bound = np.nextafter(bound, native.type(np.inf))
    return _Rule(dtype=native, bound=float(bound), polarity=polarity)
