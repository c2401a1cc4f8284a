"""The help says which keys there are, and each of them does what it says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from components.help import KEYS
from tests.browser.conftest import Running, settled
from tests.browser.pages import chips, sentence, view

pytestmark = pytest.mark.browser


def test_the_question_mark_lists_every_key(open_page: Callable[..., Page], demo: Running) -> None:
    page = open_page(demo.url)
    page.keyboard.press("?")
    page.wait_for_selector(".sb-help")
    shown = page.locator(".sb-help th").all_inner_texts()
    expect(page.locator(".sb-help th").last).to_be_in_viewport()  # nothing to scroll for
    assert shown == [key for key, _ in KEYS]
    first = view(page)["first"]
    page.keyboard.press("ArrowRight")
    assert view(page)["first"] == first, "keys belong to the help while it is open"
    page.keyboard.press("Escape")
    page.wait_for_selector(".sb-help", state="detached")
    assert view(page)["start"] is not None, "Escape closed the help and nothing else"
    page.click("#help-button")
    page.wait_for_selector(".sb-help")


def test_the_dataset_says_what_it_is_and_menus_close(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    held = view(page)
    dataset = demo.catalog.get("parens")
    page.click("#about summary")
    said = page.inner_text("#description")
    assert dataset.description.split(",")[0] in said
    assert f"{dataset.n_steps:,} steps in {len(dataset.sequences):,} sequences" in said
    assert all(name in said for name in dataset.annotations)
    page.keyboard.press("Escape")
    assert page.locator("#description").is_hidden()
    assert view(page)["start"] == held["start"], "Escape closed the menu and nothing else"
    page.click("#download-menu summary")
    page.wait_for_selector("#download-csv:visible")
    page.mouse.click(700, 300)
    assert page.locator("#download-csv").is_hidden()


def test_the_help_of_a_picker_leaves_its_list_free(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    page.hover("summary:has-text('Annotations')")
    page.wait_for_selector("[role=tooltip]:visible")
    page.click("summary:has-text('Annotations')")
    page.wait_for_selector("#track-picker label:visible")
    page.wait_for_timeout(700)  # longer than the help waits
    assert page.locator("[role=tooltip]:visible").count() == 0


def test_the_selection_is_cleared_and_made_with_keys(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    held = view(page)
    page.keyboard.press("Escape")
    settled(page)
    assert view(page)["start"] is None
    assert chips(page) == []
    assert "Nothing is selected" in page.inner_text("#chips")
    assert "Nothing is selected" in sentence(page)
    assert page.inner_text("#selection-text") == "", "it is said once here and once there"
    page.keyboard.press("b")
    settled(page)
    start = view(page)["start"]
    assert view(page)["stop"] == start + 1
    page.wait_for_function("() => document.activeElement.dataset.handle === 'stop'")
    page.keyboard.press("ArrowRight")
    settled(page)
    assert (view(page)["start"], view(page)["stop"]) == (start, start + 2)
    for _ in range(3):
        page.go_back()
    page.wait_for_function(
        "s => window.dash_clientside.statebrush.panel().read('view').start === s", arg=held["start"]
    )
    settled(page)
    page.click("[data-clear]")
    settled(page)
    assert view(page)["start"] is None
