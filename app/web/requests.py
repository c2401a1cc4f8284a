"""Requests are checked here, before Dash or any code of ours reads them.

What does not fit is answered with status 400 and one sentence, ``{"error": ...}``, and leaves one line in
the log, so that a traceback there is always a fault of ours. A body is parsed once: the callbacks get
what the types of `app.web.view.wire` say.
"""

from __future__ import annotations

import logging
import reprlib
import threading
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar, cast, get_type_hints

from dash import Dash
from dash.exceptions import DependencyException
from flask import Flask, Response, jsonify, request
from pydantic import TypeAdapter, ValidationError
from werkzeug.exceptions import BadRequest, NotFound, UnsupportedMediaType

from app.web.view.wire import FileRequest

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
    """Check every request for a callback of `app`, and answer what does not fit."""
    server: Flask = app.server
    log = RefusalLog()
    path = f"{app.config.routes_pathname_prefix}_dash-update-component"
    # The types are those of the callbacks' own parameters.
    types = cache(lambda output: _types(app.callback_map[output]["callback"].__wrapped__))

    @server.before_request
    def check() -> None:
        if request.path == path and request.method == "POST":
            body = json_object()
            fitting = callback_request(body, app.callback_map, types)
            # In place: Dash is given the same object.
            body.clear()
            body.update(fitting)

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


def file_request() -> FileRequest:
    """Return the body of a request for a file; raises `RefusedError`."""
    return parse(_FILE_REQUEST, json_object(), "The body")


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


def callback_request(
    body: Mapping[str, Any],
    callbacks: Mapping[str, Mapping[str, Any]],
    types: Callable[[str], tuple[TypeAdapter[Any], ...]],
) -> dict[str, Any]:
    """Return what Dash is to read of a request for a callback.

    Parameters
    ----------
    body
        ``output``, ``outputs``, ``inputs``, ``state`` and ``changedPropIds`` are checked; the renderer
        sends more, which is left out.
    callbacks
        Dash's own map of them.
    types
        Output -> the types of the values of its inputs and states.

    Raises
    ------
    RefusedError
        No such callback, other components than its own, or a value that is not of its type.
    """
    output = body.get("output")
    known = callbacks.get(output) if isinstance(output, str) else None
    if known is None or "callback" not in known:  # those without are the browser's own
        raise RefusedError(f"There is no callback for the output {_shown(output)}.")
    output = cast(str, output)
    names = output[2:-2].split("...") if output.startswith("..") else [output]
    outputs = [dict(zip(("id", "property"), one.rsplit(".", 1), strict=True)) for one in names]
    given = body.get("outputs")
    if _ids(given if output.startswith("..") else [given]) != names:
        raise RefusedError(f"The outputs are {_shown(given)}; they must be those of {output}.")
    values = []
    for key, word in (("inputs", "input"), ("state", "state")):
        parts = body.get(key, [])
        if _ids(parts) != _ids(known[key]):
            raise RefusedError(f"{key} is {_shown(parts)}; it must list every {word} of {output}.")
        values += parts
    inputs = _ids(known["inputs"]) or []
    changed = body.get("changedPropIds", [])
    if not isinstance(changed, list) or not all(
        isinstance(one, str) and one in inputs for one in changed
    ):
        raise RefusedError(f"changedPropIds is {_shown(changed)}; it must list inputs of {output}.")
    fitting = [
        {
            "id": part["id"],
            "property": part["property"],
            "value": parse(adapter, part.get("value"), part["id"]),
        }
        for part, adapter in zip(values, types(output), strict=True)
    ]
    return {
        "output": output,
        "outputs": outputs if output.startswith("..") else outputs[0],
        "inputs": fitting[: len(inputs)],
        "state": fitting[len(inputs) :],
        "changedPropIds": changed,
    }


def _ids(parts: object) -> list[str] | None:
    """``id.property`` of each component of a request; None where it is not a list of components."""
    if not isinstance(parts, list):
        return None
    found = []
    for part in parts:
        names = (part.get("id"), part.get("property")) if isinstance(part, dict) else ()
        if not names or not all(isinstance(name, str) for name in names):
            return None
        found.append(f"{names[0]}.{names[1]}")
    return found


def _types(callback: Callable[..., Any]) -> tuple[TypeAdapter[Any], ...]:
    hints = get_type_hints(callback, include_extras=True)
    hints.pop("return", None)
    return tuple(TypeAdapter(hint) for hint in hints.values())


def _field(part: object) -> str:
    return _shown(part).strip("'")


def _shown(value: object) -> str:
    """A value as a sentence quotes it: short, on one line, ASCII where it is odd."""
    return reprlib.repr(value).encode("ascii", "backslashreplace").decode()


_FILE_REQUEST: TypeAdapter[FileRequest] = TypeAdapter(FileRequest)
