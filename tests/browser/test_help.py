"""The help says which keys there are, and each of them does what it says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from components.help import KEYS
from tests.browser.conftest import Running, settled
from tests.browser.pages import chips, view

pytestmark = pytest.mark.browser


def test_the_question_mark_lists_every_key(open_page: Callable[..., Page], demo: Running) -> None:
    page = open_page(demo.url)
    page.keyboard.press("?")
    page.wait_for_selector(".sb-help")
    shown = page.locator(".sb-help th").all_inner_texts()
    assert shown == [key for key, _ in KEYS]
    first = view(page)["first"]
    page.keyboard.press("ArrowRight")
    assert view(page)["first"] == first, "keys belong to the help while it is open"
    page.keyboard.press("Escape")
    page.wait_for_selector(".sb-help", state="detached")
    assert view(page)["start"] is not None, "Escape closed the help and nothing else"
    page.click("#help-button")
    page.wait_for_selector(".sb-help")


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
    assert "Nothing is selected" in page.inner_text("#match-rows")
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
    page.wait_for_function("s => window.statebrush.read('view').start === s", arg=held["start"])
    settled(page)
    page.click("[data-clear]")
    settled(page)
    assert view(page)["start"] is None
