"""Requests are checked here, before any code of ours reads them.

What does not fit is answered with status 400 and one sentence, ``{"error": ...}``, and leaves one line in
the log, so that a traceback there is always a fault of ours. A body is parsed once, by the types of
`app.web.view.wire`.
"""

from __future__ import annotations

import logging
import reprlib
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from dash import Dash
from dash.exceptions import DependencyException
from flask import Flask, Response, jsonify, request
from pydantic import TypeAdapter, ValidationError
from werkzeug.exceptions import BadRequest, NotFound, UnsupportedMediaType

from app.web.view.wire import (
    FileRequest,
    MatchRequest,
    Navigation,
    SearchRequest,
    StateRequest,
    TracksRequest,
    WindowRequest,
)

_LOG = logging.getLogger("statebrush")
_Type = TypeVar("_Type")


class RefusedError(Exception):
    """A request that does not fit; str(error) is one plain sentence."""


class RefusalLog:
    """Logs refused requests: a few lines in each period, then only how many there were. Thread-safe.

    Parameters
    ----------
    most
        Lines in a period.
    seconds
        The length of a period.
    now
        The clock, in seconds.
    """

    def __init__(
        self, most: int = 20, seconds: float = 60.0, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = most
        self._seconds = seconds
        self._now = now
        self._lock = threading.Lock()
        self._began = now()
        self._count = 0

    def add(self, what: str, sentence: str) -> None:
        """Log that a request, described by `what`, was refused with a sentence."""
        with self._lock:
            more = 0
            if self._now() - self._began >= self._seconds:
                more = max(0, self._count - self._most)
                self._began, self._count = self._now(), 0
            self._count += 1
            count = self._count
        if more:
            _LOG.warning("%d more requests were refused before", more)
        if count <= self._most:
            _LOG.warning("refused: %s: %s", what, sentence)
        if count == self._most:
            _LOG.warning("further refusals are only counted for %.0f s", self._seconds)


def register(app: Dash) -> None:
    """Answer the requests to `app` that do not fit."""
    server: Flask = app.server
    log = RefusalLog()
    path = f"{app.config.routes_pathname_prefix}_dash-update-component"

    @server.before_request
    def check() -> None:
        # Every callback runs in the browser; Dash would answer 500.
        if request.path == path and request.method == "POST":
            raise RefusedError("There are no callbacks on the server.")

    @server.errorhandler(RefusedError)
    def refuse(error: RefusedError) -> tuple[Response, int]:
        log.add(f"{request.method} {reprlib.repr(request.path)}", str(error))
        return jsonify({"error": str(error)}), 400

    @server.errorhandler(DependencyException)
    def missing(error: DependencyException) -> NotFound:
        # Dash raises it for each file of a component library that there is not.
        return NotFound()


def json_object() -> dict[str, Any]:
    """Return the body of the present request, a JSON object.

    Raises
    ------
    RefusedError
        Another body, or one that is not JSON.
    """
    try:
        body = request.get_json()
    except UnsupportedMediaType:
        raise RefusedError("The body must have the content type application/json.") from None
    except (BadRequest, RecursionError):
        raise RefusedError("The body is not JSON, or is nested too deeply.") from None
    if not isinstance(body, dict):
        raise RefusedError(f"The body must be a JSON object, not {_shown(body)}.")
    return body


def body(adapter: TypeAdapter[_Type]) -> _Type:
    """Return the body of the present request as its type says; raises `RefusedError`."""
    return parse(adapter, json_object(), "The body")


def fresh(answer: Mapping[str, Any]) -> Response:
    """Return an answer as JSON that no cache keeps."""
    response = jsonify(answer)
    response.headers["Cache-Control"] = "no-store"
    return response


def parse(adapter: TypeAdapter[_Type], value: object, name: str) -> _Type:
    """Return a value as its type says; `name` is what a sentence calls it.

    Raises
    ------
    RefusedError
        It does not fit: the sentence names the first field, what was expected and what was found.
    """
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
    except RecursionError:
        raise RefusedError(f"{name} is nested too deeply.") from None
    field = ".".join([name, *(_field(part) for part in first["loc"])])
    if first["type"] == "missing":
        raise RefusedError(f"{field} is missing.")
    if first["type"] == "extra_forbidden":
        raise RefusedError(
            f"{field} is not a known field; load the page again if it is an old one."
        )
    expected = first["msg"][:1].lower() + first["msg"][1:]
    raise RefusedError(f"{field} does not fit: {expected}, not {_shown(first['input'])}.")


def _field(part: object) -> str:
    return _shown(part).strip("'")


def _shown(value: object) -> str:
    """A value as a sentence quotes it: short, on one line, ASCII where it is odd."""
    return reprlib.repr(value).encode("ascii", "backslashreplace").decode()


# Made once: each compiles its type.
NAVIGATION = TypeAdapter(Navigation)
WINDOW_REQUEST = TypeAdapter(WindowRequest)
STATE_REQUEST = TypeAdapter(StateRequest)
TRACKS_REQUEST = TypeAdapter(TracksRequest)
MATCH_REQUEST = TypeAdapter(MatchRequest)
SEARCH_REQUEST = TypeAdapter(SearchRequest)
FILE_REQUEST = TypeAdapter(FileRequest)
