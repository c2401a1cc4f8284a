"""Help stands at each control, links are shared, rows are read with keys, small screens work."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import Running, settled
from tests.browser.pages import chips, rows, view

pytestmark = pytest.mark.browser

HINTS = {
    "#threshold-text": "A state is on where its value is",
    "#polarity": "What counts as on",
    "#pinned": "Show one state in red",
    "#runs": "Neither the selection nor the matches change",
    "#track-picker": "a heatmap beside the matches",
    "label:has-text('mask')": "Fade annotations",
    "#match-button": "Search the whole corpus",
    "label:has-text('automatically')": "at the end of every change",
    "#min-overlap": "at least so many of the selected states",
    "#min-length": "at least so many steps long",
    "#overlapping": "list only the best one",
    "#context": "How many words stand before",
    ".sb-overview-strip .sb-axis-label": "The whole corpus",
    ".sb-words-strip .sb-axis-label": "Drag across words",
    ".sb-limits-strip .sb-axis-label": "Drag a grey end outwards",
    ".sb-bars-strip .sb-axis-label": "How many of the selected states",
    ".sb-coverage-strip .sb-axis-label": "A line for each selected state",
    ".sb-chips-strip .sb-axis-label": "The ring keeps only that state",
}


def test_each_control_says_what_it_does_where_it_is(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    for control, words in HINTS.items():
        page.hover(control)
        page.wait_for_selector(f"[role=tooltip]:has-text('{words}')")
        page.mouse.move(700, 5)
    # the keyboard gets the same help
    page.focus("#pinned")
    page.wait_for_selector("[role=tooltip]:has-text('Show one state in red')")


def test_the_papers_three_steps_are_on_the_page(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    names = [text.replace("\n", " ") for text in page.locator("h2").all_inner_texts()]
    assert sorted(names) == ["1 Select", "2 Match", "3 Align"]


def test_a_link_is_copied_with_a_click_or_a_key(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("#share")
    page.wait_for_selector("text=The link is copied")
    assert page.evaluate("() => navigator.clipboard.readText()") == page.url
    page.keyboard.press("PageDown")
    settled(page)
    page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("c")
    page.wait_for_function(
        "async url => (await navigator.clipboard.readText()) === url", arg=page.url
    )


def test_a_row_is_read_along_with_the_arrow_keys(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    listed = rows(page)
    first = view(page)["first"]
    page.locator("#match-rows a.sb-row").first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#cell-tip:visible")
    assert f"step {listed[0]['start']}" in page.inner_text("#cell-tip")
    page.keyboard.press("ArrowRight")
    assert f"step {listed[0]['start'] + 1}" in page.inner_text("#cell-tip")
    marked = page.locator("#match-rows a.sb-row").first.locator(".sb-linked")
    assert marked.count() == 3, "the word, the match count and the level"
    page.keyboard.press("ArrowDown")
    assert f"step {listed[1]['start'] + 1}" in page.inner_text("#cell-tip")
    assert page.locator("#match-rows a.sb-row").first.locator(".sb-linked").count() == 0
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert f"step {listed[1]['start'] - 1}" in page.inner_text("#cell-tip")
    assert view(page)["first"] == first, "the view itself has not moved"
    page.keyboard.press("Enter")
    settled(page)
    assert view(page)["start"] == listed[1]["start"]


@pytest.mark.parametrize("width", [640, 800])
def test_the_page_works_at_twice_the_size(
    open_page: Callable[..., Page], demo: Running, width: int
) -> None:
    page = open_page(demo.url, width=width, height=400)  # 1280 and 1600 px at 200 %
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    cut = page.evaluate(
        """() => [...document.querySelectorAll('header *, .sb-toolbar *, .sb-under-sentence *')]
            .filter(e => e.matches('button, input, label, h1, h2'))
            .filter(e => e.offsetParent !== null && e.getBoundingClientRect().width > 1)
            .filter(e => { const b = e.getBoundingClientRect();
                return b.left < 0 || b.right > innerWidth; })
            .map(e => e.outerHTML.slice(0, 120))"""
    )
    assert cut == []
    over = page.evaluate(
        """() => {
            const all = [...document.querySelectorAll('.sb-toolbar input, .sb-toolbar button, header input')]
                .filter(e => e.offsetParent !== null && e.getBoundingClientRect().width > 12
                    && e.type !== 'checkbox' && e.type !== 'radio' && !e.closest('[role=slider]'));
            const boxes = all.map(e => e.getBoundingClientRect());
            const found = [];
            for (let i = 0; i < boxes.length; i++) for (let j = 0; j < i; j++) {
                const [a, b] = [boxes[i], boxes[j]];
                if (all[i].contains(all[j]) || all[j].contains(all[i])) continue;
                if (all[i].closest('[data-size]') && all[i].closest('.sb-field') === all[j].closest('.sb-field')) continue;
                if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)
                    found.push([all[i].id || all[i].outerHTML.slice(0, 80), all[j].id || all[j].outerHTML.slice(0, 80)]);
            }
            return found;
        }"""
    )
    assert over == []
    page.locator("#match-rows a.sb-row").nth(1).click()
    settled(page)
    assert view(page)["start"] is not None


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_open_panels_either(
    open_page: Callable[..., Page], demo: Running, scheme: str
) -> None:
    page = open_page(demo.url, scheme=scheme)

    def serious() -> list[str]:
        return [
            f"{item['id']}: {item['nodes'][0]['html'][:160]}"
            for item in Axe().run(page).response["violations"]
            if item["impact"] in {"serious", "critical"}
        ]

    page.keyboard.press("/")
    page.keyboard.type("( 4")
    page.keyboard.press("Enter")
    page.wait_for_selector("#search-results .sb-result")
    settled(page)
    assert serious() == []
    page.keyboard.press("Escape")
    page.click("#download-menu")
    page.fill("#threshold-text", "9")
    page.press("#threshold-text", "Enter")
    settled(page)
    assert "comes closest" in page.inner_text("#match-view")
    assert serious() == []
    page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("?")
    page.wait_for_selector(".sb-help")
    assert serious() == []


def test_the_words_are_read_along_and_brushed_with_the_keyboard(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    seen = view(page)
    dataset = demo.catalog.get("parens")
    level = dataset.annotations["level"]
    page.locator("#overview-strip").focus()
    page.keyboard.press("Tab")
    while page.evaluate("() => document.activeElement.id") != "words":
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    step = seen["start"] + 1
    told = page.inner_text("#step-tip")
    assert f"step {step}" in told
    assert f"“{dataset.tokens(step, step + 1)[0]}”" in told
    assert f"of {len(chips(page))} on" in told
    code = level.codes(step, step + 1)[0]  # type: ignore[union-attr]
    assert f"level: {level.categories[code].label}" in told  # type: ignore[union-attr]
    page.keyboard.press("Enter")
    settled(page)
    assert (view(page)["start"], view(page)["stop"]) == (step, step + 1)
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    settled(page)
    assert (view(page)["start"], view(page)["stop"]) == (step, step + 3)
    page.keyboard.press("Shift+ArrowLeft")
    settled(page)
    assert (view(page)["start"], view(page)["stop"]) == (step, step + 2)
    for _ in range(60):
        page.keyboard.press("ArrowRight")
    settled(page)
    assert view(page)["first"] > seen["first"], "the window follows"
    assert f"step {step + 61}" in page.inner_text("#step-tip")
    page.keyboard.press("Tab")
    assert not page.is_visible("#step-tip")
