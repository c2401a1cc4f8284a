"""The grid of the threshold slider."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.corpus import Corpus
from app.web.view.opening import open_view
from app.web.view.slider import slider
from loaders import Catalog
from loaders.writer import write_dataset


@pytest.mark.parametrize(
    ("low", "high", "step", "decimals"),
    [(-1.0, 1.0, 0.002, 3), (0.0, 1.0, 0.001, 3), (-40.0, 60.0, 0.1, 1), (0.0, 4e6, 5000, 0),
     (2.0, 2.0, 0.002, 3), (0.0, 1e-6, 1e-9, 9), (0.0, 3.6, 0.005, 3)],
)  # fmt: skip
def test_slider_steps_are_round(low: float, high: float, step: float, decimals: int) -> None:
    class Range:
        minimum, maximum = low, high

    found = slider(Range())  # type: ignore[arg-type]
    assert found["step"] == step
    assert found["decimals"] == decimals
    assert found["min"] <= low
    assert found["max"] >= high


@pytest.mark.parametrize(
    "ends",
    [(-1.7e308, 1.7e308), (1.7e308, 1.7e308), (-1.7e308, -1.7e308), (0.0, 5e-324), (0.0, 1e-310)],
)
def test_any_range_of_values_opens_with_a_slider_that_can_be_drawn(
    tmp_path: Path, ends: tuple[float, float]
) -> None:
    write_dataset(tmp_path / "odd", tokens=["a", "b"], states={"s": np.array(ends)[:, None]})
    opened = open_view(Corpus(Catalog([tmp_path / "odd"], tmp_path / "cache")), "", "load")
    assert opened.info is not None
    found = opened.info["slider"]
    assert found["min"] < found["max"], found
    assert found["step"] > 0
    assert 0 <= found["decimals"] <= 100, "JavaScript's toFixed takes no more"
    assert np.isfinite([*found.values(), *opened.info["range"], *opened.info["full"]]).all()
