"""What the Match View draws: the answer to a match request, as a payload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.matching import LengthCount, MatchResult, Polarity, Query
from app.windows import categories_payload
from loaders import Dataset
from loaders.annotations import Categorical

#: Steps of context on either side that rows carry; the widest screen shows fewer.
BEFORE, AFTER = 10, 36
ROWS = 50
#: Lengths up to this have a bar each, longer ones share a bar.
SINGLE_BARS = 20


def query_of(key: Mapping[str, Any]) -> Query:
    """Return the query that a ``match-request``'s key stands for (the fields of the view)."""
    return Query(
        threshold=float(key["threshold"]),
        start=int(key["start"]),
        stop=int(key["stop"]),
        polarity=Polarity(key["polarity"]),
        off_before=int(key["before"]),
        off_after=int(key["after"]),
        exclude=tuple(int(c) for c in key["excluded"]),
        min_overlap=None if key["min_overlap"] is None else int(key["min_overlap"]),
        min_length=None if key["min_length"] is None else int(key["min_length"]),
        length=None if key["length"] is None else (int(key["length"][0]), int(key["length"][1])),
        overlapping=bool(key["overlapping"]),
        top=ROWS,
        context=AFTER,
    )


def histogram_bins(counts: Sequence[LengthCount]) -> list[dict[str, int]]:
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
    bins = [
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


def match_payload(
    dataset: Dataset, result: MatchResult, request: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the ``match`` store for a result.

    Parameters
    ----------
    dataset
        Gives the words, the sequences' ids and the tracks beside the rows.
    result
        The answer.
    request
        ``n`` and ``key``, both returned, so that the browser can tell a stale answer.

    Returns
    -------
    dict
        Each row holds the words and the overlap profile from ``from`` on: up to `BEFORE` steps
        before the match and up to `AFTER` steps from its start on, inside its sequence.
        ``background`` is the usual share of S1 that is on around the matches: heat starts there.
    """
    names = [
        name
        for name in request["key"]["tracks"] or ()
        if isinstance(dataset.annotations.get(name), Categorical)
    ]
    codes: dict[str, list[list[int]]] = {name: [] for name in names}
    rows = []
    around: list[float] = []
    for index, match in enumerate(result.matches):
        first, last = dataset.sequences.bounds(match.start)
        low, high = max(first, match.start - BEFORE), min(last, match.start + AFTER)
        at = low - match.profile_start
        profile = match.profile[at : at + high - low]
        around += match.profile[: match.start - match.profile_start]
        around += match.profile[match.stop - match.profile_start :]
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
                "profile": [round(share, 4) for share in profile],
            }
        )
        for name in names:
            track = dataset.annotations[name]
            assert isinstance(track, Categorical)
            codes[name].append(track.codes(low, high).tolist())
    return {
        "n": request["n"],
        "key": request["key"],
        "selected": list(result.selected_states),
        "total": result.total_matches,
        "full": result.full_matches,
        "places": result.places,
        "places_at_least": result.places_at_least,
        "searched": result.searched_steps,
        "seconds": result.seconds,
        "reason": result.reason,
        "histogram": histogram_bins(result.length_histogram),
        "background": round(float(np.median(around)), 3) if around else 0.0,
        "rows": rows,
        "tracks": [
            {
                "name": name,
                "categories": categories_payload(dataset.annotations[name]),  # type: ignore[arg-type]
                "codes": codes[name],
            }
            for name in names
        ],
    }
