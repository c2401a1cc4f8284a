"""Opening a view from a link."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.corpus import Corpus
from app.web.view.opening import open_view
from loaders import Catalog
from loaders.writer import write_dataset
from tests.app.web.view.conftest import waves


def test_a_clamped_threshold_leaves_the_largest_value_on(tmp_path: Path) -> None:
    low = np.array([[0.0], [0.2]], np.float16)  # 0.2 is stored as 0.19995
    high = np.array([[-5.0], [5.0]], np.float16)
    write_dataset(tmp_path / "d", tokens=["a", "b"], states={"low": low, "high": high})
    catalog = Catalog([tmp_path / "d"], tmp_path / "cache")
    for threshold in (0.9, -0.9):
        address = f"?dataset=d&source=low&sel=1:2&threshold={threshold}"
        view = open_view(Corpus(catalog), address, "source").view
        assert view is not None
        assert -0.001 <= view.threshold <= float(low.max())


def test_a_link_is_opened_without_searching_for_an_opening_range(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("the search reads 10,000 steps of every state")

    monkeypatch.setattr("app.web.view.default.opening_range", fail)
    view = open_view(Corpus(catalog), "?dataset=waves&source=one&sel=20:23", "back").view
    assert view is not None
    assert (view.start, view.stop, view.first) == (20, 23, 8)
    assert view.threshold == catalog.get("waves").open_source("one").suggested_threshold


def test_an_address_without_a_query_skips_a_dataset_with_damaged_states(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_dataset(tmp_path / "data" / name, tokens=["x", "y"], states={"s": waves(2, 2)})
    states = tmp_path / "data" / "a" / "states" / "s.parquet"
    content = states.read_bytes()
    states.write_bytes(content[:4] + bytes([255] * 30) + content[34:])
    catalog = Catalog([tmp_path / "data"], tmp_path / "cache")
    assert [entry.error for entry in catalog.entries()] == [None, None], "its footer is valid"
    found = open_view(Corpus(catalog), "", "load")
    assert found.view is not None
    assert found.view.dataset == "b"
    assert "“a” cannot be opened" in found.notices[0].text
    asked = open_view(Corpus(catalog), "?dataset=a", "load")
    assert asked.view is None
    assert "a/states/s.parquet" in asked.notices[0].text
