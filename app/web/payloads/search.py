"""What the search panel shows: the current place, and a page of places around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from app.phrases import SearchError, SearchService, hits
from loaders import Dataset

#: Places of one answer, and words of context on either side of each.
PAGE, CONTEXT = 12, 6


def search_payload(
    service: SearchService, dataset: Dataset, request: Mapping[str, Any]
) -> dict[str, Any]:
    """Answer a ``search-request``.

    Parameters
    ----------
    service, dataset
        Where to look.
    request
        ``n`` (returned), ``phrase``, ``exact``, ``from`` (a step) and ``way``: ``here`` for the first
        place at or after it, ``next`` for the one after it, ``back`` for the one before; all go
        round at the ends.

    Returns
    -------
    dict
        ``total``, ``at`` (which place is the current one, from 0), ``first`` (which one ``results``
        begins with) and ``results``, each with its context inside its sequence; or ``error``.
    """
    answer: dict[str, Any] = {"n": request["n"], "phrase": request["phrase"], "results": []}
    try:
        found = service.find(dataset, str(request["phrase"]), match_case=bool(request["exact"]))
    except SearchError as error:
        return {**answer, "total": 0, "error": str(error)}
    if found.total == 0:
        return {**answer, "total": 0, "error": found.reason}
    step = int(request["from"])
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
        "results": [asdict(hit) for hit in page],
    }
