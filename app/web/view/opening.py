"""Open a view: from a link, from the picker, or with nothing given at all.

Plain functions without Dash. Whatever does not fit the data is named in a notice and left out;
the rest of the view opens.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, floor, log10
from typing import Any, Literal

import numpy as np

from app.corpus import ANYONE, BeingPrepared, Client, Corpus
from app.matching import Polarity, pack
from app.output.export import MOST_ROWS
from app.web.payloads.match import LISTED, ROWS
from app.web.payloads.window import most_steps
from app.web.view.url import (
    MOST_CONTEXT,
    MOST_LIMIT,
    MOST_RUNS,
    ZOOM,
    ZOOM_RANGE,
    View,
    read,
)
from app.web.view.wire import Info, Slider
from loaders import Dataset, DatasetError, Source

#: How far into the corpus a default selection is looked for, and how large it should be.
SEARCHED_STEPS = 10_000
DEFAULT_LENGTH = 3
FEWEST, MOST = 3, 15

#: The widths of a step in px on which a dataset may open, chosen by so many of its first tokens.
OPENING_WIDTHS, SAMPLED_TOKENS = (ZOOM, 32, 40, 52, 64), 2_000

#: The browser writes numbers with 100 digits behind the point at the most.
_LEAST_STEP, _LARGEST = 1e-100, sys.float_info.max

#: The overview draws the boundaries of up to so many sequences; more could not be told apart.
MOST_DRAWN_SEQUENCES = 400

Kind = Literal["load", "back", "dataset", "source"]


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence or two for the person at the screen.

    What is `once` is told once a browser session and not at every load: it is about the data, which
    does not change.
    """

    text: str
    level: Literal["info", "warning", "error"] = "warning"
    once: bool = False


@dataclass(frozen=True, slots=True)
class Preparing:
    """What cannot be opened yet: a source whose derived copy is being built."""

    dataset: str
    name: str
    source: str
    title: str


@dataclass(frozen=True, slots=True)
class OpenedView:
    """A view that fits the data, what the browser must know of the data, and what to tell.

    ``view`` and ``info`` are None when nothing could be opened; the notices then say why, or
    ``preparing`` says what is waited for.
    """

    view: View | None
    info: Info | None
    notices: tuple[Notice, ...]
    preparing: Preparing | None = None


def open_view(corpus: Corpus, search: str, kind: Kind, client: Client = ANYONE) -> OpenedView:
    """Open what a query string asks for.

    Parameters
    ----------
    corpus
        The datasets. Where a source is being prepared, nothing is opened, and
        `OpenedView.preparing` names what is waited for.
    search
        The query string; anything may be missing.
    kind
        ``source`` when the person switched the source of the view: exclusions and the pinned state
        are then dropped (their numbers mean other states there) and the threshold is clamped to the
        new range. Otherwise what the link says is taken as it is.
    client
        The client that asks.
    """
    parsed = read(search)
    notices = [Notice(text) for text in parsed.notices]
    fields = dict(parsed.fields)
    wanted = fields.get("dataset")
    dataset, more = _dataset(corpus, wanted, client)
    notices += more
    if dataset is None or (kind == "dataset" and dataset.id != wanted):
        return OpenedView(None, None, tuple(notices))
    if wanted is not None and wanted != dataset.id:
        fields = {}  # positions and states of another dataset mean nothing here
    elif fields.get("fp", dataset.fingerprint) != dataset.fingerprint:
        notices.append(
            Notice(
                f"The dataset “{dataset.name}” has changed since this link was made: "
                "steps and states may mean something else now."
            )
        )
    name, more = _source_name(dataset, fields.get("source"))
    notices += more
    try:
        opened = corpus.open(dataset, name, client)
    except DatasetError as error:
        return OpenedView(None, None, (*notices, Notice(str(error), "error")))
    if isinstance(opened, BeingPrepared):
        waited_for = Preparing(dataset.id, dataset.name, name, dataset.sources[name].title)
        return OpenedView(None, None, (), waited_for)
    source = opened.source
    warnings = [warning.sentence for warning in (*dataset.warnings, *source.warnings)]
    if warnings and kind in {"load", "dataset", "source"}:
        notices.append(Notice(" ".join(warnings), once=True))
    view, more = _fit(fields, dataset, source, kind)
    return OpenedView(view, info(dataset, source), (*notices, *more))


