"""The route ``/search``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from app.output.options import Option
from app.phrases import hits
from app.web.api.route import DATASET, ApiError, Route, open_dataset
from app.web.services import Services

#: Limits of an answer: places, and words before and after each.
MOST_HITS, MOST_HIT_CONTEXT = 1_000, 100


def search(services: Services, given: dict[str, Any]) -> dict[str, Any]:
    """Return the places of a phrase: their number, and a page of them with the words around them."""
    dataset = open_dataset(services, given["dataset"])
    for name, most in (
        ("offset", dataset.n_steps),
        ("top", MOST_HITS),
        ("context", MOST_HIT_CONTEXT),
        ("step", dataset.n_steps),
    ):
        value = given[name]
        if value is not None and not 0 <= value <= most:
            raise ApiError(f"{name} is {value}; give a whole number from 0 to {most:,}.", 400)
    found = services.searching.find(dataset, given["query"], match_case=given["match_case"])
    step = given["step"]
    page = hits(dataset, found, offset=given["offset"], top=given["top"], context=given["context"])
    return {
        "dataset": dataset.id,
        "fingerprint": dataset.fingerprint,
        "query": given["query"],
        "match_case": given["match_case"],
        "length": found.length,
        "total": found.total,
        "reason": found.reason,
        "next": None if step is None else found.next_after(step),
        "previous": None if step is None else found.last_before(step),
        "offset": given["offset"],
        "places": [asdict(hit) for hit in page],
        "limits": {"top": MOST_HITS, "context": MOST_HIT_CONTEXT},
    }


ROUTE = Route(
    "/search",
    "Every place where a phrase occurs.",
    (
        DATASET,
        Option("query", "text", "The phrase, one pattern per token.", required=True),
        Option("match_case", "flag", "Distinguish upper and lower case.", default=False),
        Option("top", "whole", f"The number of places to list, at most {MOST_HITS:,}.", default=20),
        Option("offset", "whole", "The number of places to skip first.", default=0),
        Option(
            "context",
            "whole",
            f"Words before and after each place, at most {MOST_HIT_CONTEXT}.",
            default=6,
        ),
        Option("step", "whole", "Also return the places next to this step."),
    ),
    search,
)
