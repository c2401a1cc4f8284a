"""Phrase search in the header: results with context, next and previous."""

from __future__ import annotations

from dash import Dash
from flask import Response

from app.web.payloads.search import search_payload
from app.web.requests import SEARCH_REQUEST, body, fresh
from app.web.services import Services
from app.web.view.wire import SearchAnswer, SearchRequest
from app.work.failures import sentence_for


def register(app: Dash, services: Services) -> None:
    """Add the address ``_view/search``."""

    @app.server.post(f"{app.config.routes_pathname_prefix}_view/search")
    def search() -> Response:
        return fresh(answer_search(services, body(SEARCH_REQUEST)))


def answer_search(services: Services, request: SearchRequest) -> SearchAnswer:
    """Return the ``search`` store for a request, or ``error`` with one sentence."""
    try:
        return search_payload(
            services.searching, services.corpus.dataset(request["dataset"]), request
        )
    except Exception as error:
        return {"n": request["n"], "total": 0, "results": [], "error": sentence_for(error)}
