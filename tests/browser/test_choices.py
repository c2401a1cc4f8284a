"""On a page slowed six times, what a person chooses is never lost and never doubled."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from loaders.writer import write_dataset
from tests.browser.conftest import Running, settled
from tests.browser.pages import view

pytestmark = [pytest.mark.browser, pytest.mark.ci]

SLOWER = 6
TRACKS = ("parity", "third", "number", "word")


@pytest.fixture(scope="module")
def running(serve: Callable[..., Running], tmp_path_factory: pytest.TempPathFactory) -> Running:
    """Two datasets with three sources and four annotations each."""
    root = tmp_path_factory.mktemp("choices")
    steps = np.arange(300)
    for name in ("first", "second"):
        write_dataset(
            root / name,
            tokens=[f"w{i % 40}" for i in steps],
            states={
                source: np.sin(steps[:, None] / (3 + np.arange(20)) + shift).astype(np.float32)
                for shift, source in enumerate(("one", "two", "three"))
            },
            columns={
                "parity": [("even", "odd")[i % 2] for i in steps],
                "third": [f"t{i % 3}" for i in steps],
                "number": (steps / 300).tolist(),
                "word": [f"k{i % 5}" for i in steps],
            },
        )
    return serve(root)


@pytest.fixture
def page(open_page: Callable[..., Page], running: Running) -> Page:
    page = open_page(f"{running.url}?dataset=first&source=one&first=10&sel=20:22&threshold=0.3")
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    return page


def openings(page: Page) -> int:
    """How many views the page has asked for."""
    requests: list[str] = page.watch.requests  # type: ignore[attr-defined]
    return sum("/_view/open" in item for item in requests)


def entries(page: Page) -> int:
    return page.evaluate("() => history.length")  # type: ignore[no-any-return]


def chosen(page: Page, **fields: object) -> None:
    """Wait until the view has these values and is drawn."""
    page.wait_for_function(
        """fields => {
            const { panel, same } = window.dash_clientside.statebrush;
            const view = panel().read('view');
            return Object.keys(fields).every(name => same(view[name], fields[name]));
        }""",
        arg=fields,
    )
    settled(page)


def test_tracks_chosen_in_quick_succession_are_all_there_in_their_order(page: Page) -> None:
    before = view(page)["tracks"]
    page.click("summary:has-text('Annotations')")
    for name in before:
        page.uncheck(f"#track-picker [value='{name}']")
    for name in TRACKS:
        page.click(f"#track-picker label:has-text('{name}')")
    chosen(page, tracks=list(TRACKS))
    shown = page.locator("#track-rows .sb-track-block").evaluate_all(
        "all => all.map(t => t.dataset.track)"
    )
    assert shown == list(TRACKS)
    # with the keyboard: off, on again, on and off between two frames
    page.focus(f"#track-picker [value='{TRACKS[1]}']")
    for _ in range(5):
        page.keyboard.press("Space")
    chosen(page, tracks=[TRACKS[0], *TRACKS[2:]])
    assert not page.is_checked(f"#track-picker [value='{TRACKS[1]}']")


def test_a_track_chosen_while_the_view_changes_stays(page: Page) -> None:
    page.click("summary:has-text('Annotations')")
    had = view(page)["tracks"]
    name = next(name for name in TRACKS if name not in had)
    page.evaluate(
        """value => {
            // a drag in full flight: the view changes with every frame
            const panel = window.dash_clientside.statebrush.panel();
            let n = 0;
            const timer = setInterval(() => {
                panel.dispatch({ threshold: 0.3 + n / 1000 }, { dragging: n < 12 });
                if (n++ === 12) clearInterval(timer);
            }, 16);
        }""",
        name,
    )
    page.click(f"#track-picker label:has-text('{name}')")
    chosen(page, tracks=[*had, name], threshold=0.312)


@pytest.mark.parametrize("how", ["pointer", "keyboard"])
@pytest.mark.parametrize(
    ("picker", "field", "values"),
    [("source", "source", ["two", "three", "one"]), ("dataset", "dataset", ["second", "first"])],
)
def test_each_choice_opens_one_view_and_is_one_entry_of_the_history(
    page: Page, how: str, picker: str, field: str, values: list[str]
) -> None:
    for value in values:
        asked, held = openings(page), entries(page)
        if how == "pointer":
            page.select_option(f"#{picker}", value)
        else:
            options = page.eval_on_selector_all(f"#{picker} option", "all => all.map(o => o.value)")
            by = options.index(value) - options.index(page.input_value(f"#{picker}"))
            page.focus(f"#{picker}")
            for _ in range(abs(by)):
                page.keyboard.press("ArrowDown" if by > 0 else "ArrowUp")
        chosen(page, **{field: value})
        expect(page.locator(f"#{picker}")).to_have_value(value)
        if how == "pointer":
            assert openings(page) == asked + 1
            assert entries(page) == held + 1


def test_of_choices_faster_than_their_answers_the_last_counts(page: Page) -> None:
    page.focus("#source")
    for key in ("ArrowDown", "ArrowDown", "ArrowUp", "ArrowDown"):
        page.keyboard.press(key)
    last = page.eval_on_selector("#source", "select => select.options[2].value")
    chosen(page, source=last)
    expect(page.locator("#source")).to_have_value(last)
    page.go_back()
    page.wait_for_function(
        "last => window.dash_clientside.statebrush.panel().read('view').source !== last", arg=last
    )
    settled(page)
    expect(page.locator("#source")).to_have_value(view(page)["source"])


def test_a_number_typed_while_the_view_changes_is_taken_over_once(page: Page) -> None:
    page.click("#page-on")
    page.fill("#threshold-text", "0.425")
    page.press("#threshold-text", "Enter")
    page.click("#page-on")
    chosen(page, threshold=0.425)
    expect(page.locator("#threshold-text")).to_have_value("0.425")
    page.fill("#runs", "3")
    page.click("#polarity >> text=magnitude")
    chosen(page, runs=3, polarity="magnitude", threshold=0.425)
