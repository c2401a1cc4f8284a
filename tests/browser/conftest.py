"""A real server on loopback and a real Chromium: every page and console error fails the test."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from werkzeug.serving import make_server

from app.settings import load
from app.web.factory import create_app
from demos.registry import ensure
from loaders import Catalog

CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

#: How many times slower the pages run than this machine could: what only passes when the page is
#: faster than the test shows itself with 4 or 8.
SLOWER = float(os.environ.get("STATEBRUSH_SLOWER", "1"))


def find_chromium() -> str:
    """Return the path of a Chromium; `make test` has installed one or ended with a sentence."""
    named = os.environ.get("STATEBRUSH_CHROMIUM")
    if named:
        return named
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    raise RuntimeError(
        "No Chromium was found for the browser tests: install one, or name it in "
        "STATEBRUSH_CHROMIUM."
    )


@dataclass
class Running:
    """A dashboard that runs in a thread of this process."""

    url: str
    catalog: Catalog


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def demo_path(cache_dir: Path) -> Path:
    return ensure("parens", cache_dir / "demos")


@pytest.fixture(scope="session")
def serve(cache_dir: Path) -> Iterator[Callable[..., Running]]:
    """Start a dashboard over the given dataset folders; what else is given goes to `create_app`."""
    servers = []
    logging.getLogger("werkzeug").setLevel(logging.ERROR)

    def start(*paths: Path, cache: Path = cache_dir, **options: Any) -> Running:
        catalog = Catalog(list(paths), cache)
        app = create_app(catalog, load({}, {"cache_dir": str(cache)}), **options)
        server = make_server("127.0.0.1", 0, app.server, threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        servers.append(server)
        return Running(f"http://127.0.0.1:{server.server_port}/", catalog)

    yield start
    for server in servers:
        server.shutdown()


@pytest.fixture(scope="session")
def demo(serve: Callable[..., Running], demo_path: Path) -> Running:
    return serve(demo_path)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def frequent(
    playwright: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    """A browser that has been here before: it has the libraries' scripts, compiled already.

    Compiling them is more than half of what opening a page takes.
    """
    context = playwright.chromium.launch_persistent_context(
        tmp_path_factory.mktemp("profile"), executable_path=find_chromium(), args=CHROMIUM_FLAGS
    )
    yield context
    context.close()


def forget(context: BrowserContext, page: Page, url: str) -> None:
    """Remove everything that a page at this address may have stored, except cached scripts."""
    parts = urlsplit(url)
    context.clear_cookies()
    context.clear_permissions()
    context.new_cdp_session(page).send(
        "Storage.clearDataForOrigin",
        {
            "origin": f"{parts.scheme}://{parts.netloc}",
            "storageTypes": "local_storage,indexeddb,cache_storage,service_workers",
        },
    )


@dataclass
class Watch:
    """What a page sent and complained about."""

    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def attach(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.errors.append(f"page error: {error}"))
        page.on(
            "console",
            lambda message: (
                self.errors.append(f"console {message.type}: {message.text}")
                if message.type in {"error", "warning"}
                else None
            ),
        )
        page.on(
            "request",
            lambda request: self.requests.append(f"{request.method} {request.url}"),
        )


@pytest.fixture
def open_page(
    frequent: BrowserContext, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Page]]:
    """Open pages that know nothing of each other; fail on any console or page error.

    The first page of a test is opened by a browser that keeps scripts and nothing else, further
    ones each by a browser that has never been here.
    """
    contexts: list[BrowserContext] = []
    watches: list[Watch] = []

    def start(
        url: str, *, width: int = 1440, height: int = 780, scheme: str = "light", wait: bool = True
    ) -> Page:
        if watches:
            chromium: Browser = request.getfixturevalue("chromium")
            contexts.append(context := chromium.new_context())
            page = context.new_page()
        else:
            page = frequent.new_page()
            forget(frequent, page, url)
        if SLOWER > 1:
            page.context.new_cdp_session(page).send(
                "Emulation.setCPUThrottlingRate", {"rate": SLOWER}
            )
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        watch = Watch()
        watches.append(watch)
        watch.attach(page)
        page.watch = watch  # type: ignore[attr-defined]
        page.goto(url)
        if wait:
            settled(page)
        return page

    yield start
    for context in contexts:
        context.close()
    for page in frequent.pages[1:]:  # without its first, empty one there would be no browser
        page.close()
    problems = [error for watch in watches for error in watch.errors]
    assert not problems, problems


#: Whether the page shows its view: its answers have come, and Dash has nothing left to run.
_QUIET = """() => {
    const quiet = (() => {
        const all = window.dash_clientside?.statebrush;
        if (!all || !window.dash_component_api || !document.getElementById('page')) return false;
        if (!window.store) return false;
        const sb = all.panel();
        const queues = window.store.getState().callbacks;
        const waiting = ['requested', 'prioritized', 'blocked', 'executing', 'watched', 'executed'];
        if (waiting.some((name) => queues[name] && queues[name].length > 0)) return false;
        const view = sb.read('view'), win = sb.read('window'), asked = sb.read('window-request');
        const match = sb.read('match'), wanted = sb.read('match-request');
        if (!view || !win || !match || !asked || !wanted || view.dragging) return false;
        if (win.n !== asked.n || match.n !== wanted.n) return false;
        if (asked.dataset !== view.dataset || asked.source !== view.source) return false;
        const info = sb.read('info'), viewport = sb.read('viewport');
        if (info.source !== view.source || asked.fp !== info.fp) return false;
        if (!viewport || asked.start !== sb.clipped(view.first)) return false;
        if (!sb.selection(view, sb.win()).fresh) return false;
        if (view.auto && !all.same(wanted.key, all.matchKey(view))) return false;
        const shown = (id, n) => document.getElementById(id)?.dataset.n === String(n);
        return document.querySelector('#faint-figure .main-svg')
          && document.querySelector('#lines-figure .main-svg')
          && shown('word-layer', win.n) && shown('match-rows', match.n)
          && shown('match-sentence', match.n) && (match.error || shown('length-bars', match.n));
    })();
    window.quietFrames = quiet ? (window.quietFrames || 0) + 1 : 0;
    return window.quietFrames >= 6;
}"""


def settled(page: Page) -> None:
    """Wait until the page has drawn the window and the matches that belong to its view.

    A key press reaches the view through React and Dash, some frames after Playwright returns: the
    page must have been quiet for several frames in a row.
    """
    page.evaluate("() => { window.quietFrames = 0; }")
    page.wait_for_function(_QUIET, timeout=60_000)
    drawn(page)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the page showed at one moment.

    Attributes
    ----------
    view
        The view.
    chips
        The states in the list, in its order.
    """

    view: dict[str, Any]
    chips: list[int]


