"""Coverage lines, annotation tracks of every kind, the mask, and colours mapped onto the words."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from playwright.sync_api import Page

from loaders.writer import write_dataset
from tests.browser.conftest import Running, settled
from tests.browser.pages import add_track, brush, chips, rows, sent, view, words

pytestmark = pytest.mark.browser


def runs_drawn(page: Page) -> dict[int, list[tuple[int, int]]]:
    """The coverage lines as drawn: state -> runs in steps, in the order on the page."""
    first = min(words(page))
    found: dict[int, list[tuple[int, int]]] = {}
    for state, path in page.eval_on_selector_all(
        "#coverage path", "all => all.map(p => [Number(p.dataset.cover), p.getAttribute('d')])"
    ):
        found[state] = [
            (
                first + round(float(part.split()[0]) - 0.12),
                first + round(float(part.split("H")[1]) + 0.12),
            )
            for part in path.split("M")[1:]
        ]
    return found


def runs_expected(demo: Running, page: Page, least: int) -> dict[int, list[tuple[int, int]]]:
    """The same from the stored values, written straight from the words of the definition."""
    seen = view(page)
    dataset = demo.catalog.get(seen["dataset"])
    source = dataset.open_source(seen["source"])
    shown = words(page)
    first, last = min(shown), max(shown) + 1
    values = source.window(first, last).astype(float)
    found = {}
    for state in chips(page, "included"):
        on = values[:, state] >= seen["threshold"]
        runs, start = [], None
        for step in range(first, last + 1):
            now = step < last and bool(on[step - first])
            new_sequence = step < last and step == dataset.sequences.bounds(step)[0]
            if start is not None and (not now or new_sequence):
                if start == first or step == last or step - start >= least:
                    runs.append((start, step))
                start = None
            if now and start is None:
                start = step
        found[state] = runs
    return found


def bar_heights(page: Page) -> list[float]:
    return page.eval_on_selector_all(  # type: ignore[no-any-return]
        "#bars .sb-bar",
        "all => all.map(b => b.firstChild ? parseFloat(b.firstChild.style.height) : 0)",
    )


@pytest.mark.parametrize("least", [1, 3])
def test_coverage_and_bars_show_the_same_runs(
    open_page: Callable[..., Page], demo: Running, least: int
) -> None:
    page = open_page(demo.url)
    chosen, listed, asked = chips(page), rows(page), sent(page)
    if least > 1:
        page.fill("#runs", str(least))
        page.press("#runs", "Enter")
        page.wait_for_function(
            "n => window.dash_clientside.statebrush.panel().read('view').runs === n", arg=least
        )
        page.wait_for_selector(f"#coverage[data-runs='{least}']")
        assert sent(page) == asked, "the length filter is a matter of the view only"
        assert f"runs={least}" in page.url
    drawn = runs_drawn(page)
    assert drawn == runs_expected(demo, page, least)
    longest = [max((b - a for a, b in runs), default=0) for runs in drawn.values()]
    assert longest == sorted(longest, reverse=True), "the longest first"
    counts = np.zeros(len(words(page)))
    for runs in drawn.values():
        for start, stop in runs:
            counts[start - min(words(page)) : stop - min(words(page))] += 1
    assert bar_heights(page) == pytest.approx((100 * counts / len(drawn)).tolist(), abs=0.06)
    assert chips(page) == chosen
    assert rows(page) == listed


def test_hovering_a_coverage_line_turns_its_state_red(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    state = chips(page)[0]
    page.hover(f"#coverage rect[data-cover='{state}']")
    page.wait_for_selector(f"#chips .sb-hot[data-chip='{state}']")
    page.wait_for_selector(f"#coverage path.sb-hot[data-cover='{state}']", state="attached")


def add_shown(page: Page, name: str) -> None:
    add_track(page, name)
    page.wait_for_selector(f"#track-rows [data-track='{name}']")
    settled(page)


def test_dates_durations_and_decimals_are_shown_as_they_are(
    open_page: Callable[..., Page], serve: Callable[..., Running], tmp_path: Path
) -> None:
    n = 60
    write_dataset(
        tmp_path / "dated",
        tokens=[f"w{i}" for i in range(n)],
        states={"h": np.tile([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]], (n // 3, 1))},
        columns={
            "day": pa.array([*range(n - 1), None], pa.int32()).view(pa.date32()),
            "took": pa.array([350 * (i - 1) for i in range(n)], pa.duration("ms")),
            "price": pa.array([Decimal(f"{i}.50") for i in range(n)]),
        },
        config={"annotations": {"price": {"unit": "EUR"}}},
    )
    url = serve(tmp_path / "dated").url
    page = open_page(
        f"{url}?dataset=dated&first=0&sel=0:2&threshold=0.5&track=day&track=took&track=price"
    )
    page.wait_for_selector("#track-rows [data-track='price']")
    cell = "#track-rows [data-track='{}'] .sb-cell >> nth={}"
    for name, said in (
        ("day", "1970-01-01"),
        ("took", "-0.35 s"),
        ("price", "0.50 EUR"),
    ):
        assert page.get_attribute(cell.format(name, 0), "title") == f"{name}: {said}"
        heat = page.locator("#match-rows .sb-heat [data-tip]").evaluate_all(
            "all => all.map(cell => cell.dataset.tip)"
        )
        assert f"{name}: {said} · step 0" in heat
    for name, ends in (
        ("day", "1970-01-01 1970-02-28"),
        ("took", "-0.35 s 20.3 s"),
        ("price", "0.50 59.50 EUR"),
    ):
        page.click(f"#track-rows [data-legend='{name}']")
        legend = page.inner_text(f"#track-rows [data-track='{name}'] .sb-track-legend")
        assert " ".join(legend.split()) == ends
    shades = [
        page.eval_on_selector(cell.format("day", i), "c => c.style.background") for i in (0, 8)
    ]
    assert shades[0] != shades[1] != "", "the later, the darker"


def test_tracks_are_added_moved_and_removed_and_stay_in_the_address(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(f"{demo.url}?dataset=parens&first=100&sel=114:118&threshold=0.3")
    assert page.locator("#track-rows .sb-track").count() == 0
    add_shown(page, "level")
    add_shown(page, "surprisal")
    add_shown(page, "prediction")
    assert view(page)["tracks"] == ["level", "surprisal", "prediction"]
    assert page.url.count("track=") == 3
    dataset = demo.catalog.get("parens")
    step = min(words(page)) + 5
    level, surprisal = dataset.annotations["level"], dataset.annotations["surprisal"]
    title = "#track-rows [data-track='{}'] .sb-inner > .sb-cell >> nth=5"
    label = level.categories[level.codes(step, step + 1)[0]].label
    assert page.get_attribute(title.format("level"), "title") == f"level: {label}"
    said = page.get_attribute(title.format("surprisal"), "title") or ""
    assert float(said.split()[1]) == pytest.approx(surprisal.values(step, step + 1)[0], rel=1e-3)
    best = dataset.annotations["prediction"].items(step, step + 1)[0]
    ranked = page.locator(title.format("prediction")).locator("span").all_inner_texts()
    assert [text.strip() for text in ranked] == best[:3]
    page.click("[data-legend='surprisal']")
    assert "nats" in page.inner_text("[data-track='surprisal'] .sb-track-legend")
    page.hover("#track-rows [data-track='surprisal']")
    page.click("#track-rows [data-up='surprisal']")
    settled(page)
    assert view(page)["tracks"] == ["surprisal", "level", "prediction"]
    names = page.locator("#track-rows .sb-track-block").evaluate_all(
        "a => a.map(t => t.dataset.track)"
    )
    assert names == view(page)["tracks"]
    page.locator("#track-rows [data-drop='level']").focus()
    page.keyboard.press("Enter")
    settled(page)
    assert view(page)["tracks"] == ["surprisal", "prediction"]
    page.go_back()
    page.wait_for_function(
        "() => window.dash_clientside.statebrush.panel().read('view').tracks.length === 3"
    )
    settled(page)
    assert page.locator("#track-rows .sb-track").count() == 3


def test_the_mask_fades_cells_by_overlap(open_page: Callable[..., Page], demo: Running) -> None:
    page = open_page(demo.url)
    cells = "#track-rows [data-track='level'] .sb-cell"
    assert set(page.locator(cells).evaluate_all("a => a.map(c => c.style.opacity)")) == {""}
    page.locator("#mask").dispatch_event("click")
    page.wait_for_function("() => window.dash_clientside.statebrush.panel().read('view').mask")
    page.wait_for_selector(f"{cells}[style*=opacity]", state="attached")
    page.wait_for_selector("#match-rows .sb-heat i[style*=opacity]", state="attached")
    faded = [float(x) for x in page.locator(cells).evaluate_all("a => a.map(c => c.style.opacity)")]
    shares = [height / 100 for height in bar_heights(page)]
    assert faded == pytest.approx([0.08 + 0.92 * share for share in shares], abs=0.02)
    assert "mask=1" in page.url
    row = page.locator("#match-rows a.sb-row").first
    opacity = (
        row.locator(".sb-heat")
        .nth(1)
        .locator("i[data-k]")
        .evaluate_all("a => a.map(c => parseFloat(c.style.opacity))")
    )
    assert min(opacity) < 0.5 < max(opacity)


def test_a_tracks_colours_are_mapped_onto_the_words(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    before = rows(page)
    asked = sent(page)
    page.click("#match-head [data-colour='level']")
    page.wait_for_selector("#match-head [data-colour='level'][aria-pressed=true]")
    assert sent(page) == asked
    assert rows(page) == before
    level = demo.catalog.get("parens").annotations["level"]
    row = page.locator("#match-rows a.sb-row").first
    start = int(row.get_attribute("data-start") or 0)
    category = level.categories[level.codes(start, start + 1)[0]]
    style = row.locator(".sb-match-words > .sb-in").first.get_attribute("style") or ""
    assert f"color-mix(in srgb, {category.color}" in style.replace('"', "")
    assert "words: level" in page.inner_text("#heat-legend").replace("\n", " ")
    assert "colour=level" in page.url
    page.reload()
    settled(page)
    assert view(page)["colour"] == "level"
    page.click("#match-head [data-colour='match']")
    page.wait_for_function(
        "() => window.dash_clientside.statebrush.panel().read('view').colour === 'match'"
    )


def test_a_word_and_its_heatmap_cells_light_up_together(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    row = page.locator("#match-rows a.sb-row").nth(1)
    row.locator(".sb-heat").nth(1).locator("i.sb-in").first.hover()
    linked = row.locator(".sb-linked")
    assert linked.count() == 1 + 2, "the word, the match count and the level"
    assert page.inner_text("#cell-tip").startswith("level: ")
    row.locator(".sb-match-words > .sb-in").nth(1).hover()
    assert "step" in page.inner_text("#cell-tip")
    assert page.locator("#match-rows .sb-linked").count() == 3


def test_many_categories_intervals_and_odd_values(
    open_page: Callable[..., Page], serve: Callable[..., Running], tmp_path: Path
) -> None:
    n_steps = 400
    dice = np.random.default_rng(3)
    kinds = [f"kind {i:02d}" for i in np.minimum(dice.geometric(0.06, n_steps), 60)]
    numbers = dice.normal(size=n_steps)
    numbers[5] = np.nan
    states = np.sin(np.arange(n_steps)[:, None] / np.arange(3, 15)).astype(np.float32)
    write_dataset(
        tmp_path / "rich",
        tokens=[f"w{i % 17}" for i in range(n_steps)],
        sequences=[i // 200 for i in range(n_steps)],
        states={"h": states},
        columns={
            "kind": kinds,
            "number": numbers.tolist(),
            "flag": [i % 3 == 0 for i in range(n_steps)],
        },
        intervals={
            "phrase": [(2, 6, "NP"), (6, 8, "VP"), (12, 40, "a long <label>"), (199, 200, "NP")]
        },
    )
    page = open_page(
        serve(tmp_path / "rich").url
        + "?dataset=rich&first=0&sel=3:6&threshold=0.1&track=kind&track=number&track=flag&track=phrase"
    )
    assert page.locator("#track-rows .sb-track").count() == 4
    labels = page.locator("[data-track='phrase'] .sb-span b").all_inner_texts()
    assert labels == ["NP", "VP", "a long <label>"]
    page.click("[data-legend='kind']")
    assert "more, named on hover" in page.inner_text("[data-track='kind'] .sb-track-legend")
    missing = page.locator("[data-track='number'] .sb-cell").nth(5).get_attribute("title")
    assert missing == "number: no value"
    box = page.locator("[data-track='phrase'] .sb-span").first.bounding_box()
    word = page.locator("#word-layer [data-step='2']").bounding_box()
    assert box is not None
    assert word is not None
    assert abs(box["x"] - word["x"]) < 0.6
    assert abs(box["width"] - 4 * word["width"]) < 1
    brush(page, 4, 7)
    heads = page.locator("#match-head [data-colour]").all_inner_texts()
    assert heads == ["match count", "kind", "number", "flag", "phrase"]
    row = page.locator("#match-rows a.sb-row").first
    tops = row.evaluate("r => [...r.children].map(c => Math.round(c.getBoundingClientRect().top))")
    assert len(set(tops)) == 1
    # the mask covers intervals as it fades cells, and writes nothing
    page.locator("#mask").dispatch_event("click")
    page.wait_for_selector("[data-track='phrase'] .sb-veil", state="attached")
    veils = page.locator("[data-track='phrase'] .sb-veil").evaluate_all(
        "a => a.map(v => Number(v.style.opacity))"
    )
    shares = [height / 100 for height in bar_heights(page)]
    assert veils == pytest.approx([0.92 * (1 - share) for share in shares], abs=0.02)
    assert page.inner_text("[data-track='phrase'] .sb-inner").split("\n") == labels


#: Views with other tracks, with some turns of the browser's event loop after each.
_VIEWS = """async ([views, turns]) => {
    const turn = () => new Promise((go) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = go;
        port2.postMessage(0);
    });
    for (const tracks of views) {
        window.dash_clientside.statebrush.panel().dispatch({ tracks });
        for (let i = 0; i < turns; i++) await turn();
    }
}"""


def test_of_views_in_quick_succession_the_last_stays(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(f"{demo.url}?dataset=parens&first=100&sel=114:118&threshold=0.3&auto=0")
    views = [["level"], ["surprisal"], [], ["surprisal", "level"], ["level"], ["surprisal"]]
    for turns in range(4):  # several times
        entries = page.evaluate("() => history.length")
        page.evaluate(_VIEWS, [views, turns])
        settled(page)
        page.wait_for_selector("#track-rows [data-track='surprisal']")
        assert page.locator("#track-rows .sb-track").count() == 1
        assert view(page)["tracks"] == ["surprisal"]
        added = page.evaluate("() => history.length") - entries
        assert added <= len(views), "a choice that no person made is an entry of the history"
