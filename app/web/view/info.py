"""What the browser needs to know about a dataset and a source: the ``info`` store."""

from __future__ import annotations

import unicodedata

from app.output.export import MOST_FILE_ROWS
from app.web.payloads.match import LISTED, ROWS
from app.web.payloads.window import most_steps
from app.web.view.default import sampled_tokens, word_width
from app.web.view.slider import finite_range, slider
from app.web.view.url import MOST_CONTEXT, MOST_LIMIT, MOST_RUNS, ZOOM, ZOOM_RANGE
from app.web.view.wire import Info
from loaders import Dataset, Source

#: The maximum number of sequence boundaries drawn in the overview; more would be indistinguishable.
MOST_DRAWN_SEQUENCES = 400


def _drawn_sequences(dataset: Dataset) -> list[int]:
    """Return the starts of sequences for the overview; empty if there are too many to draw."""
    offsets = dataset.sequences.offsets
    return [int(step) for step in offsets[1:-1]] if len(offsets) <= MOST_DRAWN_SEQUENCES else []


def right_to_left(dataset: Dataset) -> bool:
    """Return whether time runs from right to left: as dataset.yaml says, else as most letters do."""
    if dataset.direction is not None:
        return dataset.direction == "rtl"
    text = "".join(sampled_tokens(dataset))
    kinds = [unicodedata.bidirectional(letter) for letter in text if letter.isalpha()]
    return 2 * sum(kind in {"R", "AL"} for kind in kinds) > len(kinds)


def info_payload(dataset: Dataset, source: Source) -> Info:
    """Return what the browser needs to know about a dataset and a source (the ``info`` store)."""
    plain = all(name == str(i) for i, name in enumerate(source.state_names))
    return {
        "dataset": dataset.id,
        "title": dataset.name,
        "description": dataset.description,
        "fp": dataset.fingerprint,
        "rtl": right_to_left(dataset),
        "source": source.name,
        "sources": [{"value": item.name, "label": item.title} for item in dataset.sources.values()],
        "n_steps": source.n_steps,
        "n_states": source.n_states,
        "n_sequences": len(dataset.sequences),
        "word_width": word_width(sampled_tokens(dataset)),
        "most_steps": most_steps(source.n_states),
        "page_rows": ROWS,
        "most_listed": LISTED,
        "most_saved": MOST_FILE_ROWS,
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
        "range": list(finite_range(source.low_quantile, source.high_quantile)),
        "full": list(finite_range(source.minimum, source.maximum)),
        "slider": slider(source),
        "tracks": [
            {"value": name, "label": name, "kind": item.kind}
            for name, item in dataset.annotations.items()
        ],
    }
