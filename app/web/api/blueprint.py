"""Read-only JSON API over HTTP: the same answers as the dashboard and the command line.

docs/api.md is its documentation; the tables of parameters there are `table` of each route.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from app.matching import QueryError
from app.output import options as match_options
from app.output.options import OptionError, UnknownNameError
from app.phrases import SearchError
from app.web.api import context, datasets, match, search, state
from app.web.api.route import PREFIX, ApiError, Route
from app.web.services import Services
from app.web.slow_clients import PIECE, held_until_sent
from app.work.failures import sentence_for
from loaders import DatasetError

ROUTES: tuple[Route, ...] = (
    datasets.ROUTE,
    context.ROUTE,
    match.ROUTE,
    state.ROUTE,
    search.ROUTE,
)

#: The maximum size of an answer in bytes.
MOST_ANSWER_BYTES = 64 << 20


def blueprint(services: Services) -> Blueprint:
    """Return the API as a Flask blueprint under `PREFIX`.

    Answers are JSON in UTF-8, or CSV on request. An error is an object with one key, ``error``: one plain
    sentence, with status 400 (invalid request), 404 (unknown name), 405 (not GET), 500 (unexpected
    error; the log has the details) or 503 (try again later: the data is being prepared, the server is
    busy, or the request took too long).
    """
    made = Blueprint("api", __name__, url_prefix=PREFIX)
    for route in ROUTES:
        made.add_url_rule(route.path, route.path.strip("/"), _view(route, services))

    @made.route("/", defaults={"rest": ""}, strict_slashes=False)
    @made.route("/<path:rest>")
    def nothing_here(rest: str) -> Response:
        there = ", ".join(PREFIX + route.path for route in ROUTES)
        return _json({"error": f"There is nothing at {PREFIX}/{rest}; there are {there}."}, 404)

    @made.route("/<path:rest>", methods=["POST", "PUT", "PATCH", "DELETE"])
    def only_reading(rest: str) -> Response:
        return _json({"error": "The API is read-only; use GET."}, 405)

    return made


def _view(route: Route, services: Services) -> Callable[[], Response]:
    def view() -> Response:
        try:
            answer = route.answer(services, _given(route))
            response = answer if isinstance(answer, Response) else _json(answer, 200)
            if (response.content_length or 0) > MOST_ANSWER_BYTES:
                raise ApiError(_too_large(response.content_length or 0), 400)
            is_large = (response.content_length or 0) > PIECE
            if is_large and not held_until_sent(response, services.jobs):
                raise ApiError(services.jobs.BUSY, 503)
            return response
        except UnknownNameError as error:
            return _json({"error": str(error)}, 404)
        except ApiError as error:
            return _json({"error": str(error)}, error.status)
        except (OptionError, QueryError, SearchError, DatasetError) as error:
            return _json({"error": str(error)}, 400)
        except Exception as error:
            return _json({"error": sentence_for(error, request.full_path)}, 500)

    return view


def _given(route: Route) -> dict[str, Any]:
    for name, texts in request.args.lists():
        if len(texts) > 1:
            raise ApiError(f"{name} is given {len(texts)} times; give it once.", 400)
    return match_options.read(route.options, request.args)


def _too_large(n_bytes: int) -> str:
    return f"The answer has {n_bytes:,} bytes; at most {MOST_ANSWER_BYTES:,} are allowed; request less."


def _json(answer: dict[str, Any], status: int) -> Response:
    # Not Flask's jsonify, which sorts the keys: the order is that of the command line.
    text = json.dumps(answer, allow_nan=False) + "\n"
    if len(text) > MOST_ANSWER_BYTES:
        text, status = json.dumps({"error": _too_large(len(text))}) + "\n", 400
    response = Response(text, status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-cache"
    return response
