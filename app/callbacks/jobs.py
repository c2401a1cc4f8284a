"""Long work under way: how far it is, its answer, and ending it; asked by assets/jobs.js now and then.

Plain HTTP beside Dash's own: a browser asks only while something is under way, and whichever worker
process it asks answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from dash import Dash
from flask import Response, jsonify, request

from app.failures import sentence_for
from app.jobs import JobName
from app.services import Services
from loaders import Dataset

Given = Mapping[str, str]


def register(app: Dash, services: Services) -> None:
    """Add the addresses ``_jobs/...``."""
    prefix = f"{app.config.routes_pathname_prefix}_jobs"

    @app.server.get(f"{prefix}/copy")
    def copy() -> Response:
        return _fresh(copy_state(services, request.args))

    @app.server.post(f"{prefix}/copy/cancel")
    def copy_cancel() -> Response:
        return _fresh(cancel_copy(services, request.args))

    @app.server.post(f"{prefix}/copy/leave")
    def copy_leave() -> Response:
        return _fresh(leave_copy(services, request.args))

    @app.server.get(f"{prefix}/match/<page>/<int:n>")
    def match(page: str, n: int) -> Response:
        return _fresh(match_state(services, page, n))

    @app.server.post(f"{prefix}/match/<page>/<int:n>/cancel")
    def cancel(page: str, n: int) -> Response:
        return _fresh(cancel_match(services, page, n))


def _fresh(answer: dict[str, Any]) -> Response:
    response = jsonify(answer)
    response.headers["Cache-Control"] = "no-store"
    return response


def copy_state(services: Services, given: Given) -> dict[str, Any]:
    """Return how the derived copy of a source stands: the fields of `app.copies.Copy`.

    `given` names the ``dataset``, the ``source`` and, if it is one that waits, the ``page``.
    """
    return _of_copy(services, given, lambda *which: asdict(services.copies.state(*which)))


def cancel_copy(services: Services, given: Given) -> dict[str, Any]:
    """Take back a page's wish for a copy; `app.copies.Copies.cancel` says what comes of it."""
    return _of_copy(services, given, lambda *which: {"state": services.copies.cancel(*which)})


def leave_copy(services: Services, given: Given) -> dict[str, Any]:
    """Take note that a page has gone: somebody else's cancel need not heed it."""

    def leave(dataset: Dataset, source: str, page: str | None) -> dict[str, Any]:
        services.copies.leave(dataset, source, page)
        return {"state": "left"}

    return _of_copy(services, given, leave)


def _of_copy(
    services: Services, given: Given, act: Callable[[Dataset, str, str | None], dict[str, Any]]
) -> dict[str, Any]:
    """What `act` says of the copy that is named, or why there is nothing to say."""
    try:
        page = JobName(given["page"], 0).page if "page" in given else None
    except ValueError:
        return {"state": "unknown"}
    try:
        return act(services.catalog.get(given.get("dataset", "")), given.get("source", ""), page)
    except Exception as error:
        return {"state": "failed", "sentence": sentence_for(error)}


def match_state(services: Services, page: str, n: int) -> dict[str, Any]:
    """Return how a match stands: the fields of `app.jobs.Status`."""
    try:
        return asdict(services.jobs.status(JobName(page, n)))
    except ValueError:
        return {"state": "unknown"}


def cancel_match(services: Services, page: str, n: int) -> dict[str, Any]:
    """Cancel a match, and every older one of its page."""
    try:
        services.jobs.cancel(JobName(page, n).page, n + 1)
    except ValueError:
        return {"state": "unknown"}
    return {"state": "cancelled"}
