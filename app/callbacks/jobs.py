"""Long work under way: how far it is, its answer, and ending it; asked by assets/jobs.js now and then.

Plain HTTP beside Dash's own: a browser asks only while something is under way, and whichever worker
process it asks answers.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from dash import Dash
from flask import Response, jsonify, request

from app.failures import sentence_for
from app.jobs import JobName
from app.services import Services


def register(app: Dash, services: Services) -> None:
    """Add the addresses ``_jobs/...``."""
    prefix = f"{app.config.routes_pathname_prefix}_jobs"

    @app.server.get(f"{prefix}/copy")
    def copy() -> Response:
        given = request.args
        return _fresh(copy_state(services, given.get("dataset", ""), given.get("source", "")))

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


def copy_state(services: Services, dataset: str, source: str) -> dict[str, Any]:
    """Return how the derived copy of a source stands: the fields of `app.copies.Copy`."""
    try:
        return asdict(services.copies.state(services.catalog.get(dataset), source))
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
