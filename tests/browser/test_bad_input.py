"""Bad data and bad requests end in one clear sentence, and everything else goes on working."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page

from loaders.writer import write_dataset
from tests.browser.conftest import Running, settled
from tests.browser.pages import brush, chips, rows, sentence, view

pytestmark = pytest.mark.browser


def waves(n_steps: int, n_states: int) -> np.ndarray:
    steps = np.arange(n_steps)[:, None]
    return np.sin(steps / (3 + np.arange(n_states)) + np.arange(n_states)).astype(np.float32)


def test_a_broken_dataset_beside_a_good_one_is_refused_with_a_sentence(
    open_page: Callable[..., Page], serve: Callable[..., Running], tmp_path: Path
) -> None:
    tokens = [f"w{i}" for i in range(40)]
    write_dataset(tmp_path / "good", tokens=tokens, states={"h": waves(40, 5)})
    write_dataset(tmp_path / "short", tokens=tokens, states={"h": waves(40, 5)})
    write_dataset(tmp_path / "other", tokens=tokens[:30], states={"h": waves(30, 5)})
    (tmp_path / "other" / "states" / "h.parquet").replace(
        tmp_path / "short" / "states" / "h.parquet"
    )
    (tmp_path / "other" / "states" / "h.parquet").write_bytes(b"PAR1 this is no Parquet file")
    running = serve(tmp_path)
    page = open_page(f"{running.url}?dataset=good")
    assert view(page)["dataset"] == "good"
    for name, words in (("short", "30"), ("other", "h.parquet")):
        page.select_option("#dataset", name)
        notice = page.locator(".mantine-Notification-root").last
        page.wait_for_function(
            "word => [...document.querySelectorAll('.mantine-Notification-root')]"
            ".some(n => n.innerText.includes(word))",
            arg=words,
        )
        assert "Traceback" not in notice.inner_text()
        assert view(page)["dataset"] == "good"
        page.wait_for_function("() => document.querySelector('#dataset').value === 'good'")
    brush(page, view(page)["first"] + 1, view(page)["first"] + 3)
    assert sentence(page)
    linked = open_page(f"{running.url}?dataset=short")
    linked.wait_for_selector(".mantine-Notification-root")
    assert view(linked)["dataset"] == "good"


def test_nothing_but_a_broken_dataset_says_so_on_the_page(
    open_page: Callable[..., Page], serve: Callable[..., Running], tmp_path: Path
) -> None:
    write_dataset(tmp_path / "only", tokens=["a", "b"], states={"h": waves(2, 2)})
    (tmp_path / "only" / "tokens.parquet").unlink()
    running = serve(tmp_path / "only")
    page = open_page(running.url, wait=False)
    page.wait_for_selector("#banner:not([hidden])")
    assert "tokens.parquet" in page.inner_text("#banner")


@pytest.mark.parametrize(("n_steps", "n_states"), [(1, 1), (1, 6), (50, 1), (7, 300)])
def test_tiny_data_opens(
    open_page: Callable[..., Page],
    serve: Callable[..., Running],
    tmp_path: Path,
    n_steps: int,
    n_states: int,
) -> None:
    write_dataset(
        tmp_path / "tiny",
        tokens=[f"w{i}" for i in range(n_steps)],
        states={"h": waves(n_steps, n_states)},
    )
    page = open_page(serve(tmp_path / "tiny").url)
    assert page.locator("#word-layer .sb-word").count() == n_steps
    brush(page, 0, 1)
    assert (view(page)["start"], view(page)["stop"]) == (0, 1)
    page.keyboard.press("PageDown")
    page.keyboard.press("PageUp")
    page.fill("#threshold-text", "-5")
    page.press("#threshold-text", "Enter")
    settled(page)
    assert len(chips(page)) == n_states
    assert len(rows(page)) == 1


def test_nan_columns_infinities_and_odd_words_are_shown(
    open_page: Callable[..., Page], serve: Callable[..., Running], tmp_path: Path
) -> None:
    values = waves(60, 4)
    values[:, 1] = np.nan
    values[10:20, 2] = np.inf
    tokens = ["", " ", "\n", "<b>&amp;</b>", "naïve", "日本語", "a b", "x" * 400, "\t", "'\""] * 6
    write_dataset(tmp_path / "odd", tokens=tokens, states={"h": values})
    page = open_page(
        serve(tmp_path / "odd").url + "?dataset=odd&first=0&sel=10:13&threshold=0.1&width=96"
    )
    page.wait_for_selector("text=/NaN/")
    assert 1 not in chips(page)
    assert 2 in chips(page)
    shown = page.eval_on_selector_all(
        "#word-layer .sb-word > span", "all => all.slice(0, 7).map(w => w.textContent)"
    )
    assert shown == ["∅", "␣", "⏎", "<b>&amp;</b>", "naïve", "日本語", "a b"]
    assert page.locator("#match-rows b b").count() == 0, "words are escaped"


def test_infinite_values_are_drawn_at_the_end_of_the_axis(
    open_page: Callable[..., Page], serve: Callable[..., Running], tmp_path: Path
) -> None:
    values = waves(30, 4)
    values[:, 1], values[:, 3] = np.inf, -np.inf  # no line of theirs would be seen at all
    values[4, 1] = np.nan
    write_dataset(tmp_path / "endless", tokens=["w"] * 30, states={"h": values})
    page = open_page(
        serve(tmp_path / "endless").url + "?dataset=endless&first=0&sel=1:3&threshold=0.1"
    )
    assert 1 in chips(page)
    page.wait_for_selector("text=/drawn at the end of the axis/")
    found = page.evaluate(
        """() => ['faint-figure', 'lines-figure'].map(id => {
            const { data, layout } = document.querySelector(`#${id} .js-plotly-plot`);
            return { x: Array.from(data[0].x), y: Array.from(data[0].y), range: layout.yaxis.range };
        })"""
    )
    for one in found:
        low, high = one["range"]
        shown = np.array([math.nan if y is None else y for y in one["y"]], float)
        top = shown > high - 0.02 * (high - low)
        assert top.sum() >= 8, "its line is on the axis"
        assert np.nanmax(shown) < high, "inside, where it is not cut"
    low, high = found[0]["range"]
    shown = np.array([math.nan if y is None else y for y in found[0]["y"]], float)
    assert low < np.nanmin(shown) < low + 0.02 * (high - low), "-infinity is at the other end"


def test_a_dataframe_saved_with_its_index_opens_with_a_notice(
    open_page: Callable[..., Page], serve: Callable[..., Running], tmp_path: Path
) -> None:
    folder = tmp_path / "frames"
    (folder / "states").mkdir(parents=True)
    index = pd.Index([f"r{i}" for i in range(60)], name="row")  # a RangeIndex is no column
    tokens = pd.DataFrame({"token": [f"w{i}" for i in range(60)]}, index=index)
    tokens.to_parquet(folder / "tokens.parquet")
    states = pd.DataFrame(waves(60, 5), index=index).rename(columns=str)
    states.to_parquet(folder / "states" / "h.parquet")
    running = serve(folder)
    page = open_page(running.url)
    page.wait_for_selector("text=/index/")
    assert running.catalog.get("frames").open_source("h").n_states == 5
    brush(page, view(page)["first"], view(page)["first"] + 2)
    assert all(state < 5 for state in chips(page))


def test_a_server_that_is_gone_is_told(open_page: Callable[..., Page], demo: Running) -> None:
    page = open_page(demo.url)
    page.route("**/_view/**", lambda route: route.abort())
    page.click("#page-on")
    page.wait_for_selector("text=did not answer")
    errors: list[str] = page.watch.errors  # type: ignore[attr-defined]
    assert errors, "the browser itself reports the lost request"
    errors.clear()
    page.unroute("**/_view/**")
    page.click("#page-on")
    settled(page)
