"""The Match View: a match request from the browser -> rows, histogram and sentence."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State

from app.callbacks.clientside import clientside
from app.match_payload import match_payload, overview_payload, query_of
from app.matching import QueryError
from app.services import Services
from app.shards import states_of
from components import ids
from loaders import DatasetError


def register(app: Dash, services: Services) -> None:
    """Wire the Match View."""

    @app.callback(
        Output(ids.MATCH, "data"),
        Output(ids.OVERVIEW, "data"),
        Input(ids.MATCH_REQUEST, "data"),
        prevent_initial_call=True,
    )
    def run_match(request: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        return answer_match(services, request)

    view, match = Input(ids.VIEW, "data"), Input(ids.MATCH, "data")
    info, window = Input(ids.INFO, "data"), Input(ids.WINDOW, "data")
    viewport, theme = Input(ids.VIEWPORT, "data"), Input(ids.THEME, "data")
    clientside(
        app,
        "matchRequest",
        Output(ids.MATCH_REQUEST, "data"),
        view,
        info,
        Input(ids.MATCH_NOW, "data"),
        State(ids.MATCH_REQUEST, "data"),
    )
    clientside(app, "drawSentence", match, view)
    clientside(
        app,
        "drawHistogram",
        Output(ids.HISTOGRAM, "figure"),
        match,
        view,
        theme,
        State(ids.SKELETONS, "data"),
    )
    clientside(app, "drawRows", match, viewport, info, view)
    clientside(app, "drawPager", match, view, info)
    clientside(app, "checkSelection", match, view, window)
    clientside(
        app,
        "busy",
        Input(ids.WINDOW_REQUEST, "data"),
        window,
        Input(ids.MATCH_REQUEST, "data"),
        match,
    )
    for function, component, prop in (
        ("onMatch", ids.MATCH_BUTTON, "n_clicks"),
        ("onAuto", ids.AUTO, "checked"),
        ("onMinOverlap", ids.MIN_OVERLAP, "value"),
        ("onMinLength", ids.MIN_LENGTH, "value"),
        ("onOverlapping", ids.OVERLAPPING, "value"),
        ("onContext", ids.CONTEXT, "value"),
    ):
        clientside(app, function, Input(component, prop), at_start=False)


def answer_match(
    services: Services, request: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the ``match`` and ``overview`` stores for a request, or ``error`` with one sentence."""
    key = request["key"]
    if key["start"] is None:
        return _refused(request, "Nothing is selected: drag across some words to select states.")
    try:
        dataset = services.catalog.get(key["dataset"])
        source = dataset.open_source(key["source"])
        states = states_of(dataset, source)
        # Answers are kept by key: it names the values and the sequences.
        name = f"{dataset.fingerprint}:{source.key}"
        result = services.matching.match(name, states, query_of(key))
    except (DatasetError, QueryError) as error:
        return _refused(request, str(error))
    return (
        match_payload(dataset, source, result, request),
        overview_payload(result.overview, request),
    )


def _refused(request: dict[str, Any], sentence: str) -> tuple[dict[str, Any], dict[str, Any]]:
    refused = {"n": request["n"], "key": request["key"], "error": sentence}
    return refused, overview_payload(None, request)
