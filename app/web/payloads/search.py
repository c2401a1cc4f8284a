"""The data of the search panel: the current place, and a page of places around it."""

from __future__ import annotations

from dataclasses import asdict
from typing import cast

from app.phrases import SearchError, SearchService, hits
from app.web.view.wire import SearchAnswer, SearchHit, SearchRequest
from loaders import Dataset

#: Places per answer, and words of context before and after each.
PAGE, CONTEXT = 12, 6


def search_payload(
    service: SearchService, dataset: Dataset, request: SearchRequest
) -> SearchAnswer:
    """Answer a ``search-request``.

    Parameters
    ----------
    service, dataset
        What to search.
    request
        ``n`` (returned), ``phrase``, ``exact``, ``from`` (a step) and ``way``: ``here`` for the first place
        at or after that step, ``next`` for the one after it, ``back`` for the one before; both wrap
        around.

    Returns
    -------
    dict
        ``total``, ``at`` (the index of the current place), ``first`` (the index of the first of
        ``results``) and ``results``, each with its context within its sequence; or ``error``.
    """
    answer: SearchAnswer = {
        "n": request["n"],
        "phrase": request["phrase"],
        "total": 0,
        "results": [],
    }
    try:
        found = service.find(dataset, request["phrase"], match_case=request["exact"])
    except SearchError as error:
        return {**answer, "error": str(error)}
    if found.total == 0:
        return {**answer, "error": found.reason or ""}
    step = request["from"]
    at = found.index_from(step + 1 if request["way"] == "next" else step)
    if request["way"] == "back":
        at -= 1
    at %= found.total
    first = max(0, min(at - 2, found.total - PAGE))
    page = hits(dataset, found, offset=first, top=PAGE, context=CONTEXT)
    return {
        **answer,
        "total": found.total,
        "at": at,
        "first": first,
        "results": [cast(SearchHit, asdict(hit)) for hit in page],
    }
