"""Numbers and annotations as JSON values."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from app.output.cells import json_number, ranked_cells, scalar_cells
from loaders import open_dataset
from loaders.annotations import Ranked, Scalar
from loaders.writer import write_dataset


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_json_does_not_have_is_none(value: float) -> None:
    assert json_number(value) is None
    assert json_number(value, 6) is None


def test_digits_are_significant_ones() -> None:
    assert json_number(1 / 3) == 1 / 3
    assert json_number(1 / 3, 6) == 0.333333
    assert json_number(1234567.0, 6) == 1234570.0


def test_cells_are_those_of_the_steps(tmp_path: Path) -> None:
    write_dataset(
        tmp_path / "d",
        tokens=["a", "b", "c"],
        states={"h": np.arange(3.0)[:, None]},
        columns={"size": [1.5, float("nan"), 2.0], "guess": [["x", "y", "z"], [], ["w"]]},
    )
    annotations = open_dataset(tmp_path / "d", tmp_path / "cache").annotations
    size, guess = annotations["size"], annotations["guess"]
    assert isinstance(size, Scalar) and isinstance(guess, Ranked)
    assert scalar_cells(size, 0, 2) == [1.5, None]
    words, weights = ranked_cells(guess, 0, 3, most=2)
    assert (words, weights) == ([["x", "y"], [], ["w"]], None)
    assert json.loads(json.dumps(words)) == words
