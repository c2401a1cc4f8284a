"""CSV for spreadsheets: nothing in it is a formula, and numbers stay numbers."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.output.spreadsheet import MOST_CHARACTERS, heading, lines, row, safe


@pytest.mark.parametrize(
    "text",
    ["=1+1", "@SUM(A1)", "+1", "-1", "\t=1", "\r=1", "\n=1", "-", "＝1+1", '=HYPERLINK("x")'],
)
def test_text_that_could_be_a_formula_is_set_apart(text: str) -> None:
    assert safe(text) == f"'{text}"
    (read,) = csv.reader(io.StringIO(lines([[1, text, "x"]]), newline=""))
    assert read == ["1", f"'{text}", "x"]


@pytest.mark.parametrize("text", ["", "a=1", "'=1", " =1", "日本語", '"', "1,5"])
def test_other_text_is_as_it_is(text: str) -> None:
    assert safe(text) == text


@given(st.text())
def test_no_text_begins_like_a_formula(text: str) -> None:
    assert not safe(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert safe(text) in (text, f"'{text}")


def test_a_text_that_is_too_long_for_a_cell_ends_with_a_sign_of_it() -> None:
    assert safe("x" * MOST_CHARACTERS) == "x" * MOST_CHARACTERS
    cut = safe("=" + "x" * MOST_CHARACTERS)
    assert (len(cut), cut[0], cut[-1]) == (MOST_CHARACTERS, "'", "…")


def test_a_match_has_the_columns_of_the_page() -> None:
    match = {
        "rank": 1,
        "start": 10,
        "stop": 12,
        "overlap": 2,
        "union": 7,
        "sequence": -5,
        "before": ["a", "b"],
        "tokens": ["=1", "c"],
        "after": [],
        "annotations": {
            "states": ["N", None],
            "size": [-0.5, 2],
            "day": ["2020-01-01", None],
            "guess": [["x", "y"], []],
        },
    }
    names = heading(2, list(match["annotations"]))  # type: ignore[call-overload]
    cells = dict(zip(names, row(match, 3), strict=True))
    assert cells == {
        "rank": 1,
        "states": 2,
        "other states on": 4,
        "length": 2,
        "step": 10,
        "last step": 11,
        "sequence": -5,
        "words before": "a b",
        "words": "=1 c",
        "words after": "",
        "states (annotation)": "N | ",
        "size": "-0.5 | 2",
        "day": "2020-01-01 | ",
        "guess": "x, y | ",
    }
    assert lines([row(match, 3)]).startswith("1,2,4,2,10,11,-5,a b,'=1 c,,")


def test_one_number_stays_a_number() -> None:
    match = {
        "rank": 1,
        "start": 0,
        "stop": 1,
        "overlap": 1,
        "union": 1,
        "sequence": None,
        "tokens": ["-7"],
        "annotations": {"size": [-0.5], "label": ["-1"]},
    }
    assert lines([row(match, 1)]) == "1,1,0,1,0,0,,'-7,-0.5,'-1\r\n"
