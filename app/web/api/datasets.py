"""The route ``/datasets``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from app.web.api.route import CLIENT, Route
from app.web.services import Services
from loaders import Dataset, DatasetError


def datasets(services: Services, given: dict[str, Any]) -> dict[str, Any]:
    """Return every dataset; those that cannot be opened only have an `error`."""
    found = []
    for entry in services.corpus.entries(CLIENT):
        known: dict[str, Any] = {"id": entry.id, "name": entry.title, "error": entry.error}
        if entry.error is None:
            try:
                known |= _about(services.corpus.dataset(entry.id, CLIENT))
            except DatasetError as error:  # it has just changed
                known["error"] = str(error)
        found.append(known)
    return {"datasets": found}


def _about(dataset: Dataset) -> dict[str, Any]:
    return {
        "description": dataset.description,
        "fingerprint": dataset.fingerprint,
        "n_steps": dataset.n_steps,
        "n_sequences": len(dataset.sequences),
        "sources": [
            {
                "name": source.name,
                "title": source.title,
                "n_states": source.n_states,
                "dtype": source.dtype.name,
            }
            for source in dataset.sources.values()
        ],
        "annotations": [
            {"name": name, "kind": item.kind} for name, item in dataset.annotations.items()
        ],
        "default": None if dataset.default is None else asdict(dataset.default),
    }


ROUTE = Route("/datasets", "Every dataset, with its sources and annotations.", (), datasets)
