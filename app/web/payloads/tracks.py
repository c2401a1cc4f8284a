"""Annotations as the browser draws them: one shape for the Select View and the rows of matches."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import cast

from app.web.view.wire import Cell, Track, TrackHeader, Tracks, TracksRequest
from loaders import Dataset
from loaders.annotations import Annotation, Categorical, Interval, Scalar

#: Words of a ranked annotation that are shown a step.
TOP_WORDS = 3
#: Tracks shown at once; more would leave no room for the words.
MOST_TRACKS = 12


def chosen(dataset: Dataset, names: Iterable[str] | None) -> list[Annotation]:
    """Return the annotations of these names that there are, in this order, at most 12."""
    found = [dataset.annotations[name] for name in names or () if name in dataset.annotations]
    return found[:MOST_TRACKS]


def header(track: Annotation) -> TrackHeader:
    """Return what holds for the whole track: ``name``, ``kind``, and its scale.

    Categorical and interval tracks have ``categories`` (label and colour, in the track's own order)
    and ``counts``; scalar ones ``low``, ``high`` and ``unit`` (None where there is none), the ends as
    text where the values are written in full.
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
    """Return one value a step of [start, stop).

    Returns
    -------
    list
        Categorical and interval: the number of the category, -1 for none. Scalar: the number, None
        where it is missing or not finite; a date, time, duration, decimal or large integer as its text
        and its place between the lowest, 0, and the highest, 1. Ranked: a list of (word, weight or None) pairs, best
        first, at most three.
    """
    if isinstance(track, Categorical | Interval):
        codes: list[Cell] = track.codes(start, stop).tolist()
        return codes
    if isinstance(track, Scalar):
        return _scalar_cells(track, start, stop)
    words = track.items(start, stop)
    weights = track.weights(start, stop)
    return [
        [
            (word, None if weights is None else _number(weights[i][k]))
            for k, word in enumerate(row[:TOP_WORDS])
        ]
        for i, row in enumerate(words)
    ]


def _scalar_cells(track: Scalar, start: int, stop: int) -> list[Cell]:
    values = track.values(start, stop)
    texts = track.texts(start, stop)
    if texts is None:
        return [_number(value) for value in values.tolist()]
    low, high = track.minimum or 0.0, track.maximum or 0.0
    places = ((values - low) / ((high - low) or 1.0)).tolist()
    return [
        None if text is None else (text, round(place, 4))
        for text, place in zip(texts, places, strict=True)
    ]


def _number(value: float) -> float | None:
    """A JSON number of six digits; None for what JSON cannot say."""
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
