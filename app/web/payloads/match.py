"""What the Match View draws: the answer to a match request, as a payload."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import numpy as np

from app.matching import LengthCount, Match, MatchResult, Overview, Polarity, Query, is_on
from app.web.payloads.tracks import cells, chosen, header
from app.web.view.wire import (
    Cell,
    LengthBin,
    MatchKey,
    MatchRequest,
    MatchRow,
    MatchRows,
    RowTrack,
)
from app.web.view.wire import Overview as OverviewStore
from loaders import Dataset, Source

#: Steps of context on either side that rows carry; the widest screen shows fewer.
BEFORE, AFTER = 30, 48
#: Heat starts here at the latest: where nearly all states are on all around, all still differ from some.
MOST_BACKGROUND = 0.75
#: Rows of a page, and the most rows that can be paged through and sorted.
ROWS, LISTED = 50, 10_000
#: Lengths up to this have a bar each, longer ones share a bar.
SINGLE_BARS = 20


def query_from_key(key: MatchKey) -> Query:
    """Return the query that a ``match-request``'s key stands for (the fields of the view)."""
    ranked = key["sort"] == "rank"
    return Query(
        threshold=key["threshold"],
        start=key["start"],
        stop=key["stop"],
        polarity=Polarity(key["polarity"]),
        off_before=key["before"],
        off_after=key["after"],
        exclude=tuple(key["excluded"]),
        min_overlap=key["min_overlap"],
        min_length=key["min_length"],
        length=None if key["length"] is None else (key["length"][0], key["length"][1]),
        overlapping=key["overlapping"],
        # In rank order a page is cut by the engine; any other order needs the whole list.
        top=ROWS if ranked else LISTED,
        offset=min(key["page"] * ROWS, LISTED - ROWS) if ranked else 0,
        context=0,
    )


def histogram_bins(counts: Sequence[LengthCount]) -> list[LengthBin]:
    """Bin the length histogram: one bar a length up to 20, then ranges growing 1-2-5.

    Returns
    -------
    list of dict
        ``low`` and ``high`` (both inclusive), ``matches``, ``full_matches``; lengths up to the
        longest single bar that is needed are there even when empty, empty ranges are left out.
    """
    if not counts:
        return []
    longest = max(item.length for item in counts)
    bins: list[LengthBin] = [
        {"low": length, "high": length, "matches": 0, "full_matches": 0}
        for length in range(1, min(longest, SINGLE_BARS) + 1)
    ]
    edge = SINGLE_BARS
    steps = [30, 50, 100]
    while edge < longest:
        high = steps.pop(0)
        steps = steps or [high * 2, high * 5, high * 10]
        bins.append({"low": edge + 1, "high": high, "matches": 0, "full_matches": 0})
        edge = high
    highs = [item["high"] for item in bins]
    for count in counts:
        found = bins[int(np.searchsorted(highs, count.length))]
        found["matches"] += count.matches
        found["full_matches"] += count.full_matches
    return [item for item in bins if item["high"] <= SINGLE_BARS or item["matches"]]


def overview_payload(overview: Overview | None, request: MatchRequest) -> OverviewStore:
    """Return the ``overview`` store: at most 1,024 bins however long the corpus is.

    ``on`` holds shares in thousandths; the lists are empty when nothing was searched. ``n`` and
    ``key`` are the request's.
    """
    return {
        "n": request["n"],
        "key": request["key"],
        "bin_steps": overview.bin_steps if overview else 1,
        "on": [round(1000 * share) for share in overview.on] if overview else [],
        "matches": list(overview.matches) if overview else [],
        "full": list(overview.full_matches) if overview else [],
    }


def match_payload(
    dataset: Dataset, source: Source, result: MatchResult, request: MatchRequest
) -> MatchRows:
    """Return the ``match`` store for a result.

    Parameters
    ----------
    dataset, source
        Give the words, the sequences' ids, the values and the tracks beside the rows.
    result
        The answer to `query_from_key` for the request's key.
    request
        ``n`` and ``key``, both returned, so that the browser recognises a stale answer.

    Returns
    -------
    dict
        ``rows`` is one page of the list. Each row holds, from the step ``from`` on, the words and
        how many selected states are ``on`` at each step: up to `BEFORE` steps before the match and
        up to `AFTER` steps from its start on, inside its sequence. ``background`` is the usual
        share of S1 that is on around the matches: heat starts there. ``listed`` is how many rows
        the pages hold together.
    """
    key = request["key"]
    tracks = chosen(dataset, key["tracks"])
    page, listed = _page(result, key)
    track_cells: list[list[list[Cell]]] = [[] for _ in tracks]
    rows: list[MatchRow] = []
    around: list[float] = []
    selected = np.array(result.selected_states, dtype=np.intp)
    for index, match in enumerate(page):
        first, last = dataset.sequences.bounds(match.start)
        low, high = max(first, match.start - BEFORE), min(last, match.start + AFTER)
        on = is_on(
            source.window(low, high)[:, selected], result.query.threshold, result.query.polarity
        )
        steps = np.arange(low, high)
        around += on[(steps < match.start) | (steps >= match.stop)].mean(axis=1).tolist()
        rows.append(
            {
                "index": index,
                "rank": match.rank,
                "start": match.start,
                "stop": match.stop,
                "length": match.length,
                "overlap": match.overlap,
                "union": match.union,
                "sequence": dataset.sequences.id(match.start),
                "from": low,
                "tokens": dataset.tokens(low, high),
                "on": on.sum(axis=1).tolist(),
            }
        )
        for track, out in zip(tracks, track_cells, strict=True):
            out.append(cells(track, low, high))
    return {
        "n": request["n"],
        "key": key,
        "selected": list(result.selected_states),
        "total": result.total_matches,
        "full": result.full_matches,
        "places": result.places,
        "places_at_least": result.places_at_least,
        "searched": result.searched_steps,
        "seconds": result.seconds,
        "reason": result.reason,
        "histogram": histogram_bins(result.length_histogram),
        "background": round(min(float(np.median(around)), MOST_BACKGROUND), 3) if around else 0.0,
        "rows": rows,
        "listed": listed,
        "tracks": [
            cast(RowTrack, {**header(track), "cells": out})
            for track, out in zip(tracks, track_cells, strict=True)
        ],
    }


def _page(result: MatchResult, key: MatchKey) -> tuple[list[Match], int]:
    """Return one page of the list in the order asked for, and how many rows all pages hold."""
    sort = key["sort"]
    known = result.places if result.places is not None else result.places_at_least
    listed = min(known, LISTED)
    if sort == "rank":
        return list(result.matches), listed
    ordered = sorted(result.matches, key=_SORTS[sort.removeprefix("-")], reverse=sort[0] == "-")
    first = key["page"] * ROWS
    return ordered[first : first + ROWS], min(listed, len(ordered))


_SORTS: Mapping[str, Callable[[Match], tuple[int, ...]]] = {
    "start": lambda match: (match.start, match.stop),
    "length": lambda match: (match.length, -match.rank),
    "overlap": lambda match: (match.overlap, -match.rank),
    "more": lambda match: (match.union, match.rank),
}
