"""The selection S1: which states a person means (section 5.1 of the paper)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from app.matching.bits import Polarity, pack, words_for
from app.matching.query import Query
from app.matching.states import States

Words = NDArray[np.uint64]

# Steps read at once: enough to be fast, few enough that a long search stops early.
_STRIDE = 4096


@dataclass(frozen=True, slots=True)
class Selection:
    """The selected states.

    Attributes
    ----------
    states
        S1, ascending, without the excluded ones.
    raw
        The same before exclusion.
    reason
        Why `states` is empty, in words and numbers; None when it is not.
    """

    states: tuple[int, ...]
    raw: tuple[int, ...]
    reason: str | None


def select(states: States, query: Query, bits: Words | None = None) -> Selection:
    """Return the states that a query selects.

    Parameters
    ----------
    states
        The source.
    query
        A checked query. Its range gives the states that are on at every step of it, off at each of
        the `off_before` steps before and the `off_after` steps after; steps outside the sequence
        count as off. An explicit list of states is taken as it is. Exclusions come off either.
    bits
        The packed on-bits of the whole source, if they are at hand; otherwise only the steps
        that the query needs are read.
    """
    excluded = frozenset(query.exclude)
    if query.states is not None:
        raw = tuple(sorted({int(state) for state in query.states}))
        chosen = tuple(state for state in raw if state not in excluded)
        reason = None if chosen else _all_excluded(len(raw), "given")
        return Selection(chosen, raw, reason)

    assert query.start is not None and query.stop is not None  # the query is checked
    start, stop = int(query.start), int(query.stop)
    first, last = states.bounds(start)
    on_bits = _reader(states, query, bits)
    on_here = _on_throughout(on_bits, start, stop, words_for(states.n_states))
    before = _off_throughout(on_bits, on_here, max(first, start - query.off_before), start, -1)
    after = _off_throughout(on_bits, on_here, stop, min(last, stop + query.off_after), 1)
    raw = indices(before & after)
    chosen = tuple(state for state in raw if state not in excluded)
    if chosen:
        return Selection(chosen, raw, None)
    if raw:
        return Selection(chosen, raw, _all_excluded(len(raw), "selected"))
    n_here = _count(on_here)
    if n_here == 0:
        return Selection(chosen, raw, _nothing_on(states, query, start, stop))
    blocked = (n_here - _count(before), n_here - _count(after))
    return Selection(chosen, raw, _limits_leave_none(query, n_here, blocked))


def indices(mask: Words) -> tuple[int, ...]:
    """Return the states whose bits are set in `mask` (n_words,), ascending."""
    as_bytes = np.ascontiguousarray(mask, dtype="<u8").view(np.uint8)
    return tuple(np.flatnonzero(np.unpackbits(as_bytes, bitorder="little")).tolist())


def mask_of(chosen: tuple[int, ...], n_states: int) -> Words:
    """Return the (n_words,) mask in which the bits of `chosen` are set."""
    mask = np.zeros(words_for(n_states), dtype=np.uint64)
    for state in chosen:
        mask[state // 64] |= np.uint64(1 << (state % 64))
    return mask


def _count(mask: Words) -> int:
    return int(np.bitwise_count(mask).sum())


def _reader(states: States, query: Query, bits: Words | None) -> Callable[[int, int], Words]:
    if bits is not None:
        return lambda start, stop: bits[start:stop]
    return lambda start, stop: pack(states.rows[start:stop], query.threshold, query.polarity)


def _on_throughout(
    on_bits: Callable[[int, int], Words], start: int, stop: int, n_words: int
) -> Words:
    mask = np.full(n_words, np.iinfo(np.uint64).max, dtype=np.uint64)
    for step in range(start, stop, _STRIDE):
        mask &= np.bitwise_and.reduce(on_bits(step, min(step + _STRIDE, stop)), axis=0)
        if not mask.any():
            break
    return mask


def _off_throughout(
    on_bits: Callable[[int, int], Words], mask: Words, start: int, stop: int, direction: int
) -> Words:
    # Nearest steps first, in growing strides: a limit of a million steps mostly ends in the first.
    left = mask.copy()
    stride = 16
    while start < stop and left.any():
        if direction > 0:
            part = (start, min(start + stride, stop))
            start = part[1]
        else:
            part = (max(stop - stride, start), stop)
            stop = part[0]
        left &= ~np.bitwise_or.reduce(on_bits(*part), axis=0)
        stride = min(stride * 2, _STRIDE)
    return left


def _all_excluded(n_raw: int, kind: str) -> str:
    if n_raw == 1:
        return f"the only {kind} state is excluded"
    return f"all {n_raw} {kind} states are excluded"


def _nothing_on(states: States, query: Query, start: int, stop: int) -> str:
    n = stop - start
    polarity = Polarity(query.polarity)
    limit = _number(query.threshold)
    if polarity is Polarity.LOW:
        limit = _number(0.0 - query.threshold)
    condition = {
        Polarity.HIGH: f">= {limit}",
        Polarity.LOW: f"<= {limit}",
        Polarity.MAGNITUDE: f">= {limit} in magnitude",
    }[polarity]
    where = f"at step {start}" if n == 1 else "on both steps" if n == 2 else f"on all {n:,} steps"
    sentence = f"no state is {condition} {where}"
    worst = _worst_values(states, polarity, start, stop)
    if np.isnan(worst).all():
        return f"{sentence}; every state has a value there that is not a number"
    closest = int(np.nanargmax(worst))
    value = float(worst[closest])
    if polarity is Polarity.LOW:
        value = 0.0 - value
    shown = _short_of(value, 0.0 - query.threshold if polarity is Polarity.LOW else query.threshold)
    extreme = {
        Polarity.HIGH: "smallest value",
        Polarity.LOW: "largest value",
        Polarity.MAGNITUDE: "smallest magnitude",
    }[polarity]
    what = "value" if n == 1 and polarity is not Polarity.MAGNITUDE else extreme
    if n == 1 and polarity is Polarity.MAGNITUDE:
        what = "magnitude"
    return f"{sentence}; state {states.name(closest)} comes closest, its {what} there is {shown}"


def _worst_values(states: States, polarity: Polarity, start: int, stop: int) -> NDArray[np.float64]:
    """Return, per state, the value in [start, stop) furthest from being on; NaN if one is NaN.

    The values are turned so that larger is closer to on.
    """
    worst = np.full(states.n_states, np.inf)
    for step in range(start, stop, _STRIDE):
        block = np.asarray(states.rows[step : min(step + _STRIDE, stop)])
        # Every float16 is a float32 exactly, and float32 compares fast.
        block = block.astype(np.float32) if block.dtype.itemsize == 2 else block
        if polarity is Polarity.LOW:
            block = -block
        elif polarity is Polarity.MAGNITUDE:
            block = np.abs(block)
        worst = np.minimum(worst, block.min(axis=0).astype(np.float64))
    return worst


def _limits_leave_none(query: Query, n_here: int, blocked: tuple[int, int]) -> str:
    before, after = blocked
    at_before = _steps(query.off_before, "before")
    at_after = _steps(query.off_after, "after")
    subject = "1 state is on here" if n_here == 1 else f"{n_here} states are on here"
    everyone = "it is" if n_here == 1 else "all of them are"
    if before == n_here:
        return f"{subject}, but {everyone} on at {at_before}, too"
    if after == n_here:
        return f"{subject}, but {everyone} on at {at_after}, too"
    verb = "is" if before == 1 else "are"
    return (
        f"{subject}, but {before} of them {verb} on at {at_before}, too, and the rest at {at_after}"
    )


def _steps(n: int, side: str) -> str:
    return f"the step {side}" if n == 1 else f"one of the {n:,} steps {side}"


def _number(value: float) -> str:
    """Return `value` with at least two decimals, and as many as it takes to be exact."""
    text = repr(value + 0.0)
    if "e" in text or len(text.partition(".")[2]) >= 2:
        return text
    return f"{value + 0.0:.2f}"


def _short_of(value: float, threshold: float) -> str:
    """Return `value` in at least four digits, and as many as it takes to differ from threshold."""
    for digits in range(4, 18):
        text = f"{value:.{digits}g}"
        if not np.isfinite(value):
            return text
        shown = Decimal(text)
        if shown != Decimal(threshold) and (shown < threshold) == (value < threshold):
            return text
    return repr(value)
