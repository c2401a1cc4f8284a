"""Take the pictures of the README: ``make screenshots`` (not a test)."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import threading
from pathlib import Path

from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

from app.factory import create_app
from app.matching import warm
from app.settings import load
from app.url_state import View, write
from demos.registry import ensure
from loaders import Catalog
from loaders.annotations import Categorical
from tests.browser.conftest import CHROMIUM_FLAGS, find_chromium, settled

TARGET = Path(__file__).parents[2] / "docs" / "pictures"
SHOTS = (
    ("first-screen", 1440, 860, "light"),
    ("fourth-level-dark", 1440, 860, "dark"),
)


def fourth_level(catalog: Catalog) -> str:
    """A link to the first "( 4" at the fourth level after step 300, with both tracks."""
    dataset = catalog.get("parens")
    level = dataset.annotations["level"]
    assert isinstance(level, Categorical)
    deepest = next(i for i, item in enumerate(level.categories) if item.label == "4")
    words = dataset.tokens(0, dataset.n_steps)
    codes = level.codes(0, dataset.n_steps)
    start = next(
        step
        for step in range(300, dataset.n_steps)
        if words[step : step + 2] == ["(", "4"] and codes[step] == deepest
    )
    return write(
        View(
            dataset=dataset.id,
            fp=dataset.fingerprint,
            source="layer2_hidden",
            first=start - 16,
            start=start,
            stop=start + 2,
            before=1,
            threshold=0.3,
            tracks=("level", "token_kind"),
        )
    )


def main(target: Path = TARGET) -> None:
    """Open the demo in each size and colour scheme and save what is seen."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(os.environ.get("STATEBRUSH_CACHE_DIR", folder))
        catalog = Catalog([ensure("parens", cache / "demos")], cache)
        app = create_app(catalog, load({}, {"cache_dir": str(cache)}))
        warm()  # as `serve` does before it answers
        server = make_server("127.0.0.1", 0, app.server, threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=find_chromium(), args=CHROMIUM_FLAGS
            )
            for name, width, height, scheme in SHOTS:
                context = browser.new_context(
                    viewport={"width": width, "height": height},
                    color_scheme="dark" if scheme == "dark" else "light",
                )
                page = context.new_page()
                page.goto(url)
                settled(page)
                if name.startswith("fourth-level"):
                    page.goto(url + fourth_level(catalog))
                    settled(page)
                page.wait_for_timeout(500)
                page.screenshot(path=str(target / f"{name}.png"))
                sys.stdout.write(f"{target / f'{name}.png'}\n")
                context.close()
            browser.close()
        server.shutdown()


if __name__ == "__main__":
    main()
