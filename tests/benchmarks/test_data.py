"""The generated data have the documented properties."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from app.matching import Polarity, pack
from tests.benchmarks import data


def test_generated_states_are_on_together_for_long_and_as_often_as_documented(
    tmp_path: Path,
) -> None:
    rows = data.generated(tmp_path / "rows.npy", 60_000, 40)
    assert rows.shape == (60_000, 40)
    assert rows.dtype == np.float16
    values = np.asarray(rows, np.float32)
    on = (values >= data.THRESHOLD).mean(axis=0)
    assert on.min() > 0.1
    assert on.max() < 0.4
    assert 0.2 < on.mean() < 0.3
    between = np.abs(np.atleast_2d(np.corrcoef(values.T))[np.triu_indices(40, 1)])
    assert np.quantile(between, 0.99) > 0.4
    after = [np.corrcoef(column[:-1], column[1:])[0, 1] for column in values.T]
    assert min(after) > 0.3
    assert max(after) > 0.9
    # Another run measures the same values.
    assert np.array_equal(data.generated(tmp_path / "again.npy", 60_000, 40), rows)


def test_tiled_states_repeat_the_trained_ones() -> None:
    rng = np.random.default_rng(0)
    real = rng.normal(size=(90, 30)).astype(np.float16)
    cuts = np.array([0, 20, 50, 90])
    source = data.tiled("real", real, cuts, 0.5, 200, 70)
    assert source.bits.shape == (200, 2)
    assert source.offsets.tolist() == [0, 20, 50, 90, 110, 140, 180, 200]
    assert np.array_equal(source.bits[90:180], source.bits[:90])
    own = pack(real, 0.5, Polarity.HIGH)
    assert np.array_equal(source.bits[:90, 0] & np.uint64((1 << 30) - 1), own[:, 0])


def test_selected_states_are_on_together() -> None:
    rng = np.random.default_rng(1)
    real = rng.normal(size=(500, 60)).astype(np.float16)
    source = data.tiled("real", real, np.array([0, 500]), 0.5, 4000, 60)
    states = source.together(10, 0.5)
    assert len(set(states)) == 10
    mask = np.uint64(sum(1 << state for state in states))
    assert (source.bits[:, 0] & mask == mask).any()
    assert len(source.together(60, 0.5)) == 60
    packed = source.packed(3)
    assert len(packed.shards) == 3
    answer = source.match(states, packed, 1, min_length=1)
    assert answer.full_matches > 0
