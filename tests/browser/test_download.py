"""The download menu saves the whole result; and an analyst's whole path through the dashboard."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from playwright.sync_api import Page

from app.output.answers import CSV_COLUMNS
from loaders.writer import write_dataset
from tests.browser.conftest import Running, settled
from tests.browser.pages import add_track, brush, chips, rows, view, word_center

pytestmark = pytest.mark.browser


def save(page: Page, form: str, folder: Path) -> Path:
    page.click("#download-menu")
    with page.expect_download() as waiting:
        page.click(f"#download-{form}")
    target = folder / waiting.value.suggested_filename
    waiting.value.save_as(target)
    return target


def test_a_downloaded_table_holds_all_pages(
    open_page: Callable[..., Page], demo: Running, tmp_path: Path
) -> None:
    page = open_page(demo.url)
    total = int(page.inner_text("#pager").split(" of ")[1].replace(",", ""))
    for form, read in (("parquet", pd.read_parquet), ("csv", pd.read_csv)):
        table = read(save(page, form, tmp_path))
        assert len(table) == total > 50
        assert table["start"].tolist()[:50] == [row["start"] for row in rows(page)]


def formulas(folder: Path) -> Path:
    """A dataset with tokens that a spreadsheet would run, and annotations; a match every three steps."""
    n = 60
    write_dataset(
        folder / "formulas",
        tokens=[["=1+1", "@SUM(A1)", "é"][i % 3] for i in range(n)],
        states={"h": np.where(np.arange(n)[:, None] % 3 == 2, 0.0, 1.0).repeat(2, axis=1)},
        columns={
            "tag": [f"=t{i % 3}" for i in range(n)],
            "took": pa.array([1_000_000_001 * (i - 5) for i in range(n)], pa.duration("ns")),
            "hidden": ["x"] * n,
        },
    )
    return folder / "formulas"


def test_csv_for_spreadsheets_runs_no_formula_and_plain_csv_is_exact(
    open_page: Callable[..., Page], serve: Callable[..., Running], tmp_path: Path
) -> None:
    url = serve(formulas(tmp_path)).url
    page = open_page(f"{url}?dataset=formulas&first=0&sel=3:5&threshold=0.5")
    page.click("#download-menu")
    assert "gets an apostrophe" in page.inner_text("#download-spreadsheet")
    page.click("#download-menu > summary")
    plain, sheet = save(page, "csv", tmp_path), save(page, "spreadsheet", tmp_path)
    assert plain.name != sheet.name
    assert plain.read_bytes().split(b"\n")[1].startswith(b"1,0,2,2,2,2,,=1+1 @SUM(A1),")
    content = sheet.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    table = pd.read_csv(sheet, encoding="utf-8-sig")
    names = "rank,states,other states on,length,step,last step,sequence,words,query".split(",")
    assert list(table) == names
    assert set(table["words"]) == {"'=1+1 @SUM(A1)"}
    assert table["step"].tolist() == [row["start"] for row in rows(page)]
    assert (table["last step"] - table["step"] + 1).tolist() == table["length"].tolist()


def test_a_download_holds_the_words_and_annotations_of_the_page_if_asked(
    open_page: Callable[..., Page], serve: Callable[..., Running], tmp_path: Path
) -> None:
    url = serve(formulas(tmp_path)).url
    page = open_page(
        f"{url}?dataset=formulas&first=0&sel=3:5&threshold=0.5&track=took&track=tag&context=2"
    )
    assert b"annotations" not in save(page, "csv", tmp_path).read_bytes()
    page.click("#download-menu")
    page.check("#download-beside")
    page.click("#download-menu > summary")
    table = pd.read_csv(save(page, "csv", tmp_path), keep_default_na=False)
    assert [name for name in table if name not in CSV_COLUMNS] == [
        "before",
        "after",
        "annotations.took",
        "annotations.tag",
        "query",
    ]
    second = table.to_dict("records")[1]
    assert (second["before"], second["after"]) == ("@SUM(A1) é", "é =1+1")
    assert json.loads(second["annotations.took"]) == ["-2.000000002 s", "-1.000000001 s"]
    assert json.loads(second["annotations.tag"]) == ["=t0", "=t1"]
    page.click("#download-menu")
    assert page.is_checked("#download-beside"), "as it was left"
    page.click("#download-menu > summary")
    sheet = pd.read_csv(save(page, "spreadsheet", tmp_path), encoding="utf-8-sig")
    shown = ["words before", "words", "words after", "took", "tag"]
    assert sheet[shown].values.tolist()[1] == [
        "'@SUM(A1) é",
        "'=1+1 @SUM(A1)",
        "é =1+1",
        "'-2.000000002 s | -1.000000001 s",
        "'=t0 | =t1",
    ]


def test_a_file_that_is_refused_is_told(
    open_page: Callable[..., Page], demo: Running, tmp_path: Path
) -> None:
    page = open_page(demo.url)
    page.route("**/_jobs/file/*/0/*", lambda route: route.fulfill(status=503, body="busy"))
    page.click("#download-menu")
    page.click("#download-csv")
    page.wait_for_selector("text=download yours again in a moment")
    errors: list[str] = page.watch.errors  # type: ignore[attr-defined]
    assert all("503" in error for error in errors), "the browser itself reports what is refused"
    errors.clear()
    page.unroute("**/_jobs/file/*/0/*")
    assert len(pd.read_csv(save(page, "csv", tmp_path))) > 50


def test_the_path_of_an_analyst(
    open_page: Callable[..., Page], demo: Running, tmp_path: Path
) -> None:
    page = open_page(demo.url)
    # search a phrase and jump there
    page.keyboard.press("/")
    page.keyboard.type("( 4 )")
    opened = view(page)["start"]
    page.keyboard.press("Enter")
    page.wait_for_function(
        "s => window.dash_clientside.statebrush.panel().read('view').start !== s", arg=opened
    )
    settled(page)
    page.keyboard.press("Escape")
    place = view(page)["start"]
    # brush its first two words, set both limits
    brush(page, place, place + 2)
    step = word_center(page, place + 1)[0] - word_center(page, place)[0]
    for name, sign in (("before", -1), ("after", 1)):
        box = page.locator(f"[data-handle={name}]").bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + sign * step, y, steps=4)
        page.mouse.up()
        settled(page)
    assert (view(page)["before"], view(page)["after"]) == (1, 1)
    assert len(chips(page)) > 2
    # exclude a state, add a track
    page.locator("#chips [data-exclude]").first.click()
    settled(page)
    add_track(page, "token_kind")
    settled(page)
    assert view(page)["tracks"] == ["level", "token_kind"]
    # match by hand, filter by length, map a track's colours
    page.click("#match-button")
    settled(page)
    full = page.locator(".sb-length-bar[data-low='2']")
    full.click()
    settled(page)
    assert {row["length"] for row in rows(page)} == {2}
    page.click("#match-head [data-colour='token_kind']")
    page.wait_for_function(
        "() => window.dash_clientside.statebrush.panel().read('view').colour === 'token_kind'"
    )
    settled(page)
    before, listed = page.url, rows(page)
    # open a match and come back
    page.locator("#match-rows a.sb-row").nth(4).click()
    settled(page)
    assert view(page)["start"] == listed[4]["start"]
    page.go_back()
    page.wait_for_function(
        "s => window.dash_clientside.statebrush.panel().read('view').start === s", arg=place
    )
    settled(page)
    assert rows(page) == listed
    # download, and reopen by the link in another browser
    table = pd.read_csv(save(page, "csv", tmp_path))
    assert set(table["length"]) == {2}
    assert table["start"].tolist()[: len(listed)] == [row["start"] for row in listed]
    other = open_page(before)
    assert rows(other) == listed
    assert chips(other, "excluded") == chips(page, "excluded")
    assert other.url == before
