"""The Select View answers in the browser while dragging: no request, the right states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.matching import Query, States, select
from tests.browser.conftest import Running, drawn, settled
from tests.browser.pages import brush, chips, drag, sent, sentence, view, word_center, words

pytestmark = pytest.mark.browser


def expected(demo: Running, seen: dict[str, Any]) -> list[int]:
    """S1 of a view as Python computes it."""
    dataset = demo.catalog.get(seen["dataset"])
    source = dataset.open_source(seen["source"])
    query = Query(
        threshold=seen["threshold"],
        start=seen["start"],
        stop=seen["stop"],
        polarity=seen["polarity"],
        off_before=seen["before"],
        off_after=seen["after"],
        exclude=tuple(seen["excluded"]),
    )
    return list(select(States(source.rows, dataset.sequences.offsets), query).states)


def test_the_first_screen_shows_a_selection_with_its_matches(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    assert len(chips(page)) >= 3
    assert chips(page) == expected(demo, view(page))
    assert "matches at" in sentence(page)
    first_row = page.locator("#match-rows a.sb-row").first.bounding_box()
    assert first_row is not None
    assert first_row["y"] + first_row["height"] < 780


def test_brushing_words_selects_while_dragging_without_a_request(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    first = view(page)["first"]
    before = sent(page)
    page.mouse.move(*word_center(page, first + 4))
    page.mouse.down()
    seen = []
    for step in range(first + 5, first + 12):
        page.mouse.move(*word_center(page, step), steps=3)
        now = drawn(page, start=first + 4, stop=step + 1)
        seen.append(now.chips)
        assert now.chips == expected(demo, now.view)
    assert len(seen[0]) > len(seen[-1]), "a longer brush selects fewer states"
    assert sent(page) == before, "no request while dragging"
    page.mouse.up()
    settled(page)
    assert sent(page) == before + 1, "one match request at the end of the drag"


def test_the_brush_is_moved_and_resized_by_its_ends(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    first = view(page)["first"]
    brush(page, first + 10, first + 13)
    plot = page.locator("#plot").bounding_box()
    assert plot is not None
    height = plot["y"] + 12  # on words a drag makes a new brush
    inside, away = word_center(page, first + 11)[0], word_center(page, first + 15)[0]
    drag(page, (inside, height), (away, height))
    settled(page)
    assert (view(page)["start"], view(page)["stop"]) == (first + 14, first + 17)
    x, y = word_center(page, first + 17)
    half = word_center(page, first + 18)[0] - x
    stop_edge = x - half / 2
    drag(page, (stop_edge, y), (stop_edge + 2 * half, y))
    settled(page)
    assert (view(page)["start"], view(page)["stop"]) == (first + 14, first + 19)
    page.focus("[data-handle=start]")
    page.keyboard.press("ArrowLeft")
    page.focus("[data-handle=stop]")
    page.keyboard.press("ArrowRight")
    settled(page)
    assert (view(page)["start"], view(page)["stop"]) == (first + 13, first + 20)
    assert chips(page) == expected(demo, view(page))


def test_brushing_across_the_plot_snaps_to_words(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    first = view(page)["first"]
    plot = page.locator("#plot").bounding_box()
    assert plot is not None
    x1, _ = word_center(page, first + 20)
    x2, _ = word_center(page, first + 24)
    height = plot["y"] + 30
    drag(page, (x1 + 3, height), (x2 - 4, height))
    settled(page)
    assert (view(page)["start"], view(page)["stop"]) == (first + 20, first + 25)
    band = page.locator("#band-brush").bounding_box()
    mark = page.locator("#brush").bounding_box()
    assert band is not None
    assert mark is not None
    assert abs(band["x"] - mark["x"]) < 0.6
    assert abs(band["width"] - mark["width"]) < 0.6


def test_the_threshold_has_three_handles_and_asks_for_nothing_while_dragging(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    line = page.locator(".sb-threshold[data-line=upper]")
    box = line.bounding_box()
    assert box is not None
    before = sent(page)
    x, y = box["x"] + 600, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    seen = set()
    for up in range(3, 40, 3):
        page.mouse.move(x, y - up)
        now = drawn(page)
        seen.add(now.view["threshold"])
        assert now.chips == expected(demo, now.view)
    assert len(seen) > 5
    assert sent(page) == before
    page.mouse.up()
    settled(page)
    x, y = knob(page)
    before, held = sent(page), view(page)["threshold"]
    page.mouse.move(x, y)
    page.mouse.down()
    for left in range(4, 40, 4):
        page.mouse.move(x - left, y)
        now = drawn(page)
        assert now.chips == expected(demo, now.view)
    page.wait_for_function(
        "held => window.dash_clientside.statebrush.panel().read('view').threshold < held", arg=held
    )
    assert sent(page) == before
    page.mouse.up()
    settled(page)
    page.fill("#threshold-text", "-1e-3")
    page.press("#threshold-text", "Enter")
    settled(page)
    assert view(page)["threshold"] == -0.001
    assert chips(page) == expected(demo, view(page))
    assert line.inner_text() == "ℓ = −0.001"
    line.focus()
    page.keyboard.press("ArrowUp")
    settled(page)
    assert view(page)["threshold"] > -0.001


def knob(page: Page) -> tuple[float, float]:
    """The middle of the slider's knob, 16 px wide in Chromium."""
    return tuple(  # type: ignore[return-value]  # two numbers
        page.eval_on_selector(
            "#threshold-slider",
            """slider => {
                const { left, top, width, height } = slider.getBoundingClientRect();
                const share = (slider.value - slider.min) / (slider.max - slider.min);
                return [left + 8 + share * (width - 16), top + height / 2];
            }""",
        )
    )


