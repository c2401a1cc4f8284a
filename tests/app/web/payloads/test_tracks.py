"""Tracks as the browser draws them: values that a number cannot hold are sent as text."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from app.web.payloads.tracks import cells, header, window_tracks
from loaders import Dataset, open_dataset
from loaders.writer import write_dataset
from tests.conftest import example_rows


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    n = 6
    write_dataset(
        tmp_path / "d",
        tokens=["w"] * n,
        states={"h": example_rows()[:n]},
        columns={
            "day": pa.array([0, 10, None, 5, 2, 2], pa.int32()).view(pa.date32()),
            "same": pa.array([7] * n, pa.duration("s")),
            "none": pa.array([None] * n, pa.timestamp("us")),
            "size": [0.5, None, float("inf"), 1, 2, 3],
        },
    )
    return open_dataset(tmp_path / "d", tmp_path / "cache")


def test_a_date_is_sent_as_its_text_and_its_place_on_the_scale(dataset: Dataset) -> None:
    day = dataset.annotations["day"]
    assert header(day) == {
        "name": "day",
        "kind": "scalar",
        "low": "1970-01-01",
        "high": "1970-01-11",
        "unit": None,
    }
    assert cells(day, 0, 4) == [("1970-01-01", 0), ("1970-01-11", 1), None, ("1970-01-06", 0.5)]
    assert cells(dataset.annotations["same"], 0, 2) == [("7 s", 0), ("7 s", 0)]
    none = dataset.annotations["none"]
    assert (header(none)["low"], cells(none, 0, 2)) == (None, [None, None])
    asked = {"dataset": "d", "fp": "", "start": 1, "stop": 3, "tracks": ["day"]}
    (track,) = window_tracks(dataset, asked, 100)["tracks"]  # type: ignore[arg-type]
    assert track["cells"] == [("1970-01-11", 1), None]


def test_a_number_is_sent_as_a_number(dataset: Dataset) -> None:
    size = dataset.annotations["size"]
    assert (header(size)["low"], header(size)["high"]) == (0.5, 3.0)
    assert cells(size, 0, 4) == [0.5, None, None, 1.0]
