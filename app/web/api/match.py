"""The route ``/match``."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from flask import Response, request

from app.matching import Cancelled, MatchResult, Query
from app.output import options as match_options
from app.output.answers import answer_json
from app.output.listing import CSV_FORMATS, answer_csv
from app.output.options import MATCH_OPTIONS, ROW_OPTIONS, Option
from app.web.api.route import DATASET, ApiError, Route, open_dataset, open_source
from app.web.services import Services
from app.web.slow_clients import cancelled_with_client

#: Listed matches, steps of profile on either side of one, and words and shares of an answer together.
MOST_MATCHES, MOST_PROFILE_CONTEXT, MOST_ITEMS = 10_000, 1_000, 2_000_000
# Words and shares that an answer may turn out to have, for it to be worked out at all.
_MOST_CONSIDERED = 20_000_000
#: Seconds until it is ended; it ends before when its client has disconnected.
MOST_SECONDS = 600


def match(services: Services, given: dict[str, Any]) -> dict[str, Any] | Response:
    """Return what `python -m app match DATA ... --format json` prints for the same options, or CSV."""
    dataset_id, form = given.pop("dataset"), given.pop("format")
    shown = {one.name: given.pop(one.name) for one in ROW_OPTIONS}
    query = match_options.query_from_options(given, match_options.same)
    for name, value, most in (
        ("top", query.top, MOST_MATCHES),
        ("context", query.context, MOST_PROFILE_CONTEXT),
    ):
        if value > most:
            raise ApiError(
                f"{name} is {value}, but at most {most:,} is allowed over HTTP; give less, "
                "or use the command line, which has no such limit.",
                400,
            )
    dataset = open_dataset(services, dataset_id)
    beside = match_options.beside_of(dataset, shown, match_options.same)
    opened = open_source(services, dataset, given["source"])
    source, states, key = opened.source, opened.states, opened.key
    with services.jobs.slot() as held:
        if not held:
            raise ApiError(services.jobs.BUSY, 503)
        try:
            with cancelled_with_client(request.environ, MOST_SECONDS) as control:
                # Places share no step, so their words are no more than the steps there are.
                if (
                    query.overlapping
                    or 2 * (states.n_steps + query.top * query.context) > MOST_ITEMS
                ):
                    least = replace(query, top=1, offset=0, context=0)
                    first = services.matching.match(key, states, least, control)
                    _check_size(_most_items(first, query), _MOST_CONSIDERED)
                result = services.matching.match(key, states, query, control)
        except Cancelled:
            sentence = (
                f"The search was ended: it took more than {MOST_SECONDS:,} seconds, or the connection "
                "was closed; request less, or use the command line, which has no such limit."
            )
            raise ApiError(sentence, 503) from None
    lists = 1 + len(beside.annotations)
    items = sum(lists * one.length + len(one.profile) for one in result.matches)
    _check_size(items + 2 * beside.words * len(result.matches), MOST_ITEMS)
    sequence_id = match_options.sequence_ids(dataset)
    if form in CSV_FORMATS:
        text = answer_csv(result, form, beside, sequence_id)
        return Response(text, mimetype="text/csv", headers={"Cache-Control": "no-cache"})
    return answer_json(
        result,
        source=source.name,
        state_names=source.state_names,
        tokens=dataset.tokens,
        sequence_id=sequence_id,
        output_format=form,
        beside=beside.of,
    )


def _most_items(first: MatchResult, query: Query) -> int:
    """How many words and shares the longest matches that could be listed have."""
    left, steps = query.top, 0
    low, high = query.length or (1, math.inf)
    for bar in reversed(first.length_histogram):
        if low <= bar.length <= high:
            steps += min(left, bar.matches) * bar.length
            left -= min(left, bar.matches)
    if not query.overlapping:
        steps = min(steps, first.searched_steps)
    return 2 * (steps + (query.top - left) * query.context)


def _check_size(n_items: int, most: int) -> None:
    if n_items > most:
        raise ApiError(
            f"The answer would have up to {n_items:,} words and shares of profile, "
            f"but at most {MOST_ITEMS:,} are allowed over HTTP; give a smaller top or context, or a length, "
            "or use the command line, which has no such limit.",
            400,
        )


ROUTE = Route(
    "/match",
    "Every place where the states selected by a range, or given, are on together.",
    (
        DATASET,
        *MATCH_OPTIONS,
        *ROW_OPTIONS,
        Option(
            "format",
            "choice",
            "As on the command line; `csv` is for programs, `spreadsheet` is CSV for spreadsheets.",
            default="json",
            choices=("json", *CSV_FORMATS),
        ),
    ),
    match,
)
