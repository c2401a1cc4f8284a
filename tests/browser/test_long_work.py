"""Long work as a person meets it: shown, cancelled, never without an end, whichever worker answers.

The server here is two applications over one cache folder which take turns, request by request: as
with several gunicorn workers, the one that is asked is hardly ever the one that works.
"""

from __future__ import annotations

import itertools
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page
from werkzeug.serving import make_server

from app.matching import Control, MatchResult, MatchService, Query, States
from app.matching.ranges import Ranges
from app.settings import load
from app.web.factory import create_app
from loaders import Catalog
from loaders.writer import write_dataset
from tests.browser.conftest import settled
from tests.browser.pages import chips, posts, rows, sentence, view

pytestmark = pytest.mark.browser

SLOW, FILE = 0.25, 0.35
LONG = 30.0


class SlowMatching(MatchService):
    """Stops half way until it is released or cancelled: a match at `SLOW`, a file at `FILE`."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go, self.ended = (threading.Event() for _ in range(3))
        self.error: Exception | None = None

    def match(
        self, key: str, states: States, query: Query, control: Control | None = None
    ) -> MatchResult:
        control = control or Control()
        if query.threshold == SLOW:
            try:
                control.begin("packing", 0.6)
                control.advance(0.7)
                self.begun.set()
                while not self.go.wait(0.01):
                    control.check()
                if self.error:
                    raise self.error
            finally:
                self.ended.set()
        return super().match(key, states, query, control)

    def ranges(
        self, key: str, states: States, query: Query, control: Control | None = None
    ) -> Ranges:
        if query.threshold == FILE:
            control = control or Control()
            try:
                control.begin("counting", 0.5)
                control.advance(0.6)
                self.begun.set()
                while not self.go.wait(0.01):
                    control.check()
            finally:
                self.ended.set()
        return super().ranges(key, states, query, control)


class Gate:
    """A progress function at which a build stops half way until the gate is opened."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.error: Exception | None = None

    def __call__(self, done: int, total: int) -> None:
        if 0 < done < total and total > 20_000:
            self.open.wait(LONG)
            if self.error:
                raise self.error


@dataclass
class Server:
    url: str
    matching: SlowMatching
    gate: Gate
    cache: Path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    steps = np.arange(2000)[:, None]
    values = np.sin(steps / (3 + np.arange(20)) + np.arange(20)).astype(np.float32)
    write_dataset(
        root / "a_small", tokens=[f"w{i % 50}" for i in range(2000)], states={"h": values}
    )
    large = np.tile(values, (20, 2))
    tokens = [f"w{i % 50}" for i in range(40_000)]
    write_dataset(
        root / "large",
        tokens=tokens,
        states={"h": large},
        config={"name": "Large corpus", "sources": {"h": {"title": "hidden state"}}},
    )
    return root


# A server is started before the pages that a test opens, and so ends after them.


