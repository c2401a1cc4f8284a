"""Annotations in the form drawn by the browser, for the Select View and the rows of matches."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import cast

from app.web.view.wire import Cell, Track, TrackHeader, Tracks, TracksRequest
from loaders import Dataset
from loaders.annotations import Annotation, Categorical, Interval, Scalar

#: Words of a ranked annotation shown per step.
TOP_WORDS = 3
#: Tracks shown at once; more would leave no space for the words.
MOST_TRACKS = 12


def chosen(dataset: Dataset, names: Iterable[str] | None) -> list[Annotation]:
    """Return the existing annotations with these names, in this order, at most 12."""
    found = [dataset.annotations[name] for name in names or () if name in dataset.annotations]
    return found[:MOST_TRACKS]


def header(track: Annotation) -> TrackHeader:
    """Return the properties of a whole track: ``name``, ``kind``, and its scale.

    Categorical and interval tracks have ``categories`` (label and colour, in the order of the track)
    and ``counts``; scalar ones ``low``, ``high`` and ``unit`` (None if not given).
    """
    base: TrackHeader = {"name": track.name, "kind": track.kind}
    if isinstance(track, Categorical | Interval):
        base["categories"] = [
            {"label": item.label, "color": item.color} for item in track.categories
        ]
        base["counts"] = track.counts.tolist()
    elif isinstance(track, Scalar):
        base["low"], base["high"], base["unit"] = track.minimum, track.maximum, track.unit
    return base


def cells(track: Annotation, start: int, stop: int) -> list[Cell]:
    """Return one value per step in [start, stop).

    Returns
    -------
    list
        Categorical and interval: the index of the category, -1 for none. Scalar: the number, None if
        missing or not finite. Ranked: a list of at most three (word, weight or None) pairs, best first.
    """
    if isinstance(track, Categorical | Interval):
        codes: list[Cell] = track.codes(start, stop).tolist()
        return codes
    if isinstance(track, Scalar):
        return [_number(value) for value in track.values(start, stop).tolist()]
    words = track.items(start, stop)
    weights = track.weights(start, stop)
    return [
        [
            (word, None if weights is None else _number(weights[i][k]))
            for k, word in enumerate(row[:TOP_WORDS])
        ]
        for i, row in enumerate(words)
    ]


def _number(value: float) -> float | None:
    """Return a number with six digits for JSON; None for values that JSON does not support."""
    return float(f"{value:.6g}") if isfinite(value) else None


def window_tracks(dataset: Dataset, request: TracksRequest, most_steps: int) -> Tracks:
    """Answer a ``tracks-request``: the chosen annotations over [start, stop), at most `most_steps` of them."""
    start = min(max(request["start"], 0), dataset.n_steps - 1)
    stop = min(max(request["stop"], start + 1), dataset.n_steps, start + most_steps)
    found: list[Track] = []
    for track in chosen(dataset, request["tracks"]):
        one = cast(Track, {**header(track), "cells": cells(track, start, stop)})
        if isinstance(track, Interval):
            one["spans"] = track.coded_spans(start, stop)
        found.append(one)
    return {"dataset": dataset.id, "start": start, "stop": stop, "tracks": found}
