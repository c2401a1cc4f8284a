"""The Select View: windows and tracks from the server, everything else in the browser."""

from __future__ import annotations

from collections.abc import Sequence

from dash import Dash, Input, Output, State
from flask import Response

from app.corpus import BeingPrepared
from app.web.callbacks.clientside import clientside
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
from components import ids
from components.ids import Panel


def register(app: Dash, services: Services, panels: Sequence[Panel]) -> None:
    """Add the addresses ``_view/window`` and ``_view/tracks``, and wire the Select View."""
    prefix = f"{app.config.routes_pathname_prefix}_view"

    @app.server.post(f"{prefix}/window")
    def read_window() -> Response:
        return fresh(answer_window(services, body(WINDOW_REQUEST)))

    @app.server.post(f"{prefix}/tracks")
    def read_tracks() -> Response:
        return fresh(answer_tracks(services, body(TRACKS_REQUEST)))

    for panel in panels:
        _wire(app, panel)


def _wire(app: Dash, panel: Panel) -> None:
    def on(name: str) -> Input:
        return Input(panel(name), "data")

    def state(name: str) -> State:
        return State(panel(name), "data")

    def to(name: str, prop: str = "data") -> Output:
        return Output(panel(name), prop)

    theme, skeletons = Input(ids.THEME, "data"), State(ids.SKELETONS, "data")
    view, window, info, hover, viewport, tracks = (
        on(name) for name in (ids.VIEW, ids.WINDOW, ids.INFO, ids.HOVER, ids.VIEWPORT, ids.TRACKS)
    )
    asked = ids.WINDOW_REQUEST
    for function, *parts in (
        ("windowRequest", to(asked), view, info, viewport, state(asked)),
        ("readWindow", on(asked)),
        ("tracksRequest", to(ids.TRACKS_REQUEST), view, on(asked), state(ids.TRACKS_REQUEST)),
        ("readTracks", on(ids.TRACKS_REQUEST)),
        ("drawOverview", on(ids.OVERVIEW), view, info, viewport, theme),
        ("drawFaint", to(ids.FAINT, "figure"), window, view, theme, info, skeletons),
        ("drawLines", to(ids.LINES, "figure"), view, window, hover, theme, info, skeletons),
        ("drawWords", window, viewport, info),
        ("drawBrush", view, window),
        ("drawThresholds", view, info, window),
        ("drawTracks", tracks, view, window, info),
        ("drawSelection", view, window, info),
        ("drawHover", hover),
        ("drawReading", window, tracks, view),
        ("showSource", info),
        ("showControls", view, info, viewport),
    ):
        clientside(app, panel, function, *parts)


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
