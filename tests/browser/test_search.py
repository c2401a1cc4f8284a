"""Phrase search: find, jump, next and previous with the keyboard, bad expressions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from app.phrases import SearchService
from tests.browser.conftest import Running, settled
from tests.browser.pages import view, words

pytestmark = pytest.mark.browser


def jumped(page: Page, start: int) -> None:
    page.wait_for_function(
        "s => window.dash_clientside.statebrush.panel().read('view').start === s", arg=start
    )
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
    page.wait_for_function(
        "s => window.dash_clientside.statebrush.panel().read('view').start !== s", arg=start
    )


def test_places_are_listed_while_one_types_and_the_view_stays(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    held = view(page)
    page.keyboard.press("/")
    page.wait_for_selector(".sb-search-help:visible")
    assert page.locator(".sb-result").count() == 0
    places = SearchService().find(demo.catalog.get("parens"), "( 4").positions.tolist()
    page.keyboard.type("( 4")
    page.wait_for_selector(f"#search-count:has-text('{len(places):,} places')")
    following = next(step for step in places if step >= held["first"])
    marked = page.locator(".sb-result[aria-current=true]")
    assert int(marked.get_attribute("data-start") or -1) == following
    assert view(page) == held, "looking moves nothing"
    page.keyboard.press("Enter")
    jumped(page, following)
    page.keyboard.press("Enter")
    jumped(page, next(step for step in places if step > following))
    # a place of a list that was only shown can be opened as well, and the next one from there
    page.fill("#search-box", "( 3")
    page.wait_for_selector(".sb-result b:has-text('( 3')")
    start = int(page.locator(".sb-result").nth(1).get_attribute("data-start") or -1)
    page.locator(".sb-result").nth(1).click()
    jumped(page, start)
    others = SearchService().find(demo.catalog.get("parens"), "( 3").positions.tolist()
    page.press("#search-box", "Enter")
    jumped(page, others[others.index(start) + 1])
    # closed before the answer came, the panel stays closed
    page.fill("#search-box", "( 2")
    page.press("#search-box", "Escape")
    page.wait_for_timeout(600)
    assert page.locator("#search-panel").is_hidden()


@pytest.mark.parametrize(
    ("phrase", "said"),
    [
        ("/(/", "not a valid regular expression"),
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
