"""The card of a state: read when it is opened, and again when the threshold changes."""

from __future__ import annotations

from dash import Dash
from flask import Response

from app.corpus import BeingPrepared
from app.web.payloads.state import state_payload
from app.web.requests import STATE_REQUEST, body, fresh
from app.web.services import Services
from app.web.view.wire import StateCard, StateError, StateRequest
from app.work.failures import sentence_for


def register(app: Dash, services: Services) -> None:
    """Add the address ``_view/state``."""

    @app.server.post(f"{app.config.routes_pathname_prefix}_view/state")
    def read_state() -> Response:
        return fresh(answer_state(services, body(STATE_REQUEST)))


def answer_state(services: Services, request: StateRequest) -> StateCard | StateError:
    """Return the card of a state, or ``error`` with one sentence."""
    try:
        opened = services.corpus.open(request["dataset"], request["source"])
        if isinstance(opened, BeingPrepared):
            sentence = f"“{opened.dataset.name}” has changed and is being prepared again."
            return {"n": request["n"], "error": sentence}
        return state_payload(opened, request)
    except Exception as error:
        return {"n": request["n"], "error": sentence_for(error)}
