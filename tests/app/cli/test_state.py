"""`state`, as other programs and people meet it."""

from __future__ import annotations

from tests import naive
from tests.app.cli.conftest import Build, Run
from tests.conftest import example_rows


def test_state_writes_json_and_nothing_else(run: Run, dataset_folder: Build) -> None:
    answer = run(
        *("state", dataset_folder(), "--state", "s1", "--threshold", 0.5, "--format", "json")
    ).answer
    values = example_rows()[:, 1]
    assert (answer["state"], answer["name"], answer["source"]) == (1, "s1", "layer")
    assert answer["on"] == (values >= 0.5).sum()
    expected = naive.strongest(values.tolist(), [0, len(values)], 0.5, "high", 20)
    assert [(p["step"], p["start"], p["stop"]) for p in answer["places"]] == expected


def test_state_is_a_table_for_people(run: Run, dataset_folder: Build) -> None:
    ran = run("state", dataset_folder(), "--state", 1, "--threshold", 0.5, "--polarity", "low")
    assert (ran.code, ran.err) == (0, "")
    assert "state s1 of layer: values from" in ran.out
    assert "<= -0.5 at" in ran.out
    assert "[w" in ran.out


def test_a_state_that_is_not_there_is_a_sentence(run: Run, dataset_folder: Build) -> None:
    ran = run("state", dataset_folder(), "--state", "x", "--threshold", 0.5)
    assert "has no state 'x'" in ran.sentence
