"""The route ``/context``."""

from __future__ import annotations

from typing import Any

from app.output import options as match_options
from app.output.cells import json_number, ranked_cells
from app.output.options import MOST_ANNOTATIONS, Option
from app.web.api.route import DATASET, ApiError, Route, open_dataset, open_source
from app.web.services import Services
from loaders import Source
from loaders.annotations import Annotation, Categorical, Ranked, Scalar

#: Limits of an answer: steps, states, and words of a ranked annotation per step.
MOST_CONTEXT_STEPS, MOST_STATES, MOST_RANKED = 2_000, 256, 20


def context(services: Services, given: dict[str, Any]) -> dict[str, Any]:
    """Return the words of a range of steps, the values of some states and some annotations."""
    dataset = open_dataset(services, given["dataset"])
    start, stop = given["start"], given["stop"]
    if not 0 <= start < stop <= dataset.n_steps:
        raise ApiError(
            f"The steps from {start} to {stop} are not a range in this dataset; "
            f"give a start below the stop, both from 0 to {dataset.n_steps}.",
            400,
        )
    if stop - start > MOST_CONTEXT_STEPS:
        raise ApiError(
            f"{stop - start:,} steps are requested; at most {MOST_CONTEXT_STEPS:,} are allowed; "
            "use several requests.",
            400,
        )
    requested = match_options.whole_numbers("states", given["states"] or "")
    if len(requested) > MOST_STATES:
        raise ApiError(
            f"{len(requested):,} states are requested; at most {MOST_STATES} are allowed; "
            "use several requests.",
            400,
        )
    source = None
    if requested or given["source"] is not None:
        source = open_source(services, dataset, given["source"]).source
    return {
        "dataset": dataset.id,
        "fingerprint": dataset.fingerprint,
        "source": None if source is None else source.name,
        "start": start,
        "stop": stop,
        "tokens": dataset.tokens(start, stop),
        "sequences": [
            {"id": name, "start": first, "stop": last}
            for first, last, name in dataset.sequences.touching(start, stop)
        ],
        "states": [] if source is None else _states(source, start, stop, requested),
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


def _states(
    source: Source, start: int, stop: int, requested: tuple[int, ...]
) -> list[dict[str, Any]]:
    for state in requested:
        if not 0 <= state < source.n_states:
            raise ApiError(
                f"states contains state {state}, but this source has states 0 to "
                f"{source.n_states - 1}; give states in that range.",
                400,
            )
    rows = source.window(start, stop)[:, list(requested)].astype(float)
    return [
        {
            "state": state,
            "name": source.state_names[state],
            "values": [json_number(value) for value in rows[:, column].tolist()],
        }
        for column, state in enumerate(requested)
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
        words, weights = ranked_cells(item, start, stop, MOST_RANKED)
        return known | {"values": words} | ({} if weights is None else {"weights": weights})
    spans = [
        {"start": low, "stop": high, "label": label} for low, high, label in item.spans(start, stop)
    ]
    return known | {"spans": spans}


ROUTE = Route(
    "/context",
    "The words of a range of steps, the values of some states, and annotations.",
    (
        DATASET,
        Option(
            "source",
            "text",
            "The source of the states. Optional if there is only one.",
        ),
        Option("start", "whole", "The first step.", required=True),
        Option(
            "stop",
            "whole",
            f"The step after the last one; at most {MOST_CONTEXT_STEPS:,} steps per request.",
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
