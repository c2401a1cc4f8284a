"""Words and annotations beside the matches of a file: the same in every form, and nothing lost."""

from __future__ import annotations

import csv
import datetime
import io
import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.corpus import opened
from app.matching import MatchService, Query
from app.output import export
from app.output.beside import Beside
from app.output.export import Export, Form, export_matches
from loaders import Dataset, open_dataset
from loaders.writer import write_dataset

N = 24
WORDS = [["=1+1", "@SUM(A1)", "a", "b"][i % 4] for i in range(N)]
LABELS = [["=N", None, "V"][i % 3] for i in range(N)]
MOMENTS = [None if i == 2 else 2**60 + i for i in range(N)]
PRICES = [Decimal(f"{i}.50") for i in range(N)]
SIZES = [None if i == 1 else i - 0.5 for i in range(N)]
GUESSES = [["x", "y", "z", "w"][: i % 5] for i in range(N)]


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    # On for two steps of every three, in two sequences: a match of two steps at 0, 3, 6 and so on.
    values = np.where(np.arange(N)[:, None] % 3 == 2, 0.0, 1.0).repeat(2, axis=1)
    write_dataset(
        tmp_path / "d",
        tokens=WORDS,
        sequences=[0] * 12 + [1] * 12,
        states={"h": values},
        columns={
            "length": LABELS,
            "when": pa.array(MOMENTS, pa.timestamp("ns")),
            "price": pa.array(PRICES),
            "size": SIZES,
            "guess": GUESSES,
        },
        intervals={"phrase": [(0, 1, "NP"), (4, 8, "VP")]},
    )
    return open_dataset(tmp_path / "d", tmp_path / "cache")


def written(dataset: Dataset, form: Form, beside: Beside) -> tuple[bytes, Export]:
    out = io.BytesIO()
    query = Query(threshold=0.5, start=3, stop=5)
    made = export_matches(opened(dataset, "h"), query, form, out, MatchService(), beside=beside)
    return out.getvalue(), made


def everything(dataset: Dataset, words: int = 4) -> Beside:
    return Beside(dataset, words, tuple(dataset.annotations.values()))


@pytest.mark.parametrize("batch", [10_000, 3])
def test_every_form_has_the_words_around_and_the_annotations(
    dataset: Dataset, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_BATCH_ROWS", batch)
    beside = everything(dataset)
    matches = json.loads(written(dataset, "json", beside)[0])["matches"]
    assert [one["start"] for one in matches] == list(range(0, N, 3))
    for one in matches:
        start, stop = one["start"], one["stop"]
        first, last = (0, 12) if start < 12 else (12, N)
        assert one["before"] == WORDS[max(first, start - 4) : start]
        assert one["after"] == WORDS[stop : min(last, stop + 4)]
        added = one["annotations"]
        assert added["length"] == LABELS[start:stop]
        assert added["price"] == [str(price) for price in PRICES[start:stop]]
        assert added["size"] == SIZES[start:stop]
        assert added["guess"] == [guess[:3] for guess in GUESSES[start:stop]]
    assert matches[0]["annotations"]["when"] == [
        "2006-07-14 23:58:24.606846976",
        "2006-07-14 23:58:24.606846977",
    ]
    assert [one["annotations"]["phrase"] for one in matches[:3]] == [
        ["NP", None],
        [None, "VP"],
        ["VP", "VP"],
    ]

    text = written(dataset, "csv", beside)[0].decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    for row, one in zip(rows, matches, strict=True):
        assert (row["before"], row["after"]) == (" ".join(one["before"]), " ".join(one["after"]))
        for name, values in one["annotations"].items():
            assert json.loads(row[f"annotations.{name}"]) == values
    assert list(rows[0])[-1] == "query"

    table = pq.read_table(io.BytesIO(written(dataset, "parquet", beside)[0]))
    assert table["before"].to_pylist() == [one["before"] for one in matches]
    assert table["annotations.price"].to_pylist() == [PRICES[i : i + 2] for i in range(0, N, 3)]
    assert table.schema.field("annotations.when").type.value_type == pa.timestamp("ns")
    stored = table["annotations.when"].combine_chunks().flatten().cast(pa.int64()).to_pylist()
    assert stored == [MOMENTS[i] for i in range(N) if i % 3 != 2]
    assert table["annotations.length"].to_pylist() == [LABELS[i : i + 2] for i in range(0, N, 3)]

    sheet = written(dataset, "spreadsheet", beside)[0]
    assert sheet.startswith(b"\xef\xbb\xbfrank,")
    lines = list(csv.DictReader(io.StringIO(sheet.decode("utf-8-sig"), newline="")))
    assert lines[0]["words"] == "'=1+1 @SUM(A1)"
    assert lines[0]["length (annotation)"] == "'=N | "
    assert lines[0]["price"] == "0.50 | 1.50"
    assert all(
        not cell.startswith(("=", "+", "-", "@")) for line in lines for cell in line.values()
    )
    assert [int(line["step"]) for line in lines] == [one["start"] for one in matches]


def test_nothing_is_added_that_was_not_asked_for(dataset: Dataset) -> None:
    for form in ("csv", "json", "parquet"):
        plain, _ = written(dataset, form, Beside(dataset))
        assert b"annotations" not in plain
        assert b"before" not in plain.replace(b"off_before", b"")
    assert b"=1+1 @SUM(A1)" in written(dataset, "csv", Beside(dataset))[0], "exact"


def test_the_words_around_are_bounded_and_that_is_said(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "MOST_FILE_WORDS", 32)  # 8 rows
    content, made = written(dataset, "json", everything(dataset))
    assert "2 words before and after each match, not 4" in " ".join(made.caps)
    matches = json.loads(content)["matches"]
    assert {len(one["before"]) for one in matches} == {0, 2}


def test_a_match_that_is_cut_has_the_words_after_its_end(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "MOST_FILE_WORDS", 15)  # of 16
    for one in json.loads(written(dataset, "json", everything(dataset, 1))[0])["matches"]:
        assert len(one["tokens"]) == len(one["annotations"]["length"]) == 1
        last = 12 if one["start"] < 12 else N
        assert one.get("after", []) in ([], WORDS[one["stop"] : min(last, one["stop"] + 1)])


def test_a_date_is_a_date_in_parquet(tmp_path: Path) -> None:
    days = [datetime.date(2020, 1, 1 + i) for i in range(6)]
    write_dataset(
        tmp_path / "d",
        tokens=["w"] * 6,
        states={"h": np.array([[1.0], [1.0], [0.0]] * 2)},
        columns={"day": days},
    )
    dataset = open_dataset(tmp_path / "d", tmp_path / "cache")
    out = io.BytesIO()
    export_matches(
        opened(dataset, "h"),
        Query(threshold=0.5, start=0, stop=2),
        "parquet",
        out,
        MatchService(),
        beside=Beside(dataset, 0, (dataset.annotations["day"],)),
    )
    assert pq.read_table(out)["annotations.day"].to_pylist() == [days[:2], days[3:5]]
