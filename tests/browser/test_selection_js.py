"""S1 in the browser equals S1 in Python, on random data with every trap in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page

from app.matching import Polarity, Query, States, select
from app.web.payloads.window import MARGIN, BrushSummaries, window_payload
from loaders import open_dataset
from loaders.writer import write_dataset
from tests.browser.conftest import Running

pytestmark = pytest.mark.browser

ASK = """cases => cases.map(([payload, views]) => {
    const win = window.dash_clientside.statebrush.decodedWindow(payload);
    return views.map(view => window.dash_clientside.statebrush.rawSelection(view, win));
})"""


def random_rows(rng: np.random.Generator, n_steps: int, n_states: int, dtype: type) -> Any:
    """Values on a coarse grid (many ties), with NaN, infinities and neighbours of 0.3."""
    rows = rng.integers(-4, 5, (n_steps, n_states)) / 10
    rows = rows.astype(dtype)
    odd: NDArray[Any] = np.array(
        [np.nan, np.inf, -np.inf, 0.0, -0.0, np.nextafter(dtype(0.3), dtype(1)), dtype(0.3)],
        dtype=dtype,
    )
    mask = rng.random(rows.shape) < 0.08
    rows[mask] = rng.choice(odd, int(mask.sum()))
    return rows


def random_thresholds(rng: np.random.Generator, rows: Any) -> list[float]:
    stored = float(rng.choice(rows[np.isfinite(rows)].ravel())) if np.isfinite(rows).any() else 0.1
    return [
        0.3,
        stored,
        float(np.nextafter(stored, 2.0)),
        float(np.nextafter(stored, -2.0)),
        float(np.float32(0.3)),
        round(float(rng.uniform(-0.5, 0.5)), 2),
    ]


def test_browser_and_python_select_the_same_states(
    open_page: Callable[..., Page], demo: Running, tmp_path: Path
) -> None:
    rng = np.random.default_rng(7)
    page = open_page(demo.url)
    cases: list[Any] = []
    answers: list[list[list[int]]] = []
    asked = from_summary = 0
    for number in range(60):
        dtype = (np.float16, np.float32, np.float64)[number % 3]
        n_steps, n_states = int(rng.integers(1, 90)), int(rng.integers(1, 9))
        rows = random_rows(rng, n_steps, n_states, dtype)
        cuts = np.sort(rng.integers(0, n_steps, 3))
        sequence = np.searchsorted(cuts, np.arange(n_steps), side="right").tolist()
        folder = tmp_path / f"d{number}"
        write_dataset(
            folder,
            tokens=[f"w{i}" for i in range(n_steps)],
            sequences=sequence,
            states={"h": rows},
        )
        dataset = open_dataset(folder, tmp_path / "cache")
        source = dataset.open_source("h")
        states = States(source.rows, dataset.sequences.offsets)
        for _ in range(6):
            start = int(rng.integers(0, n_steps))
            _, end = dataset.sequences.bounds(start)
            stop = int(rng.integers(start + 1, min(end, start + 6) + 1))
            before, after = int(rng.choice([0, 0, 1, 2, 9])), int(rng.choice([0, 0, 1, 2, 9]))
            first = int(rng.integers(0, n_steps))
            last = min(n_steps, first + int(rng.integers(1, 20)))
            brush = {"start": start, "stop": stop, "before": before, "after": after}
            payload = window_payload(
                dataset,
                source,
                {"n": asked, "start": first, "stop": last, "brush": brush},
                BrushSummaries(),
            )
            low, high = dataset.sequences.bounds(start)
            inside = max(low, start - before) >= max(0, first - MARGIN) and min(
                high, stop + after
            ) <= min(n_steps, last + MARGIN)
            views, expected = [], []
            for polarity in Polarity:
                for threshold in random_thresholds(rng, rows):
                    views.append({**brush, "threshold": threshold, "polarity": polarity.value})
                    query = Query(
                        threshold=threshold,
                        start=start,
                        stop=stop,
                        polarity=polarity,
                        off_before=before,
                        off_after=after,
                    )
                    expected.append(list(select(states, query).states))
                    asked += 1
                    from_summary += not inside
            cases.append([payload, views])
            answers.append(expected)
    found = page.evaluate(ASK, cases)
    assert asked > 5000
    assert from_summary > 500, "brushes out of view are decided by the summary"
    assert found == answers


def test_a_brush_that_is_not_here_is_not_guessed(
    open_page: Callable[..., Page], demo: Running
) -> None:
    page = open_page(demo.url)
    dataset = demo.catalog.get("parens")
    source = dataset.open_source(next(iter(dataset.sources)))
    payload = window_payload(
        dataset,
        source,
        {"n": 1, "start": 100, "stop": 120, "brush": None},
        BrushSummaries(),
    )
    base = {"before": 0, "after": 0, "threshold": 0.3, "polarity": "high"}
    half_in = {**base, "start": 120 + MARGIN - 1, "stop": 120 + MARGIN + 1}
    wholly_in = {**base, "start": 120, "stop": 122}
    found = page.evaluate(ASK, [[payload, [half_in, wholly_in]]])
    assert found[0][0] is None
    assert found[0][1] is not None
