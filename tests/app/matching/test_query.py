"""Every error message of a query, and its defaults."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.matching import Query, QueryError

OFFSETS = np.array([0, 4, 10], dtype=np.int64)
GOOD = Query(threshold=0.3, start=4, stop=10)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"threshold": math.nan},
            "The threshold is nan; give a finite number, for example 0.3.",
        ),
        (
            {"threshold": -math.inf},
            "The threshold is -inf; give a finite number, for example 0.3.",
        ),
        ({"polarity": "up"}, "The polarity is 'up'; give high, low or magnitude."),
        (
            {"start": None, "stop": None},
            "Nothing is selected; give a start and a stop, or a list of states.",
        ),
        (
            {"stop": None},
            "The selection has no stop; give both start and stop, or a list of states.",
        ),
        (
            {"start": None},
            "The selection has no start; give both start and stop, or a list of states.",
        ),
        (
            {"states": ()},
            "The list of states is empty; give at least one state, or a start and a stop.",
        ),
        (
            {"states": (1, 7)},
            "states contains state 7, but this source has states 0 to 6; give states in that range.",
        ),
        (
            {"states": (-1,)},
            "states contains state -1, but this source has states 0 to 6; give states in that range.",
        ),
        (
            {"exclude": (70,)},
            "exclude contains state 70, but this source has states 0 to 6; give states in that range.",
        ),
        ({"min_overlap": 0}, "min_overlap is 0; give 1 or more."),
        ({"min_length": 0}, "min_length is 0; give 1 or more."),
        ({"top": 0}, "top is 0; give 1 or more."),
        ({"offset": -1}, "offset is -1; give 0 or more."),
        ({"off_before": -2}, "off_before is -2; give 0 or more."),
        ({"off_after": -2}, "off_after is -2; give 0 or more."),
        ({"context": -1}, "context is -1; give 0 or more."),
        (
            {"length": (5, 3)},
            "The length range 5:3 is empty; "
            "give the smaller end first, both 1 or more, for example 2:10.",
        ),
        (
            {"length": (0, 0)},
            "The length range 0:0 is empty; "
            "give the smaller end first, both 1 or more, for example 2:10.",
        ),
        (
            {"length": (3, None)},
            "The length range is open; give both ends, for example 2:10, or one length.",
        ),
        (
            {"start": 6, "stop": 6},
            "The selection from 6 to 6 is empty; "
            "stop is the step after the last one, so give a larger stop.",
        ),
        (
            {"start": 7, "stop": 5},
            "The selection from 7 to 5 is reversed; give a start below the stop.",
        ),
        (
            {"start": -1, "stop": 2},
            "The selection from -1 to 2 is outside the steps of this source; "
            "give a start and a stop from 0 to 10.",
        ),
        (
            {"start": 8, "stop": 11},
            "The selection from 8 to 11 is outside the steps of this source; "
            "give a start and a stop from 0 to 10.",
        ),
        (
            {"start": 2, "stop": 5},
            "The selection from 2 to 5 crosses a sequence boundary at step 4; "
            "stop at 4, or start there.",
        ),
    ],
)
def test_an_invalid_query_is_refused_with_one_sentence(
    change: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(QueryError) as caught:
        replace(GOOD, **change).check(10, 7, OFFSETS)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"start": 0, "stop": 4},
        {"start": 9, "stop": 10},
        {"threshold": -1e-3},
        {"threshold": 1e300},
        {"off_before": 10**12, "off_after": 10**12, "top": 10**12, "offset": 10**12},
        {"min_overlap": 10**12, "min_length": 10**12, "context": 10**12},
        {"length": (3, 3)},
        {"length": (1, 10**12)},
        {"exclude": (6, 6, 0)},
        {"states": (6, 6, 0)},
        # With explicit states the range is not used or checked.
        {"states": (1,), "start": 7, "stop": 5},
        {"states": (1,), "start": None, "stop": 99},
    ],
)
def test_valid_queries_pass(change: dict[str, Any]) -> None:
    replace(GOOD, **change).check(10, 7, OFFSETS)


@pytest.mark.parametrize(
    ("change", "n_selected", "min_overlap", "min_length"),
    [
        ({}, 5, 3, 2),
        ({}, 4, 2, 2),
        ({}, 1, 1, 2),
        ({}, 0, 1, 2),
        ({"start": 4, "stop": 5}, 5, 3, 1),
        ({"states": (1, 2)}, 2, 1, 2),
        # The length of an unused range does not matter either.
        ({"states": (1, 2), "start": 4, "stop": 5}, 2, 1, 2),
        ({"min_overlap": 5, "min_length": 7}, 5, 5, 7),
    ],
)
def test_defaults(
    change: dict[str, Any], n_selected: int, min_overlap: int, min_length: int
) -> None:
    filled = replace(GOOD, **change).with_defaults(n_selected)
    assert (filled.min_overlap, filled.min_length) == (min_overlap, min_length)