def _dataset(
    corpus: Corpus, wanted: str | None, client: Client
) -> tuple[Dataset | None, list[Notice]]:
    """The dataset asked for, or the first that opens, with what to say about it."""
    notices: list[Notice] = []
    entries = corpus.entries(client)
    if wanted is not None:
        if any(entry.id == wanted for entry in entries):
            try:
                return corpus.dataset(wanted, client), notices
            except DatasetError as error:
                notices.append(Notice(str(error), "error"))
        else:
            names = ", ".join(f"“{entry.id}”" for entry in entries)
            notices.append(
                Notice(f"There is no dataset “{wanted}” here; the datasets are {names}.")
            )
    broken: list[tuple[str, str]] = []
    for entry in entries:
        if entry.id == wanted:
            continue
        try:
            dataset = corpus.dataset(entry.id, client)
            name, _ = _source_name(dataset, None)
            corpus.open(dataset, name, client)  # only now is damage behind a good footer found
        except DatasetError as error:
            broken.append((entry.title, str(error)))
            continue
        if wanted is None and broken:
            names = ", ".join(f"“{title}”" for title, _ in broken)
            notices.append(
                Notice(f"{names} cannot be opened: choose it in the list to see why.", once=True)
            )
        return dataset, notices
    notices += [Notice(text, "error") for _, text in broken]
    return None, notices


def _source_name(dataset: Dataset, wanted: str | None) -> tuple[str, list[Notice]]:
    if wanted is not None and wanted in dataset.sources:
        return wanted, []
    default = dataset.default.source if dataset.default else None
    name = default if default is not None else next(iter(dataset.sources))
    if wanted is None:
        return name, []
    names = ", ".join(f"“{source}”" for source in dataset.sources)
    text = f"“{dataset.name}” has no source “{wanted}”; its sources are {names}."
    return name, [Notice(text)]


def opening_view(dataset: Dataset, source: Source) -> View:
    """Return the view on which a dataset opens (docs/dataset.md, "dataset.yaml").

    The dataset's own default where it gives one; otherwise the suggested threshold and the first
    3-step range of one sequence, in the first 10,000 steps, that selects 3 to 15 states, else the
    one that comes nearest.
    """
    default = dataset.default
    threshold = _opening_threshold(dataset, source)
    start = stop = None
    before = after = 0
    tracks: tuple[str, ...] = tuple(
        name for name, item in dataset.annotations.items() if item.kind == "categorical"
    )[:2]
    if default is not None:
        if default.start is not None and default.stop is not None:
            start, stop = default.start, default.stop
            before, after = default.off_before, default.off_after
        if default.tracks is not None:
            tracks = tuple(name for name in default.tracks if name in dataset.annotations)
    if start is None or stop is None:
        start, stop = telling_range(source, dataset.sequences.offsets, threshold)
    return View(
        dataset=dataset.id,
        fp=dataset.fingerprint,
        source=source.name,
        first=max(0, start - 12),
        start=start,
        stop=stop,
        before=before,
        after=after,
        threshold=threshold,
        tracks=tracks,
        zoom=step_width(_sampled(dataset)),
    )


def _opening_threshold(dataset: Dataset, source: Source) -> float:
    default = dataset.default
    if default is None or default.threshold is None or default.source not in {None, source.name}:
        return float(source.suggested_threshold)
    return default.threshold


def _sampled(dataset: Dataset) -> Sequence[str]:
    return dataset.tokens(0, min(dataset.n_steps, SAMPLED_TOKENS))


def step_width(tokens: Sequence[str]) -> int:
    """Return the width of a step in px on which a dataset opens: more for words than for signs.

    A letter takes some 7 px. The browser lets long words reach into the room that short neighbours
    leave (assets/words.js), so the mean word must fit as it is; of ten words nine must then need no
    more than some squeezing.
    """
    needed = word_width(tokens)
    return next((width for width in OPENING_WIDTHS if width >= needed), OPENING_WIDTHS[-1])


