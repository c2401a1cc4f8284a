"""Two panels on one page, each with a Select View, a Match View and a state of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from components.ids import Panel
from tests.browser.conftest import Running

pytestmark = pytest.mark.browser

PANELS = (
    Panel("left-", "?dataset=parens&first=100&sel=114:118&threshold=0.3&track=level"),
    Panel("right-", "?dataset=parens&first=300&sel=310:312&threshold=0.2"),
)


def view(page: Page, panel: str) -> dict[str, Any]:
    return page.evaluate(  # type: ignore[no-any-return]
        "id => window.dash_clientside.statebrush.panel(id).read('view')", f"{panel}page"
    )


def chips(page: Page, panel: str) -> list[str]:
    return page.locator(f"#{panel}chips .sb-chip").all_inner_texts()


def wait_matched(page: Page, panel: str) -> None:
    """Wait until the rows of a panel are those of its view."""
    page.wait_for_function(
        """id => {
            const all = window.dash_clientside?.statebrush;
            if (!all || !document.getElementById(id)) return false;
            const panel = all.panel(id), view = panel.read('view'), match = panel.read('match');
            if (!view || view.dragging || !match || !panel.selection(view, panel.win()).fresh) return false;
            return all.same(match.key, all.matchKey(view)) && panel.root.dataset.busy === 'false'
                && panel.part('match-rows').dataset.n === String(match.n)
                && panel.part('match-sentence').dataset.n === String(match.n);
        }""",
        arg=f"{panel}page",
    )


@pytest.fixture
def page(open_page: Callable[..., Page], serve: Callable[..., Running], demo: Running) -> Page:
    running = serve(demo.catalog.get("parens").path, panels=PANELS)
    page = open_page(running.url, height=1700, wait=False)
    for panel in ("left-", "right-"):
        wait_matched(page, panel)
    return page


def drag(page: Page, panel: str, first: int, last: int) -> None:
    """Brush the words from one step to another."""
    page.locator(f"#{panel}words").scroll_into_view_if_needed()
    for step, act in ((first, page.mouse.down), (last, page.mouse.up)):
        box = page.locator(f"#{panel}words [data-step='{step}']").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
        act()
    page.wait_for_function(
        """([id, first]) => {
            const view = window.dash_clientside.statebrush.panel(id).read('view');
            return view.start === first && !view.dragging;
        }""",
        arg=[f"{panel}page", first],
    )


def test_each_panel_has_its_own_brush_threshold_and_selection(page: Page) -> None:
    address = page.url
    right = view(page, "right-")
    chosen = chips(page, "right-")
    before = chips(page, "left-")
    assert before
    assert chosen
    assert before != chosen
    # a brush
    drag(page, "left-", 105, 107)
    wait_matched(page, "left-")
    assert (view(page, "left-")["start"], view(page, "left-")["stop"]) == (105, 108)
    # a threshold, typed, and by the slider's key
    page.fill("#left-threshold-text", "0.5")
    page.press("#left-threshold-text", "Enter")
    wait_matched(page, "left-")
    assert view(page, "left-")["threshold"] == 0.5
    page.focus("#left-threshold-slider")
    page.keyboard.press("ArrowRight")
    wait_matched(page, "left-")
    assert view(page, "left-")["threshold"] > 0.5
    # a track, a source, the polarity
    page.click("#left-polarity >> text=magnitude")
    wait_matched(page, "left-")
    left = chips(page, "left-")
    assert left != before
    assert view(page, "right-") == right
    assert chips(page, "right-") == chosen
    # and the other way round
    held = view(page, "left-")
    drag(page, "right-", 320, 321)
    wait_matched(page, "right-")
    assert (view(page, "right-")["start"], view(page, "right-")["stop"]) == (320, 322)
    page.select_option("#right-source", index=0)
    page.wait_for_function(
        "old => window.dash_clientside.statebrush.panel('right-page').read('view').source !== old",
        arg=right["source"],
    )
    wait_matched(page, "right-")
    assert view(page, "left-") == held
    assert chips(page, "left-") == left
    assert page.url == address, "neither of them is the page's own"


def test_each_panel_shows_its_own_hover_and_matches(page: Page) -> None:
    first = page.locator("#left-chips .sb-chip").first
    first.hover()
    expect(page.locator("#left-chips .sb-hot")).to_have_count(1)
    expect(page.locator("#left-coverage path.sb-hot")).to_have_count(1)
    assert page.locator("#right-chips .sb-hot, #right-coverage .sb-hot").count() == 0
    page.mouse.move(5, 5)
    expect(page.locator("#left-chips .sb-hot")).to_have_count(0)
    right = page.inner_text("#right-match-sentence")
    rows = page.locator("#right-match-rows a.sb-row").all_inner_texts()
    page.locator("#left-match-rows a.sb-row").nth(2).click()
    wait_matched(page, "left-")
    assert page.inner_text("#right-match-sentence") == right
    assert page.locator("#right-match-rows a.sb-row").all_inner_texts() == rows
    opened = view(page, "left-")
    page.locator("#right-length-bars button").nth(1).click()
    wait_matched(page, "right-")
    assert view(page, "right-")["length"] is not None
    assert view(page, "left-") == opened


def test_keys_go_to_the_panel_that_has_the_focus_else_to_the_first(page: Page) -> None:
    left, right = view(page, "left-"), view(page, "right-")
    page.keyboard.press("ArrowRight")
    wait_matched(page, "left-")
    assert view(page, "left-")["first"] == left["first"] + 1
    assert view(page, "right-") == right
    page.focus("#right-page-on")
    page.keyboard.press("ArrowRight")
    wait_matched(page, "right-")
    assert view(page, "right-")["first"] == right["first"] + 1
    assert view(page, "left-")["first"] == left["first"] + 1
    page.keyboard.press("Escape")
    page.wait_for_selector("#right-chips:has-text('Nothing is selected')")
    assert view(page, "left-")["start"] == left["start"]
