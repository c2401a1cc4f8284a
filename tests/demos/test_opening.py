"""The shared search for ranges that the demos open with."""

from __future__ import annotations

import numpy as np
import pytest

from demos import opening
from demos.opening import Opening


def test_on_is_decided_by_the_threshold_as_written() -> None:
    values = np.array([0.3, np.nextafter(np.float16(0.3), np.float16(1)), np.nan], np.float16)
    assert float(values[0]) > 0.3  # the float16 nearest to 0.3 is above it, that of 0.1 below
    assert opening.on_at(values, 0.3).tolist() == [True, True, False]
    assert opening.on_at(np.array([0.1], np.float16), 0.1).tolist() == [False]


@pytest.mark.parametrize(
    ("n_on", "is_handful"), [(2, False), (3, True), (15, True), (16, False)], ids=str
)
def test_a_handful_is_three_to_fifteen_states(n_on: int, is_handful: bool) -> None:
    on = np.zeros((6, 20), bool)
    on[1:4, 20 - n_on :] = True
    on[2, :2] = True  # not throughout the range
    found = [
        (start, stop, states.tolist()) for start, stop, states in opening.handfuls(on, [(1, 4)])
    ]
    assert found == ([(1, 4, list(range(20 - n_on, 20)))] if is_handful else [])


def test_limits_apply_inside_the_sequence_only() -> None:
    on = np.zeros((6, 4), bool)
    on[2:4] = True
    on[1, 0] = True  # on at the step before
    closed = np.array([0, 6])
    assert [s.tolist() for *_, s in opening.handfuls(on, [(2, 4)])] == [[0, 1, 2, 3]]
    assert [s.tolist() for *_, s in opening.handfuls(on, [(2, 4)], closed_in=closed)] == [[1, 2, 3]]
    edges = np.array([0, 2, 4, 6])
    on[4, 1:] = True
    assert [s.tolist() for *_, s in opening.handfuls(on, [(2, 4)], closed_in=edges)] == [
        [0, 1, 2, 3]
    ]
    assert list(opening.handfuls(on, [(2, 4)], closed_in=np.array([0, 2, 6]))) == []


def test_only_ranges_near_the_start_are_considered() -> None:
    on = np.ones((opening.NEAR + 10, 3), bool)
    ranges = [(opening.NEAR, opening.NEAR + 2), (opening.NEAR - 1, opening.NEAR + 2)]
    assert [(start, stop) for start, stop, _ in opening.handfuls(on, ranges)] == ranges[1:]


def test_steps_together_are_those_of_ranges_inside_a_sequence() -> None:
    on = np.array([[1, 1], [1, 1], [1, 0], [1, 1], [0, 1], [1, 1], [1, 1]], bool)
    assert opening.steps_together(on, np.array([0, 7])).tolist() == [1, 1, 0, 0, 0, 1, 1]
    assert opening.steps_together(on, np.array([0, 6, 7])).tolist() == [1, 1, 0, 0, 0, 0, 0]
    assert opening.steps_together(np.ones((1, 3), bool), np.array([0, 1])).tolist() == [0]


def test_an_opening_has_the_form_of_dataset_yaml() -> None:
    assert Opening("cell", 3, 5).settings(0.3, ["level"], off_before=1) == {
        "source": "cell",
        "start": 3,
        "stop": 5,
        "off_before": 1,
        "threshold": 0.3,
        "tracks": ["level"],
    }