def word_width(tokens: Sequence[str]) -> float:
    """Return how wide a step must be, in px, for most of the tokens to be read side by side."""
    lengths = sorted(len(token) for token in tokens)
    mean, long = sum(lengths) / len(lengths), lengths[9 * len(lengths) // 10]
    return max(7 * mean + 6, 3 * long + 12)


def telling_range(source: Source, offsets: Any, threshold: float) -> tuple[int, int]:
    """Return the first 3-step range [start, stop) that selects 3 to 15 states, or the nearest.

    Only the first 10,000 steps are looked at. Sequences shorter than three steps are passed over
    as long as there are longer ones; with none, a whole sequence is returned.
    """
    last = min(source.n_steps, SEARCHED_STEPS)
    words = pack(source.rows[:last], threshold, Polarity.HIGH)
    starts = np.asarray(offsets, dtype=np.int64)
    ends = np.minimum(np.append(starts[1:], source.n_steps), last)
    length = min(DEFAULT_LENGTH, int(np.max(ends - np.minimum(starts, ends))))
    together = words[: last - length + 1].copy()
    for shift in range(1, length):
        together &= words[shift : last - length + 1 + shift]
    counts = np.bitwise_count(together).sum(axis=1).astype(np.int64)
    sequence = np.searchsorted(starts, np.arange(last), side="right")
    inside = sequence[: counts.size] == sequence[length - 1 : length - 1 + counts.size]
    distance = np.maximum(0, np.maximum(FEWEST - counts, counts - MOST))
    distance[~inside] = np.iinfo(np.int64).max
    start = int(np.argmin(distance))
    return start, start + length


def _fit(
    fields: dict[str, Any], dataset: Dataset, source: Source, kind: Kind
) -> tuple[View, list[Notice]]:
    """Return the view of a link's fields; drop, with a notice, what does not fit."""
    view = _asked_for(fields, dataset, source)
    notices: list[Notice] = []
    if view.first >= source.n_steps:
        if "first" in fields:  # otherwise it follows from the selection, which has a notice
            text = f"Step {view.first} is beyond the end: there are {source.n_steps} steps here."
            notices.append(Notice(text))
        view = replace(view, first=max(0, source.n_steps - 1))
    if view.start is not None and view.stop is not None:
        problem = _range_problem(view.start, view.stop, dataset)
        if problem:
            notices.append(Notice(problem))
            view = replace(view, start=None, stop=None, before=0, after=0)
    if kind == "source":
        view, more = _switched(view, source)
        notices += more
    view, more = _with_states_of(source, view)
    notices += more
    view, more = _with_annotations_of(dataset, view)
    return view, notices + more


def _asked_for(fields: dict[str, Any], dataset: Dataset, source: Source) -> View:
    """The view of a link, which opens where the dataset does if it names no place."""
    if not fields.keys() & {"start", "threshold", "first"}:
        names = {"tracks", "full_range", "auto", "overlapping"}
        opening = opening_view(dataset, source)
        return replace(opening, **{k: v for k, v in fields.items() if k in names})
    known = {k: v for k, v in fields.items() if k not in {"dataset", "fp", "source"}}
    blank = View(
        dataset=dataset.id,
        fp=dataset.fingerprint,
        source=source.name,
        threshold=_opening_threshold(dataset, source),
        first=max(0, known["start"] - 12) if "start" in known else 0,
    )
    return replace(blank, **known)


def _switched(view: View, source: Source) -> tuple[View, list[Notice]]:
    """What stays of a view when its source is another one now (`open_view`, ``kind``)."""
    notices = []
    if view.excluded:
        text = "The excluded states are back: their numbers mean other states in this source."
        notices.append(Notice(text, "info"))
    clamped = min(max(view.threshold, source.minimum), source.maximum)
    if clamped != view.threshold and np.isfinite(clamped):
        # On the slider's grid, so that the number stays short; below, so that the largest value is on.
        grid = slider(source)
        on_grid = round(floor(clamped / grid["step"]) * grid["step"], grid["decimals"])
        text = f"{on_grid:.{grid['decimals']}f}"
        notices.append(
            Notice(f"The threshold is now {text}: {view.threshold} is outside this source.")
        )
        view = replace(view, threshold=float(text))
    return replace(view, excluded=(), pinned=None), notices


def _with_states_of(source: Source, view: View) -> tuple[View, list[Notice]]:
    notices = []
    there = f"the states here are 0 to {source.n_states - 1}."
    unknown = [state for state in view.excluded if state >= source.n_states]
    if unknown:
        more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        notices.append(Notice(f"The link excludes state {unknown[0]}{more}; {there}"))
        known = tuple(state for state in view.excluded if state < source.n_states)
        view = replace(view, excluded=known)
    if view.pinned is not None and view.pinned >= source.n_states:
        notices.append(Notice(f"The link pins state {view.pinned}; {there}"))
        view = replace(view, pinned=None)
    return view, notices


def _with_annotations_of(dataset: Dataset, view: View) -> tuple[View, list[Notice]]:
    notices = []
    missing = [name for name in view.tracks if name not in dataset.annotations]
    if missing:
        notices.append(Notice(f"There is no annotation “{missing[0]}” in this dataset."))
        view = replace(view, tracks=tuple(n for n in view.tracks if n in dataset.annotations))
    if view.colour != "match" and view.colour not in dataset.annotations:
        text = f"The link colours the words by “{view.colour}”, which is no annotation here."
        notices.append(Notice(text))
        view = replace(view, colour="match")
    return view, notices


def _range_problem(start: int, stop: int, dataset: Dataset) -> str | None:
    n_steps = dataset.n_steps
    if stop > n_steps:
        return f"The selection [{start}, {stop}) is beyond the end: there are {n_steps} steps here."
    _, end = dataset.sequences.bounds(start)
    if stop > end:
        return (
            f"The selection [{start}, {stop}) crosses the sequence boundary at step {end}; "
            "a selection stays inside one sequence."
        )
    return None


def slider(source: Source) -> Slider:
    """Return the threshold slider's ``min``, ``max``, ``step`` and ``decimals``.

    The step is a thousandth of the source's range, rounded to 1, 2 or 5 times a power of ten, and
    1e-100 at least; the ends are the range's, rounded outwards to whole steps and cut to `decimals`
    digits, so that every value on the slider has a short decimal text.
    """
    low, high = _finite_range(source.minimum, source.maximum)
    raw = max(high / 1000 - low / 1000, _LEAST_STEP)  # the whole range may be no finite number
    power = floor(log10(raw))
    lead = raw / 10.0**power
    nice = 1 if lead < 1.5 else 2 if lead < 3.5 else 5 if lead < 7.5 else 10
    step = nice * 10.0**power
    decimals = max(0, -(power + (1 if nice == 10 else 0)))
    return {
        "min": max(-_LARGEST, round(floor(low / step) * step, decimals)),
        "max": min(_LARGEST, round(ceil(high / step) * step, decimals)),
        "step": round(step, decimals),
        "decimals": decimals,
    }


def _finite_range(low: float, high: float) -> tuple[float, float]:
    """A range that can be drawn: finite ends that differ."""
    low = float(low) if np.isfinite(low) else -1.0
    high = float(high) if np.isfinite(high) else 1.0
    if low > high:
        low, high = high, low
    if low == high:
        reach = abs(low) / 2 or 1.0
        low, high = max(-_LARGEST, low - reach), min(_LARGEST, high + reach)
    return low, high


def _drawn_sequences(dataset: Dataset) -> list[int]:
    """Return where sequences start, for the overview; none when they are too many to tell apart."""
    offsets = dataset.sequences.offsets
    return [int(step) for step in offsets[1:-1]] if len(offsets) <= MOST_DRAWN_SEQUENCES else []


def info(dataset: Dataset, source: Source) -> Info:
    """Return what the browser must know of a dataset and a source (the ``info`` store)."""
    plain = all(name == str(i) for i, name in enumerate(source.state_names))
    return {
        "dataset": dataset.id,
        "title": dataset.name,
        "description": dataset.description,
        "fp": dataset.fingerprint,
        "source": source.name,
        "sources": [{"value": item.name, "label": item.title} for item in dataset.sources.values()],
        "n_steps": source.n_steps,
        "n_states": source.n_states,
        "n_sequences": len(dataset.sequences),
        "word_width": word_width(_sampled(dataset)),
        "most_steps": most_steps(source.n_states),
        "page_rows": ROWS,
        "most_listed": LISTED,
        "most_saved": MOST_ROWS,
        "bounds": {
            "zoom": ZOOM,
            "least_zoom": ZOOM_RANGE[0],
            "most_zoom": ZOOM_RANGE[1],
            "most_runs": MOST_RUNS,
            "most_context": MOST_CONTEXT,
            "most_limit": MOST_LIMIT,
        },
        "sequence_starts": _drawn_sequences(dataset),
        "names": None if plain else list(source.state_names),
        "range": list(_finite_range(source.low_quantile, source.high_quantile)),
        "full": list(_finite_range(source.minimum, source.maximum)),
        "slider": slider(source),
        "tracks": [
            {"value": name, "label": name, "kind": item.kind}
            for name, item in dataset.annotations.items()
        ],
    }
