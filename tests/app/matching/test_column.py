"""One state over the corpus: counts, distribution and strongest places."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.matching import Polarity, column, describe, is_on
from tests import naive

DTYPES = (np.float16, np.float32, np.float64)
# Few different values, so that ties, plateaus and long runs are common.
VALUE = st.sampled_from([0.0, -0.0, 0.25, 0.5, 0.75, -0.5, -0.25, np.nan, np.inf, -np.inf])


def bounds(values: NDArray[Any]) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if len(finite) else (np.nan, np.nan)


def described(values: Any, *cuts: int, dtype: Any = np.float32, **options: Any) -> column.Described:
    rows = np.zeros((len(values), 3), dtype)
    rows[:, 1] = values
    offsets = np.array([0, *cuts, len(rows)], np.int64)
    given = {"threshold": 0.5, "polarity": Polarity.HIGH, **options}
    return describe(rows, 1, offsets, bounds(rows[:, 1]), **given)


@settings(deadline=None, max_examples=400)
@given(
    values=st.lists(VALUE, min_size=1, max_size=60),
    cuts=st.sets(st.integers(1, 59), max_size=4),
    threshold=st.sampled_from([-1.0, -0.25, 0.0, 0.3, 0.5, 2.0]),
    polarity=st.sampled_from(list(Polarity)),
    dtype=st.sampled_from(DTYPES),
    most=st.integers(1, 25),
    block=st.sampled_from([1, 2, 7, 1 << 17]),
)
def test_places_are_a_sort_of_the_column_however_it_is_read(
    values: list[float],
    cuts: set[int],
    threshold: float,
    polarity: Polarity,
    dtype: Any,
    most: int,
    block: int,
) -> None:
    inner = sorted(cut for cut in cuts if cut < len(values))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(column, "_BLOCK", block)
        found = described(
            values, *inner, dtype=dtype, threshold=threshold, polarity=polarity, most=most
        )
    offsets = [0, *inner, len(values)]
    expected = naive.strongest(values, offsets, threshold, polarity, most)
    assert [(place.step, place.start, place.stop) for place in found.places] == expected
    on = [naive.is_on(value, threshold, polarity) for value in values]
    assert found.on == sum(on)
    assert found.runs == sum(on[t] and (t in offsets or not on[t - 1]) for t in range(len(values)))
    assert sum(found.bins) == np.isfinite(values).sum()
    for place in found.places:
        assert place.value == values[place.step]
        assert (place.start < place.stop) == on[place.step]


@pytest.mark.parametrize("dtype", DTYPES)
def test_bins_are_equal_parts_of_the_range(dtype: Any) -> None:
    values = np.random.default_rng(1).normal(size=5000).astype(dtype)
    values[7], values[8], values[9] = np.nan, np.inf, -np.inf
    low, high = bounds(values)
    bins = described(values, dtype=dtype).bins
    assert len(bins) == column.BINS
    expected = [0] * column.BINS
    for value in values[np.isfinite(values)].tolist():
        part = (value - low) / (high - low) * column.BINS
        expected[min(int(part), column.BINS - 1)] += 1
    assert list(bins) == expected


def test_bins_of_odd_ranges() -> None:
    assert described([0.5] * 7).bins == (7,)
    assert described([np.nan, np.inf]).bins == ()
    wide = described([-1.7e308, 0.0, 1.7e308], dtype=np.float64).bins
    assert (wide[0], wide[column.BINS // 2], wide[-1], sum(wide)) == (1, 1, 1, 3)
    tiny = described([0.0, 5e-324], dtype=np.float64).bins
    assert (tiny[0], tiny[-1], sum(tiny)) == (1, 1, 2)


def test_a_run_is_one_place_and_ends_with_its_sequence() -> None:
    values = [0.1, 0.6, 0.9, 0.6, 0.8, 0.7, 0.2]
    assert [(p.step, p.start, p.stop) for p in described(values, most=1).places] == [(2, 1, 6)]
    cut = described(values, 4, most=2).places
    assert [(p.step, p.start, p.stop) for p in cut] == [(2, 1, 4), (4, 4, 6)]


def test_a_state_that_is_never_on_still_has_its_strongest_steps() -> None:
    found = described([0.1, 0.3, 0.2, 0.2, 0.4, 0.4], threshold=9)
    assert (found.on, found.runs) == (0, 0)
    assert [(p.step, p.start, p.stop) for p in found.places] == [(4, 4, 4), (1, 1, 1)]


def test_a_million_steps_in_several_blocks() -> None:
    rng = np.random.default_rng(5)
    rows = np.cumsum(rng.normal(size=(600_000, 2)), axis=0)
    rows = (np.sin(rows / 9) * 2).astype(np.float16)
    offsets = np.array([0, 100_000, 1 << 17, 600_000], np.int64)
    found = describe(rows, 1, offsets, bounds(rows[:, 1]), 0.5, Polarity.HIGH)
    values = rows[:, 1].astype(np.float64)
    on = is_on(values, 0.5, Polarity.HIGH)
    assert found.on == on.sum()
    run = np.cumsum(on & ~np.concatenate([[False], on[:-1]]) | np.isin(np.arange(600_000), offsets))
    best: list[int] = []
    for step in np.argsort(-values, kind="stable"):
        if on[step] and run[step] not in [run[other] for other in best]:
            best.append(int(step))
        if len(best) == 20:
            break
    assert [place.step for place in found.places] == best
