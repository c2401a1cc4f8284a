"""Output of the command line: results to stdout, progress and messages to stderr."""

from __future__ import annotations

import shlex
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from app.matching import Control

Progress = Callable[..., None]

FAILED = 2
"""The exit code of a command that failed."""


def write(text: str) -> None:
    """Write to stdout in UTF-8, whatever the locale, since words may contain anything."""
    click.echo(text.encode(), nl=False)


def say(sentence: str) -> None:
    """Write a sentence to stderr, on one line."""
    click.echo(" ".join(sentence.split()), err=True)


def program() -> str:
    """Return how this program was started, for commands to copy: `.venv/bin/python -m app`."""
    started = sys.orig_argv[:3]
    return shlex.join(started) if started[1:] == ["-m", "app"] else "python -m app"


def progress(what: str, *, always: bool = False, verb: str = "Preparing") -> Progress | None:
    """Return a function that takes the amount done and the total (default 1), or None.

    stderr may be read by another program, which expects only error messages: without a terminal, only
    the building of demos is reported, in a few lines.
    """
    terminal = sys.stderr.isatty()
    if not terminal and not always:
        return None
    started = 0.0
    seen = shown = -1

    def report(done: float, total: float = 1) -> None:
        nonlocal started, seen, shown
        percent = int(100 * done / total)
        if seen < 0 or percent < seen:  # new work begins
            started, shown = time.monotonic(), -1
        seen = percent
        if percent == shown or (not terminal and percent // 25 == shown // 25):
            return
        if shown < 0 and time.monotonic() - started < 0.5:
            return  # short work needs no progress
        shown = percent
        line = f"{verb} {what}: {percent} %"
        if terminal:
            click.echo(f"\r{line}", err=True, nl=percent >= 100)
        else:
            click.echo(line, err=True)

    return report


@contextmanager
def reporting(control: Control, report: Progress | None) -> Iterator[None]:
    """Report the progress of a search several times a second while the block runs."""
    if report is None:
        yield
        return
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.2):
            report(control.done)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
        report(1.0)
