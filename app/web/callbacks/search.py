"""Phrase search in the header: results with context, next and previous."""

from __future__ import annotations

from dash import Dash, Input, Output

from app.web.callbacks.clientside import clientside
from app.web.payloads.search import search_payload
from app.web.services import Services
from app.web.view.wire import SearchAnswer, SearchRequest
from app.work.failures import sentence_for
from components import ids


def register(app: Dash, services: Services) -> None:
    """Wire the search."""

    @app.callback(
        Output(ids.SEARCH, "data"),
        Input(ids.SEARCH_REQUEST, "data"),
        prevent_initial_call=True,
    )
    def search(request: SearchRequest | None) -> SearchAnswer | None:
        return answer_search(services, request) if request else None

    # Only an answer may jump: with the info as an input, going back would jump again.
    clientside(app, "drawSearch", Input(ids.SEARCH, "data"))


def answer_search(services: Services, request: SearchRequest) -> SearchAnswer:
    """Return the ``search`` store for a request, or ``error`` with one sentence."""
    try:
        return search_payload(
            services.searching, services.corpus.dataset(request["dataset"]), request
        )
    except Exception as error:
        return {"n": request["n"], "total": 0, "results": [], "error": sentence_for(error)}
