"""Long words are readable beside short ones, and are at their own step."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from loaders.writer import write_dataset
from tests.browser.conftest import Running, settled
from tests.browser.pages import drag, view, word_center

pytestmark = pytest.mark.browser

#: Of each word of a row: its column and its letters, in px, and how much narrower they are drawn.
BOXES = """(words) => words.map((word) => {
    const column = word.parentElement.getBoundingClientRect();
    const box = word.getBoundingClientRect();
    const drawn = /scale\\(([\\d.]+),/.exec(word.style.transform);
    return {
        text: word.textContent, scale: drawn ? Number(drawn[1]) : 1, left: box.left, right: box.right,
        column: [column.left, column.right],
    };
})"""


def boxes(page: Page, words: str) -> list[dict[str, Any]]:
    return page.eval_on_selector_all(words, BOXES)  # type: ignore[no-any-return]


def test_long_words_take_the_room_that_short_neighbours_leave(
    open_page: Callable[..., Page], serve: Callable[..., Running], tmp_path: Path
) -> None:
    phrase = ["a", "government", ",", "of", "reporters", "is", "in", "electricity", "!", "so"]
    write_dataset(
        tmp_path / "long",
        tokens=(["x", *phrase] * 12)[1:],
        sequences=np.repeat(np.arange(13), 11)[: 12 * 11 - 1].tolist(),
        states={"h": np.sin(np.arange(131)[:, None] / np.arange(3, 9)).astype(np.float32)},
        annotations={"half": (["even", "odd"] * 66)[:131]},
    )
    link = "?dataset=long&first=0&sel=1:3&threshold=0.3&width=40&track=half"
    page = open_page(serve(tmp_path / "long").url + link)
    shown = boxes(page, "#word-layer .sb-word > span")
    assert [word["text"] for word in shown[: len(phrase)]] == phrase
    narrow = [word for word in shown if word["scale"] < 0.7]
    assert not narrow
    assert any(word["right"] > word["column"][1] + 4 for word in shown), "letters in another column"
    starts = [11 * i for i in range(1, len(shown) // 11 + 1)]
    for i, (word, following) in enumerate(itertools.pairwise(shown)):
        assert word["right"] < following["left"] + 0.1, (word, following)
        left, right = word["column"]
        inside = left <= word["left"] and word["right"] <= right
        filling = word["left"] <= left + 3 and right - 3 <= word["right"]
        assert inside or filling, "a word is in its own column, or fills it and reaches beyond"
        if i + 1 in starts:
            assert word["right"] <= word["column"][1], "no word reaches into another sequence"
    listed = page.locator("#match-rows a.sb-row").count()
    assert listed > 0
    for number in range(listed):
        row = f"#match-rows [role=listitem]:nth-child({number + 1}) .sb-match-words"
        drawn = [word for word in boxes(page, f"{row} > span > i") if word["text"]]
        for word, following in itertools.pairwise(drawn):
            assert word["right"] < following["left"] + 0.1, (word, following)
        match = boxes(page, f"{row} > .sb-in > i")
        assert match[0]["left"] >= match[0]["column"][0], "the match begins in its own column"
        assert match[-1]["right"] <= match[-1]["column"][1]
    beyond = """() => [...document.querySelectorAll('#match-rows .sb-match-words > span > i')]
        .filter(word => word.textContent
            && word.getBoundingClientRect().right > word.parentElement.getBoundingClientRect().right)
        .map(word => word.textContent)"""
    assert page.evaluate(beyond)
    page.click("#match-head [data-colour='half']")
    page.wait_for_selector("#match-head [data-colour='half'][aria-pressed=true]")
    settled(page)
    assert page.evaluate(beyond) == [], "a word over two colours seems to have both"


def test_words_stand_upright_in_steps_too_narrow_for_them(
    open_page: Callable[..., Page], serve: Callable[..., Running], tmp_path: Path
) -> None:
    phrase = ["a", "government", ",", "of", "acknowledgements", "is", "inevitable"]
    write_dataset(
        tmp_path / "many",
        tokens=phrase * 30,
        states={"h": np.sin(np.arange(210)[:, None] / np.arange(3, 9)).astype(np.float32)},
    )
    page = open_page(serve(tmp_path / "many").url + "?dataset=many&first=0&sel=1:3&width=12")
    shown = boxes(page, "#word-layer .sb-word > span")
    assert [word["text"] for word in shown[:7]] == phrase
    strip = page.locator("#words").bounding_box()
    assert strip is not None
    for number, word in enumerate(shown[:7]):
        box = page.locator("#word-layer .sb-word > span").nth(number).bounding_box()
        assert box is not None
        assert strip["y"] <= box["y"] < strip["y"] + 4, "at the top, beside the plot"
        assert box["y"] + box["height"] <= strip["y"] + strip["height"]
        assert word["column"][0] - 0.1 <= word["left"] <= word["right"] <= word["column"][1] + 0.1
    assert shown[1]["right"] - shown[1]["left"] < 13
    drag(page, word_center(page, 20), word_center(page, 23))
    assert (view(page)["start"], view(page)["stop"]) == (20, 24), "brushed as ever"
    for _ in range(6):
        page.click("#zoom-in")
    settled(page)
    assert page.locator("#word-layer .sb-upright").count() == 0
    lying = page.locator("#words").bounding_box()
    assert lying is not None
    assert lying["height"] < strip["height"]
