"""The address holds the whole view; browsers never see each other's."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page

from app.web.view.url import View, write
from tests.browser.conftest import Running, settled
from tests.browser.pages import brush, chips, rows, sentence, view, words

pytestmark = pytest.mark.browser

PASSING = {"dragging", "history", "restored"}


def lasting(page: Page) -> dict[str, Any]:
    return {key: value for key, value in view(page).items() if key not in PASSING}


def test_a_copied_link_opens_the_same_picture_in_a_clean_browser(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    first = view(page)["first"]
    brush(page, first + 5, first + 8)
    page.fill("#threshold-text", "0.12")
    page.press("#threshold-text", "Enter")
    settled(page)
    page.locator("#chips [data-exclude]").first.click()
    settled(page)
    page.click("#page-on")
    settled(page)
    other = open_page(page.url)
    assert lasting(other) == lasting(page)
    assert words(other) == words(page)
    assert chips(other) == chips(page)
    assert rows(other) == rows(page)
    assert other.url == page.url


def walk_to(page: Page, search: str) -> None:
    """Come to an address as the browser's back and forward do: on the page that is open."""
    opened = view(page)["restored"]
    page.evaluate(
        "url => { history.pushState(null, '', url); dispatchEvent(new PopStateEvent('popstate')); }",
        search,
    )
    page.wait_for_function(
        "opened => window.dash_clientside.statebrush.panel().read('view').restored !== opened",
        arg=opened,
    )


def test_random_views_are_written_the_same_by_browser_and_python(
    open_page: Callable[..., Page], demo: Running
) -> None:
    dice = random.Random(5)
    dataset = demo.catalog.get("parens")
    page = open_page(demo.url)
    for number in range(20):
        source = dice.choice(list(dataset.sources))
        sequence = dice.randrange(len(dataset.sequences.offsets) - 1)
        low, high = map(int, dataset.sequences.offsets[sequence : sequence + 2])
        start = dice.randrange(low, high - 8)
        made = View(
            dataset=dataset.id,
            fp=dataset.fingerprint,
            source=source,
            # a link that is opened shows its brush; walking to it shows what was seen there
            first=max(0, start - dice.randrange(14 if number % 4 == 0 else 40)),
            start=start,
            stop=start + dice.randrange(1, 8),
            before=dice.choice([0, 0, 1, 5]),
            after=dice.choice([0, 0, 2]),
            threshold=dice.choice([0.1, 0.3, -0.05, 1e-7, round(dice.uniform(-1, 1), 3)]),
            polarity=dice.choice(["high", "low", "magnitude"]),
            excluded=tuple(sorted(dice.sample(range(128), dice.choice([0, 3, 60])))),
            pinned=dice.choice([None, 11]),
            tracks=tuple(dice.sample(["level", "kind"], dice.randrange(3)))
            if "kind" in dataset.annotations
            else ("level",),
            min_overlap=dice.choice([None, 2]),
            min_length=dice.choice([None, 3]),
            overlapping=dice.random() < 0.3,
            length=dice.choice([None, None, (2, 2), (21, 30)]),
            full_range=dice.random() < 0.3,
            zoom=dice.choice([26, 26, 14, 60]),
            runs=dice.choice([1, 1, 3]),
            mask=dice.random() < 0.3,
            sort=dice.choice(["rank", "rank", "-length", "start"]),
            before_words=dice.choice([None, 3]),
            auto=dice.random() < 0.8,
        )
        if number % 4 == 0:
            page.goto(demo.url + write(made))
        else:
            walk_to(page, write(made))
        settled(page)
        if made.length is not None and view(page)["length"] is None:
            page.wait_for_selector("text=all lengths are listed")  # no match has one of these
            made = replace(made, length=None)
        assert page.evaluate("() => location.search") == write(made)
        stored = {k: v for k, v in view(page).items() if k not in PASSING}
        assert (
            View(**{k: tuple(v) if isinstance(v, list) else v for k, v in stored.items()})  # type: ignore[arg-type]
            == made
        )


