"""The route ``/context``."""

from __future__ import annotations

import math
from typing import Any

from app.output import options as match_options
from app.output.options import MOST_ANNOTATIONS, Option
from app.web.api.route import DATASET, ApiError, Route, open_dataset, open_source
from app.web.services import Services
from loaders import Dataset, Source
from loaders.annotations import Annotation, Categorical, Ranked, Scalar

#: Steps and states of one answer, and words of a ranked annotation at a step.
MOST_CONTEXT_STEPS, MOST_STATES, MOST_RANKED = 2_000, 256, 20


def context(services: Services, given: dict[str, Any]) -> dict[str, Any]:
    """Return the words of a stretch of steps, the values of some states and some annotations."""
    dataset = open_dataset(services, given["dataset"])
    start, stop = given["start"], given["stop"]
    if not 0 <= start < stop <= dataset.n_steps:
        raise ApiError(
            f"The steps from {start} to {stop} are not a stretch of this dataset; "
            f"give a start below the stop, both from 0 to {dataset.n_steps}.",
            400,
        )
    if stop - start > MOST_CONTEXT_STEPS:
        raise ApiError(
            f"{stop - start:,} steps are asked for, and {MOST_CONTEXT_STEPS:,} are the most; "
            "ask for them in several stretches.",
            400,
        )
    wanted = match_options.whole_numbers("states", given["states"] or "")
    if len(wanted) > MOST_STATES:
        raise ApiError(
            f"{len(wanted):,} states are asked for, and {MOST_STATES} are the most; "
            "ask for them in several lots.",
            400,
        )
    source = None
    if wanted or given["source"] is not None:
        source = open_source(services, dataset, given["source"]).source
    return {
        "dataset": dataset.id,
        "fingerprint": dataset.fingerprint,
        "source": None if source is None else source.name,
        "start": start,
        "stop": stop,
        "tokens": dataset.tokens(start, stop),
        "sequences": _sequences(dataset, start, stop),
        "states": [] if source is None else _states(source, start, stop, wanted),
        "annotations": [
            _annotation(item, start, stop)
            for item in match_options.annotations_of(dataset, given["annotations"])
        ],
        "limits": {
            "steps": MOST_CONTEXT_STEPS,
            "states": MOST_STATES,
            "annotations": MOST_ANNOTATIONS,
        },
    }


def _sequences(dataset: Dataset, start: int, stop: int) -> list[dict[str, Any]]:
    found = []
    while start < stop:
        first, start = dataset.sequences.bounds(start)
        found.append({"id": dataset.sequences.id(first), "start": first, "stop": start})
    return found


def _states(source: Source, start: int, stop: int, wanted: tuple[int, ...]) -> list[dict[str, Any]]:
    for state in wanted:
        if not 0 <= state < source.n_states:
            raise ApiError(
                f"states names state {state}, but this source has states 0 to "
                f"{source.n_states - 1}; give states in that range.",
                400,
            )
    rows = source.window(start, stop)[:, list(wanted)].astype(float)
    return [
        {
            "state": state,
            "name": source.state_names[state],
            "values": [_number(value) for value in rows[:, column].tolist()],
        }
        for column, state in enumerate(wanted)
    ]


def _annotation(item: Annotation, start: int, stop: int) -> dict[str, Any]:
    known: dict[str, Any] = {"name": item.name, "kind": item.kind}
    if isinstance(item, Categorical):
        labels = [category.label for category in item.categories]
        codes = item.codes(start, stop).tolist()
        return known | {"values": [labels[code] if code >= 0 else None for code in codes]}
    if isinstance(item, Scalar):
        if item.type != "number":
            known["type"] = item.type
        return known | {"unit": item.unit, "values": item.plain(start, stop)}
    if isinstance(item, Ranked):
        known["values"] = [row[:MOST_RANKED] for row in item.items(start, stop)]
        weights = item.weights(start, stop)
        if weights is not None:
            known["weights"] = [[_number(w) for w in row[:MOST_RANKED]] for row in weights]
        return known
    spans = [
        {"start": low, "stop": high, "label": label} for low, high, label in item.spans(start, stop)
    ]
    return known | {"spans": spans}


def _number(value: float) -> float | None:
    """A number as it is; None for NaN and the infinities, which JSON has no word for."""
    return value if math.isfinite(value) else None


ROUTE = Route(
    "/context",
    "The words of a stretch of steps, the values of some states, and annotations.",
    (
        DATASET,
        Option(
            "source",
            "text",
            "The source of the states. May be left out where there is only one.",
        ),
        Option("start", "whole", "First step.", required=True),
        Option(
            "stop",
            "whole",
            f"Step after the last one; at most {MOST_CONTEXT_STEPS:,} steps at once.",
            required=True,
        ),
        Option(
            "states",
            "text",
            f"The states whose values to return, at most {MOST_STATES}.",
            metavar="1,2,3",
        ),
        Option(
            "annotations",
            "text",
            f"The names of the annotations to return, at most {MOST_ANNOTATIONS}.",
            metavar="A,B",
        ),
    ),
    context,
)
