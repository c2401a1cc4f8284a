"""Requests are validated here, before any other code of the project reads them.

Invalid requests are answered with status 400 and one sentence, ``{"error": ...}``, and logged in one
line, so that a traceback in the log is always a bug. A body is parsed once, using the types of
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
    """An invalid request; str(error) is one plain sentence."""


class RefusalLog:
    """Logs refused requests: a few lines per period, then only their number. Thread-safe.

    Parameters
    ----------
    most
        Lines per period.
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
    """Answer invalid requests to `app`."""
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
        # Dash raises it for files of component libraries that do not exist.
        return NotFound()


def json_object() -> dict[str, Any]:
    """Return the body of the current request, a JSON object.

    Raises
    ------
    RefusedError
        The body is something else, or not JSON.
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
    """Return the body of the current request, validated by its type; raises `RefusedError`."""
    return parse(adapter, json_object(), "The body")


def fresh(answer: Mapping[str, Any]) -> Response:
    """Return an answer as JSON that must not be cached."""
    response = jsonify(answer)
    response.headers["Cache-Control"] = "no-store"
    return response


def parse(adapter: TypeAdapter[_Type], value: object, name: str) -> _Type:
    """Return a value validated by its type; `name` is its name in error messages.

    Raises
    ------
    RefusedError
        It is invalid: the message names the first field, what was expected and what was found.
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
        raise RefusedError(f"{field} is not a known field; if the page is old, reload it.")
    expected = first["msg"][:1].lower() + first["msg"][1:]
    raise RefusedError(f"{field} is invalid: expected {expected}, found {_shown(first['input'])}.")


def _field(part: object) -> str:
    return _shown(part).strip("'")


def _shown(value: object) -> str:
    """Return a value as quoted in a sentence: short, on one line, unusual characters escaped."""
    return reprlib.repr(value).encode("ascii", "backslashreplace").decode()


# Created once: each compiles its type.
NAVIGATION = TypeAdapter(Navigation)
WINDOW_REQUEST = TypeAdapter(WindowRequest)
STATE_REQUEST = TypeAdapter(StateRequest)
TRACKS_REQUEST = TypeAdapter(TracksRequest)
MATCH_REQUEST = TypeAdapter(MatchRequest)
SEARCH_REQUEST = TypeAdapter(SearchRequest)
FILE_REQUEST = TypeAdapter(FileRequest)
