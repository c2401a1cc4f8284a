"""Measure the first load of the page: bytes, answers, and the time until the rows are drawn.

    python -m tests.benchmarks.bench_first_load [--base CHECKOUT] [--runs 7]

Each run opens the first screen of the demos in a browser with a warm cache ("cached") and in
one with an empty one ("empty"). With `--base`, another checkout is also served and both are opened in
turns, so that the ratio is valid even if the speed of the machine changes.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import BrowserContext, Playwright, sync_playwright

from tests import ROOT
from tests.browser.conftest import CHROMIUM_FLAGS, find_chromium

_ROWS = "() => document.querySelectorAll('#match-rows a.sb-row').length > 0"


@contextlib.contextmanager
def served(checkout: Path, cache: str) -> Iterator[str]:
    """Serve the demos from a checkout; yields the address once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "app", "serve", "--port", str(port)]
    environment = {**os.environ, "STATEBRUSH_CACHE_DIR": cache}
    process = subprocess.Popen(
        command, cwd=checkout, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}/"
    try:
        until = time.monotonic() + 300
        while True:
            try:
                urllib.request.urlopen(url, timeout=5).read()
                break
            except OSError:
                if time.monotonic() > until or process.poll() is not None:
                    raise
                time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait()


def opened(context: BrowserContext, url: str) -> tuple[float, int, int]:
    """Open the page; return seconds until the first rows, bytes over the wire, and answers."""
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: list[int] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    began = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_function(_ROWS, timeout=120_000, polling=20)
    seconds = time.perf_counter() - began
    page.wait_for_timeout(1500)
    page.close()
    return seconds, int(sum(sizes)), len(sizes)


def empty(playwright: Playwright, url: str) -> tuple[float, int, int]:
    """Open the page in a browser without a profile."""
    browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
    try:
        return opened(browser.new_context(), url)
    finally:
        browser.close()


def line(name: str, runs: list[tuple[float, int, int]]) -> str:
    """Return a row of the table."""
    seconds = [run[0] for run in runs]
    return (
        f"{name:16} {statistics.median(seconds):6.2f} {min(seconds):6.2f} {max(seconds):6.2f} s   "
        f"{statistics.median(run[1] for run in runs) / 1e6:6.2f} MB   "
        f"{statistics.median(run[2] for run in runs):4.0f} answers"
    )


def main() -> None:
    """Run the measurement and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path)
    parser.add_argument("--runs", type=int, default=7)
    given = parser.parse_args()
    checkouts = {"here": ROOT} | ({"base": given.base.resolve()} if given.base else {})
    with contextlib.ExitStack() as stack:
        cache = stack.enter_context(tempfile.TemporaryDirectory())
        urls = {
            name: stack.enter_context(served(path, f"{cache}/{name}"))
            for name, path in checkouts.items()
        }
        playwright = stack.enter_context(sync_playwright())
        been = {}
        for name, url in urls.items():
            been[name] = playwright.chromium.launch_persistent_context(
                f"{cache}/profile-{name}", executable_path=find_chromium(), args=CHROMIUM_FLAGS
            )
            stack.callback(been[name].close)
            for _ in range(2):  # scripts are cached in compiled form from the second visit on
                opened(been[name], url)
        found: dict[tuple[str, str], list[tuple[float, int, int]]] = {}
        for _ in range(given.runs):
            for name, url in urls.items():
                found.setdefault(("cached", name), []).append(opened(been[name], url))
                found.setdefault(("empty", name), []).append(empty(playwright, url))
    print("from request to rows: median, min, max; bytes over the wire")
    for (kind, name), runs in sorted(found.items()):
        print(line(f"{kind} {name}", runs))
    if given.base:
        for kind in ("cached", "empty"):
            ratios = [
                mine[0] / other[0]
                for mine, other in zip(found[kind, "here"], found[kind, "base"], strict=True)
            ]
            print(
                f"{kind}: here / base {statistics.median(ratios):.2f} "
                f"({min(ratios):.2f} to {max(ratios):.2f})"
            )


if __name__ == "__main__":
    main()
