"""Each control has help, links are shared, rows are read with keys, small screens work."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import Running, settled
from tests.browser.pages import chips, rows, view, word_center

pytestmark = pytest.mark.browser

HINTS = {
    "#threshold-text": "A state is on where its value is",
    "#polarity": "What counts as on",
    "#pinned": "Show one state in red",
    "#runs": "Neither the selection nor the matches change",
    "summary:has-text('Annotations')": "a heatmap beside the matches",
    "#match-button": "Search the whole corpus",
    "label:has-text('Auto-match')": "after each change",
    "#min-overlap": "at least this many of the selected states",
    "#min-length": "at least this many steps long",
    "#overlapping": "list only the best one",
    "#context": "How many words are shown before",
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
    page.clock.install()  # no need to wait until a pointer has rested
    for control, words in HINTS.items():
        page.hover(control)
        page.clock.fast_forward(1_000)
        page.wait_for_selector(f"[role=tooltip]:has-text('{words}')")
        page.mouse.move(700, 5)
    # the keyboard gets the same help
    page.focus("#pinned")
    page.clock.fast_forward(1_000)
    page.wait_for_selector("[role=tooltip]:has-text('Show one state in red')")


def test_the_papers_three_steps_are_on_the_page(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    names = [text.replace("\n", " ") for text in page.locator("h2.sb-step").all_inner_texts()]
    assert names == ["1 Select", "2 Align", "3 Match"]


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
    assert f"step {listed[0]['start']:,}" in page.inner_text("#cell-tip")
    page.keyboard.press("ArrowRight")
    assert f"step {listed[0]['start'] + 1:,}" in page.inner_text("#cell-tip")
    marked = page.locator("#match-rows a.sb-row").first.locator(".sb-linked")
    assert marked.count() == 3, "the word, the match count and the level"
    page.keyboard.press("ArrowDown")
    assert f"step {listed[1]['start'] + 1:,}" in page.inner_text("#cell-tip")
    assert page.locator("#match-rows a.sb-row").first.locator(".sb-linked").count() == 0
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert f"step {listed[1]['start'] - 1:,}" in page.inner_text("#cell-tip")
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
            .filter(e => !e.closest('details:not([open])'))
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
    lines = page.evaluate(
        """() => ['.sb-nav', '.sb-search', '#share', '#help-button', '#color-scheme'].map(name => {
            const box = document.querySelector(name).getBoundingClientRect();
            return Math.round((box.top + box.bottom) / 2 / 8);
        })"""
    )
    assert max(lines[1:]) - min(lines[1:]) <= 1, "no button is alone on a line"
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
    page.click("#about")
    assert serious() == []
    page.click("#download-menu")
    page.fill("#threshold-text", "9")
    page.press("#threshold-text", "Enter")
    settled(page)
    assert "comes closest" in page.inner_text("#chips")
    assert serious() == []
    page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("?")
    page.wait_for_selector(".sb-help")
    # it fades in: half-way its text has half its contrast
    page.wait_for_function(
        "() => getComputedStyle(document.querySelector('.mantine-Modal-content')).opacity === '1'"
    )
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
    tip = page.inner_text("#step-tip")
    assert f"step {step:,}" in tip
    assert view(page)["first"] == seen["first"], "the key does one thing"
    assert f"“{dataset.tokens(step, step + 1)[0]}”" in tip
    assert f"of {len(chips(page))} on" in tip
    code = level.codes(step, step + 1)[0]  # type: ignore[union-attr]
    assert f"level: {level.categories[code].label}" in tip  # type: ignore[union-attr]
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
    assert f"step {step + 61:,}" in page.inner_text("#step-tip")
    page.keyboard.press("Tab")
    assert not page.is_visible("#step-tip")


def focused(page: Page) -> str:
    return page.evaluate(  # type: ignore[no-any-return]
        "() => document.activeElement.id || document.activeElement.className"
    )


def test_the_keyboard_stays_where_it_was_when_a_part_is_drawn_anew(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    page.locator("#pager [data-page='1']").focus()
    page.keyboard.press("Enter")
    settled(page)
    page.wait_for_function("() => document.activeElement.dataset.page === '1'")
    bar = page.locator(".sb-length-bar[data-low='3']")
    bar.focus()
    page.keyboard.press("Enter")
    settled(page)
    page.wait_for_function("() => document.activeElement.dataset.low === '3'")
    page.locator("[data-clear-length]").focus()
    page.keyboard.press("Enter")
    settled(page)
    assert focused(page) == "match-button"
    page.locator("#match-rows a.sb-row").nth(2).focus()
    page.keyboard.press("Enter")
    settled(page)
    page.wait_for_function("() => document.activeElement.id === 'words'")
    page.locator("[data-clear]").focus()
    page.keyboard.press("Enter")
    settled(page)
    page.wait_for_function("() => document.activeElement.id === 'words'")


def test_tracks_are_moved_and_removed_with_the_keyboard(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url + "?dataset=parens&track=level&track=token_kind")
    assert view(page)["tracks"] == ["level", "token_kind"]
    page.locator("#coverage").focus()
    for data, name in (
        ("legend", "level"),
        ("drop", "level"),
        ("legend", "token_kind"),
        ("drop", "token_kind"),
        ("up", "token_kind"),
    ):
        page.keyboard.press("Tab")
        assert page.evaluate("data => document.activeElement.dataset[data]", data) == name
    page.keyboard.press("Enter")
    settled(page)
    assert view(page)["tracks"] == ["token_kind", "level"]
    page.locator("[data-drop=level]").focus()
    page.keyboard.press("Enter")
    settled(page)
    assert view(page)["tracks"] == ["token_kind"]


@pytest.mark.parametrize(
    ("box", "field", "bad", "good"),
    [
        ("#min-overlap", "min_overlap", "2.5", 3),
        ("#min-length", "min_length", "-3", 4),
        ("#runs", "runs", "1e9", 2),
        ("#context", "before_words", "abc", 5),
    ],
)
def test_a_number_that_does_not_fit_is_refused_and_never_changed_in_silence(
    open_page: Callable[..., Page], demo: Running, box: str, field: str, bad: str, good: int
) -> None:
    page = open_page(demo.url)
    held, shown = view(page)[field], page.input_value(box)
    page.fill(box, bad)
    page.press(box, "Enter")
    page.wait_for_selector(f"text=not “{bad}”")
    assert view(page)[field] == held
    page.wait_for_function(
        "([box, shown]) => document.querySelector(box).value === shown", arg=[box, shown]
    )
    page.fill(box, str(good))
    page.press(box, "Enter")
    settled(page)
    assert view(page)[field] == good
    page.press(box, "ArrowUp")
    settled(page)
    assert view(page)[field] == good + 1


def test_a_limit_beyond_the_view_can_be_drawn_back(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    box = page.locator("[data-handle=after]").bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 4, y)
    page.mouse.down()
    page.mouse.move(2_000, y, steps=4)
    page.mouse.up()
    settled(page)
    reach = view(page)["after"]
    assert reach > 10
    far = open_page(page.url.replace(f"off=0:{reach}", f"off=0:{reach + 500}"))
    box = far.locator("[data-handle=after]").bounding_box()
    assert box is not None
    assert "off" in far.inner_text("#count-after")
    far.mouse.move(box["x"] + 4, y)
    far.mouse.down()
    far.mouse.move(*word_center(far, view(far)["stop"] + 1), steps=4)
    far.mouse.up()
    settled(far)
    assert view(far)["after"] <= 3


def test_escape_gives_a_drag_up(open_page: Callable[..., Page], demo: Running) -> None:
    page = open_page(demo.url)
    held = view(page)
    page.mouse.move(*word_center(page, held["first"] + 2))
    page.mouse.down()
    page.mouse.move(*word_center(page, held["first"] + 6), steps=4)
    assert view(page)["start"] != held["start"]
    page.keyboard.press("Escape")
    page.mouse.move(*word_center(page, held["first"] + 8), steps=4)
    page.mouse.up()
    settled(page)
    assert (view(page)["start"], view(page)["stop"]) == (held["start"], held["stop"])


def test_a_page_beyond_the_end_shows_the_last_one(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    total = int(page.inner_text("#pager").split(" of ")[1].replace(",", ""))
    other = open_page(page.url + "&page=999")
    other.wait_for_selector("#match-rows a.sb-row")
    settled(other)
    assert view(other)["page"] == (total - 1) // 50
    assert len(rows(other)) == total - 50 * ((total - 1) // 50)
