"""What "on" means, and its packed form."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.matching import Polarity, is_on, pack
from tests import naive

POLARITIES = list(Polarity)
DTYPES = [np.float16, np.float32, np.float64]
EVERY_HALF = np.arange(1 << 16, dtype=np.uint16).view(np.float16)


def unpack(bits: NDArray[np.uint64], n_states: int) -> list[list[bool]]:
    """Unpack bits, where state c is bit c % 64 of word c // 64."""
    return [[bool((int(row[c // 64]) >> (c % 64)) & 1) for c in range(n_states)] for row in bits]


@pytest.mark.parametrize("polarity", POLARITIES)
@pytest.mark.parametrize(
    "threshold",
    [
        0.0,
        -0.0,
        0.3,
        -0.3,
        1e-300,
        -1e-300,
        5.960464477539063e-08,  # the smallest subnormal float16
        2.9e-08,
        6.103515625e-05,  # the smallest normal one
        65504.0,  # the largest finite float16
        65504.1,
        -65504.0,
        -65504.1,
        1e308,
        -1e308,
        float(np.float16(0.7)),
        math.nextafter(float(np.float16(0.7)), math.inf),
        math.nextafter(float(np.float16(0.7)), -math.inf),
    ],
)
def test_every_float16_is_compared_as_a_real_number(threshold: float, polarity: Polarity) -> None:
    wide = EVERY_HALF.astype(np.float64)
    expected = {
        Polarity.HIGH: wide >= threshold,
        Polarity.LOW: wide <= -threshold,
        Polarity.MAGNITUDE: np.abs(wide) >= threshold,
    }[polarity]
    assert np.array_equal(is_on(EVERY_HALF, threshold, polarity), expected)
    packed = pack(EVERY_HALF.reshape(512, 128), threshold, polarity)
    assert unpack(packed, 128) == expected.reshape(512, 128).tolist()


def near(value: float, dtype: Any) -> list[float]:
    """The value in the stored type, its neighbours there, and the float64 values next to it."""
    with np.errstate(over="ignore", under="ignore"):
        stored = dtype(value)
        inside = [stored, np.nextafter(stored, dtype(np.inf)), np.nextafter(stored, -dtype(np.inf))]
    return [float(v) for v in inside]


@given(
    threshold=st.floats(allow_nan=False, allow_infinity=False)
    | st.floats(-2, 2)
    | st.floats(-2, 2, width=16),
    polarity=st.sampled_from(POLARITIES),
    dtype=st.sampled_from(DTYPES),
    others=st.lists(st.floats() | st.floats(width=16), max_size=4),
)
@example(threshold=0.1, polarity=Polarity.HIGH, dtype=np.float32, others=[])
@example(threshold=0.0, polarity=Polarity.LOW, dtype=np.float16, others=[-0.0, 0.0, math.nan])
@settings(max_examples=1500, deadline=None)
def test_ties_and_neighbours_of_the_threshold(
    threshold: float, polarity: Polarity, dtype: Any, others: list[float]
) -> None:
    values = [*near(threshold, dtype), *near(-threshold, dtype), *others]
    with np.errstate(over="ignore", under="ignore"):
        row = np.array(values, dtype=dtype)[None]
    expected = naive.on_table(row, threshold, str(polarity))
    assert is_on(row, threshold, polarity).tolist() == expected
    assert unpack(pack(row, threshold, polarity), row.shape[1]) == expected


@given(
    n_steps=st.integers(0, 5),
    n_states=st.sampled_from([1, 2, 63, 64, 65, 128, 130]),
    dtype=st.sampled_from(DTYPES),
    seed=st.integers(0, 1000),
)
@settings(max_examples=100, deadline=None)
def test_packed_words_contain_the_states_in_order_and_nothing_after_the_last(
    n_steps: int, n_states: int, dtype: Any, seed: int
) -> None:
    rows = np.random.default_rng(seed).normal(size=(n_steps, n_states)).astype(dtype)
    bits = pack(rows, 0.3, Polarity.HIGH)
    assert bits.shape == (n_steps, -(-n_states // 64))
    assert bits.dtype == np.uint64
    assert unpack(bits, n_states) == is_on(rows, 0.3, Polarity.HIGH).tolist()
    assert int(np.bitwise_count(bits).sum()) == int(is_on(rows, 0.3, Polarity.HIGH).sum())


@pytest.mark.parametrize("dtype", DTYPES)
def test_many_blocks_and_threads_pack_like_one(dtype: Any) -> None:
    rows = np.random.default_rng(1).normal(size=(20_001, 70)).astype(dtype)
    bits = pack(rows, -0.2, Polarity.LOW)
    for step in (0, 1, 9_999, 10_000, 10_001, 20_000):
        assert np.array_equal(bits[step], pack(rows[step : step + 1], -0.2, Polarity.LOW)[0])
    on = is_on(rows, -0.2, Polarity.LOW)
    assert np.array_equal(np.bitwise_count(bits).sum(axis=1), on.sum(axis=1))


def test_column_order_and_byte_order_of_the_array_do_not_matter() -> None:
    rows = np.random.default_rng(2).normal(size=(50, 70)).astype(np.float16)
    expected = pack(rows, 0.1, Polarity.MAGNITUDE)
    for other in (np.asfortranarray(rows), rows.astype(">f2"), rows[:, ::-1][:, ::-1]):
        assert np.array_equal(pack(other, 0.1, Polarity.MAGNITUDE), expected)


def test_values_other_than_floats_are_refused() -> None:
    with pytest.raises(TypeError, match="float16, float32 or float64, not int64"):
        is_on(np.array([1, 2]), 0.5, Polarity.HIGH)
