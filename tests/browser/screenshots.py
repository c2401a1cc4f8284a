"""Take the pictures of the README and the tutorial: ``make screenshots`` (not a test)."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import threading
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from app.matching import warm
from app.settings import load
from app.web.factory import create_app
from demos.registry import ensure, starters
from loaders import Catalog
from tests.browser import tutorial
from tests.browser.conftest import CHROMIUM_FLAGS, find_chromium, settled
from tests.findings.corpus import open_corpus

TARGET = Path(__file__).parents[2] / "docs" / "pictures"
WIDTH, HEIGHT = 1440, 860


def main(target: Path = TARGET) -> None:
    """Open the demos in each view and colour scheme and save what is seen."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(os.environ.get("STATEBRUSH_CACHE_DIR", folder))
        catalog = Catalog([ensure(name, cache / "demos") for name in starters()], cache)
        app = create_app(catalog, load({}, {"cache_dir": str(cache)}))
        warm()  # as `serve` does before it answers
        server = make_server("127.0.0.1", 0, app.server, threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=find_chromium(), args=CHROMIUM_FLAGS
            )
            for name, (_, scheme, _) in tutorial.SHOTS.items():
                page = _page(browser, "dark" if scheme == "dark" else "light")
                page.goto(url + tutorial.link(catalog, name, cache))
                settled(page)
                page.wait_for_timeout(500)
                _save(page, target / f"{name}.png")
            page = _page(browser, "light")
            english = open_corpus(catalog.get("english").path, cache)
            page.set_content(tutorial.phrase_types_figure(english).to_html(full_html=False))
            page.wait_for_selector(".main-svg")
            page.set_viewport_size({"width": 1120, "height": 540})
            _save(page, target / "tutorial-phrase-types.png")
            browser.close()
        server.shutdown()


def _page(browser: Browser, scheme: Literal["dark", "light"]) -> Page:
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme)
    return context.new_page()


def _save(page: Page, path: Path) -> None:
    page.screenshot(path=str(path))
    sys.stdout.write(f"{path}\n")
    page.context.close()


if __name__ == "__main__":
    main()
