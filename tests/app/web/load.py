"""A dashboard server in a separate process, and users that send the requests of a page."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from tests import ROOT


@contextmanager
def serving(data: Path, cache: Path, *options: str, log: Path | None = None) -> Iterator[str]:
    """Start `python -m app serve` as a user would, and yield its address; `log` receives its stderr."""
    command = [sys.executable, "-m", "app", "serve", str(data)]
    command += ["--port", "0", "--cache-dir", str(cache)]
    errors = log.open("wb") if log else None
    server = subprocess.Popen(
        [*command, *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=errors or subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": ""},
    )
    try:
        assert server.stdout is not None
        with server.stdout:
            line = server.stdout.readline()
            assert line.startswith("Statebrush is at http"), line
            yield line.split()[-1]
    finally:
        server.terminate()
        server.wait(timeout=30)
        if errors:
            errors.close()


class User:
    """A browser tab without the browser: with its own name, one connection, one request at a time."""

    def __init__(self, url: str) -> None:
        self.page = secrets.token_hex(16)
        self._n = 0
        self._http = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def window(self, request: dict[str, Any]) -> dict[str, Any]:
        """Request the ``window`` store."""
        return json.loads(self.window_text(request))  # type: ignore[no-any-return]

    def window_text(self, request: dict[str, Any]) -> bytes:
        """Request the ``window`` store without parsing it, which would itself be a load."""
        return self.send("POST", "/_view/window", self._numbered(request))

    def search(self, request: dict[str, Any]) -> dict[str, Any]:
        """Request the ``search`` store."""
        text = self.send("POST", "/_view/search", self._numbered(request))
        return json.loads(text)  # type: ignore[no-any-return]

    def match(self, key: dict[str, Any]) -> dict[str, Any]:
        """Request the ``match`` and ``overview`` stores, polling until they are ready."""
        request = self._numbered({"page": self.page, "key": key, "restored": 0, "instead": False})
        path = f"/_jobs/match/{self.page}/{self._n}"
        state = json.loads(self.send("POST", path, request))
        while state["state"] != "done":
            assert state["state"] == "running", state
            time.sleep(0.1)
            state = json.loads(self.send("GET", path, None))
        return state["answer"]  # type: ignore[no-any-return]

    def _numbered(self, request: dict[str, Any]) -> dict[str, Any]:
        self._n += 1
        return {**request, "n": self._n}

    def send(self, method: str, path: str, body: Any) -> bytes:
        """The answer to any request."""
        self._http.request(
            method,
            path,
            None if body is None else json.dumps(body),
            {"Content-Type": "application/json"},
        )
        response = self._http.getresponse()
        text = response.read()
        assert response.status == 200, (response.status, text[:300])
        return bytes(text)


def match_key(start: int, stop: int, threshold: float, **change: Any) -> dict[str, Any]:
    """Return the key of a match, as in the view of a page, for the source ``h`` of the dataset ``load``."""
    return {
        "dataset": "load", "fp": "", "source": "h", "start": start, "stop": stop, "before": 0,
        "after": 0, "threshold": threshold, "polarity": "high", "excluded": [],
        "min_overlap": None, "min_length": None, "overlapping": False, "length": None,
        "tracks": [], "sort": "rank", "page": 0, **change,
    }  # fmt: skip


def window_request(start: int, steps: int = 60) -> dict[str, Any]:
    """Return the request of a page for a range of steps."""
    window = {"start": start, "stop": start + steps, "brush": None}
    return {"dataset": "load", "fp": "", "source": "h", **window}


def search_request(phrase: str) -> dict[str, Any]:
    """Return the request of the search box."""
    return {"dataset": "load", "phrase": phrase, "exact": False, "from": 0, "way": "here"}


def seconds_of(work: Callable[[], object]) -> float:
    """Return the duration of a call in seconds."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
