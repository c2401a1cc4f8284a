"""Annotations in the form drawn by the browser, for the Select View and the rows of matches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from app.output.cells import ranked_cells, scalar_cells
from app.web.view.wire import Cell, Track, TrackHeader, Tracks, TracksRequest
from loaders import Dataset
from loaders.annotations import Annotation, Categorical, Interval, Scalar

#: Words of a ranked annotation shown per step.
TOP_WORDS = 3
#: Significant digits of a number.
DIGITS = 6
#: Tracks shown at once; more would leave no room for the words.
MOST_TRACKS = 12


def chosen(dataset: Dataset, names: Iterable[str] | None) -> list[Annotation]:
    """Return the existing annotations with these names, in this order, at most 12."""
    found = [dataset.annotations[name] for name in names or () if name in dataset.annotations]
    return found[:MOST_TRACKS]


def header(track: Annotation) -> TrackHeader:
    """Return the properties of a whole track: ``name``, ``kind``, and its scale.

    Categorical and interval tracks have ``categories`` (label and colour, in the order of the track)
    and ``counts``; scalar ones ``low``, ``high`` and ``unit`` (None if not given), the ends as text
    if the values are written in full.
    """
    base: TrackHeader = {"name": track.name, "kind": track.kind}
    if isinstance(track, Categorical | Interval):
        base["categories"] = [
            {"label": item.label, "color": item.color} for item in track.categories
        ]
        base["counts"] = track.counts.tolist()
    elif isinstance(track, Scalar):
        base["low"], base["high"] = track.extremes or (track.minimum, track.maximum)
        base["unit"] = track.unit
    return base


def cells(track: Annotation, start: int, stop: int) -> list[Cell]:
    """Return one value per step in [start, stop).

    Returns
    -------
    list
        Categorical and interval: the index of the category, -1 for none. Scalar: the number, None if
        missing or not finite; a date, time, duration, decimal or large integer as its text and its
        position between the lowest, 0, and the highest, 1. Ranked: a list of at most three (word,
        weight or None) pairs, best first.
    """
    if isinstance(track, Categorical | Interval):
        codes: list[Cell] = track.codes(start, stop).tolist()
        return codes
    if isinstance(track, Scalar):
        return _scalar_cells(track, start, stop)
    words, weights = ranked_cells(track, start, stop, TOP_WORDS, DIGITS)
    if weights is None:
        return [[(word, None) for word in row] for row in words]
    return [list(zip(*pair, strict=True)) for pair in zip(words, weights, strict=True)]


def _scalar_cells(track: Scalar, start: int, stop: int) -> list[Cell]:
    texts = track.texts(start, stop)
    if texts is None:
        return [*scalar_cells(track, start, stop, DIGITS)]
    low, high = track.minimum or 0.0, track.maximum or 0.0
    positions = ((track.values(start, stop) - low) / ((high - low) or 1.0)).tolist()
    return [
        None if text is None else (text, round(position, 4))
        for text, position in zip(texts, positions, strict=True)
    ]


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
