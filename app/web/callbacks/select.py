"""The Select View: windows and tracks from the server, everything else in the browser."""

from __future__ import annotations

from dash import Dash
from flask import Response

from app.corpus import BeingPrepared
from app.web.payloads.tracks import window_tracks
from app.web.payloads.window import MOST_WINDOW_STEPS, window_payload
from app.web.requests import TRACKS_REQUEST, WINDOW_REQUEST, body, fresh
from app.web.services import Services
from app.web.view.wire import (
    Failure,
    Tracks,
    TracksRequest,
    Window,
    WindowError,
    WindowRequest,
)
from app.work.failures import sentence_for


def register(app: Dash, services: Services) -> None:
    """Add the addresses ``_view/window`` and ``_view/tracks``."""
    prefix = f"{app.config.routes_pathname_prefix}_view"

    @app.server.post(f"{prefix}/window")
    def read_window() -> Response:
        return fresh(answer_window(services, body(WINDOW_REQUEST)))

    @app.server.post(f"{prefix}/tracks")
    def read_tracks() -> Response:
        return fresh(answer_tracks(services, body(TRACKS_REQUEST)))


def answer_window(services: Services, request: WindowRequest) -> Window | WindowError:
    """Return the ``window`` store for a request, or ``error`` with one sentence.

    ``preparing`` means that the copy of the source does not exist (any more): the view must be opened
    again, which builds it.
    """
    try:
        opened = services.corpus.open(request["dataset"], request["source"])
        if isinstance(opened, BeingPrepared):
            sentence = f"“{opened.dataset.name}” has changed and is being prepared again."
            return {"n": request["n"], "error": sentence, "preparing": True}
        return window_payload(opened.dataset, opened.source, request, services.brushes)
    except Exception as error:
        return {"n": request["n"], "error": sentence_for(error)}


def answer_tracks(services: Services, request: TracksRequest) -> Tracks | Failure:
    """Return the ``tracks`` store for a request, or ``error`` with one sentence."""
    try:
        return window_tracks(
            services.corpus.dataset(request["dataset"]), request, MOST_WINDOW_STEPS
        )
    except Exception as error:
        return {"error": sentence_for(error)}