def test_a_link_shows_its_brush_in_a_narrower_window_and_back_what_was_seen(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(f"{demo.url}?dataset=parens&first=100&sel=130:134&threshold=0.3", width=640)
    assert set(range(130, 134)) <= words(page).keys()
    assert f"first={view(page)['first']}&" in page.url
    page.keyboard.press("PageUp")
    settled(page)
    away = words(page)
    assert not away.keys() & set(range(130, 134)), "a person who moves elsewhere stays there"
    page.click("#match-rows a.sb-row >> nth=-1")
    settled(page)
    assert words(page) != away
    page.go_back()
    page.wait_for_function(
        "first => window.dash_clientside.statebrush.panel().read('view').first === first",
        arg=min(away),
    )
    settled(page)
    assert words(page) == away
    beyond = open_page(f"{demo.url}?dataset=parens&first=200&sel=130:134&threshold=0.3", width=640)
    assert min(words(beyond)) == 200, "no window shows both: the link means the place"


def test_two_browsers_at_once_never_see_each_other(
    open_page: Callable[..., Page], demo: Running
) -> None:
    one, two = open_page(demo.url), open_page(demo.url)
    first = view(one)["first"]
    for turn in range(3):
        brush(one, first + 2 + 4 * turn, first + 5 + 4 * turn)
        brush(two, first + 20 + 4 * turn, first + 22 + 4 * turn)
        two.click("#page-on")
        settled(two)
        assert view(one)["start"] == first + 2 + 4 * turn
        assert view(two)["start"] == first + 20 + 4 * turn
        assert view(one)["first"] == first
        assert sentence(one) != sentence(two)
        two.keyboard.press("PageUp")
        settled(two)


def test_stale_and_unknown_parts_of_a_link_are_named_and_ignored(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(
        f"{demo.url}?dataset=parens&fp=00000000&hue=red&sel=5:2&threshold=0.3&exclude=5000&first=0"
    )
    page.wait_for_selector("text=has changed since this link was made")
    page.wait_for_selector("text=“hue” is unknown")
    page.wait_for_selector("text=start below stop")
    assert view(page)["threshold"] == 0.3
    assert view(page)["start"] is None
    other = open_page(f"{demo.url}?dataset=nothing")
    other.wait_for_selector("text=There is no dataset “nothing” here")
    assert view(other)["dataset"] == "parens"


def test_a_drag_is_one_step_of_the_history(open_page: Callable[..., Page], demo: Running) -> None:
    page = open_page(demo.url)
    start = view(page)["start"]
    length = page.evaluate("() => history.length")
    first = view(page)["first"]
    brush(page, first + 2, first + 9)
    assert page.evaluate("() => history.length") == length + 1
    page.go_back()
    page.wait_for_function(
        "start => window.dash_clientside.statebrush.panel().read('view').start === start", arg=start
    )
    settled(page)


def test_switching_the_source_keeps_the_place_and_drops_exclusions(
    open_page: Callable[..., Page], demo: Running
) -> None:
    dataset = demo.catalog.get("parens")
    page = open_page(demo.url)
    page.locator("#chips [data-exclude]").first.click()
    settled(page)
    before = view(page)
    other = next(item for item in dataset.sources.values() if item.name != before["source"])
    page.select_option("#source", label=other.title)
    page.wait_for_function(
        "name => window.dash_clientside.statebrush.panel().read('view').source === name",
        arg=other.name,
    )
    settled(page)
    after = view(page)
    assert after["excluded"] == []
    assert [after[k] for k in ("first", "start", "stop", "before", "after", "tracks")] == [
        before[k] for k in ("first", "start", "stop", "before", "after", "tracks")
    ]
    page.wait_for_selector("text=Exclusions cleared")
    page.go_back()
    page.wait_for_function(
        "name => window.dash_clientside.statebrush.panel().read('view').source === name",
        arg=before["source"],
    )
    settled(page)
    assert view(page)["excluded"] == before["excluded"]
