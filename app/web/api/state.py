"""The route ``/state``."""

from __future__ import annotations

from typing import Any

from app.output.options import STATE_OPTIONS
from app.output.state import CONTEXT, PLACES, state_json, state_number
from app.web.api.route import DATASET, Route, open_dataset, open_source
from app.web.services import Services


def state(services: Services, given: dict[str, Any]) -> dict[str, Any]:
    """Return a state over the whole corpus: its values, how often it is on, its strongest places."""
    dataset = open_dataset(services, given["dataset"])
    opened = open_source(services, dataset, given["source"])
    number = state_number(opened.source, given["state"])
    return {
        "dataset": dataset.id,
        "fingerprint": dataset.fingerprint,
        **state_json(opened, number, given["threshold"], given["polarity"]),
        "limits": {"places": PLACES, "context": CONTEXT},
    }


ROUTE = Route(
    "/state",
    "One state over the whole corpus: its values, how often it is on, its strongest places.",
    (DATASET, *STATE_OPTIONS),
    state,
)
