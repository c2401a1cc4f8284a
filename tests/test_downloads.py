"""A downloaded file holds the whole list and the query, and reads back."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from app import downloads
from app.downloads import download
from app.matching import MatchService, Query, States
from loaders import Dataset, open_dataset
from loaders.writer import write_dataset

KEY: dict[str, Any] = {
    "dataset": "d", "fp": "", "source": "h", "start": 20, "stop": 23, "before": 0, "after": 0,
    "threshold": 0.3, "polarity": "high", "excluded": [], "min_overlap": None, "min_length": None,
    "overlapping": False, "length": None, "tracks": [], "sort": "-length", "page": 3,
}  # fmt: skip


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    steps = np.arange(1500)[:, None]
    rows = np.sin(steps / (3 + np.arange(12)) + np.arange(12)).astype(np.float32)
    tokens = [["a,b", 'say "x"', "line\nend", "naïve", ""][i % 5] for i in range(1500)]
    write_dataset(
        tmp_path / "d",
        tokens=tokens,
        sequences=[f"song {i // 500}" for i in range(1500)],
        states={"h": rows},
    )
    return open_dataset(tmp_path / "d", tmp_path / "cache")


def expected(dataset: Dataset) -> list[tuple[int, int, int, int]]:
    source = dataset.open_source("h")
    query = Query(threshold=0.3, start=20, stop=23, top=100_000, context=0)
    result = MatchService().match("x", States(source.rows, dataset.sequences.offsets), query)
    assert len(result.matches) > 50, "more than a page"
    return [(m.start, m.stop, m.overlap, m.union) for m in result.matches]


def test_every_form_holds_the_whole_list_and_the_query(dataset: Dataset) -> None:
    source = dataset.open_source("h")
    wanted = expected(dataset)
    files = {
        form: download(MatchService(), dataset, source, KEY, form)  # type: ignore[arg-type]
        for form in ("csv", "parquet", "json")
    }
    assert files["csv"].name == "d-h-20-23.csv"
    assert all(file.notice is None for file in files.values())
    columns = ["start", "stop", "overlap", "union"]

    text = files["csv"].content.decode()
    query = json.loads(text.splitlines()[0].removeprefix("# "))["query"]
    table = pd.read_csv(io.StringIO(text), skiprows=1, keep_default_na=False)
    assert list(table[columns].itertuples(index=False, name=None)) == wanted
    row = table.iloc[7]
    assert row["tokens"] == " ".join(dataset.tokens(row["start"], row["stop"]))
    assert row["sequence"] == f"song {row['start'] // 500}"

    parquet = pq.read_table(io.BytesIO(files["parquet"].content))
    assert parquet.select(columns).to_pandas().to_records(index=False).tolist() == wanted
    assert parquet["tokens"].to_pylist() == table["tokens"].tolist()
    assert json.loads(parquet.schema.metadata[b"statebrush.query"])["query"] == query

    whole = json.loads(files["json"].content)
    assert [tuple(m[c] for c in columns) for m in whole["matches"]] == wanted
    assert whole["query"] == query
    assert query["threshold"] == 0.3
    assert (query["start"], query["stop"]) == (20, 23)


def test_the_cap_is_told_where_it_bites(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "MOST_ROWS", 40)
    file = download(MatchService(), dataset, dataset.open_source("h"), KEY, "csv")
    assert len(pd.read_csv(io.BytesIO(file.content), skiprows=1)) == 40
    assert file.notice is not None
    assert "first 40 of" in file.notice


@pytest.mark.parametrize("form", ["csv", "parquet", "json"])
def test_an_empty_list_is_a_file_with_its_reason(dataset: Dataset, form: Any) -> None:
    key = {**KEY, "threshold": 9.0}
    file = download(MatchService(), dataset, dataset.open_source("h"), key, form)
    assert b"comes closest" in file.content
