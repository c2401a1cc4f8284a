"""The card of a state: opened from chip, line and coverage, by mouse and by keyboard."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from loaders.writer import write_dataset
from tests import naive
from tests.browser.conftest import Running, settled
from tests.browser.pages import chips, posts, view, word_center

pytestmark = pytest.mark.browser


def shown(page: Page, state: int) -> None:
    """Wait until the card shows a state."""
    expect(page.locator("#card")).to_be_visible()
    expect(page.locator("#card-title")).to_have_text(f"State {state}")
    page.wait_for_function(
        """() => {
            const card = document.getElementById('card');
            return card.dataset.n && !card.classList.contains('sb-reading');
        }"""
    )


def open_card(page: Page, state: int) -> None:
    page.click(f"#chips [data-open='{state}']")
    shown(page, state)


def steps(page: Page) -> list[int]:
    return page.eval_on_selector_all(  # type: ignore[no-any-return]
        ".sb-card-row", "all => all.map(row => Number(row.dataset.step))"
    )


def expected(demo: Running, seen: dict[str, Any], state: int) -> list[int]:
    dataset = demo.catalog.get(seen["dataset"])
    values = dataset.open_source(seen["source"]).rows[:, state].tolist()
    offsets = dataset.sequences.offsets.tolist()
    places = naive.strongest(values, offsets, seen["threshold"], seen["polarity"], 20)
    return [step for step, _, _ in places]


def test_a_chip_opens_it_by_mouse_and_by_keyboard(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    held, state = view(page), chips(page)[1]
    open_card(page, state)
    assert view(page) == held, "opening it changes nothing of the view"
    page.keyboard.press("Escape")
    expect(page.locator("#card")).to_be_hidden()
    assert view(page) == held, "Escape closes it and does nothing else"
    assert page.evaluate("() => document.activeElement.dataset.open") == str(state)
    page.keyboard.press("Enter")
    shown(page, state)
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.id") == "card-back"
    page.keyboard.press("Escape")
    expect(page.locator("#card")).to_be_hidden()
    assert page.evaluate("() => document.activeElement.dataset.open") == str(state)
    page.keyboard.press("Escape")
    settled(page)
    assert view(page)["start"] is None, "the next Escape clears the selection"


def test_a_click_on_the_red_line_opens_it_and_a_drag_brushes(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    held = view(page)
    # The point of the plot where a selected line is alone at a step of the brush.
    x, y, state = page.evaluate(
        """() => {
            const all = window.dash_clientside.statebrush, panel = all.panel();
            const view = panel.read('view'), win = panel.win(), info = panel.read('info');
            const states = panel.selection(view, win).states;
            const box = document.getElementById('thresholds').getBoundingClientRect();
            const [low, high] = info.range, pad = (high - low) * 0.03;
            const pixel = (value) => box.top
                + box.height * (high + pad - value) / (high - low + 2 * pad);
            let best = null;
            for (let t = win.start + 1; t < win.stop - 1; t++) {
                const at = states.map(c => pixel(win.values[(t - win.rows_start) * win.n_states + c]));
                at.forEach((y, i) => {
                    const away = Math.min(...at.filter((_, j) => j !== i).map(o => Math.abs(o - y)));
                    if (y < box.top + 8 || y > box.bottom - 8) return;
                    if (!best || away > best[3]) best = [t, y, states[i], away];
                });
            }
            const words = document.getElementById('words').getBoundingClientRect();
            const step = words.width / (win.stop - win.start);
            return [words.left + (best[0] - win.start + 0.5) * step, best[1], best[2]];
        }"""
    )
    page.mouse.move(x, y)
    page.wait_for_selector(f"#chips .sb-hot[data-chip='{state}']")
    page.mouse.down()
    page.mouse.up()
    shown(page, state)
    assert view(page) == held, "a click on a line is no brush"
    page.keyboard.press("Escape")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y, steps=5)
    page.mouse.up()
    settled(page)
    assert view(page)["start"] != held["start"]
    expect(page.locator("#card")).to_be_hidden()


@pytest.mark.parametrize("part", ["plot-pointer", "coverage"])
def test_the_lines_are_walked_along_with_the_keyboard(
    open_page: Callable[..., Page], demo: Running, part: str
) -> None:
    page = open_page(demo.url)
    held = view(page)
    page.locator(f"#{part}").focus()
    seen: list[int] = []
    for _ in range(3):
        page.keyboard.press("ArrowDown")
        page.wait_for_function(
            """seen => {
                const hover = window.dash_clientside.statebrush.panel().read('hover');
                return hover && hover.state !== null && hover.state !== seen;
            }""",
            arg=seen[-1] if seen else None,
        )
        seen.append(
            page.evaluate("() => window.dash_clientside.statebrush.panel().read('hover').state")
        )
    assert len(set(seen)) == 3
    assert set(seen) <= set(chips(page))
    page.keyboard.press("ArrowUp")
    page.wait_for_function(
        "s => window.dash_clientside.statebrush.panel().read('hover').state === s", arg=seen[1]
    )
    page.keyboard.press("Enter")
    shown(page, seen[1])
    page.keyboard.press("Escape")
    assert page.evaluate("() => document.activeElement.id") == part
    assert view(page) == held


def test_a_coverage_line_opens_it(open_page: Callable[..., Page], demo: Running) -> None:
    page = open_page(demo.url)
    state = chips(page)[0]
    page.click(f"#coverage rect[data-cover='{state}']")
    shown(page, state)
    page.click("#card-close")
    expect(page.locator("#card")).to_be_hidden()


@pytest.mark.parametrize("polarity", ["high", "low", "magnitude"])
def test_its_places_are_a_sort_of_the_column(
    open_page: Callable[..., Page], demo: Running, polarity: str
) -> None:
    page = open_page(f"{demo.url}?dataset=parens&source=layer1_cell")
    first, state = chips(page)[0], 12
    open_card(page, first)
    for _ in range(abs(state - first)):  # any state is reached from any other
        page.click("#card-on" if state > first else "#card-back")
    page.fill("#threshold-text", "0.3")
    page.press("#threshold-text", "Enter")
    page.locator("#polarity label", has_text=polarity).click()
    settled(page)
    shown(page, state)
    seen = view(page)
    expect(page.locator(".sb-card-row")).to_have_count(20)
    assert (seen["threshold"], seen["polarity"]) == (0.3, polarity)
    page.wait_for_function(
        "s => document.querySelector('.sb-card-row').dataset.step === s",
        arg=str(expected(demo, seen, state)[0]),
    )
    assert steps(page) == expected(demo, seen, state)
    rows = demo.catalog.get("parens").open_source("layer1_cell").rows[:, state].astype(float)
    threshold = seen["threshold"]
    on = {"high": rows >= threshold, "low": rows <= -threshold,
          "magnitude": np.abs(rows) >= threshold}[polarity].sum()  # fmt: skip
    assert f"{on:,} of {len(rows):,}" in page.inner_text("#card-share")


def test_a_row_opens_its_place_beside_the_card_and_back_returns(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    held, state = view(page), chips(page)[0]
    open_card(page, state)
    for index in (1, 2):
        step = steps(page)[index]
        page.click(f".sb-card-row[data-step='{step}']")
        settled(page)
        assert (view(page)["start"], view(page)["stop"]) == (step, step + 1)
        assert state in chips(page), "the state is on there"
        assert page.locator(".sb-card-row[aria-current]").get_attribute("data-step") == str(step)
        x, y = word_center(page, step)
        over = page.evaluate(
            "([x, y]) => document.elementFromPoint(x, y).closest('#card') !== null", [x, y]
        )
        assert not over, "the card does not cover the place"
    page.keyboard.press("ArrowDown")
    assert page.evaluate("() => document.activeElement.dataset.step") == str(steps(page)[3])
    page.keyboard.press("Enter")
    settled(page)
    assert view(page)["start"] == steps(page)[3]
    for _ in range(3):
        page.go_back()
    page.wait_for_function(
        "s => window.dash_clientside.statebrush.panel().read('view').start === s", arg=held["start"]
    )
    settled(page)
    expect(page.locator("#card")).to_be_visible()


def test_next_previous_and_only(open_page: Callable[..., Page], demo: Running) -> None:
    page = open_page(demo.url)
    all_states = chips(page)
    state = all_states[0]
    open_card(page, state)
    page.click("#card-on")
    shown(page, state + 1)
    page.click("#card-back")
    page.click("#card-back")
    n_states = page.evaluate(
        "() => window.dash_clientside.statebrush.panel().read('info').n_states"
    )
    before = (state - 1) % n_states
    shown(page, before)
    if before not in all_states:
        expect(page.locator("#card-only")).to_be_disabled()
    page.click("#card-on")
    shown(page, state)
    page.click("#card-only")
    settled(page)
    assert chips(page, "included") == [state]
    assert chips(page) == all_states


def test_it_follows_the_threshold_and_closes_with_the_source(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    state = chips(page)[0]
    open_card(page, state)
    before = posts(page)
    line = page.locator(".sb-threshold[data-line=upper]")
    line.focus()
    page.keyboard.press("PageUp")
    settled(page)
    threshold = view(page)["threshold"]
    expect(page.locator(".sb-card-marks")).to_contain_text(f"ℓ = {threshold}")
    dataset = demo.catalog.get("parens")
    rows = dataset.open_source(view(page)["source"]).rows[:, state].astype(float)
    on = (rows >= threshold).sum()
    expect(page.locator("#card-share")).to_contain_text(f"{on:,} of {len(rows):,}")
    assert posts(page) > before
    page.select_option("#source", "layer1_cell")
    settled(page)
    expect(page.locator("#card")).to_be_hidden()


def test_excluding_is_a_button_of_the_chip(open_page: Callable[..., Page], demo: Running) -> None:
    page = open_page(demo.url)
    state = chips(page)[0]
    page.locator(f"#chips [data-exclude='{state}']").focus()
    page.keyboard.press("Enter")
    settled(page)
    assert chips(page, "excluded") == [state]
    expect(page.locator("#card")).to_be_hidden()
    pressed = page.locator(f"#chips [data-exclude='{state}']").get_attribute("aria-pressed")
    assert pressed == "true"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1440, 900), (960, 600)])
def test_axe_finds_nothing_serious_and_it_fits(
    open_page: Callable[..., Page], demo: Running, scheme: str, width: int, height: int
) -> None:
    page = open_page(demo.url, scheme=scheme, width=width, height=height)
    open_card(page, chips(page)[0])
    box = page.locator("#card").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["y"] >= 0
    assert box["x"] + box["width"] <= width
    assert box["y"] + box["height"] <= height
    assert len(page.locator(".sb-card-row:visible").all()) == 20
    found = Axe().run(page).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert not serious, json.dumps(serious)[:3000]


def test_nan_and_infinities_are_counted_apart(
    open_page: Callable[..., Page], serve: Callable[..., Running], tmp_path: Path
) -> None:
    rows = np.zeros((200, 3), np.float32)
    rows[:, 0] = np.linspace(-1, 1, 200)
    rows[:, 1] = 0.5
    rows[3:6, 0], rows[9, 0], rows[20, 0] = np.nan, np.inf, -np.inf
    rows[:, 2] = np.nan
    write_dataset(
        tmp_path / "odd",
        tokens=["<b>", "\n", "", "w"] * 50,
        states={"one": rows},
    )
    page = open_page(serve(tmp_path / "odd").url + "?dataset=odd&sel=198:200&threshold=0.4")
    open_card(page, 0)
    said = page.inner_text("#card-share")
    assert "NaN at 3 steps" in said
    assert "∞ at 1 step" in said
    assert page.locator(".sb-card-row > span").first.inner_text() == "∞"
    assert steps(page)[0] == 9
    page.click("#card-on")
    shown(page, 1)
    expect(page.locator("#card-share")).to_contain_text("On at 100 %")
    page.click("#card-on")
    shown(page, 2)
    expect(page.locator("#card-values")).to_contain_text("There is no finite value.")
    expect(page.locator("#card-heading")).to_contain_text("every value is NaN")
