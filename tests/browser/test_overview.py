"""The corpus strip, zoom and pan: where one is in the whole, and how to get elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page

from app.matching import Query, States, find_matches
from loaders.writer import write_dataset
from tests.browser.conftest import Running, settled
from tests.browser.pages import brush, view, word_center, words

pytestmark = pytest.mark.browser


def strip(page: Page) -> dict[str, float]:
    box = page.locator("#overview-strip").bounding_box()
    assert box is not None
    return box  # type: ignore[return-value]


def point(page: Page, step: float) -> tuple[float, float]:
    """Where a step is on the corpus strip."""
    box = strip(page)
    n_steps = page.evaluate("() => window.dash_clientside.statebrush.panel().read('info').n_steps")
    return box["x"] + box["width"] * step / n_steps, box["y"] + box["height"] / 2


def inked(page: Page, rgb_at_least: int = 1) -> int:
    """How many pixels of the strip's picture are painted."""
    return page.evaluate(  # type: ignore[no-any-return]
        """least => {
            const canvas = document.getElementById('overview-canvas');
            const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
            copy.drawImage(canvas, 0, 0);
            const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
            let count = 0;
            for (let i = 3; i < data.length; i += 4) if (data[i] >= least) count += 1;
            return count;
        }""",
        rgb_at_least,
    )


