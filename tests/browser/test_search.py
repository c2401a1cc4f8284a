"""Phrase search: find, jump, next and previous with the keyboard, bad expressions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from app.search import SearchService
from tests.browser.conftest import Running, settled
from tests.browser.pages import view, words

pytestmark = pytest.mark.browser


def jumped(page: Page, start: int) -> None:
    page.wait_for_function("s => window.statebrush.read('view').start === s", arg=start)
    settled(page)


def test_a_phrase_is_found_jumped_to_and_walked_through(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    phrase = "( /[34]/ 4"
    places = SearchService().find(demo.catalog.get("parens"), phrase).positions.tolist()
    at = next(i for i, step in enumerate(places) if step >= view(page)["first"])
    page.keyboard.press("/")
    page.keyboard.type(phrase)
    page.keyboard.press("Enter")
    jumped(page, places[at])
    assert view(page)["stop"] == places[at] + 3
    assert places[at] in words(page)
    assert page.inner_text("#search-count") == f"{at + 1:,} of {len(places):,} places"
    page.keyboard.press("Enter")
    jumped(page, places[at + 1])
    page.keyboard.press("Shift+Enter")
    jumped(page, places[at])
    page.click("#search-next")
    jumped(page, places[at + 1])
    result = page.locator(".sb-result").last
    start = int(result.get_attribute("data-start") or 0)
    assert "( 4 4" in result.inner_text()
    result.click()
    jumped(page, start)
    page.keyboard.press("Escape")
    assert page.locator("#search-panel").is_hidden()
    assert view(page)["start"] == start, "Escape closed the panel, the selection stays"
    page.go_back()
    page.wait_for_function("s => window.statebrush.read('view').start !== s", arg=start)


@pytest.mark.parametrize(
    ("phrase", "said"),
    [
        ("/(/", "not a regular expression"),
        ("zebra", "zebra"),
        ("4 0", "occurs"),
    ],
)
def test_what_is_not_found_says_why(
    open_page: Callable[..., Page], demo: Running, phrase: str, said: str
) -> None:
    page = open_page(demo.url)
    before = view(page)["start"]
    page.fill("#search-box", phrase)
    page.press("#search-box", "Enter")
    page.wait_for_selector(f"#search-count:has-text('{said}')")
    assert view(page)["start"] == before
