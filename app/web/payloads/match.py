"""The data of the Match View: the answer to a match request, as a payload."""

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
    MatchStore,
    RowTrack,
)
from app.web.view.wire import Overview as OverviewStore
from loaders import Dataset, Source

#: Steps of context in a row before and after a match; the widest screen shows fewer.
BEFORE, AFTER = 30, 48
#: The share of the steps around matches at which no more selected states are on than where heat starts.
USUAL = 0.9
#: Rows of a page, and how many rows can be paged through and sorted.
ROWS, LISTED = 50, 10_000
#: Lengths up to this have a bar each; longer ones share bars.
SINGLE_BARS = 20


def query_from_key(key: MatchKey) -> Query:
    """Return the query for the key of a ``match-request`` (fields of the view)."""
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
        # In rank order the engine returns one page; other orders need the whole list.
        top=ROWS if ranked else LISTED,
        offset=min(key["page"] * ROWS, LISTED - ROWS) if ranked else 0,
        context=0,
    )


def histogram_bins(counts: Sequence[LengthCount]) -> list[LengthBin]:
    """Bin the length histogram: one bar per length up to 20, then ranges growing 1-2-5.

    Returns
    -------
    list of dict
        ``low`` and ``high`` (both inclusive), ``matches``, ``full_matches``. Single lengths up to the
        longest one needed are included even if empty; empty ranges are left out.
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
    """Return the ``overview`` store: at most 1,024 bins for a corpus of any length.

    ``on`` has shares in thousandths; the lists are empty if nothing was searched. ``n`` and ``key`` are
    those of the request.
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
) -> MatchStore:
    """Return the ``match`` store for a result.

    Parameters
    ----------
    dataset, source
        The words, the sequence ids, the values, and the tracks next to the rows.
    result
        The result of `query_from_key` for the key of the request.
    request
        ``n`` and ``key``, both returned, so that the browser can recognize a stale answer.

    Returns
    -------
    dict
        ``rows`` is one page of the list. Each row holds, from the step ``from`` on, the words and
        how many selected states are ``on`` at each step: up to `BEFORE` steps before the match and
        up to `AFTER` steps from its start on, inside its sequence. ``background`` is the share of S1
        at which heat starts (`heat_start`). ``listed`` is how many rows the pages hold together.
    """
    key = request["key"]
    tracks = chosen(dataset, key["tracks"])
    page, listed = _page(result, key)
    track_cells: list[list[list[Cell]]] = [[] for _ in tracks]
    rows: list[MatchRow] = []
    around: list[int] = []
    selected = np.array(result.selected_states, dtype=np.intp)
    for index, match in enumerate(page):
        first, last = dataset.sequences.bounds(match.start)
        low, high = max(first, match.start - BEFORE), min(last, match.start + AFTER)
        on = is_on(
            source.window(low, high)[:, selected], result.query.threshold, result.query.polarity
        )
        steps = np.arange(low, high)
        around += on[(steps < match.start) | (steps >= match.stop)].sum(axis=1).tolist()
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
        "background": heat_start(around, min((m.overlap for m in page), default=0), len(selected)),
        "rows": rows,
        "listed": listed,
        "tracks": [
            cast(RowTrack, {**header(track), "cells": out})
            for track, out in zip(tracks, track_cells, strict=True)
        ],
    }


def heat_start(around: Sequence[int], least_overlap: int, n_selected: int) -> float:
    """Return the share of the selected states at which heat starts: what is usual is not coloured.

    Parameters
    ----------
    around
        How many selected states are on at the steps around the listed matches.
    least_overlap
        The smallest overlap of the listed matches; every match is coloured.
    n_selected
        The size of S1.

    Returns
    -------
    float
        The `USUAL` quantile of `around`, always below `least_overlap`, as a share; 0 without steps.
    """
    if not around or not n_selected:
        return 0.0
    usual = int(np.quantile(around, USUAL, method="lower"))
    return round(max(0, min(usual, least_overlap - 1)) / n_selected, 3)


def _page(result: MatchResult, key: MatchKey) -> tuple[list[Match], int]:
    """Return one page of the list in the requested order, and the number of rows on all pages."""
    sort = key["sort"]
    known = result.places if result.places is not None else result.places_at_least
    listed = min(known, LISTED)
    if sort == "rank":
        return list(result.matches), listed
    # Only the column that was chosen turns around; equal matches stay in the order of their rank.
    by_rank = sorted(result.matches, key=lambda match: match.rank)
    ordered = sorted(by_rank, key=_SORTS[sort.removeprefix("-")], reverse=sort[0] == "-")
    first = key["page"] * ROWS
    return ordered[first : first + ROWS], min(listed, len(ordered))


_SORTS: Mapping[str, Callable[[Match], int]] = {
    "start": lambda match: match.start,
    "length": lambda match: match.length,
    "overlap": lambda match: match.overlap,
    "more": lambda match: match.union,
}
