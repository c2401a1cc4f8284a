"""The selection S1, and why it may be empty."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.matching import Polarity, Query, Selection, States, pack, select


def source(columns: list[list[float]], *cuts: int, dtype: Any = np.float32) -> States:
    rows = np.array(columns, dtype=dtype).T
    return States(rows=rows, offsets=np.array([0, *cuts, len(rows)], dtype=np.int64))


def reason(on: States, **options: Any) -> str | None:
    query = Query(**{"threshold": 0.3, **options})
    selection = select(on, query)
    assert selection.states == ()
    assert selection == select(on, query, pack(on.rows, query.threshold, query.polarity))
    return selection.reason


def test_limits_are_satisfied_at_the_edges_of_a_sequence() -> None:
    states = source([[1, 1, 1, 1], [0, 1, 1, 0]], 2)
    assert select(states, Query(threshold=0.5, start=0, stop=2, off_before=3)).states == (0,)
    assert select(states, Query(threshold=0.5, start=1, stop=2, off_before=1)).states == (1,)
    assert select(states, Query(threshold=0.5, start=2, stop=4, off_before=9)).states == (0,)
    assert select(states, Query(threshold=0.5, start=1, stop=2, off_after=9)).states == (0, 1)
    assert select(states, Query(threshold=0.5, start=2, stop=3, off_after=1)).states == (1,)


def test_exclusion_comes_after_the_selection_and_explicit_states_lose_repeats() -> None:
    states = source([[1, 1], [1, 1], [1, 1]])
    query = Query(threshold=0.5, start=0, stop=2, exclude=(1, 1))
    assert select(states, query) == Selection((0, 2), (0, 1, 2), None)
    query = Query(threshold=9, states=(2, 0, 2), exclude=(0,))
    assert select(states, query) == Selection((2,), (0, 2), None)


def test_reason_names_the_closest_state() -> None:
    columns = [[0.1, 0.9, 0.9, 0.9]] * 41 + [[0.5, 0.2741, 0.4, 0.9], [0.0, 0.0, 0.0, 0.0]]
    assert reason(source(columns), start=0, stop=4) == (
        "no state is >= 0.30 on all 4 steps; "
        "state 41 comes closest, its smallest value there is 0.2741"
    )


def test_reason_calls_the_closest_state_by_its_name() -> None:
    named = replace(source([[0.1, 0.2], [0.25, 0.2]]), names=("low", "unit 7"))
    assert reason(named, start=0, stop=2) == (
        "no state is >= 0.30 on both steps; "
        "state unit 7 comes closest, its smallest value there is 0.2"
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"polarity": Polarity.LOW},
            "no state is <= -0.30 on both steps; "
            "state 1 comes closest, its largest value there is -0.25",
        ),
        (
            {"polarity": Polarity.LOW, "threshold": -0.75, "start": 2, "stop": 4},
            "no state is <= 0.75 on both steps; "
            "state 0 comes closest, its largest value there is 1.5",
        ),
        (
            {"polarity": Polarity.MAGNITUDE},
            "no state is >= 0.30 in magnitude on both steps; "
            "state 1 comes closest, its smallest magnitude there is 0.25",
        ),
        (
            {"threshold": 2.0, "start": 2, "stop": 3},
            "no state is >= 2.00 at step 2; state 0 comes closest, its value there is 1.5",
        ),
        (
            {"threshold": 2.0, "start": 2, "stop": 3, "polarity": Polarity.MAGNITUDE},
            "no state is >= 2.00 in magnitude at step 2; "
            "state 0 comes closest, its magnitude there is 1.5",
        ),
        (
            {"threshold": 1e-7 + 1, "start": 3, "stop": 4},
            "no state is >= 1.0000001 at step 3; state 0 comes closest, its value there is 1",
        ),
    ],
)
def test_reason_follows_the_polarity(options: dict[str, Any], sentence: str) -> None:
    states = source([[0.1, 0.2, 1.5, 1.0], [-0.25, -0.5, 1.25, np.nan]])
    assert reason(states, **{"start": 0, "stop": 2, **options}) == sentence


def test_reason_never_shows_a_value_that_reads_as_if_it_were_on() -> None:
    value = 0.29999998
    sentence = reason(source([[value, 1.0]]), start=0, stop=2)
    assert sentence is not None
    assert float(sentence.rpartition(" ")[2]) < 0.3


def test_reason_when_every_state_has_a_nan() -> None:
    states = source([[np.nan, 1.0], [1.0, np.nan]])
    assert reason(states, start=0, stop=2) == (
        "no state is >= 0.30 on both steps; every state is NaN at some step there"
    )


@pytest.mark.parametrize(
    ("columns", "options", "sentence"),
    [
        (
            [[1, 1, 1, 0]] * 14,
            {"start": 1, "stop": 3, "off_before": 1},
            "14 states are on here, but all of them are on at the step before, too",
        ),
        (
            [[1, 1, 1, 0]],
            {"start": 1, "stop": 3, "off_before": 1},
            "1 state is on here, but it is on at the step before, too",
        ),
        (
            [[1, 0, 1, 0], [0, 1, 1, 0]],
            {"start": 2, "stop": 3, "off_before": 2},
            "2 states are on here, but all of them are on at one of the 2 steps before, too",
        ),
        (
            [[0, 1, 1, 0], [0, 1, 1, 1]],
            {"start": 1, "stop": 2, "off_after": 1},
            "2 states are on here, but all of them are on at the step after, too",
        ),
        (
            [[1, 1, 0, 0], [0, 1, 0, 1], [1, 1, 1, 0]],
            {"start": 1, "stop": 2, "off_before": 1, "off_after": 2},
            "3 states are on here, but 2 of them are on at the step before, too, "
            "and the rest at one of the 2 steps after",
        ),
        (
            [[1, 1, 0], [0, 1, 1]],
            {"start": 1, "stop": 2, "off_before": 1, "off_after": 1},
            "2 states are on here, but 1 of them is on at the step before, too, "
            "and the rest at the step after",
        ),
        ([[1, 1]], {"start": 0, "stop": 2, "exclude": (0,)}, "the only selected state is excluded"),
        (
            [[1, 1], [1, 1]],
            {"start": 0, "stop": 2, "exclude": (0, 1)},
            "all 2 selected states are excluded",
        ),
        (
            [[1, 1], [1, 1]],
            {"states": (0, 1), "exclude": (0, 1)},
            "all 2 given states are excluded",
        ),
        ([[1, 1]], {"states": (0,), "exclude": (0,)}, "the only given state is excluded"),
    ],
)
def test_reason_names_what_limits_and_exclusions_removed(
    columns: list[list[float]], options: dict[str, Any], sentence: str
) -> None:
    assert reason(source(columns), **options) == sentence


def rows_of(seed: int, n_steps: int, n_states: int) -> Any:
    rng = np.random.default_rng(seed)
    rows = rng.choice(np.linspace(-1, 1, 9), size=(n_steps, n_states))
    rows[rng.random(rows.shape) < 0.03] = np.nan
    return rows.astype(np.float16)


@given(
    seed=st.integers(0, 10_000),
    n_steps=st.integers(1, 12),
    thresholds=st.tuples(st.floats(-1.2, 1.2), st.floats(-1.2, 1.2)),
    limits=st.tuples(st.integers(0, 4), st.integers(0, 4)),
    polarity=st.sampled_from(list(Polarity)),
    data=st.data(),
)
@settings(max_examples=400, deadline=None)
def test_selection_shrinks_as_the_threshold_grows_and_limits_are_added(
    seed: int,
    n_steps: int,
    thresholds: tuple[float, float],
    limits: tuple[int, int],
    polarity: Polarity,
    data: st.DataObject,
) -> None:
    states = States(rows_of(seed, n_steps, 5), np.array([0, n_steps], dtype=np.int64))
    start = data.draw(st.integers(0, n_steps - 1))
    stop = data.draw(st.integers(start + 1, n_steps))
    low, high = sorted(thresholds)
    loose = Query(threshold=low, start=start, stop=stop, polarity=polarity)
    wide = set(select(states, loose).states)
    assert set(select(states, replace(loose, threshold=high)).states) <= wide
    limited = replace(loose, off_before=limits[0], off_after=limits[1])
    assert set(select(states, limited).states) <= wide
    longer = replace(limited, off_before=limits[0] + 1)
    assert set(select(states, longer).states) <= set(select(states, limited).states)


def test_long_selections_and_limits_stop_reading_early() -> None:
    class Counting:
        def __init__(self, rows: Any) -> None:
            self.rows, self.shape, self.dtype, self.read = rows, rows.shape, rows.dtype, 0

        def __getitem__(self, steps: slice) -> Any:
            self.read += steps.stop - steps.start
            return self.rows[steps]

    rows = np.zeros((1_000_000, 1), dtype=np.float16)
    rows[500_000] = rows[499_990] = rows[500_005] = 1
    counting = Counting(rows)
    states = States(counting, np.array([0, len(rows)], dtype=np.int64))  # type: ignore[arg-type]
    huge = 10**15
    query = Query(threshold=0.5, start=500_000, stop=500_001, off_before=huge, off_after=huge)
    assert select(states, query).states == ()
    assert counting.read < 100
