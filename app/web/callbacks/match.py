"""The Match View: a match request from the browser -> rows, histogram and sentence."""

from __future__ import annotations

from typing import cast

from dash import Dash
from flask import Response

from app.corpus import BeingPrepared
from app.matching import Cancelled, Control
from app.web.payloads.match import match_payload, overview_payload, query_from_key
from app.web.requests import MATCH_REQUEST, body, fresh
from app.web.services import MATCH, Services
from app.web.view.wire import JobStatus, MatchAnswer, MatchError, MatchRequest
from app.work.failures import sentence_for
from app.work.jobs import JobName


def register(app: Dash, services: Services) -> None:
    """Add the address ``_jobs/match/PAGE/N``."""

    @app.server.post(f"{app.config.routes_pathname_prefix}_jobs/match/<page>/<n>")
    def start(page: str, n: str) -> Response:
        return fresh(start_match(services, page, n, body(MATCH_REQUEST)))


def start_match(services: Services, page: str, n: str, request: MatchRequest) -> JobStatus:
    """Start the match of a request; return its progress: the fields of `app.work.jobs.Status`.

    A request with ``instead`` replaces an earlier one of the same page that has no answer yet: that one is
    cancelled.
    """
    try:
        name = JobName.of(page, MATCH, n)
    except ValueError:
        return {"state": "unknown"}
    if request["instead"]:
        services.jobs.cancel(name)
    answer = services.jobs.run(name, lambda control: answer_match(services, request, control))
    if answer is None:
        return cast(JobStatus, services.jobs.status(name).as_dict())
    return {"state": "done", "answer": cast(MatchAnswer, answer)}


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
            sentence = f"“{opened.dataset.name}” is being prepared; its matches will follow."
            return _refused(request, sentence)
        result = services.matching.match(opened.key, opened.states, query_from_key(key), control)
        match = match_payload(opened.dataset, opened.source, result, request)
        return {
            "match": match,
            "overview": overview_payload(result.overview, request),
        }
    except Cancelled:
        raise
    except Exception as error:
        return _refused(request, sentence_for(error))


def _refused(request: MatchRequest, sentence: str) -> MatchAnswer:
    refused: MatchError = {"n": request["n"], "key": request["key"], "error": sentence}
    return {"match": refused, "overview": overview_payload(None, request)}
