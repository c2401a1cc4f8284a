"""The Match View: a match request from the browser -> rows, histogram and sentence."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast

from dash import Dash, Input, Output, State, no_update

from app.corpus import BeingPrepared
from app.matching import Cancelled, Control
from app.web.callbacks.clientside import clientside
from app.web.payloads.match import match_payload, overview_payload, query_of_key
from app.web.services import MATCH, Services
from app.web.view.wire import Match, MatchAnswer, MatchError, MatchRequest
from app.work.failures import sentence_for
from app.work.jobs import JobName
from components import ids


def register(app: Dash, services: Services) -> None:
    """Wire the Match View."""

    @app.callback(
        Output(ids.MATCH, "data"),
        Output(ids.OVERVIEW, "data"),
        Input(ids.MATCH_REQUEST, "data"),
        prevent_initial_call=True,
    )
    def run_match(request: MatchRequest) -> tuple[Any, Any]:
        answer = start_match(services, request)
        return (no_update, no_update) if answer is None else (answer["match"], answer["overview"])

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
        "underWay",
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


def start_match(services: Services, request: MatchRequest) -> MatchAnswer | None:
    """Begin the match of a request; return its answer if it comes at once, else None.

    Later the browser asks for it (app/web/callbacks/jobs.py). A request that says ``instead`` follows
    one of the same page that has no answer yet, and perhaps never needs one: that one is cancelled.
    """
    name = JobName(request["page"], MATCH, request["n"])
    if request["instead"]:
        services.jobs.cancel(name)
    answer = services.jobs.run(name, lambda control: answer_match(services, request, control))
    return cast(MatchAnswer | None, answer)


def answer_match(services: Services, request: MatchRequest, control: Control) -> MatchAnswer:
    """Return the ``match`` and ``overview`` stores for a request, or ``error`` with one sentence.

    Raises
    ------
    Cancelled
        The control was cancelled.
    """
    key = request["key"]
    if key["start"] is None:
        return _refused(request, "Nothing is selected: drag across some words to select states.")
    try:
        opened = services.corpus.open(key["dataset"], key["source"])
        if isinstance(opened, BeingPrepared):
            sentence = f"“{opened.dataset.name}” is being prepared; its matches follow."
            return _refused(request, sentence)
        result = services.matching.match(opened.key, opened.states, query_of_key(key), control)
        match = match_payload(opened.dataset, opened.source, result, request)
        return {
            "match": cast(Match, {**match, "kept": asdict(services.matching.cached_bits())}),
            "overview": overview_payload(result.overview, request),
        }
    except Cancelled:
        raise
    except Exception as error:
        return _refused(request, sentence_for(error))


def _refused(request: MatchRequest, sentence: str) -> MatchAnswer:
    refused: MatchError = {"n": request["n"], "key": request["key"], "error": sentence}
    return {"match": refused, "overview": overview_payload(None, request)}
