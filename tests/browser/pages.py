"""What a person does and sees, in words that tests read well with."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from tests.browser.conftest import settled


def view(page: Page) -> dict[str, Any]:
    """The state of the page, as its store holds it."""
    return page.evaluate("() => window.dash_clientside.statebrush.panel().read('view')")  # type: ignore[no-any-return]


def words(page: Page) -> dict[int, str]:
    """The visible words by step."""
    return {
        int(step): text
        for step, text in page.eval_on_selector_all(
            "#word-layer .sb-word", "all => all.map(w => [w.dataset.step, w.innerText])"
        )
    }


def word_center(page: Page, step: int) -> tuple[float, float]:
    box = page.locator(f"#word-layer .sb-word[data-step='{step}']").bounding_box()
    assert box is not None, f"step {step} is not in view"
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, start: tuple[float, float], stop: tuple[float, float], steps: int = 8) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*stop, steps=steps)
    page.mouse.up()


def brush(page: Page, start: int, stop: int) -> None:
    """Brush the words [start, stop) with the mouse and wait for the answer."""
    drag(page, word_center(page, start), word_center(page, stop - 1))
    settled(page)


def chips(page: Page, kind: str = "") -> list[int]:
    """The states in the list: all, or only ``excluded`` or ``included``."""
    query = {
        "": "#chips .sb-chip",
        "excluded": "#chips .sb-chip.sb-excluded",
        "included": "#chips .sb-chip:not(.sb-excluded)",
    }[kind]
    return page.eval_on_selector_all(query, "all => all.map(c => Number(c.dataset.chip))")  # type: ignore[no-any-return]


def rows(page: Page) -> list[dict[str, Any]]:
    """The listed matches, as a person reads them."""
    return page.eval_on_selector_all(  # type: ignore[no-any-return]
        "#match-rows a.sb-row",
        """all => all.map(row => ({
            start: Number(row.dataset.start), stop: Number(row.dataset.stop),
            states: row.querySelector('.sb-why').children[0].innerText,
            length: Number(row.querySelector('.sb-why').children[2].innerText),
            words: [...row.querySelectorAll('.sb-match-words > .sb-in > i:first-child')]
                .map(w => w.innerText),
        }))""",
    )


def add_track(page: Page, name: str) -> None:
    """Choose an annotation, as a person does, and close the menu."""
    page.click("summary:has-text('Annotations')")
    page.check(f"#track-picker [value='{name}']")
    page.keyboard.press("Escape")


def sentence(page: Page) -> str:
    return page.inner_text("#match-sentence")


def posts(page: Page) -> int:
    """How many times the page has asked the server for data."""
    requests: list[str] = page.watch.requests  # type: ignore[attr-defined]
    return sum("/_view/" in item or ("POST" in item and "/_jobs/" in item) for item in requests)


def sent(page: Page) -> int:
    """How many requests the page has sent, whatever for."""
    requests: list[str] = page.watch.requests  # type: ignore[attr-defined]
    return sum(" http" in item for item in requests)