@pytest.fixture
def two_workers(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start two applications over the same datasets and cache folder that take turns."""
    servers, matching, gate = [], SlowMatching(), Gate()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)

    def start(*paths: Path) -> Server:
        settings = load({}, {"cache_dir": str(tmp_path / "cache")})
        workers = [
            create_app(Catalog(paths, settings.cache_dir, gate), settings, matching=matching).server
            for _ in range(2)
        ]
        turns = itertools.cycle(workers)

        def in_turn(environ: object, respond: object) -> object:
            worker: Flask = next(turns)
            return worker(environ, respond)  # type: ignore[arg-type]

        server = make_server("127.0.0.1", 0, in_turn, threaded=True)  # type: ignore[arg-type]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        url = f"http://127.0.0.1:{server.server_port}/"
        return Server(url, matching, gate, tmp_path / "cache")

    yield start
    matching.go.set()
    gate.open.set()
    for server in servers:
        server.shutdown()


def set_threshold(page: Page, value: float) -> None:
    page.fill("#threshold-text", str(value))
    page.press("#threshold-text", "Enter")
    page.evaluate("() => document.activeElement.blur()")


def jobs_asked(page: Page) -> list[str]:
    requests: list[str] = page.watch.requests  # type: ignore[attr-defined]
    return [item for item in requests if "/_jobs/" in item and item.startswith("GET")]


def test_a_slow_match_is_told_and_its_answer_comes_from_any_worker(
    two_workers: Callable[..., Server], open_page: Callable[..., Page], data: Path
) -> None:
    server = two_workers(data / "a_small")
    page = open_page(server.url, width=1280)
    asked, began = len(jobs_asked(page)), time.monotonic()
    page.evaluate("() => { window.dash_clientside.statebrush.patience.first = 2000; }")
    page.fill("#min-length", "2")
    page.press("#min-length", "Enter")
    settled(page)
    is_quick = time.monotonic() - began < 2  # else the machine is busy, and it is right to ask
    page.wait_for_timeout(2100)
    assert not is_quick or len(jobs_asked(page)) == asked, "what is quick is not asked after"
    page.evaluate("() => { window.dash_clientside.statebrush.patience.first = 300; }")
    height = page.evaluate("() => document.querySelector('.sb-header').offsetHeight")
    set_threshold(page, SLOW)
    page.wait_for_selector("[data-job=match]")
    card = page.locator("[data-job=match]")
    assert "Packing on-bits at 0.25" in card.inner_text()
    assert re.search(r"\b42 %", card.inner_text())
    assert card.locator("[role=progressbar]").get_attribute("aria-valuenow") == "42"
    assert page.inner_text("#busy") == "packing…"
    assert page.evaluate("() => document.querySelector('.sb-header').offsetHeight") == height
    assert page.evaluate("() => document.getElementById('page').dataset.busy") == "true"
    # The rest of the page goes on.
    first = view(page)["first"]
    page.click("#page-on")
    page.wait_for_function(
        """first => {
            const sb = window.dash_clientside.statebrush.panel();
            const shown = sb.win();
            return shown && shown.start > first
              && document.querySelector(`#word-layer [data-step='${shown.start}']`);
        }""",
        arg=first,
    )
    server.matching.go.set()
    settled(page)
    assert page.locator("[data-job]").count() == 0
    assert "steps searched" in sentence(page)
    assert page.locator(".sb-stale").count() == 0, "an answer that came late is no older one"
    assert page.inner_text("#busy") == ""
    asked = len(jobs_asked(page))
    page.wait_for_timeout(1500)
    assert len(jobs_asked(page)) == asked, "nothing is asked while nothing is under way"


def test_a_slow_match_is_cancelled_and_can_be_asked_for_again(
    two_workers: Callable[..., Server], open_page: Callable[..., Page], data: Path
) -> None:
    server = two_workers(data / "a_small")
    page = open_page(server.url)
    before = rows(page)
    set_threshold(page, SLOW)
    page.wait_for_selector("[data-job=match]")
    page.click("[data-job-action=cancel]")
    page.wait_for_selector("[data-job]", state="detached")
    assert server.matching.ended.wait(LONG), "it ends on the server, too"
    settled(page)
    assert page.inner_text("#match-changed") == "Cancelled: press Match or Enter."
    assert rows(page) == before
    assert page.locator("#match-rows.sb-stale").count() == 1, "older matches do not pass for these"
    assert page.evaluate("() => document.activeElement.id") == "match-button"

    server.matching.ended.clear()
    page.click("#match-button")
    page.wait_for_selector("[data-job=match]")
    page.keyboard.press("Escape")
    page.wait_for_selector("[data-job]", state="detached")
    assert server.matching.ended.wait(LONG)
    settled(page)
    assert view(page)["start"] is not None, "Escape has cancelled, not cleared"

    server.matching.go.set()
    page.keyboard.press("Enter")
    page.wait_for_selector("#match-rows:not(.sb-stale)")
    settled(page)
    assert "steps searched" in sentence(page)
    page.evaluate("() => document.activeElement.blur()")
    page.mouse.move(700, 5)
    page.wait_for_selector("[role=tooltip]", state="detached")  # a hint takes an Escape for itself
    page.keyboard.press("Escape")
    settled(page)
    assert view(page)["start"] is None, "with nothing to cancel, Escape clears the selection"


def test_a_newer_request_ends_the_older_one_and_its_answer_wins(
    two_workers: Callable[..., Server], open_page: Callable[..., Page], data: Path
) -> None:
    server = two_workers(data / "a_small")
    page = open_page(server.url)
    set_threshold(page, SLOW)
    page.wait_for_selector("[data-job=match]")
    set_threshold(page, 0.4)
    settled(page)
    assert server.matching.ended.wait(LONG)
    server.matching.go.set()
    assert page.locator("[data-job]").count() == 0
    page.wait_for_timeout(1200)
    assert (
        page.evaluate("() => window.dash_clientside.statebrush.panel().read('match').key.threshold")
        == 0.4
    )
    assert "steps searched" in sentence(page)


def test_a_slow_file_is_told_cancelled_and_saved_however_long_it_takes(
    two_workers: Callable[..., Server], open_page: Callable[..., Page], data: Path, tmp_path: Path
) -> None:
    server = two_workers(data / "a_small")
    page = open_page(server.url)
    page.evaluate("() => { window.dash_clientside.statebrush.patience.answer = 1500; }")
    set_threshold(page, FILE)
    settled(page)

    def ask_for(form: str) -> None:
        page.click("#download-menu")
        page.click(f"#download-{form}")

    ask_for("csv")
    page.wait_for_selector("[data-job=file]")
    card = page.locator("[data-job=file]")
    assert "Preparing the CSV file" in card.inner_text()
    assert card.locator("[role=progressbar]").get_attribute("aria-valuenow") == "21"
    ask_for("json")
    page.wait_for_selector("text=A file is being prepared: wait for it, or cancel it first.")
    page.click("[data-job-action=unsave]")
    assert server.matching.ended.wait(LONG), "it ends on the server, too"
    assert page.locator("[data-job]").count() == 0
    assert page.evaluate("() => document.activeElement.tagName") == "SUMMARY"

    server.matching.begun.clear()
    ask_for("csv")
    assert server.matching.begun.wait(LONG)
    page.wait_for_timeout(2000)  # longer than the page waits for any single answer
    with page.expect_download() as waiting:
        server.matching.go.set()
    waiting.value.save_as(tmp_path / "saved.csv")
    total = int(page.inner_text("#pager").split(" of ")[1].replace(",", ""))
    assert (tmp_path / "saved.csv").read_text().count("\n") == total + 1
    assert page.locator("[data-job]").count() == 0
    for _ in range(int(LONG / 0.05)):
        if not list((server.cache / "jobs").glob("*.file")):
            break
        time.sleep(0.05)
    assert list((server.cache / "jobs").glob("*.file")) == [], "it is not stored"


def test_leaving_the_page_ends_its_match_and_its_file(
    two_workers: Callable[..., Server], open_page: Callable[..., Page], data: Path
) -> None:
    server = two_workers(data / "a_small")
    page = open_page(server.url)
    set_threshold(page, SLOW)
    assert server.matching.begun.wait(LONG)
    page.goto("about:blank")
    assert server.matching.ended.wait(LONG)
    server.matching.ended.clear()
    server.matching.begun.clear()
    page.goto(server.url)
    settled(page)
    set_threshold(page, FILE)
    settled(page)
    page.click("#download-menu")
    page.click("#download-parquet")
    assert server.matching.begun.wait(LONG)
    page.goto("about:blank")
    assert server.matching.ended.wait(LONG)
    assert not server.matching.go.is_set()


def test_what_nobody_foresaw_is_a_sentence_in_place(
    two_workers: Callable[..., Server], open_page: Callable[..., Page], data: Path
) -> None:
    server = two_workers(data / "a_small")
    page = open_page(server.url)
    server.matching.error = ZeroDivisionError()
    server.matching.go.set()
    set_threshold(page, SLOW)
    settled(page)
    assert "The server could not answer (ZeroDivisionError)" in sentence(page)
    assert page.evaluate("() => document.getElementById('page').dataset.busy") == "false"
    server.matching.error = None
    page.click("#match-button")
    page.wait_for_selector("text=steps searched")


def test_a_server_that_hangs_is_given_up_with_a_sentence(
    two_workers: Callable[..., Server], open_page: Callable[..., Page], data: Path
) -> None:
    page = open_page(two_workers(data / "a_small").url)
    page.evaluate("() => { window.dash_clientside.statebrush.patience.answer = 800; }")
    page.route("**/_jobs/**", lambda route: None)  # never answered
    page.route("**/_view/**", lambda route: None)
    set_threshold(page, 0.4)
    page.wait_for_selector("#match-sentence:has-text('does not answer')")
    assert page.evaluate("() => document.getElementById('page').dataset.busy") == "false"
    page.click("#page-on")
    page.wait_for_selector("text=did not answer")
    assert page.evaluate("() => document.getElementById('page').dataset.busy") == "false"
    page.unroute("**/_jobs/**")
    page.unroute("**/_view/**")
    page.click("#match-button")
    page.click("#page-on")
    settled(page)
    assert "steps searched" in sentence(page)
    errors: list[str] = page.watch.errors  # type: ignore[attr-defined]
    assert all("net::" in e for e in errors), errors
    errors.clear()


def test_the_first_page_shows_how_a_dataset_is_prepared_and_opens_it(
    two_workers: Callable[..., Server], open_page: Callable[..., Page], data: Path
) -> None:
    server = two_workers(data / "large")
    page = open_page(server.url, wait=False)
    page.wait_for_selector("[data-job=copy] [aria-valuenow]")
    card = page.inner_text("[data-job=copy]")
    assert "Preparing “Large corpus”, hidden state" in card
    assert re.search(r"\b[1-9]\d? % of 6 MB", card)
    other = open_page(server.url, wait=False)
    other.wait_for_selector("[data-job=copy] [aria-valuenow]")
    server.gate.open.set()
    for one in (page, other):
        settled(one)
        assert one.locator("[data-job]").count() == 0
        assert view(one)["dataset"] == "large"
        assert chips(one)


def test_a_preparation_is_cancelled_and_can_be_asked_for_again(
    two_workers: Callable[..., Server], open_page: Callable[..., Page], data: Path
) -> None:
    server = two_workers(data)
    sources = server.cache / "sources"
    page = open_page(server.url + "?dataset=large", wait=False)
    page.click("[data-job=copy] >> text=Cancel")
    page.wait_for_selector("#banner:has-text('Preparing “Large corpus” was cancelled')")
    assert page.locator("[data-job]").count() == 0
    assert page.evaluate("() => document.activeElement.id") == "dataset"
    server.gate.open.set()
    for _ in range(int(LONG / 0.05)):
        if not list(sources.glob("*.tmp")):
            break
        time.sleep(0.05)
    assert [path.suffix for path in sources.iterdir()] == [".lock"], "nothing half-built stays"
    server.gate.open.clear()

    def choose_large() -> None:
        page.select_option("#dataset", label="Large corpus")
        page.wait_for_selector("[data-job=copy] [aria-valuenow]")

    choose_large()
    # Another person waits for the same dataset: one cancels, the other gets it.
    other = open_page(server.url + "?dataset=large", wait=False)
    other.wait_for_selector("[data-job=copy] [aria-valuenow]")
    page.click("[data-job-action=drop]")
    page.wait_for_selector("#banner:has-text('another user is waiting for it')")
    assert other.locator("[data-job=copy]").count() == 1
    server.gate.open.set()
    settled(other)
    assert view(other)["dataset"] == "large"
    page.select_option("#dataset", label="Large corpus")
    settled(page)
    assert view(page)["dataset"] == "large"
    assert page.locator("#banner").is_hidden()


def test_who_leaves_the_page_does_not_wait_any_more(
    two_workers: Callable[..., Server], open_page: Callable[..., Page], data: Path
) -> None:
    server = two_workers(data)
    pages = [
        open_page(server.url + "?dataset=a_small"),
        open_page(server.url + "?dataset=large", wait=False),
    ]
    pages[1].wait_for_selector("[data-job=copy] [aria-valuenow]")
    pages[1].goto("about:blank")
    waiting = server.cache / "jobs"
    for _ in range(int(LONG / 0.05)):
        if not list(waiting.glob("*.waiting")):
            break
        time.sleep(0.05)
    page = pages[0]
    page.select_option("#dataset", label="Large corpus")
    page.click("[data-job-action=drop]")
    page.wait_for_selector("text=Preparing “Large corpus” was cancelled")
    assert view(page)["dataset"] == "a_small"
    assert page.input_value("#dataset") == "a_small"


def test_a_failed_preparation_is_the_sentence_of_the_command_line(
    two_workers: Callable[..., Server], open_page: Callable[..., Page], data: Path
) -> None:
    server = two_workers(data / "large")
    server.gate.error = OSError(28, "No space left on device")
    page = open_page(server.url, wait=False)
    page.wait_for_selector("[data-job=copy]")
    server.gate.open.set()
    page.wait_for_selector("#banner:has-text('found no space left on device')")
    assert "choose another folder with --cache-dir" in page.inner_text("#banner")
    assert page.locator("[data-job]").count() == 0
    server.gate.error = None
    page.reload()
    settled(page)
    assert view(page)["dataset"] == "large", "asked for again, tried again"


def test_whoever_goes_on_working_is_asked_before_the_view_changes(
    two_workers: Callable[..., Server], open_page: Callable[..., Page], data: Path
) -> None:
    server = two_workers(data)
    page = open_page(server.url + "?dataset=a_small")
    assert view(page)["dataset"] == "a_small"
    page.select_option("#dataset", label="Large corpus")
    page.wait_for_selector("[data-job=copy] [aria-valuenow]")
    assert page.input_value("#dataset") == "a_small", "the picker says what is shown"
    page.click("#page-on")
    settled(page)
    set_threshold(page, 0.4)
    settled(page)
    asked = posts(page)
    server.gate.open.set()
    page.wait_for_selector("[data-job-action=open]")
    assert view(page)["dataset"] == "a_small"
    assert posts(page) == asked
    page.click("[data-job-action=open]")
    page.wait_for_function(
        "() => window.dash_clientside.statebrush.panel().read('view').dataset === 'large'"
    )
    settled(page)
    assert page.locator("[data-job]").count() == 0
    page.go_back()
    page.wait_for_function(
        "() => window.dash_clientside.statebrush.panel().read('view').dataset === 'a_small'"
    )


def test_a_dataset_that_changes_under_a_view_is_prepared_again_and_the_view_kept(
    two_workers: Callable[..., Server], open_page: Callable[..., Page], data: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "large"
    shutil.copytree(data / "large", folder)
    server = two_workers(folder)
    server.gate.open.set()
    page = open_page(server.url)
    set_threshold(page, 0.4)
    settled(page)
    before = view(page)
    server.gate.open.clear()
    os.utime(folder / "states" / "h.parquet")  # written again, with the same content
    page.click("#page-on")
    page.wait_for_selector("[data-job=copy] [aria-valuenow]")
    server.gate.open.set()
    page.wait_for_selector("[data-job]", state="detached")
    settled(page)
    assert view(page)["threshold"] == 0.4
    assert view(page)["first"] > before["first"]
    assert "steps searched" in sentence(page)


def test_axe_finds_nothing_serious_while_work_is_under_way(
    two_workers: Callable[..., Server], open_page: Callable[..., Page], data: Path
) -> None:
    page = open_page(two_workers(data).url + "?dataset=a_small")
    set_threshold(page, SLOW)
    page.wait_for_selector("[data-job=match]")
    page.evaluate(
        "() => window.dash_clientside.statebrush.panel().goTo('dataset', '?dataset=large')"
    )
    page.wait_for_selector("[data-job=copy] [aria-valuenow]")
    boxes = [page.locator(f"[data-job={kind}]").bounding_box() for kind in ("match", "copy")]
    assert all(box and box["y"] >= 0 and box["y"] + box["height"] <= 780 for box in boxes)
    for scheme in ("light", "dark"):
        page.wait_for_function(
            "s => window.dash_clientside.statebrush.panel().read('theme') === s", arg=scheme
        )
        found = Axe().run(page, context="#jobs").response["violations"]
        assert [item["help"] for item in found] == []
        page.click("#color-scheme")


# ------------------------------------------------------------------ real worker processes, killed

WORKER = """
    import os, sys, time
    from pathlib import Path
    from app.web.factory import create_app
    from app.matching import Control, MatchService
    from app.settings import load
    from loaders import Catalog

    here = Path({here!r})

    class Matching(MatchService):
        def match(self, key, states, query, control=None):
            if query.threshold == 0.25 and not (here / "go").exists():
                (here / "at-work.tmp").write_text(str(os.getpid()))
                (here / "at-work.tmp").rename(here / "at-work")
                while True:
                    (control or Control()).check()
                    time.sleep(0.01)
            return super().match(key, states, query, control)

    settings = load({{}}, {{"cache_dir": str(here / "cache")}})
    server = create_app(Catalog([{data!r}], settings.cache_dir), settings, matching=Matching()).server
"""


@dataclass
class Workers:
    """Two worker processes: where they are, and the folder that they and the tests share."""

    url: str
    folder: Path


@pytest.fixture(scope="module")
def gunicorn(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Iterator[Workers]:
    tmp_path = tmp_path_factory.mktemp("workers")
    (tmp_path / "worker.py").write_text(
        textwrap.dedent(WORKER).format(here=str(tmp_path), data=str(data / "a_small"))
    )
    paths = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])
    command = "-m gunicorn worker:server --workers 2 --worker-class gthread --threads 4 --bind 127.0.0.1:0"
    process = subprocess.Popen(
        [sys.executable, *command.split(), "--no-control-socket"],
        env={**os.environ, "PYTHONPATH": paths},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    with process.stderr:
        for line in process.stderr:
            found = re.search(r"Listening at: (\S+)", line)
            if found:
                break
        drain = threading.Thread(target=process.stderr.read, daemon=True)
        drain.start()
        yield Workers(found[1] + "/", tmp_path)  # type: ignore[index]
        process.send_signal(signal.SIGTERM)
        process.wait(LONG)
        drain.join()


def test_cancel_reaches_the_worker_that_works(
    gunicorn: Workers, open_page: Callable[..., Page]
) -> None:
    page = open_page(gunicorn.url)
    set_threshold(page, SLOW)
    page.wait_for_selector("[data-job=match]")
    job = (
        gunicorn.folder
        / "cache"
        / "jobs"
        / page.evaluate(
            "() => `${window.dash_clientside.statebrush.panel().page}-match-${window.dash_clientside.statebrush.panel().read('match-request').n}`"
        )
    )
    assert job.with_suffix(".note").exists()
    open_page(gunicorn.url)  # others go on
    page.click("[data-job-action=cancel]")
    for _ in range(int(LONG / 0.05)):
        if not job.with_suffix(".note").exists():
            break
        time.sleep(0.05)
    assert not job.with_suffix(".note").exists(), "the work has ended"
    assert not job.with_suffix(".answer").exists()


def test_a_killed_worker_never_leaves_the_page_matching(
    gunicorn: Workers, open_page: Callable[..., Page]
) -> None:
    page = open_page(gunicorn.url)
    set_threshold(page, SLOW)
    page.wait_for_selector("[data-job=match]")
    os.kill(int((gunicorn.folder / "at-work").read_text()), signal.SIGKILL)
    page.wait_for_selector("#match-sentence:has-text('lost this search')")
    assert page.evaluate("() => document.getElementById('page').dataset.busy") == "false"
    assert page.locator("[data-job]").count() == 0
    (gunicorn.folder / "go").touch()
    page.keyboard.press("Enter")
    page.wait_for_selector("#match-sentence:has-text('steps searched')")
    settled(page)