def test_a_slider_that_is_let_go_in_full_flight_stays_where_it_came_to(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    for by in (40, -30, 25, -50):
        entries, was = page.evaluate("() => history.length"), view(page)["threshold"]
        x, y = knob(page)
        drag(page, (x, y), (x + by, y), steps=12)
        page.wait_for_function(
            "was => window.dash_clientside.statebrush.panel().read('view').threshold !== was",
            arg=was,
        )
        settled(page)
        now = drawn(page)
        assert now.chips == expected(demo, now.view)
        assert abs(knob(page)[0] - (x + by)) < 2, "the knob is where the mouse was"
        assert float(page.input_value("#threshold-slider")) == now.view["threshold"]
        assert page.evaluate("() => history.length") == entries + 1


def test_a_threshold_that_is_no_number_is_refused_with_a_sentence(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    was = view(page)["threshold"]
    page.fill("#threshold-text", "much")
    page.press("#threshold-text", "Enter")
    page.wait_for_selector("text=must be a finite number")
    assert view(page)["threshold"] == was
    expect(page.locator("#threshold-text")).to_have_value(str(was))


def test_polarity_moves_the_line_and_the_states(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    found = {}
    for name, lines in (("low", ["lower"]), ("magnitude", ["upper", "lower"]), ("high", ["upper"])):
        page.click(f"#polarity >> text={name}")
        settled(page)
        shown = page.eval_on_selector_all(
            ".sb-threshold", "all => all.filter(l => l.offsetHeight).map(l => l.dataset.line)"
        )
        assert shown == lines
        assert chips(page) == expected(demo, view(page))
        found[name] = set(chips(page))
    assert found["high"] != found["low"]
    assert found["high"] | found["low"] <= found["magnitude"]


def test_limits_are_dragged_outwards_without_a_request(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    free = set(chips(page))
    width = (
        word_center(page, view(page)["first"] + 1)[0] - word_center(page, view(page)["first"])[0]
    )
    before = sent(page)
    for name, sign in (("before", -1), ("after", 1)):
        box = page.locator(f"[data-handle={name}]").bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        before = sent(page)
        page.mouse.move(x, y)
        page.mouse.down()
        for steps in (1, 2):
            page.mouse.move(x + sign * steps * width, y, steps=3)
            now = drawn(page, **{name: steps})
            assert now.chips == expected(demo, now.view)
            assert set(now.chips) <= free
        assert sent(page) == before
        page.mouse.up()
        settled(page)
    assert "off 2 before, 2 after" in page.inner_text("#selection-text")
    page.focus("[data-handle=before]")
    page.keyboard.press("ArrowRight")
    settled(page)
    assert view(page)["before"] == 1


def test_a_chip_excludes_its_state_and_brings_it_back(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    all_states = chips(page)
    excluded_state = all_states[1]
    page.click(f"#chips [data-exclude='{excluded_state}']")
    settled(page)
    assert chips(page, "excluded") == [excluded_state]
    assert (
        chips(page, "included")
        == expected(demo, view(page))
        == [c for c in all_states if c != excluded_state]
    )
    assert f"all {len(all_states) - 1} state" in sentence(page)
    page.click(f"#chips [data-exclude='{excluded_state}']")
    settled(page)
    assert chips(page, "included") == all_states
    page.click(f"#chips [data-only='{excluded_state}']")
    settled(page)
    assert chips(page, "included") == [excluded_state]
    page.click("text=/reset \\d+ excluded/")
    settled(page)
    assert chips(page, "included") == all_states


#: How many points the red trace draws.
HOT = "document.querySelector('#lines-figure .js-plotly-plot').data[1].x.length"


def test_hover_links_chip_and_line_without_a_request(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    before = sent(page)
    assert page.evaluate(HOT) == 0
    state = chips(page)[0]
    page.hover(f"#chips [data-chip='{state}'] button >> nth=0")
    page.wait_for_selector(f"#chips .sb-hot[data-chip='{state}']")
    page.wait_for_function(f"() => {HOT} > 10")
    plot = page.locator("#plot").bounding_box()
    assert plot is not None
    x, _ = word_center(page, view(page)["start"])
    found = set()
    for y in range(int(plot["y"]) + 8, int(plot["y"] + plot["height"]) - 8, 6):
        page.mouse.move(x, y)
        page.evaluate(
            "() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))"
        )
        found.update(
            page.eval_on_selector_all("#chips .sb-hot", "a => a.map(c => +c.dataset.chip)")
        )
    assert found, "moving over the plot turns lines red"
    assert found <= set(chips(page))
    assert sent(page) == before


def test_a_pinned_state_stays_red_and_a_wrong_one_is_named(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    page.fill("#pinned", "7")
    page.press("#pinned", "Enter")
    page.wait_for_function(f"() => {HOT} > 10")
    assert "state=7" in page.url
    page.fill("#pinned", "99999")
    page.press("#pinned", "Enter")
    page.wait_for_selector("text=There is no state “99999” here")
    assert view(page)["pinned"] == 7


def test_paging_keeps_the_brush_and_s1(open_page: Callable[..., Page], demo: Running) -> None:
    page = open_page(demo.url)
    chosen, held = chips(page), (view(page)["start"], view(page)["stop"])
    first = view(page)["first"]
    page.click("#page-on")
    settled(page)
    assert view(page)["first"] > first + 10
    assert min(words(page)) == view(page)["first"]
    page.keyboard.press("PageDown")
    settled(page)
    assert (view(page)["start"], view(page)["stop"]) == held
    assert chips(page) == chosen, "S1 stays while the brush is out of view"
    page.fill("#threshold-text", "0.15")
    page.press("#threshold-text", "Enter")
    settled(page)
    assert chips(page) == expected(demo, view(page)), "and follows the threshold from the summary"
    page.click("#go-to-brush")
    settled(page)
    assert held[0] in words(page)
    page.keyboard.press("PageDown")
    settled(page)
    assert held[0] not in words(page)
    page.keyboard.press("Home")
    settled(page)
    assert held[0] in words(page)
    page.fill("#position", "1,234")
    page.press("#position", "Enter")
    settled(page)
    assert view(page)["first"] == 1234
    page.click("#step-on")
    page.keyboard.press("ArrowRight")
    settled(page)
    assert view(page)["first"] == 1236
    last = demo.catalog.get("parens").n_steps - 1
    page.fill("#position", f"{last:,}")
    page.press("#position", "Enter")
    settled(page)
    assert max(words(page)) == last


def test_a_brush_stops_at_a_sequence_boundary(
    open_page: Callable[..., Page], demo: Running
) -> None:
    dataset = demo.catalog.get("parens")
    boundary = int(dataset.sequences.offsets[1])
    page = open_page(
        f"{demo.url}?dataset=parens&first={boundary - 10}&sel={boundary - 8}:{boundary - 6}&threshold=0.3"
    )
    assert page.locator("#word-layer .sb-boundary").count() >= 1
    brush(page, boundary - 3, boundary + 5)
    assert (view(page)["start"], view(page)["stop"]) == (boundary - 3, boundary)
    brush(page, boundary + 4, boundary + 2)
    assert (view(page)["start"], view(page)["stop"]) == (boundary + 1, boundary + 5)
    # limits over the boundary: the steps outside the sequence count as off
    brush(page, boundary, boundary + 2)
    free = chips(page)
    page.focus("[data-handle=before]")
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    settled(page)
    assert view(page)["before"] == 3
    assert chips(page) == free == expected(demo, view(page))


@pytest.mark.parametrize("width", [1280, 1440, 1920])
def test_everything_under_the_plot_is_aligned_with_it(
    open_page: Callable[..., Page], demo: Running, width: int
) -> None:
    page = open_page(demo.url, width=width)
    step = view(page)["start"]
    word = page.locator(f"#word-layer .sb-word[data-step='{step}']").bounding_box()
    index = step - view(page)["first"]
    bar = page.locator("#bars .sb-bar").nth(index).bounding_box()
    cell = page.locator("#track-rows .sb-track").first.locator(".sb-cell").nth(index).bounding_box()
    assert word is not None
    assert bar is not None
    assert cell is not None
    for other in (bar, cell):
        assert abs(other["x"] - word["x"]) < 0.6
        assert abs(other["width"] - word["width"]) < 0.6
    # the middle of the word is where Plotly draws the step
    drawn = page.evaluate(
        """index => {
            const plot = document.querySelector('#lines-figure .js-plotly-plot');
            const axis = plot._fullLayout.xaxis;
            return plot.getBoundingClientRect().left + axis._offset + axis.d2p(index);
        }""",
        index,
    )
    assert abs(drawn - (word["x"] + word["width"] / 2)) < 0.6
    overflow = page.evaluate(
        "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow <= 0


@pytest.mark.parametrize("width", [1130, 1280, 1440])
def test_the_header_stays_on_one_line(
    open_page: Callable[..., Page], demo: Running, width: int
) -> None:
    page = open_page(demo.url, width=width)
    middles = page.evaluate(
        """() => ['dataset', 'position', 'search-box', 'share', 'color-scheme'].map((id) => {
            const box = document.getElementById(id).getBoundingClientRect();
            return box.top + box.height / 2;
        })"""
    )
    assert max(middles) - min(middles) < 4
