"""The route ``/datasets``."""

from __future__ import annotations

from tests.app.web.api.conftest import N_STEPS, Ask


def test_datasets_are_listed_with_their_content(ask: Ask) -> None:
    found = {one["id"]: one for one in ask("datasets")["datasets"]}
    assert set(found) == {"waves", "single", "broken"}
    assert set(found["broken"]) == {"id", "name", "error"}
    assert "tokens.parquet" in found["broken"]["error"]
    waves = found["waves"]
    assert (waves["error"], waves["n_steps"], waves["n_sequences"]) == (None, N_STEPS, 6)
    assert {(s["name"], s["n_states"], s["dtype"]) for s in waves["sources"]} == {
        ("one", 20, "float32"),
        ("odd", 3, "float64"),
    }
    assert {item["name"]: item["kind"] for item in waves["annotations"]} == {
        "half": "categorical",
        "size": "scalar",
        "x,y": "categorical",
        "guess": "ranked",
        "phrase": "interval",
    }
