"""Matching end to end: rows, histogram, opening a place, links."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from app.matching import MatchService, Polarity, Query, States
from tests.browser.conftest import Running, settled
from tests.browser.pages import brush, chips, posts, rows, sentence, view, words

pytestmark = pytest.mark.browser


def fourth_level_place(page: Page, demo: Running) -> int:
    """A visible step with "(" to the fourth level and "4" behind it."""
    level = demo.catalog.get("parens").annotations["level"]
    labels = [item.label for item in level.categories]
    seen = words(page)
    for step in sorted(seen):
        if seen[step] == "(" and seen.get(step + 1) == "4":
            assert labels[level.codes(step, step + 1)[0]] == "4"
            return step
    raise AssertionError("no fourth-level place is in view")


def test_brushing_a_fourth_level_place_finds_only_fourth_level_places(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    dataset = demo.catalog.get("parens")
    level = dataset.annotations["level"]
    labels = [item.label for item in level.categories]
    start = fourth_level_place(page, demo)
    brush(page, start, start + 2)
    found = rows(page)
    assert len(found) == 50
    for row in found:
        assert row["words"], row
        codes = level.codes(row["start"], row["stop"])
        assert {labels[code] for code in codes} == {"4"}, row
        assert set(row["words"]) <= {"(", "4"}, row
    # not only the first page: every full match of the whole corpus
    seen = view(page)
    source = dataset.open_source(seen["source"])
    result = MatchService().match(
        "test",
        States(source.rows, dataset.sequences.offsets),
        Query(
            threshold=seen["threshold"],
            start=start,
            stop=start + 2,
            min_overlap=len(chips(page)),
            top=100_000,
            overlapping=True,
        ),
    )
    assert len(result.matches) == result.full_matches > 50
    for match in result.matches:
        assert {labels[code] for code in level.codes(match.start, match.stop)} == {"4"}


def test_the_sentence_and_rows_say_what_the_engine_found(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    seen = view(page)
    dataset = demo.catalog.get("parens")
    source = dataset.open_source(seen["source"])
    result = MatchService().match(
        "test",
        States(source.rows, dataset.sequences.offsets),
        Query(
            threshold=seen["threshold"],
            start=seen["start"],
            stop=seen["stop"],
            polarity=Polarity(seen["polarity"]),
            off_before=seen["before"],
            off_after=seen["after"],
        ),
    )
    said = sentence(page)
    assert f"{result.total_matches:,} matches at {result.places:,} places" in said
    assert f"{result.full_matches:,} with all {len(result.selected_states)} states" in said
    assert f"{source.n_steps:,} of {source.n_steps:,} steps searched" in said
    listed = [(row["start"], row["stop"]) for row in rows(page)]
    assert listed == [(match.start, match.stop) for match in result.matches]
    assert rows(page)[0]["states"] == f"{result.matches[0].overlap}/{len(result.selected_states)}"


def test_a_histogram_bar_filters_to_its_length_and_clears_again(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    everything = rows(page)
    bars = page.locator(".sb-length-bar")
    pressed = None
    for i in range(bars.count()):
        text = bars.nth(i).get_attribute("aria-label") or ""
        if not text.split(": ")[1].startswith("0 "):
            pressed = i
    assert pressed is not None
    low = int(bars.nth(pressed).get_attribute("data-low") or 0)
    high = int(bars.nth(pressed).get_attribute("data-high") or 0)
    box = bars.nth(pressed).bounding_box()
    assert box is not None
    assert box["width"] >= 12
    assert box["height"] >= 70, "the hit area is the full height, however low the bar"
    total = sentence(page).split(" matches")[0]
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 4)
    settled(page)
    assert {low <= row["length"] <= high for row in rows(page)} == {True}
    assert sentence(page).split(" matches")[0] == total, "the totals stay"
    assert page.locator(".sb-length-bar[aria-pressed=true]").count() == 1
    assert f"length={low}:{high}" in page.url
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 4)
    settled(page)
    assert rows(page) == everything
    bars.nth(pressed).focus()
    page.keyboard.press("Enter")
    settled(page)
    assert view(page)["length"] == [low, high]
    page.click("#length-filter button")
    settled(page)
    assert rows(page) == everything


def test_a_row_opens_its_place_and_back_returns(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    before, listed, chosen = view(page), rows(page), chips(page)
    row = listed[3]
    page.locator("#match-rows a.sb-row").nth(3).click()
    settled(page)
    assert (view(page)["start"], view(page)["stop"]) == (row["start"], row["stop"])
    assert row["start"] in words(page)
    page.go_back()
    page.wait_for_function(
        "start => window.dash_clientside.statebrush.panel().read('view').start === start",
        arg=before["start"],
    )
    settled(page)
    assert (view(page)["start"], view(page)["first"]) == (before["start"], before["first"])
    assert rows(page) == listed
    assert chips(page) == chosen
    page.go_forward()
    page.wait_for_function(
        "start => window.dash_clientside.statebrush.panel().read('view').start === start",
        arg=row["start"],
    )
    settled(page)
    assert view(page)["stop"] == row["stop"]


def test_matching_by_hand_waits_for_the_button_or_enter(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    page.locator("#auto").dispatch_event("click")
    page.wait_for_function("() => !window.dash_clientside.statebrush.panel().read('view').auto")
    first = view(page)["first"]
    listed, asked = rows(page), posts(page)
    brush(page, first + 3, first + 6)
    page.wait_for_timeout(300)
    assert posts(page) == asked
    assert rows(page) == listed
    assert "press Match or Enter" in page.inner_text("#match-changed")
    page.click("#match-button")
    page.wait_for_function(
        "() => window.dash_clientside.statebrush.same(window.dash_clientside.statebrush.panel().read('match').key,"
        " window.dash_clientside.statebrush.matchKey(window.dash_clientside.statebrush.panel().read('view')))"
    )
    settled(page)
    assert rows(page) != listed
    assert page.inner_text("#match-changed") == ""
    brush(page, first + 3, first + 5)
    page.keyboard.press("Enter")
    page.wait_for_function(
        "() => window.dash_clientside.statebrush.same(window.dash_clientside.statebrush.panel().read('match').key,"
        " window.dash_clientside.statebrush.matchKey(window.dash_clientside.statebrush.panel().read('view')))"
    )


def test_match_options_change_the_list(open_page: Callable[..., Page], demo: Running) -> None:
    page = open_page(demo.url)
    page.click("#overlapping >> text=All overlapping")
    settled(page)
    assert "places" not in sentence(page).split(";")[0]
    page.fill("#min-length", "4")
    page.press("#min-length", "Enter")
    page.wait_for_function(
        "() => window.dash_clientside.statebrush.panel().read('view').min_length === 4"
    )
    settled(page)
    assert {row["length"] >= 4 for row in rows(page)} == {True}
    page.fill("#min-overlap", "9999")
    page.press("#min-overlap", "Enter")
    page.wait_for_function(
        "() => window.dash_clientside.statebrush.panel().read('view').min_overlap === 9999"
    )
    settled(page)
    assert rows(page) == []
    assert "shared states are required" in sentence(page), "nothing is empty without a reason"


def test_an_empty_selection_says_why(open_page: Callable[..., Page], demo: Running) -> None:
    page = open_page(demo.url)
    page.fill("#threshold-text", "50")
    page.press("#threshold-text", "Enter")
    settled(page)
    assert "No state is ≥ 50" in page.inner_text("#chips")
    assert "comes closest" in page.inner_text("#chips")
    assert "no state is selected" in sentence(page)
    assert rows(page) == []
    page.click("#chips button:has-text('set ℓ to')")
    settled(page)
    reached = view(page)["threshold"]
    found = chips(page)
    assert len(found) >= 1
    page.fill("#threshold-text", str(reached + 0.01))
    page.press("#threshold-text", "Enter")
    settled(page)
    assert chips(page) == [], "the offered threshold is the highest on the slider's grid"
    page.locator("#auto").dispatch_event("click")
    page.wait_for_function("() => !window.dash_clientside.statebrush.panel().read('view').auto")
    page.click("#chips button:has-text('set ℓ to')")
    page.wait_for_selector("#match-changed:has-text('has changed')")


def test_new_words_are_asked_for_no_limits_of_the_old_ones(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url + "?dataset=parens&first=100&sel=114:116&off=1:1&threshold=0.3")
    page.keyboard.press("Escape")
    settled(page)
    assert page.inner_text("#limits").strip() == "", "there is no limit without a brush"
    page.go_back()
    page.wait_for_function(
        "() => window.dash_clientside.statebrush.panel().read('view').start === 114"
    )
    settled(page)
    brush(page, 120, 122)
    assert (view(page)["before"], view(page)["after"]) == (0, 0)
    # where limits leave no state over, one click drops them
    page.goto(page.url + "&off=40:40")
    settled(page)
    assert "none of them is off 40 before and 40 after" in page.inner_text("#chips")
    page.click("#chips button:has-text('drop these limits')")
    settled(page)
    assert (view(page)["before"], view(page)["after"]) == (0, 0)
    assert chips(page)


def test_match_count_cells_stand_for_the_words_of_their_row(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    row = page.locator("#match-rows a.sb-row").nth(2)
    shares = (
        row.locator(".sb-heat")
        .first.locator("i")
        .evaluate_all("all => all.map(c => c.style.backgroundColor)")
    )
    colours = row.locator(".sb-match-words > span").evaluate_all(
        "all => all.map(c => c.style.backgroundColor)"
    )
    assert shares == colours
    tops = row.evaluate("r => [...r.children].map(c => c.getBoundingClientRect().top)")
    assert max(tops) - min(tops) < 1
    level = demo.catalog.get("parens").annotations["level"]
    labels = [item.label for item in level.categories]
    start = int(row.get_attribute("data-start") or 0)
    title = row.locator(".sb-heat").nth(1).locator("i.sb-in").first.get_attribute("data-tip")
    assert title == f"level: {labels[level.codes(start, start + 1)[0]]} · step {start:,}"


def test_no_tip_stays_behind_when_its_row_or_bar_is_gone(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    for place, tip in (
        ("#match-rows a.sb-row >> nth=2 >> .sb-match-words .sb-in >> nth=0", "#cell-tip"),
        (".sb-length-bar >> nth=1", "#histogram-tip"),
    ):
        page.hover(place)
        page.wait_for_selector(f"{tip}:visible")
        page.evaluate(
            "() => window.dash_clientside.statebrush.panel().dispatch({ threshold: 1e6 })"
        )
        settled(page)
        assert rows(page) == []
        assert page.locator(tip).is_hidden()
        page.go_back()
        page.wait_for_selector("#match-rows a.sb-row")
        settled(page)