#: What the view says and what the page shows, read together.
_LOOK = """() => {
    const sb = window.dash_clientside.statebrush.panel();
    const view = sb.read('view'), win = sb.win();
    const { raw } = sb.selection(view, win);
    const gone = view.excluded.filter(c => !raw.includes(c));
    const line = document.querySelector('.sb-threshold[data-line=upper]');
    return {
        view,
        wanted: {
            chips: view.start === null ? gone : [...raw, ...gone],
            box: String(view.threshold),
            line: view.threshold,
        },
        found: {
            chips: [...document.querySelectorAll('#chips .sb-chip')].map(c => +c.dataset.chip),
            box: document.getElementById('threshold-text').value,
            line: Number(line.getAttribute('aria-valuenow')),
        },
    };
}"""


def drawn(page: Page, **fields: Any) -> Drawn:
    """Wait until the chips, the line and the number box show the view as it is, and return both.

    While dragging, the view follows the mouse through React and Dash, and the pictures follow the
    view; a busy machine makes that longer, and no test may depend on its length. So the view and
    the chips are those of one moment, and what of the view the mouse was to bring about is named.

    Parameters
    ----------
    page
        The page.
    **fields
        Fields of the view that are waited for as well.
    """
    try:
        seen = page.wait_for_function(
            """([look, fields]) => {
                const { view, wanted, found } = (0, eval)(look)();
                const come = Object.keys(fields).every(
                    name => window.dash_clientside.statebrush.same(view[name], fields[name]));
                return come && window.dash_clientside.statebrush.same(wanted, found)
                  && { view, chips: found.chips };
            }""",
            arg=[_LOOK, fields],
            timeout=30_000,
        )
    except PlaywrightTimeout:
        raise AssertionError(f"Waited for {fields}; the page: {page.evaluate(_LOOK)}") from None
    return Drawn(**seen.json_value())
