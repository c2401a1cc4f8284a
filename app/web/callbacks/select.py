"""The Select View: windows and tracks from the server, everything else in the browser."""

from __future__ import annotations

from dash import Dash, Input, Output, State

from app.corpus import BeingPrepared
from app.web.callbacks.clientside import clientside
from app.web.payloads.tracks import window_tracks
from app.web.payloads.window import MOST_WINDOW_STEPS, window_payload
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


def register(app: Dash, services: Services) -> None:
    """Wire the Select View."""

    @app.callback(
        Output(ids.WINDOW, "data"),
        Input(ids.WINDOW_REQUEST, "data"),
        prevent_initial_call=True,
    )
    def read_window(request: WindowRequest) -> Window | WindowError:
        return answer_window(services, request)

    @app.callback(
        Output(ids.TRACKS, "data"),
        Input(ids.TRACKS_REQUEST, "data"),
        prevent_initial_call=True,
    )
    def read_tracks(request: TracksRequest) -> Tracks | Failure:
        return answer_tracks(services, request)

    view, window = Input(ids.VIEW, "data"), Input(ids.WINDOW, "data")
    info, hover = Input(ids.INFO, "data"), Input(ids.HOVER, "data")
    viewport, theme = Input(ids.VIEWPORT, "data"), Input(ids.THEME, "data")
    skeletons = State(ids.SKELETONS, "data")
    request = Input(ids.WINDOW_REQUEST, "data")

    clientside(
        app,
        "windowRequest",
        Output(ids.WINDOW_REQUEST, "data"),
        view,
        info,
        viewport,
        State(ids.WINDOW_REQUEST, "data"),
    )
    clientside(
        app,
        "tracksRequest",
        Output(ids.TRACKS_REQUEST, "data"),
        view,
        request,
        State(ids.TRACKS_REQUEST, "data"),
    )
    clientside(app, "drawOverview", Input(ids.OVERVIEW, "data"), view, info, viewport, theme)
    clientside(app, "drawFaint", Output(ids.FAINT, "figure"), window, view, theme, info, skeletons)
    clientside(
        app, "drawLines", Output(ids.LINES, "figure"), view, window, hover, theme, info, skeletons
    )
    clientside(app, "drawWords", window, viewport, info)
    clientside(app, "drawBrush", view, window)
    clientside(app, "drawThresholds", view, info, window)
    clientside(app, "drawTracks", Input(ids.TRACKS, "data"), view, window, info)
    # Bars, chips and the text in one: Dash distinguishes callbacks without outputs by their inputs.
    clientside(app, "drawSelection", view, window, info)
    clientside(app, "drawHover", hover)
    clientside(app, "drawReading", window, Input(ids.TRACKS, "data"), view)

    clientside(app, "showSource", info)
    clientside(app, "showControls", view, info, viewport)
    for function, component, prop in (
        ("onThresholdSlider", ids.THRESHOLD_SLIDER, "value"),
        ("onThresholdText", ids.THRESHOLD_TEXT, "value"),
        ("onPolarity", ids.POLARITY, "value"),
        ("onPinned", ids.PINNED, "value"),
        ("onTracks", ids.TRACK_PICKER, "value"),
        ("onMask", ids.MASK, "checked"),
        ("onRuns", ids.RUNS, "value"),
        ("onPosition", ids.POSITION, "value"),
        ("onFullRange", ids.FULL_RANGE, "n_clicks"),
    ):
        clientside(app, function, Input(component, prop), at_start=False)
    clientside(
        app,
        "onNavigate",
        *(
            Input(button, "n_clicks")
            for button in (
                ids.PAGE_BACK,
                ids.STEP_BACK,
                ids.STEP_ON,
                ids.PAGE_ON,
                ids.GO_TO_BRUSH,
                ids.ZOOM_OUT,
                ids.ZOOM_IN,
            )
        ),
        at_start=False,
    )


def answer_window(services: Services, request: WindowRequest) -> Window | WindowError:
    """Return the ``window`` store for a request, or ``error`` with one sentence.

    ``preparing`` says that the copy of the source is not there (any more): the view must be opened
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
