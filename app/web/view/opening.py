"""Open a view: from a link, from a picker, or without any query.

Plain functions without Dash. Parts that do not fit the data are named in a notice and left out; the rest
of the view opens.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import floor, isfinite
from typing import Any, Literal

from app.corpus import ANYONE, BeingPrepared, Client, Corpus
from app.matching import Polarity
from app.web.view.default import opening_threshold, opening_view
from app.web.view.info import info_payload, right_to_left
from app.web.view.slider import slider
from app.web.view.suggestion import suggest
from app.web.view.url import View, read
from app.web.view.wire import Info
from loaders import Dataset, DatasetError, Source

Kind = Literal["load", "back", "dataset", "source"]


@dataclass(frozen=True, slots=True)
class Notice:
    """One or two sentences for the user.

    A notice with `once` is shown once per browser session and not at every load: it is about the data,
    which do not change.
    """

    text: str
    level: Literal["info", "warning", "error"] = "warning"
    once: bool = False


@dataclass(frozen=True, slots=True)
class Preparing:
    """A source that cannot be opened yet because its copy is being prepared."""

    dataset: str
    name: str
    source: str
    title: str


@dataclass(frozen=True, slots=True)
class OpenedView:
    """A view that fits the data, what the browser needs to know about the data, and notices.

    ``view`` and ``info`` are None if nothing could be opened; then the notices say why, or ``preparing``
    names the source being prepared.
    """

    view: View | None
    info: Info | None
    notices: tuple[Notice, ...]
    preparing: Preparing | None = None


def open_view(
    corpus: Corpus,
    search: str,
    kind: Kind,
    client: Client = ANYONE,
    from_source: str | None = None,
) -> OpenedView:
    """Open the view given by a query string.

    Parameters
    ----------
    corpus
        The datasets. If a source is being prepared, nothing is opened, and `OpenedView.preparing` names
        it.
    search
        The query string; everything is optional.
    kind
        ``source`` if the user switched the source of the view: exclusions and the pinned state are then
        dropped (their numbers mean other states there), and the threshold is clamped to the new range.
        Otherwise the link is used unchanged.
    client
        The client.
    from_source
        The source shown before, when the person switched it: a threshold may be suggested.
    """
    parsed = read(search)
    notices = [Notice(text) for text in parsed.notices]
    fields = dict(parsed.fields)
    requested = fields.get("dataset")
    dataset, more = _dataset(corpus, requested, client)
    notices += more
    if dataset is None or (kind == "dataset" and dataset.id != requested):
        return OpenedView(None, None, tuple(notices))
    if requested is not None and requested != dataset.id:
        fields = {}  # positions and states of another dataset are meaningless here
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
    if dataset.direction is None and right_to_left(dataset) and kind in {"load", "dataset"}:
        text = (
            f"Most letters of “{dataset.name}” are written from right to left, so time runs that way; "
            "direction: ltr in its dataset.yaml turns it around."
        )
        notices.append(Notice(text, "info", once=True))
    view, more = _fit(fields, dataset, source, kind)
    info = info_payload(dataset, source)
    if kind == "source" and from_source and from_source in dataset.sources:
        before = corpus.open(dataset, from_source, client)
        if not isinstance(before, BeingPrepared):
            was = float(fields.get("threshold", view.threshold))
            polarity = Polarity(view.polarity)
            offer = suggest(before.source, source, was, view.threshold, polarity)
            if offer:
                info["suggested"] = offer
    return OpenedView(view, info, (*notices, *more))


def _dataset(
    corpus: Corpus, requested: str | None, client: Client
) -> tuple[Dataset | None, list[Notice]]:
    """Return the requested dataset, or the first that opens, with notices."""
    notices: list[Notice] = []
    entries = corpus.entries(client)
    if requested is not None:
        if any(entry.id == requested for entry in entries):
            try:
                return corpus.dataset(requested, client), notices
            except DatasetError as error:
                notices.append(Notice(str(error), "error"))
        else:
            names = ", ".join(f"“{entry.id}”" for entry in entries)
            notices.append(
                Notice(f"There is no dataset “{requested}” here; the datasets are {names}.")
            )
    broken: list[tuple[str, str]] = []
    for entry in entries:
        if entry.id == requested:
            continue
        try:
            dataset = corpus.dataset(entry.id, client)
            name, _ = _source_name(dataset, None)
            corpus.open(dataset, name, client)  # only this finds damage behind a valid footer
        except DatasetError as error:
            broken.append((entry.title, str(error)))
            continue
        if requested is None and broken:
            names = ", ".join(f"“{title}”" for title, _ in broken)
            notices.append(
                Notice(f"{names} cannot be opened: choose it in the list to see why.", once=True)
            )
        return dataset, notices
    notices += [Notice(text, "error") for _, text in broken]
    return None, notices


def _source_name(dataset: Dataset, requested: str | None) -> tuple[str, list[Notice]]:
    if requested is not None and requested in dataset.sources:
        return requested, []
    default = dataset.default.source if dataset.default else None
    name = default if default is not None else next(iter(dataset.sources))
    if requested is None:
        return name, []
    names = ", ".join(f"“{source}”" for source in dataset.sources)
    text = f"“{dataset.name}” has no source “{requested}”; its sources are {names}."
    return name, [Notice(text)]


def _fit(
    fields: dict[str, Any], dataset: Dataset, source: Source, kind: Kind
) -> tuple[View, list[Notice]]:
    """Return the view from the fields of a link, without invalid parts, and notices about those."""
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
    """Return the view of a link, with the position of the dataset's default if it has none."""
    if not fields.keys() & {"start", "threshold", "first"}:
        names = {"tracks", "full_range", "auto", "overlapping"}
        opening = opening_view(dataset, source)
        return replace(opening, **{k: v for k, v in fields.items() if k in names})
    known = {k: v for k, v in fields.items() if k not in {"dataset", "fp", "source"}}
    blank = View(
        dataset=dataset.id,
        fp=dataset.fingerprint,
        source=source.name,
        threshold=opening_threshold(dataset, source),
        first=max(0, known["start"] - 12) if "start" in known else 0,
    )
    return replace(blank, **known)


def _switched(view: View, source: Source) -> tuple[View, list[Notice]]:
    """Return the parts of a view that remain valid for another source (`open_view`, ``kind``)."""
    notices = []
    if view.excluded:
        text = "Exclusions cleared: state numbers differ between sources."
        notices.append(Notice(text, "info"))
    clamped = min(max(view.threshold, source.minimum), source.maximum)
    if clamped != view.threshold and isfinite(clamped):
        # On the slider's grid, so that the number is short; rounded down, so that the largest value is on.
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
        text = f"The link colours the words by “{view.colour}”, which is not an annotation here."
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
