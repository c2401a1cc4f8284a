"""What the tutorial says that one sees is what the page shows when its steps are followed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from demos.registry import ensure
from loaders import Dataset
from tests.browser.conftest import Running, settled
from tests.browser.pages import brush, chips, rows, sentence, view, word_center, words

pytestmark = [pytest.mark.browser, pytest.mark.ci]


@pytest.fixture
def opened(
    open_page: Callable[..., Page], serve: Callable[..., Running], cache_dir: Path
) -> Callable[[str], tuple[Page, Dataset]]:
    def start(name: str) -> tuple[Page, Dataset]:
        running = serve(ensure(name, cache_dir / "demos"))
        return open_page(running.url), running.catalog.get(name)

    return start


def drag_limit(page: Page, side: str, steps: int = 1) -> None:
    """Drag a grey end outwards."""
    step = word_center(page, min(words(page)) + 1)[0] - word_center(page, min(words(page)))[0]
    box = page.locator(f"[data-handle={side}]").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + (-1 if side == "before" else 1) * steps * step, y, steps=4)
    page.mouse.up()
    settled(page)


def labels(dataset: Dataset, name: str) -> list[str | None]:
    """The label of a categorical annotation at each step."""
    track = dataset.annotations[name]
    codes = track.codes(0, dataset.n_steps)  # type: ignore[union-attr]
    known = [category.label for category in track.categories]  # type: ignore[union-attr]
    return [None if code < 0 else known[code] for code in codes.tolist()]


def spans(dataset: Dataset, label: str) -> set[tuple[int, int]]:
    """The phrases with a label."""
    track: Any = dataset.annotations["phrase"]
    found = track.spans(0, dataset.n_steps)
    return {(start, stop) for start, stop, name in found if name == label}


def test_levels(opened: Callable[[str], tuple[Page, Dataset]]) -> None:
    page, dataset = opened("parens")
    level = labels(dataset, "level")
    # 1: the matches with all states are at levels 3 and 4
    assert "1,060 with all 12 states" in sentence(page)
    for row in rows(page):
        assert set(level[row["start"] : row["stop"]]) <= {"3", "4"}
    # 2: with the left end of the grey slider one step to the left, the fourth level
    seen = words(page)
    start = next(s for s in seen if seen.get(s) == "(" and seen.get(s + 1) == "4")
    brush(page, start, start + 2)
    drag_limit(page, "before")
    assert view(page)["before"] == 1
    assert chips(page)
    for row in rows(page):
        assert "4" in level[row["start"] : row["stop"]]
    # 3: state 39 of layer 1, cell state
    page.select_option("#source", label="layer 1, cell state")
    page.wait_for_function(
        "() => window.dash_clientside.statebrush.panel().read('view').source === 'layer1_cell'"
    )
    settled(page)
    page.fill("#pinned", "39")
    page.press("#pinned", "Enter")
    settled(page)
    on = page.evaluate(
        """() => {
            const panel = window.dash_clientside.statebrush.panel();
            const view = panel.read('view'), win = panel.win();
            return Array.from({ length: win.stop - win.start }, (_, i) =>
                win.values[(win.start + i - win.rows_start) * win.n_states + 39] >= view.threshold);
        }"""
    )
    first = view(page)["first"]
    assert on == [label == "4" for label in level[first : first + len(on)]]
    assert True in on
    assert False in on


def test_noun_phrases(opened: Callable[[str], tuple[Page, Dataset]]) -> None:
    page, dataset = opened("english")
    seen, now = words(page), view(page)
    assert [seen[s] for s in range(now["start"], now["stop"])] == ["an", "enormous", "gift"]
    assert (now["before"], now["after"]) == (1, 1)
    assert page.inner_text("#selection-text").startswith("3 of 200 states on")
    assert "26 with all 3 states" in sentence(page)
    phrases = spans(dataset, "NP")
    listed = rows(page)
    full = [row for row in listed if row["states"] == "3/3"]
    assert len(full) == 26
    assert all((row["start"], row["stop"]) in phrases for row in full)
    assert sum((row["start"], row["stop"]) in phrases for row in listed[:50]) == 29
    texts = {" ".join(dataset.tokens(row["start"], row["stop"])).lower() for row in full}
    assert {"the most perfect body", "all the pressures", "another home-bred product"} <= texts


def test_open_verb_phrases(opened: Callable[[str], tuple[Page, Dataset]]) -> None:
    page, dataset = opened("english")
    page.fill("#search-box", "would be willing")
    page.press("#search-box", "Enter")
    settled(page)
    page.keyboard.press("Escape")
    start = view(page)["start"]
    assert dataset.tokens(start, start + 3) == ["would", "be", "willing"]
    brush(page, start, start + 2)
    assert (view(page)["start"], view(page)["stop"]) == (start, start + 2)
    drag_limit(page, "before")
    assert len(chips(page)) == 4
    listed = rows(page)[:50]
    begins = {begin for begin, _ in spans(dataset, "VP")}
    assert sum(row["start"] in begins for row in listed) == 47
    texts = {" ".join(dataset.tokens(row["start"], row["stop"])).lower() for row in listed}
    assert {"could not", "should not be", "could be"} <= texts


def test_chords(opened: Callable[[str], tuple[Page, Dataset]]) -> None:
    page, dataset = opened("chords")
    now = view(page)
    assert now["stop"] - now["start"] == 12
    assert len(chips(page)) == 5
    assert "232 with all 5 states" in sentence(page)
    source = dataset.open_source(now["source"])
    threshold = now["threshold"]
    page.fill("#pinned", "94")
    page.press("#pinned", "Enter")
    settled(page)
    first = view(page)["first"]
    n_steps = len(words(page))
    here = np.asarray(source.window(first, first + n_steps))[:, 94]
    assert not (here >= threshold).any(), "the red line never reaches the threshold"
    page.fill("#position", "20360")
    page.press("#position", "Enter")
    settled(page)
    assert view(page)["first"] == 20360
    there = np.asarray(source.window(20360, 20360 + n_steps))[:, 94]
    assert (there >= threshold).mean() > 0.7, "above the threshold most of the time"
    # a passage in which it is on throughout, with both limits
    passage = page.evaluate(
        """() => {
            const panel = window.dash_clientside.statebrush.panel();
            const view = panel.read('view'), win = panel.win();
            let best = [0, 0], from = null;
            const sequence = new Set(win.sequences.map((s) => s.start));
            for (let t = win.start; t <= win.stop; t++) {
                const on = t < win.stop && !sequence.has(t)
                    && win.values[(t - win.rows_start) * win.n_states + 94] >= view.threshold;
                if (on && from === null) from = t;
                if (!on && from !== null) {
                    if (from > win.start && t < win.stop && t - from > best[1] - best[0]) best = [from, t];
                    from = null;
                }
            }
            return best;
        }"""
    )
    page.keyboard.press("Escape")
    settled(page)
    brush(page, *passage)
    assert 94 in chips(page)
    drag_limit(page, "before")
    drag_limit(page, "after")
    assert chips(page) == [94]
