"""Anyone can use it: axe finds nothing serious, the keyboard reaches what the mouse does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import Running, settled
from tests.browser.pages import rows, view

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(
    open_page: Callable[..., Page], demo: Running, scheme: str
) -> None:
    page = open_page(demo.url, scheme=scheme)
    assert page.evaluate("() => document.documentElement.dataset.mantineColorScheme") == scheme
    found = [
        f"{item['id']}: {item['help']} ({item['nodes'][0]['html'][:160]})"
        for item in Axe().run(page).response["violations"]
        if item["impact"] in {"serious", "critical"}
    ]
    assert found == []


def test_the_colour_scheme_is_switched_and_remembered(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url, scheme="light")
    ground = "() => getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.click("#color-scheme")
    page.wait_for_function(
        "() => window.dash_clientside.statebrush.panel().read('theme') === 'dark'"
    )
    assert page.evaluate(ground) != light
    page.wait_for_function(
        "() => document.querySelector('#faint-figure .js-plotly-plot').data[0].line.color"
        " === window.dash_clientside.statebrush.panel().read('skeletons').dark.faint.data[0].line.color"
    )
    page.reload()
    settled(page)
    assert page.evaluate("() => document.documentElement.dataset.mantineColorScheme") == "dark"


def test_a_row_is_opened_with_the_keyboard(open_page: Callable[..., Page], demo: Running) -> None:
    page = open_page(demo.url)
    wanted = rows(page)[2]
    page.locator("#match-rows a.sb-row").nth(2).focus()
    page.keyboard.press("Enter")
    settled(page)
    assert (view(page)["start"], view(page)["stop"]) == (wanted["start"], wanted["stop"])


def test_every_control_has_a_name(open_page: Callable[..., Page], demo: Running) -> None:
    page = open_page(demo.url)
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('button, input, a, [role=slider]')]
            .filter(e => e.offsetParent !== null && e.type !== 'hidden' && e.tabIndex >= 0)
            .filter(e => !(e.getAttribute('aria-label') || e.innerText.trim() || e.title
                || e.getAttribute('aria-labelledby') || (e.labels && e.labels.length)))
            .map(e => e.outerHTML.slice(0, 160))"""
    )
    assert nameless == []
