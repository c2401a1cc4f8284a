"""Views are preserved in addresses, and a bad address loses only its bad parts."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.web.view.url import View, compact, number_text, read, write

names = st.text(min_size=1, max_size=12)
counts = st.integers(0, 10**12)


@st.composite
def views(draw: st.DrawFn) -> View:
    start = draw(st.none() | counts)
    length = draw(st.none() | st.tuples(st.integers(1, 50), st.integers(0, 50)))
    return View(
        dataset=draw(names),
        fp=draw(st.text("0123456789abcdef", min_size=8, max_size=8)),
        source=draw(names),
        threshold=draw(st.floats(allow_nan=False, allow_infinity=False)) + 0.0,
        first=draw(counts),
        start=start,
        stop=None if start is None else start + draw(st.integers(1, 10**6)),
        before=draw(st.integers(0, 1000)),
        after=draw(st.integers(0, 1000)),
        polarity=draw(st.sampled_from(["high", "low", "magnitude"])),
        excluded=tuple(sorted(draw(st.sets(st.integers(0, 5000), max_size=60)))),
        pinned=draw(st.none() | st.integers(0, 5000)),
        tracks=tuple(draw(st.lists(names, unique=True, max_size=5))),
        min_overlap=draw(st.none() | st.integers(1, 5000)),
        min_length=draw(st.none() | st.integers(1, 5000)),
        overlapping=draw(st.booleans()),
        length=None if length is None else (length[0], length[0] + length[1]),
        full_range=draw(st.booleans()),
        zoom=draw(st.sampled_from([26, 8, 40, 96])),
        runs=draw(st.integers(1, 9)),
        mask=draw(st.booleans()),
        colour=draw(st.just("match") | names),
        sort=draw(st.sampled_from(["rank", "length", "-length", "start", "-more"])),
        page=draw(st.integers(0, 199)),
        before_words=draw(st.none() | st.integers(0, 30)),
        auto=draw(st.booleans()),
    )


@given(views())
@settings(max_examples=400, deadline=None)
def test_a_view_is_preserved_in_the_address(view: View) -> None:
    parsed = read(write(view))
    assert parsed.notices == ()
    assert View(**{"auto": True, **parsed.fields}) == view


@given(st.sets(st.integers(0, 4095)))
@settings(deadline=None)
def test_the_address_stays_short_for_any_number_of_excluded_states(states: set[int]) -> None:
    text = compact(tuple(sorted(states)))
    assert len(text) <= 4096 / 6 + 2
    excluded = tuple(sorted(states))
    parsed = read(write(View(dataset="d", source="s", threshold=0.1, excluded=excluded)))
    assert parsed.fields.get("excluded", ()) == excluded
    assert parsed.notices == ()


def test_a_bad_mask_of_states_is_a_sentence() -> None:
    for bad in ("~", "~*", "~A"):
        parsed = read(f"?exclude={bad}")
        assert parsed.fields.get("excluded", ()) == ()
    assert "mask" in read("?exclude=~*").notices[0]


@given(st.text(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_without_an_error(text: str) -> None:
    read("?" + text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_read_back_exactly(value: float) -> None:
    assert float(number_text(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.3, "0.3"),
        (5.0, "5"),
        (-0.0, "0"),
        (1e-7, "1e-7"),
        (1.5e-9, "1.5e-9"),
        (1e21, "1e+21"),
        (123456789012345680000.0, "123456789012345680000"),
        (-2.5e300, "-2.5e+300"),
        (0.000001, "0.000001"),
    ],
)
def test_numbers_are_formatted_as_in_a_browser(value: float, text: str) -> None:
    assert number_text(value) == text


@pytest.mark.parametrize(
    ("part", "word"),
    [
        ("threshold=nan", "finite number"),
        ("threshold=1e999", "finite number"),
        ("threshold=0x10", "finite number"),
        ("threshold=1_0.5", "finite number"),
        ("threshold=\uff10.5", "finite number"),
        ("first=1_0", "whole number"),
        ("first=\uff11", "whole number"),
        ("exclude=\uff11-3", "whole number"),
        ("sel=5", "colon"),
        ("sel=5:5", "start below stop"),
        ("sel=-1:5", "whole number"),
        ("off=a:b", "whole number"),
        ("polarity=up", "high, low or magnitude"),
        ("exclude=9-3", "state numbers"),
        ("exclude=0-99999999999", "state numbers"),
        ("exclude=0-499999,1000000-1500000", "state numbers"),
        ("length=0:2", "smaller first"),
        ("overlap=0", "1 or more"),
        ("auto=yes", "0 or 1"),
        ("list=some", "“all”"),
        ("hue=red", "is unknown"),
        ("width=7", "8 to 96"),
        ("sort=beauty", "rank, start"),
        ("sort=-rank", "rank, start"),
        ("page=0", "1 or more"),
        ("runs=0", "1 or more"),
        ("context=-1", "whole number"),
        ("first=1&first=2", "twice"),
        ("v=99", "version"),
    ],
)
def test_a_bad_part_is_named_and_the_rest_is_used(part: str, word: str) -> None:
    parsed = read(f"?dataset=parens&{part}&source=layer1")
    assert parsed.fields["dataset"] == "parens"
    assert parsed.fields["source"] == "layer1"
    assert len(parsed.notices) == 1
    assert word in parsed.notices[0]
    assert not math.isnan(parsed.fields.get("threshold", 0.0))