def test_a_click_on_the_corpus_goes_there_and_back_returns(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    first = view(page)["first"]
    page.mouse.click(*point(page, 12_000))
    settled(page)
    shown = sorted(words(page))
    assert shown[0] <= 12_000 <= shown[-1]
    frame = page.locator("#overview-view").bounding_box()
    assert frame is not None
    assert frame["x"] <= point(page, 12_000)[0] <= frame["x"] + frame["width"]
    page.go_back()
    page.wait_for_function(
        "f => window.dash_clientside.statebrush.panel().read('view').first === f", arg=first
    )
    settled(page)


def test_dragging_the_frame_moves_the_view_along_and_is_one_step_of_the_history(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    entries = page.evaluate("() => history.length")
    page.mouse.move(*point(page, view(page)["first"] + 20))
    page.mouse.down()
    for step in range(2_000, 20_001, 2_000):
        page.mouse.move(*point(page, step))
    page.mouse.up()
    settled(page)
    shown = sorted(words(page))
    assert shown[0] - 20 <= 20_000 <= shown[-1] + 20
    assert page.evaluate("() => history.length") == entries + 1
    assert view(page)["start"] is not None, "the selection stays"


def test_the_keyboard_moves_through_the_corpus(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    n_steps = page.evaluate("() => window.dash_clientside.statebrush.panel().read('info').n_steps")
    page.focus("#overview-strip")
    count = len(words(page))
    page.keyboard.press("Home")
    settled(page)
    assert view(page)["first"] == 0
    page.keyboard.press("ArrowRight")
    settled(page)
    assert view(page)["first"] == count
    page.keyboard.press("PageDown")
    settled(page)
    assert view(page)["first"] == count + round(n_steps / 10)
    page.keyboard.press("End")
    settled(page)
    assert max(words(page)) == n_steps - 1
    assert page.get_attribute("#overview-strip", "aria-valuenow") == str(view(page)["first"])


def test_the_strip_tells_the_share_on_and_the_matches_that_the_engine_counted(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    seen = view(page)
    dataset = demo.catalog.get("parens")
    source = dataset.open_source(seen["source"])
    query = Query(threshold=seen["threshold"], start=seen["start"], stop=seen["stop"])
    overview = find_matches(States(source.rows, dataset.sequences.offsets), query).overview
    assert overview is not None
    assert inked(page) > 1_000
    for item in (3, 200, 500):
        middle = (item + 0.5) * overview.bin_steps
        page.mouse.move(*point(page, middle))
        page.wait_for_function(
            "text => document.getElementById('overview-tip').innerText.includes(text)",
            arg=f"{overview.bin_steps * item:,}–{overview.bin_steps * (item + 1) - 1:,}",
        )
        tip = page.inner_text("#overview-tip")
        assert f"{100 * overview.on[item]:.1f} % of S1 on" in tip
        assert f"{overview.matches[item]} match" in tip
    page.mouse.move(10, 10)
    assert not page.is_visible("#overview-tip")


def test_the_strip_is_empty_without_a_selection_and_dim_while_it_is_old(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    page.locator("label:has-text('Auto-match')").click()
    settled(page)
    full = inked(page, 60)
    brush(page, view(page)["first"] + 3, view(page)["first"] + 5)
    assert "sb-stale" in (page.get_attribute("#overview-strip", "class") or "")
    page.keyboard.press("Enter")
    settled(page)
    assert "sb-stale" not in (page.get_attribute("#overview-strip", "class") or "")
    page.keyboard.press("Escape")
    page.click("#match-button")
    settled(page)
    assert inked(page, 60) < full / 10, "nothing is left but the boundaries of sequences"


def test_zoom_keeps_the_selection_where_it_is(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    seen = view(page)
    step = seen["start"]
    x, _ = word_center(page, step)
    count = len(words(page))
    for _ in range(3):
        page.click("#zoom-out")
        settled(page)
    assert len(words(page)) > 1.5 * count
    assert view(page)["zoom"] < seen["zoom"]
    assert abs(word_center(page, step)[0] - x) < 2 * seen["zoom"]
    page.reload()
    settled(page)
    assert len(words(page)) > 1.5 * count, "the width of a step is in the address"
    page.locator("body").press("+")
    page.keyboard.press("+")
    page.keyboard.press("+")
    page.keyboard.press("+")
    settled(page)
    assert len(words(page)) < count
    for _ in range(20):
        page.keyboard.press("-")
    settled(page)
    assert view(page)["zoom"] == 8


def test_the_wheel_pans_sideways_zooms_with_ctrl_and_leaves_the_page_its_scrolling(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    seen = view(page)
    middle = seen["first"] + 20
    page.mouse.move(*word_center(page, middle))
    page.mouse.wheel(5 * seen["zoom"], 0)
    page.wait_for_function(
        "f => window.dash_clientside.statebrush.panel().read('view').first === f",
        arg=seen["first"] + 5,
    )
    page.keyboard.down("Shift")
    page.mouse.wheel(0, -3 * seen["zoom"])
    page.keyboard.up("Shift")
    page.wait_for_function(
        "f => window.dash_clientside.statebrush.panel().read('view').first === f",
        arg=seen["first"] + 2,
    )
    settled(page)
    x, _ = word_center(page, middle)
    page.mouse.move(x, word_center(page, middle)[1])
    page.keyboard.down("Control")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    page.wait_for_function(
        "z => window.dash_clientside.statebrush.panel().read('view').zoom > z", arg=seen["zoom"]
    )
    settled(page)
    assert abs(word_center(page, middle)[0] - x) <= view(page)["zoom"]
    page.mouse.wheel(0, 150)
    page.wait_for_function("() => window.scrollY > 100")
    first = view(page)["first"]
    page.evaluate("() => window.scrollTo(0, 0)")
    page.mouse.move(*point(page, 9_000))
    page.mouse.wheel(0, 10 * view(page)["zoom"])
    page.wait_for_function(
        "f => window.dash_clientside.statebrush.panel().read('view').first === f", arg=first + 10
    )
    assert page.evaluate("() => window.scrollY") == 0
    settled(page)


def test_above_a_thousand_states_bands_stand_for_the_lines(
    open_page: Callable[..., Page], serve: Callable[..., Running], tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    rows = np.tanh(np.cumsum(rng.standard_normal((90, 1_200)), axis=0) / 3).astype(np.float32)
    rows[20, :300] = np.nan
    rows[21, 5] = np.inf
    write_dataset(tmp_path / "wide", tokens=[f"w{step}" for step in range(90)], states={"h": rows})
    page = open_page(serve(tmp_path).url)
    assert "1,200 states" in page.inner_text("#plot-note")
    drawn = page.evaluate(
        "() => document.querySelector('#faint-figure .js-plotly-plot').data"
        ".map(trace => ({ x: Array.from(trace.x), y: Array.from(trace.y) }))"
    )
    assert len(drawn) == 4
    steps = sorted(words(page))
    for step in steps:
        values = np.sort(rows[step][~np.isnan(rows[step])].astype(float))
        at = step - steps[0]
        count = len(steps)
        upper, lower = drawn[2]["y"][at], drawn[2]["y"][2 * count - 1 - at]
        for seen, share in ((lower, 0.25), (drawn[3]["y"][at], 0.5), (upper, 0.75)):
            # JavaScript rounds halves up; either neighbour is the quantile
            near = values[[int(share * (len(values) - 1)), int(np.ceil(share * (len(values) - 1)))]]
            assert seen == pytest.approx(near[0]) or seen == pytest.approx(near[1])
    assert len(page.query_selector_all("#chips .sb-chip")) >= 1
