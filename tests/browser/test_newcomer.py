"""What is met on the first day: keys, filters, folding, long names, fingers, scripts of both directions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from loaders.writer import write_dataset
from tests.browser.conftest import Running, settled
from tests.browser.pages import brush, chips, rows, sentence, view, word_center

pytestmark = pytest.mark.browser

HELP = ".mantine-Modal-content"


@pytest.fixture(scope="module")
def odd(serve: Callable[..., Running], tmp_path_factory: pytest.TempPathFactory) -> Running:
    """Two datasets: sources of other sizes, long names of sequences, six annotations; and an Arabic one."""
    root = tmp_path_factory.mktemp("newcomer")
    steps = np.arange(600)
    small = np.sin(steps[:, None] / (3 + np.arange(60)) + np.arange(60)).astype(np.float32)
    write_dataset(
        root / "names",
        tokens=[f"w{i % 40}" for i in steps],
        sequences=[f"a very long name of a song, part {i // 20:03}" for i in steps],
        states={"small": small, "large": small * 40 + 30},
        columns={f"track{n}": [f"{n}{(i + n) % (3 + n)}" for i in steps] for n in range(6)},
    )
    words = "في البدء خلق الله السماوات والارض وكانت الارض خربة وخالية".split()
    write_dataset(
        root / "arabic",
        tokens=[words[i % len(words)] for i in steps],
        sequences=[int(i) // 30 for i in steps],
        states={"h": small[:, :30]},
        columns={"kind": [("noun", "verb", "other")[i % 3] for i in steps]},
    )
    return serve(root)


@pytest.fixture
def page(open_page: Callable[..., Page], demo: Running) -> Page:
    return open_page(f"{demo.url}?dataset=parens&first=100&sel=114:118&threshold=0.3&track=level")


def changed(page: Page, script: str, arg: object = None) -> None:
    page.wait_for_function(
        "arg => { const panel = window.dash_clientside.statebrush.panel(),"
        f" view = panel.read('view'); return {script}; }}",
        arg=arg,
    )


FOCUSABLE = (
    "#dataset", "#source", "#about summary", "#position", "#page-on", "#threshold-slider",
    "#threshold-text", "#polarity input:checked", "#pinned", "#runs", "#full-range",
    "summary:has-text('Annotations')", "#overview-strip", ".sb-threshold:visible", "#words",
    "[data-handle=start]", "[data-handle=stop]", "[data-handle=before]", "[data-handle=after]",
    "#coverage", "#chips", "#chips button >> nth=0", "#selection-text button", "#divider",
    "[data-fold=tracks]", "[data-legend] >> nth=0", "#match-button", "#auto", "#min-overlap",
    "#overlapping input:checked", "#download-menu summary", "#context", "#search-box",
    ".sb-length-bar >> nth=1", "[data-sort] >> nth=0", "a.sb-row >> nth=1", "#share",
)  # fmt: skip
#: In these the key is text.
BOXES = (
    "#position", "#threshold-text", "#pinned", "#runs", "#min-overlap", "#context", "#search-box",
)  # fmt: skip


def test_no_shortcut_is_dead_wherever_the_focus_is(page: Page) -> None:
    for place in FOCUSABLE:
        text = place in BOXES
        for key in ("?", "/", "+", "PageDown", "Escape"):
            page.locator(place).first.focus()
            if key == "?" and not text:
                page.keyboard.press("?")
                page.wait_for_selector(HELP)
                page.keyboard.press("Escape")
                page.wait_for_selector(HELP, state="detached")
            elif key == "/" and not text:
                page.keyboard.press("/")
                changed(page, "document.activeElement.id === 'search-box'")
                page.keyboard.press("Escape")
                page.keyboard.press("Escape")
                changed(page, "document.activeElement.id !== 'search-box'")
            elif key == "+" and not text:
                was = view(page)["zoom"]
                page.keyboard.press("+")
                changed(page, "view.zoom > arg", was)
                page.keyboard.press("-")
                changed(page, "view.zoom === arg", was)
            elif key == "Escape":
                start = view(page)["start"]
                if text:
                    page.keyboard.type("7")
                    if place == "#search-box":
                        page.wait_for_selector("#search-panel:visible")
                    page.keyboard.press("Escape")
                    if place == "#search-box":
                        page.keyboard.press("Escape")  # the first closes the list of places
                        page.evaluate("() => { document.getElementById('search-box').value = ''; }")
                    changed(page, "document.activeElement === document.body")
                    assert view(page)["start"] == start, f"Esc leaves {place} and nothing else"
                if start is not None:
                    page.keyboard.press("Escape")
                    changed(page, "view.start === null")
                    page.evaluate(
                        "() => window.dash_clientside.statebrush.panel().dispatch({ start: 114, stop: 118 })"
                    )
                    settled(page)
    # arrows and letters belong to the text of a box
    page.focus("#pinned")
    page.keyboard.type("b?c")
    assert page.input_value("#pinned") == "b?c"
    page.keyboard.press("Escape")


def test_after_a_choice_with_the_mouse_keys_go_to_the_page(page: Page) -> None:
    page.click("#source")
    page.select_option("#source", index=0)
    settled(page)
    first = view(page)["first"]
    page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("ArrowRight")
    changed(page, "view.first === arg", first + 1)


def test_a_length_filter_stays_while_it_names_something(page: Page) -> None:
    page.click(".sb-length-bar[data-low='3']")
    settled(page)
    assert view(page)["length"] == [3, 3]
    page.fill("#threshold-text", "0.2")
    page.press("#threshold-text", "Enter")
    settled(page)
    assert view(page)["length"] == [3, 3]
    assert {row["length"] for row in rows(page)} == {3}
    assert "only length 3" in page.inner_text("#length-filter")
    # with an impossible threshold nothing of that length is left
    page.fill("#min-length", "30")
    page.press("#min-length", "Enter")
    changed(page, "view.length === null")
    page.wait_for_selector("text=No match has a length of 3 any more")


def test_a_range_of_lengths_is_chosen_with_shift_and_by_dragging(page: Page) -> None:
    page.click(".sb-length-bar[data-low='3']")
    settled(page)
    page.click(".sb-length-bar[data-low='6']", modifiers=["Shift"])
    changed(page, "panel.query(view).includes('length=3:6')")
    settled(page)
    assert {row["length"] for row in rows(page)} <= {3, 4, 5, 6}
    pressed = page.locator(".sb-length-bar[aria-pressed=true]").evaluate_all(
        "all => all.map(b => +b.dataset.low)"
    )
    assert pressed == [3, 4, 5, 6]
    page.click("[data-clear-length]")
    settled(page)
    ends = []
    for low in (4, 8):
        box = page.locator(f".sb-length-bar[data-low='{low}']").bounding_box()
        assert box is not None
        ends.append((box["x"] + box["width"] / 2, box["y"] + box["height"] / 2))
    page.mouse.move(*ends[0])
    page.mouse.down()
    page.mouse.move(*ends[1], steps=12)
    page.mouse.up()
    changed(page, "view.length && view.length[0] === 4 && view.length[1] === 8")


def test_chips_out_of_sight_are_counted_and_shown(page: Page) -> None:
    page.fill("#threshold-text", "0.001")
    page.press("#threshold-text", "Enter")
    settled(page)
    page.set_viewport_size({"width": 1000, "height": 700})
    settled(page)
    more = page.locator("#chips-more")
    expect(more).to_be_visible()
    all_chips = len(chips(page))
    hidden = int(more.inner_text().strip("+ more"))
    assert 0 < hidden < all_chips
    more.click()
    expect(more).to_have_text("fewer")
    last = page.locator("#chips .sb-chip").last
    last.scroll_into_view_if_needed()
    expect(last).to_be_in_viewport()


def test_a_click_in_the_plot_is_no_brush_and_a_drag_on_words_is_always_a_new_one(
    page: Page,
) -> None:
    held = view(page)
    box = page.locator("#plot").bounding_box()
    assert box is not None
    middle = word_center(page, 104)[0]
    page.mouse.click(middle, box["y"] + 30)
    page.wait_for_timeout(200)
    assert view(page)["start"] == held["start"], "a click in the plot"
    brush(page, 115, 117)  # inside the present one
    assert (view(page)["start"], view(page)["stop"]) == (115, 117)
    # in the plot its inside moves it
    x = word_center(page, 115)[0]
    page.mouse.move(x, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(word_center(page, 118)[0], box["y"] + 30, steps=6)
    page.mouse.up()
    settled(page)
    assert (view(page)["start"], view(page)["stop"]) == (118, 120)


def test_a_limit_at_the_end_of_a_sequence_says_so(
    open_page: Callable[..., Page], odd: Running
) -> None:
    page = open_page(
        f"{odd.url}?dataset=names&source=small&first=10&sel=18:20&off=0:1&threshold=0.1"
    )
    assert page.inner_text("#count-after") == "off 1 · sequence ends"
    band = page.locator("#band-after").evaluate("b => b.style.display")
    assert band == "none", "no step of the next sequence is meant"


def test_another_source_offers_the_threshold_with_the_same_share_on(
    open_page: Callable[..., Page], odd: Running
) -> None:
    page = open_page(f"{odd.url}?dataset=names&source=small&first=10&sel=20:22&threshold=0.5")
    page.select_option("#source", "large")
    changed(page, "view.source === 'large'")
    settled(page)
    offer = page.locator("#suggestion")
    expect(offer).to_be_visible()
    assert view(page)["threshold"] == 0.5, "nothing changes unasked"
    offer.locator("button").first.click()
    settled(page)
    expect(offer).to_be_hidden()
    assert abs(view(page)["threshold"] - 50) < 1, "the same values, 40 times and 30 more"


def test_the_selections_own_row_is_marked(page: Page) -> None:
    own = page.locator("a.sb-row.sb-own")
    for row in own.evaluate_all("all => all.map(r => [+r.dataset.start, +r.dataset.stop])"):
        assert row[0] < view(page)["stop"]
        assert row[1] > view(page)["start"]
    page.locator("a.sb-row").nth(3).click()
    settled(page)
    listed = rows(page)
    marked = own.evaluate_all("all => all.map(r => +r.dataset.start)")
    now = view(page)
    assert marked == [
        row["start"] for row in listed if row["start"] < now["stop"] and row["stop"] > now["start"]
    ]
    assert marked


def test_names_of_sequences_are_cut_in_the_middle_and_whole_in_their_tip(
    open_page: Callable[..., Page], odd: Running
) -> None:
    page = open_page(f"{odd.url}?dataset=names&source=small&first=10&sel=21:23&threshold=0.3")
    names = page.locator("a.sb-row .sb-why > span:last-child")
    shown = names.all_inner_texts()
    whole = [names.nth(i).get_attribute("title") or "" for i in range(len(shown))]
    assert len(set(whole)) > 3
    assert len(set(shown)) == len(set(whole)), "two songs can be told apart"
    for cut, name in zip(shown, whole, strict=True):
        start, _, end = cut.partition("…")
        assert end
        assert name.startswith(start)
        assert name.endswith(end)
    wide = names.first.evaluate("e => e.scrollWidth <= e.clientWidth")
    assert wide, "nothing more is cut"


def test_the_search_is_empty_in_another_dataset(
    open_page: Callable[..., Page], odd: Running
) -> None:
    page = open_page(f"{odd.url}?dataset=names&source=small&first=10&sel=21:23&threshold=0.3")
    page.fill("#search-box", "w3")
    page.press("#search-box", "Enter")
    settled(page)
    page.select_option("#dataset", "arabic")
    changed(page, "view.dataset === 'arabic'")
    settled(page)
    assert page.input_value("#search-box") == ""


def test_a_position_after_the_end_is_refused_with_a_sentence(page: Page) -> None:
    first = view(page)["first"]
    page.fill("#position", "999,999")
    page.press("#position", "Enter")
    page.wait_for_selector("text=A position is a step from 0 to 22,819, not “999,999”.")
    page.wait_for_selector("text=Invalid position")
    assert view(page)["first"] == first
    assert page.input_value("#position") == str(first)


def test_without_a_selection_only_what_to_do_is_left(page: Page) -> None:
    page.keyboard.press("Escape")
    settled(page)
    assert "drag across some words" in sentence(page)
    for place in ("#length-histogram", "#download-menu", "#pager"):
        expect(page.locator(place)).to_be_hidden()
    page.fill("#threshold-text", "50")
    page.press("#threshold-text", "Enter")
    brush(page, 105, 107)
    assert chips(page) == []
    expect(page.locator("#length-histogram")).to_be_hidden()
    assert "set ℓ to" in page.inner_text("#chips")


def test_each_track_has_its_legend_and_its_order_is_dragged(
    open_page: Callable[..., Page], odd: Running
) -> None:
    tracks = "".join(f"&track=track{n}" for n in range(6))
    page = open_page(
        f"{odd.url}?dataset=names&source=small&first=10&sel=21:23&threshold=0.3{tracks}",
        width=1440, height=900,
    )  # fmt: skip
    assert page.locator(".sb-track-legend").count() == 0, "six legends would fill the page"
    page.click("[data-legend='track3']")
    legend = page.locator("[data-track='track3'] .sb-track-legend")
    expect(legend).to_be_visible()
    labels = {f"3{n}" for n in range(6)}
    assert set(legend.inner_text().split()) == labels
    page.click("[data-legend='track3']")
    expect(legend).to_have_count(0)
    ends = [page.locator(f"[data-legend='track{n}']").bounding_box() for n in (4, 0)]
    assert ends[0] is not None
    assert ends[1] is not None
    page.mouse.move(ends[0]["x"] + 5, ends[0]["y"] + 5)
    page.mouse.down()
    page.mouse.move(ends[1]["x"] + 5, ends[1]["y"] + 1, steps=8)
    page.mouse.up()
    settled(page)
    assert view(page)["tracks"] == [f"track{n}" for n in (4, 0, 1, 2, 3, 5)]


def test_plot_coverage_and_tracks_fold_and_the_divider_is_remembered(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    before = page.locator("#match-view").bounding_box()
    box = page.locator("#divider").bounding_box()
    assert before is not None
    assert box is not None
    page.mouse.move(box["x"] + 100, box["y"] + 7)
    page.mouse.down()
    page.mouse.move(box["x"] + 100, box["y"] + 7 - 80, steps=6)
    page.mouse.up()
    settled(page)
    after = page.locator("#match-view").bounding_box()
    assert after is not None
    assert before["y"] - after["y"] == pytest.approx(80, abs=4)
    page.click("[data-fold=coverage]")
    expect(page.locator("#coverage")).to_be_hidden()
    page.reload()
    settled(page)
    again = page.locator("#match-view").bounding_box()
    assert again is not None
    assert again["y"] < after["y"]
    expect(page.locator("#coverage")).to_be_hidden()
    page.dblclick("#divider")
    settled(page)
    expect(page.locator("#coverage")).to_be_visible()
    page.focus("#divider")
    height = page.locator("#plot").evaluate("p => p.offsetHeight")
    page.keyboard.press("ArrowDown")
    changed(page, "panel.part('plot').offsetHeight > arg", height)


def test_the_line_that_says_what_the_page_is_for_is_closed_for_good(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    expect(page.locator("#intro")).to_be_visible()
    assert "What you see is an example" in page.inner_text("#intro")
    page.click("#intro button")
    expect(page.locator("#intro")).to_be_hidden()
    page.reload()
    settled(page)
    expect(page.locator("#intro")).to_be_hidden()


def test_a_long_match_unfolds_to_all_its_words(page: Page, demo: Running) -> None:
    button = page.locator("button.sb-more").first
    start, stop = button.evaluate(
        "b => [+b.parentElement.querySelector('a').dataset.start, +b.parentElement.querySelector('a').dataset.stop]"
    )
    button.click()
    tokens = demo.catalog.get("parens").tokens(start, stop)
    expect(page.locator(".sb-whole")).to_have_text(" ".join(tokens))
    assert view(page)["start"] == 114, "the view stays"
    button.press("Enter")
    expect(page.locator(".sb-whole")).to_have_count(0)


def test_time_runs_from_right_to_left_in_arabic(
    open_page: Callable[..., Page], odd: Running
) -> None:
    page = open_page(f"{odd.url}?dataset=arabic&first=0&sel=6:8&threshold=0.3&track=kind")
    page.wait_for_selector("text=Most letters of “arabic” are written from right to left")
    assert word_center(page, 3)[0] > word_center(page, 9)[0]
    brushed = page.locator("#brush").bounding_box()
    assert brushed is not None
    x = (word_center(page, 6)[0] + word_center(page, 7)[0]) / 2
    assert brushed["x"] + brushed["width"] / 2 == pytest.approx(x, abs=2)
    cell = page.locator("#track-rows .sb-cell").nth(6).bounding_box()
    assert cell is not None
    assert cell["x"] + cell["width"] / 2 == pytest.approx(word_center(page, 6)[0], abs=1)
    brush(page, 12, 15)
    assert (view(page)["start"], view(page)["stop"]) == (12, 15)
    page.keyboard.press("ArrowLeft")
    changed(page, "view.first === 1")
    page.keyboard.press("ArrowRight")
    changed(page, "view.first === 0")
    settled(page)
    row = page.locator("a.sb-row").first
    inside = row.locator(".sb-match-words .sb-in").evaluate_all(
        "all => all.map(c => c.getBoundingClientRect().left)"
    )
    assert inside == sorted(inside, reverse=True)
    # the line of a state runs with the words: its value at step 0 is at the right edge
    axis = page.evaluate(
        "() => document.querySelector('#faint-figure .js-plotly-plot').layout.xaxis.range"
    )
    assert axis[0] > axis[1]


def test_direction_marks_in_a_token_are_shown_and_turn_nothing(
    open_page: Callable[..., Page], serve: Callable[..., Running], tmp_path: Path
) -> None:
    write_dataset(
        tmp_path / "marks",
        tokens=["plain", "\u202eabc", "x\u200fy", "end"] * 5,
        states={"h": np.sin(np.arange(60).reshape(20, 3)).astype(np.float32)},
    )
    page = open_page(serve(tmp_path / "marks").url)
    words = page.locator("#word-layer .sb-word").all_inner_texts()
    assert words[:4] == ["plain", "◌abc", "x◌y", "end"]


def test_a_finger_scrolls_brushes_and_moves_the_handles(chromium: Browser, demo: Running) -> None:
    context = chromium.new_context(
        viewport={"width": 820, "height": 1180}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{demo.url}?dataset=parens&first=100&sel=104:106&threshold=0.3")
    settled(page)
    touch = context.new_cdp_session(page)

    def swipe(x: float, y: float, to_x: float, to_y: float) -> None:
        def send(kind: str, points: list[dict[str, Any]]) -> None:
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        send("touchStart", [{"x": x, "y": y}])
        for part in range(1, 11):
            share = part / 10
            send("touchMove", [{"x": x + (to_x - x) * share, "y": y + (to_y - y) * share}])
        send("touchEnd", [])

    plot = page.locator("#plot").bounding_box()
    assert plot is not None
    x, y = plot["x"] + 300, plot["y"] + 150
    swipe(x, y, x + 2, y - 120)
    page.wait_for_function("() => scrollY > 20")
    assert (view(page)["start"], view(page)["stop"]) == (104, 106), "scrolled, not brushed"
    page.evaluate("() => scrollTo(0, 0)")
    (left, top), (right, _) = word_center(page, 107), word_center(page, 110)
    swipe(left, top, right, top)
    changed(page, "view.start === 107 && view.stop === 111")
    settled(page)
    for handle, by in (("stop", 60.0), ("after", 60.0)):
        box = page.locator(f"[data-handle={handle}]").bounding_box()
        assert box is not None
        middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        # 10 px beside the middle: a finger is not exact
        hit = page.evaluate(
            "([x, y]) => document.elementFromPoint(x, y)?.dataset.handle",
            [middle[0] + 9, middle[1]],
        )
        assert hit == handle
        swipe(middle[0], middle[1], middle[0] + by, middle[1])
        settled(page)
    assert view(page)["stop"] > 111
    assert view(page)["after"] > 0
    line = page.locator(".sb-threshold:visible").bounding_box()
    assert line is not None
    swipe(line["x"] + 200, line["y"] + 5, line["x"] + 200, line["y"] - 35)
    changed(page, "view.threshold > 0.3")
    settled(page)
    page.evaluate(
        "() => window.dash_clientside.statebrush.panel().dispatch({ threshold: 0.3, before: 0, after: 0 })"
    )
    settled(page)
    page.locator(".sb-length-bar").first.tap()
    changed(page, "view.length !== null")
    assert errors == []
    context.close()


@pytest.mark.parametrize(
    ("width", "height", "tracks", "least"), [(960, 600, 1, 3), (1440, 900, 6, 8), (1280, 720, 1, 4)]
)
def test_the_first_screen_leaves_room_for_rows_of_matches(
    open_page: Callable[..., Page],
    odd: Running,
    width: int,
    height: int,
    tracks: int,
    least: int,
) -> None:
    chosen = "".join(f"&track=track{n}" for n in range(tracks))
    page = open_page(
        f"{odd.url}?dataset=names&source=small&first=10&sel=21:23&threshold=0.3{chosen}",
        width=width,
        height=height,
    )
    seen = page.locator("a.sb-row").evaluate_all(
        "all => all.filter(r => r.getBoundingClientRect().bottom <= innerHeight).length"
    )
    assert seen >= least
    assert page.evaluate("() => scrollY") == 0
