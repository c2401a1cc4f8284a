"""Paging, sorting and context of the listed matches."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Running, settled
from tests.browser.pages import brush, rows, view

pytestmark = pytest.mark.browser


def test_pages_follow_each_other_without_gap_or_repeat(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    first = rows(page)
    assert page.locator("#pager button").first.is_disabled()
    said = page.inner_text("#pager")
    assert said.startswith("1–50 of 1,")
    page.click("#pager button >> nth=1")
    settled(page)
    second = rows(page)
    assert page.inner_text("#pager").startswith("51–100 of ")
    assert "page=2" in page.url
    assert not {row["start"] for row in first} & {row["start"] for row in second}
    assert first[-1]["length"] >= second[0]["length"], "equal overlap: the long ones first"
    page.go_back()
    page.wait_for_function(
        "() => window.dash_clientside.statebrush.panel().read('view').page === 0"
    )
    settled(page)
    assert rows(page) == first
    last = int(said.split(" of ")[1].replace(",", "")) // 50 + 1
    page.goto(page.url + f"&page={last}")
    settled(page)
    assert page.locator("#pager button").nth(1).is_disabled()
    assert len(rows(page)) == int(said.split(" of ")[1].replace(",", "")) % 50
    brush(page, view(page)["first"] + 1, view(page)["first"] + 3)
    assert view(page)["page"] == 0, "new matches begin on their first page"


@pytest.mark.parametrize(
    ("name", "field", "down"), [("step", "start", False), ("length", "length", True)]
)
def test_a_heading_sorts_the_whole_list(
    open_page: Callable[..., Page], demo: Running, name: str, field: str, down: bool
) -> None:
    page = open_page(demo.url)
    ranked = rows(page)
    button = page.locator("#match-head [data-sort]", has_text=name)
    button.click()
    settled(page)
    found = [row[field] for row in rows(page)]
    assert found == sorted(found, reverse=down)
    button.click()
    settled(page)
    turned = [row[field] for row in rows(page)]
    assert turned == sorted(turned, reverse=not down)
    assert turned != found
    button.click()
    settled(page)
    assert rows(page) == ranked, "the third click returns to the ranking"


def test_the_context_moves_the_start_of_the_match(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)

    def column() -> int:
        return (
            page.locator("#match-rows a.sb-row")
            .nth(1)
            .evaluate(  # type: ignore[no-any-return]
                "r => [...r.querySelector('.sb-match-words').children].findIndex(c => c.className === 'sb-in')"
            )
        )

    usual = column()
    page.fill("#context", "2")
    page.press("#context", "Enter")
    page.wait_for_function(
        "() => window.dash_clientside.statebrush.panel().read('view').before_words === 2"
    )
    page.wait_for_selector("#match-rows a.sb-row .sb-match-words > .sb-in:nth-child(3)")
    assert column() == 2 != usual
    assert "context=2" in page.url
