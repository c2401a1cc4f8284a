"""Long work under way: how far it is, its answer, and ending it; asked by assets/jobs.js now and then.

Plain HTTP beside Dash's own: a browser asks only while something is under way, and whichever worker
process it asks answers.
"""

from __future__ import annotations

import re
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

    @app.server.get(f"{prefix}/match/<page>/<n>")
    def match(page: str, n: str) -> Response:
        return _fresh(match_state(services, page, n))

    @app.server.post(f"{prefix}/match/<page>/<n>/cancel")
    def cancel(page: str, n: str) -> Response:
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


def match_state(services: Services, page: str, n: str) -> dict[str, Any]:
    """Return how a match stands: the fields of `app.jobs.Status`."""
    try:
        return asdict(services.jobs.status(_name(page, n)))
    except ValueError:
        return {"state": "unknown"}


def cancel_match(services: Services, page: str, n: str) -> dict[str, Any]:
    """Cancel a match, and every older one of its page."""
    try:
        name = _name(page, n)
    except ValueError:
        return {"state": "unknown"}
    services.jobs.cancel(name.page, name.n + 1)
    return {"state": "cancelled"}


def _name(page: str, n: str) -> JobName:
    """Read what an address says, which may be anything; ValueError for what no page ever sends."""
    if not re.fullmatch(r"[0-9]{1,15}", n):
        raise ValueError("a number of up to 15 digits")
    return JobName(page, int(n))
