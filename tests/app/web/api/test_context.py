"""The route ``/context``."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from flask.testing import FlaskClient

from app.settings import load
from app.web.api import context
from app.web.factory import make_services
from app.web.services import Services
from loaders import Catalog
from loaders.writer import write_dataset
from tests.app.web.api.conftest import Ask, refused


def test_context_gives_words_values_and_annotations(ask: Ask, services: Services) -> None:
    answer = ask(
        "context",
        dataset="waves",
        source="one",
        start=495,
        stop=505,
        states="3,0",
        annotations="half,size,guess,phrase",
    )
    dataset = services.corpus.dataset("waves")
    rows = dataset.open_source("one").window(495, 505)
    assert answer["tokens"] == dataset.tokens(495, 505)
    assert answer["sequences"] == [
        {"id": "s0", "start": 0, "stop": 500},
        {"id": "s1", "start": 500, "stop": 1000},
    ]
    assert [(s["state"], s["name"]) for s in answer["states"]] == [
        (c, dataset.open_source("one").state_names[c]) for c in (3, 0)
    ]
    for item in answer["states"]:  # exact: the stored value, widened
        assert np.array_equal(np.array(item["values"], np.float32), rows[:, item["state"]])
    half, size, guess, phrase = answer["annotations"]
    assert half["values"] == ["a", None] * 5
    assert size["values"][:3] == [None, 248.0, 248.5]
    assert guess["values"][0] == [f"g{k}" for k in range(495 % 30)]
    assert max(map(len, ask("context", dataset="waves", start=0, stop=40, annotations="guess")[
        "annotations"][0]["values"])) == context.MOST_RANKED  # fmt: skip
    assert phrase["spans"] == [{"start": 498, "stop": 500, "label": "NP"}]
    assert answer["limits"]["steps"] == context.MOST_CONTEXT_STEPS


def test_values_that_json_does_not_support_are_null(ask: Ask) -> None:
    answer = ask("context", dataset="waves", source="odd", start=0, stop=3, states="0,2")
    assert [item["values"] for item in answer["states"]] == [
        [None, None, 0.0],
        [None, 1 / 3, 1 / 3],
    ]


def test_dates_decimals_and_large_integers_keep_every_digit(tmp_path: Path) -> None:
    write_dataset(
        tmp_path / "dated",
        tokens=["a", "b"] * 10,
        states={"only": np.ones((20, 2), np.float16)},
        columns={
            "when": pa.array([2**60 + 1, *[None] * 19], pa.timestamp("ns", "UTC")),
            "price": pa.array([Decimal("1.50"), Decimal("-0.05")] * 10),
            "id": pa.array([2**60 + i for i in range(20)]),
        },
        config={"annotations": {"id": {"kind": "scalar"}}},
    )
    services = make_services(
        Catalog([tmp_path / "dated"], tmp_path / "c"), load({}, {"cache_dir": str(tmp_path / "c")})
    )
    asked = {"dataset": "dated", "source": None, "start": 0, "stop": 2, "states": None}
    answer = context.context(services, {**asked, "annotations": "when,price,id"})
    when, price, number = json.loads(json.dumps(answer))["annotations"]
    assert when == {
        "name": "when",
        "kind": "scalar",
        "type": "timestamp",
        "unit": None,
        "values": ["2006-07-14 23:58:24.606846977+00:00", None],
    }
    assert (price["type"], price["values"]) == ("decimal", ["1.50", "-0.05"])
    assert number["values"] == [2**60, 2**60 + 1]
    assert "type" not in number


def test_an_annotation_with_a_comma_in_its_name_can_be_requested(ask: Ask) -> None:
    (item,) = ask("context", dataset="waves", start=0, stop=2, annotations="x,y")["annotations"]
    assert item["values"] == ["u", "u"]


def test_context_without_states_needs_no_source(ask: Ask) -> None:
    answer = ask("context", dataset="waves", start=2990, stop=3000)
    assert (answer["source"], answer["states"], len(answer["tokens"])) == (None, [], 10)
    assert ask("context", dataset="single", start=0, stop=1, states="1")["source"] == "only"


@pytest.mark.parametrize(
    ("status", "parameters", "says"),
    [
        (400, {"start": 0}, "stop is missing; give a whole number."),
        (400, {"start": 0, "stop": "x"}, "stop is 'x'; give a whole number."),
        (400, {"start": 5, "stop": 5}, "from 0 to 3000"),
        (400, {"start": -1, "stop": 5}, "from 0 to 3000"),
        (400, {"start": 0, "stop": 3001}, "from 0 to 3000"),
        (400, {"start": 0, "stop": 2001}, "at most 2,000 are allowed"),
        (400, {"start": 0, "stop": 9, "states": "1"}, "several sources"),
        (404, {"start": 0, "stop": 9, "states": "1", "source": "two"}, "no source 'two'"),
        (400, {"start": 0, "stop": 9, "states": "20", "source": "one"}, "states 0 to 19"),
        (400, {"start": 0, "stop": 9, "states": "1,x"}, "states is '1,x'"),
        (400, {"start": 0, "stop": 9, "states": "1," * 300 + "1"}, "at most 256 are allowed"),
        (404, {"start": 0, "stop": 9, "annotations": "colour"}, "no annotation 'colour'"),
        (
            400,
            {"start": 0, "stop": 9, "annotations": "half," * 12 + "half"},
            "at most 12 are allowed",
        ),
        (400, {"start": 0, "stop": 9, "colour": "red"}, "no parameter 'colour'"),
        (400, {"start": 0, "stop": [9, 10]}, "stop is given 2 times"),
    ],
)
def test_a_bad_context_is_one_sentence(
    client: FlaskClient, status: int, parameters: dict[str, Any], says: str
) -> None:
    assert says in refused(client, "context", status, dataset="waves", **parameters)
