"""`make bench-redraw`: the time the browser needs to draw many states, compared with 300.

Both are measured in one page after another of one Chromium, alternating, from the change of the view to
the frame that shows it; the ratio of the medians travels between machines, the milliseconds do not.
"""

from __future__ import annotations

import logging
import statistics
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright
from werkzeug.serving import make_server

from app.matching import warm
from app.settings import load
from app.web.factory import create_app
from app.web.view.url import View, write
from loaders import Catalog
from loaders.writer import write_dataset
from tests.browser.conftest import CHROMIUM_FLAGS, find_chromium, settled

N_STEPS, WIDTH = 600, 60
SIZES = (300, 4_096)
ROUNDS = 15

# From the change to the end of the first frame after Plotly has drawn. A step on draws both layers; the
# rows are there already (they come with a margin), so that the network has no part in it.
_TIMED = """([figure, change]) => new Promise((resolve) => {
    const plot = document.querySelector(`#${figure} .js-plotly-plot`);
    const started = performance.now();
    const shown = () => requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - started)));
    plot.once('plotly_afterplot', shown);
    change === 'threshold' ? window.dash_clientside.statebrush.panel().dispatch({ threshold: window.nextThreshold() })
        : window.redrawWindow();
})"""

_SETUP = """() => {
    const { read, write } = window.dash_clientside.statebrush.panel();
    let high = false;
    window.nextThreshold = () => { high = !high; return read('info').high - (high ? 0.001 : 0); };
    // The same window again under a new number: decoding and drawing, without asking the server.
    let n = 1e6;
    window.redrawWindow = () => write('window', { ...read('window'), n: ++n });
}"""


def states(n_states: int) -> np.ndarray:
    """Return smooth random states in float16."""
    rng = np.random.default_rng(n_states)
    keep = 1 - 1 / np.geomspace(1.5, 60, n_states)
    rows = np.empty((N_STEPS, n_states), np.float32)
    state = rng.standard_normal(n_states)
    for step in range(N_STEPS):
        state = keep * state + np.sqrt(1 - keep**2) * rng.standard_normal(n_states)
        rows[step] = np.tanh(state)
    return rows.astype(np.float16)


def threshold_for(rows: np.ndarray, start: int, stop: int, n_on: int) -> float:
    """Return a threshold at which about `n_on` states are on at every step of [start, stop)."""
    least = np.sort(rows[start:stop].astype(np.float64).min(axis=0))
    return round(float(least[-n_on]), 3)


def main() -> int:
    """Print the table."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        root = Path(folder)
        tokens = [f"w{step % 89}" for step in range(N_STEPS)]
        thresholds = {}
        for size in SIZES:
            rows = states(size)
            write_dataset(root / "data" / f"s{size}", tokens=tokens, states={"h": rows})
            thresholds[size] = threshold_for(rows, 120, 123, 12)
        catalog = Catalog([root / "data"], root / "cache")
        app = create_app(catalog, load({}, {"cache_dir": str(root / "cache")}))
        warm()
        server = make_server("127.0.0.1", 0, app.server, threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        pages: dict[int, Page] = {}
        for size in SIZES:
            # 60 steps of 26 px each, and the margins of the axis and of the page
            page = browser.new_page(viewport={"width": WIDTH * 26 + 112 + 2, "height": 860})
            view = View(
                dataset=f"s{size}",
                source="h",
                threshold=thresholds[size],
                first=100,
                start=120,
                stop=123,
                auto=False,
            )
            page.goto(f"http://127.0.0.1:{server.server_port}/{write(view)}")
            settled(page)
            page.evaluate(_SETUP)
            page.evaluate(
                "t => { const i = window.dash_clientside.statebrush.panel().read('info');"
                " window.dash_clientside.statebrush.panel().write('info', { ...i, high: t }); }",
                thresholds[size],
            )
            pages[size] = page
        cases = {"selection": ("lines-figure", "threshold"), "window": ("faint-figure", "window")}
        times: dict[tuple[str, int], list[float]] = {}
        for turn in range(ROUNDS + 2):
            for what, argument in cases.items():
                for size, page in pages.items():
                    page.bring_to_front()
                    spent = page.evaluate(_TIMED, list(argument))
                    if turn >= 2:  # the first turns include compilation
                        times.setdefault((what, size), []).append(spent)
        shown = {
            size: page.evaluate("() => window.dash_clientside.statebrush.panel().steps()")
            for size, page in pages.items()
        }
        browser.close()
        server.shutdown()
    small, large = SIZES
    sys.stdout.write(
        f"redraw, ms (median, least to most of {ROUNDS}); {small} x {shown[small]} and "
        f"{large:,} x {shown[large]} states x steps, about 12 states selected\n"
    )
    for what in cases:
        cells = []
        for size in SIZES:
            spent = times[what, size]
            cells.append(f"{statistics.median(spent):7.1f} ({min(spent):.0f}-{max(spent):.0f})")
        ratio = statistics.median(times[what, large]) / statistics.median(times[what, small])
        sys.stdout.write(f"  {what:10} {cells[0]:>22} {cells[1]:>22}   ratio {ratio:.2f}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
