"""The route ``/state``."""

from __future__ import annotations

import math

import numpy as np
from flask.testing import FlaskClient

from app.output.state import CONTEXT, PLACES
from app.web.services import Services
from tests import naive
from tests.app.web.api.conftest import N_STEPS, Ask, refused


def test_a_state_is_described_as_its_column_is(ask: Ask, services: Services) -> None:
    answer = ask("state", dataset="waves", source="one", state=3, threshold=0.9, polarity="low")
    dataset = services.corpus.dataset("waves")
    source = dataset.open_source("one")
    values = source.rows[:, 3]
    assert answer["name"] == source.state_names[3]
    assert answer["on"] == (values <= -0.9).sum()
    assert answer["share"] == answer["on"] / N_STEPS
    assert (answer["low"], answer["high"]) == (values.min(), values.max())
    assert sum(answer["bins"]) == N_STEPS
    offsets = dataset.sequences.offsets.tolist()
    expected = naive.strongest(values, offsets, 0.9, "low", PLACES)
    assert [(p["step"], p["start"], p["stop"]) for p in answer["places"]] == expected
    for place in answer["places"]:
        assert place["value"] == values[place["step"]]
        first, last = dataset.sequences.bounds(place["step"])
        low = max(first, place["step"] - CONTEXT)
        high = min(last, place["step"] + CONTEXT + 1)
        assert place["from"] == low
        assert place["tokens"] == dataset.tokens(low, high)
        assert place["values"] == values[low:high].tolist()
        assert place["sequence"] == dataset.sequences.id(place["step"])
    assert answer["limits"] == {"places": PLACES, "context": CONTEXT}


def test_a_state_is_named_or_numbered(ask: Ask, services: Services) -> None:
    name = services.corpus.dataset("waves").open_source("one").state_names[4]
    one = ask("state", dataset="waves", source="one", state=name, threshold=0.5)
    assert one == ask("state", dataset="waves", source="one", state=4, threshold=0.5)


def test_what_is_not_finite_is_counted_apart(ask: Ask) -> None:
    answer = ask("state", dataset="waves", source="odd", state=0, threshold=0.5)
    assert (answer["nan"], answer["high_infinities"], answer["low_infinities"]) == (1, 1, 0)
    assert (answer["low"], answer["high"], answer["bins"]) == (0, 0, [N_STEPS - 2])
    assert (answer["on"], answer["runs"]) == (1, 1)
    first = answer["places"][0]
    assert (first["step"], first["value"]) == (1, "Infinity")
    assert float(first["value"]) == math.inf
    assert first["values"][:2] == [None, "Infinity"]
    assert not any(np.isnan(float(place["value"])) for place in answer["places"])


def test_what_cannot_be_described_is_refused(client: FlaskClient) -> None:
    known = {"dataset": "waves", "source": "one"}
    for state in ("20", "-1", "wave", "1.5", "1" * 400):
        said = refused(client, "state", 404, **known, state=state, threshold=0.5)
        assert "has no state" in said
        assert "from 0 to 19" in said
    assert "finite" in refused(client, "state", 400, **known, state=1, threshold="nan")
    assert "state is missing" in refused(client, "state", 400, **known, threshold=0.5)
    assert "polarity" in refused(
        client, "state", 400, **known, state=1, threshold=0.5, polarity="up"
    )
