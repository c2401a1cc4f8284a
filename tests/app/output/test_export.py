"""The matches of a query as a file, as read back by pandas and pyarrow."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from app.corpus import opened
from app.matching import (
    Cancelled,
    Control,
    MatchResult,
    MatchService,
    Query,
    QueryError,
    States,
    find_matches,
)
from app.matching.ranges import find_ranges
from app.output import export
from app.output.answers import CSV_COLUMNS, answer_json, answer_rows
from app.output.beside import Beside
from app.output.export import FORMS, Export, Form, export_matches
from loaders import Dataset, open_dataset
from loaders.writer import write_dataset

N_STEPS = 600
WORDS = ["a", 'say "b"', "c,d", "", "e f", "line\nbreak", "ü", "=1", "NA", "\r"]
QUERY = Query(threshold=-0.2, start=20, stop=22, min_overlap=1)


@pytest.fixture(scope="module")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Dataset]:
    """The same data with sequences named by numbers, by words, and not at all."""
    root = tmp_path_factory.mktemp("data")
    waves = np.sin(np.arange(N_STEPS)[:, None] / (2 + np.arange(6))).astype(np.float32)
    names = {
        "numbers": [7 + i // 100 for i in range(N_STEPS)],
        "words": [f"é{i // 100}" for i in range(N_STEPS)],
        "none": None,
    }
    for name, sequences in names.items():
        write_dataset(
            root / name,
            tokens=[WORDS[i % len(WORDS)] for i in range(N_STEPS)],
            sequences=sequences,
            states={"my layer": waves},
        )
    return {name: open_dataset(root / name, root / "cache") for name in names}


@dataclass(frozen=True)
class Made(Export):
    """An export and its bytes."""

    content: bytes


def exported(dataset: Dataset, form: Form, query: Query = QUERY) -> Made:
    out = io.BytesIO()
    made = export_matches(opened(dataset, "my layer"), query, form, out, MatchService())
    return Made(made.name, made.n_rows, made.caps, out.getvalue())


def whole(dataset: Dataset, query: Query = QUERY) -> MatchResult:
    return find_matches(
        opened(dataset, "my layer").states, replace(query, top=10**6, offset=0, context=0)
    )


def words(dataset: Dataset) -> dict[str, Any]:
    ids = dataset.sequences.ids
    return {"tokens": dataset.tokens, "sequence_id": lambda n: None if ids is None else ids[n]}


@pytest.mark.parametrize("name", ["numbers", "words", "none"])
@pytest.mark.parametrize("batch", [(10_000, 200_000), (3, 200_000), (10_000, 2)])
def test_every_format_has_the_same_rows(
    datasets: dict[str, Dataset], name: str, batch: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_BATCH_ROWS", batch[0])
    monkeypatch.setattr(export, "_BATCH_WORDS", batch[1])
    dataset = datasets[name]
    result = whole(dataset)
    assert len(result.matches) > 20
    expected = answer_json(result, source="", state_names=["s"] * 6, **words(dataset))["matches"]
    expected = [{column: one[column] for column in CSV_COLUMNS} for one in expected]

    content = json.loads(exported(dataset, "json").content)
    assert content["matches"] == expected
    frame = pq.read_table(io.BytesIO(exported(dataset, "parquet").content))
    assert frame.to_pylist() == expected
    assert list(frame.column_names) == list(CSV_COLUMNS)
    kinds = {"numbers": "int64", "words": "string", "none": "string"}
    assert str(frame.schema.field("sequence").type) == kinds[name]
    rows = pd.read_csv(
        io.BytesIO(exported(dataset, "csv").content), keep_default_na=False, lineterminator="\n"
    )
    assert list(rows.columns) == [*CSV_COLUMNS, "query"]
    bare = rows.drop(columns="query")
    assert [tuple(row) for row in bare.itertuples(index=False)] == answer_rows(
        result, **words(dataset)
    )


def test_pandas_reads_the_parquet_file(datasets: dict[str, Dataset]) -> None:
    frame = pd.read_parquet(io.BytesIO(exported(datasets["numbers"], "parquet").content))
    assert (frame["stop"] - frame["start"] == frame["length"]).all()
    assert frame["rank"].tolist() == list(range(1, len(frame) + 1))
    assert frame["tokens"].map(len).tolist() == frame["length"].tolist()


def test_the_query_is_in_every_format(datasets: dict[str, Dataset]) -> None:
    dataset = datasets["numbers"]
    query = replace(QUERY, exclude=(5,), length=(2, 9), top=3, offset=2, context=7)
    forms: tuple[Form, ...] = ("csv", "spreadsheet", "parquet", "json")
    assert forms == FORMS
    made = {form: exported(dataset, form, query) for form in forms}
    inside = json.loads(made["json"].content)
    assert (inside["dataset"], inside["fingerprint"]) == (dataset.id, dataset.fingerprint)
    asked = inside["query"]
    assert (asked["source"], asked["start"], asked["stop"]) == ("my layer", 20, 22)
    assert (asked["threshold"], asked["exclude"], asked["length"]) == (-0.2, [5], "2:9")
    assert (asked["top"], asked["offset"], asked["min_length"]) == (export.MOST_FILE_ROWS, 0, 2)
    assert inside["total_matches"] == whole(dataset, query).total_matches
    assert made["json"].n_rows == len(inside.pop("matches")) == len(whole(dataset, query).matches)

    schema = pq.read_schema(io.BytesIO(made["parquet"].content))
    assert json.loads(schema.metadata[b"statebrush"]) == inside
    table = pd.read_csv(io.BytesIO(made["csv"].content), keep_default_na=False)
    assert table.columns.tolist() == [*CSV_COLUMNS, "query"]
    del inside["length_histogram"]
    assert json.loads(table["query"][0]) == inside
    sheet = pd.read_csv(io.BytesIO(made["spreadsheet"].content), keep_default_na=False)
    assert json.loads(sheet["query"][0]) == inside
    assert set(table["query"][1:]) == {""}


def test_a_file_is_named_after_its_content(datasets: dict[str, Dataset]) -> None:
    made = exported(datasets["numbers"], "csv")
    assert made.name == "numbers-my_layer-20-22.csv"
    given = Query(threshold=0.4, states=(0, 1, 2, 3, 4, 5))
    made = exported(datasets["numbers"], "parquet", given)
    assert made.name == "numbers-my_layer-states-0-1-2-3-4-and-1-more.parquet"
    dataset = datasets["none"]
    dataset.id, original = "../a b/é\0", dataset.id
    try:
        assert exported(dataset, "json").name == "_a_b_é_-my_layer-20-22.json"
    finally:
        dataset.id = original


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_answer_is_a_file_with_its_reason(
    datasets: dict[str, Dataset], form: Form
) -> None:
    made = exported(datasets["numbers"], form, Query(threshold=9, start=0, stop=3))
    assert made.n_rows == 0
    (cap,) = made.caps
    assert "no state" in cap
    if form == "csv":
        assert made.content.decode() == ",".join([*CSV_COLUMNS, "query"]) + "\n"
        return
    if form == "spreadsheet":
        assert made.content.decode("utf-8-sig").startswith("rank,states,other states on,")
        assert made.content.count(b"\n") == 1
        return
    if form == "parquet":
        table = pq.read_table(io.BytesIO(made.content))
        assert table.num_rows == 0
        content = json.loads(table.schema.metadata[b"statebrush"])
    else:
        content = json.loads(made.content)
        assert content["matches"] == []
    assert "no state" in content["reason"]


@pytest.mark.parametrize("overlapping", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_the_row_limit_is_reported_exactly_if_it_applies(
    datasets: dict[str, Dataset], form: Form, overlapping: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, query = datasets["numbers"], replace(QUERY, overlapping=overlapping)
    full = len(whole(dataset, query).matches)
    monkeypatch.setattr(export, "MOST_FILE_ROWS", full)
    assert exported(dataset, form, query).caps == ()
    monkeypatch.setattr(export, "MOST_FILE_ROWS", full - 1)
    made = exported(dataset, form, query)
    assert made.n_rows == full - 1
    (cap,) = made.caps
    assert f"first {full - 1:,} of {full:,} {'matches' if overlapping else 'places'}" in cap
    assert "--top" in cap


def test_the_word_limit_cuts_long_matches_and_is_reported(
    datasets: dict[str, Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = datasets["numbers"]
    lengths = [match.length for match in whole(dataset).matches]
    monkeypatch.setattr(export, "MOST_FILE_WORDS", sum(lengths))
    assert exported(dataset, "json").caps == ()
    monkeypatch.setattr(export, "MOST_FILE_WORDS", sum(lengths) - 1)
    made = exported(dataset, "json")
    content = json.loads(made.content)
    (cap,) = made.caps
    assert content["caps"] == [cap]
    shown = [len(one["tokens"]) for one in content["matches"]]
    most = max(shown)
    assert shown == [min(length, most) for length in lengths]
    assert sum(shown) < sum(lengths)
    assert [one["stop"] - one["start"] for one in content["matches"]] == lengths
    assert f"their first {most} words" in cap


@pytest.mark.parametrize("form", FORMS)
def test_a_file_can_be_cancelled_during_the_search_and_while_it_is_written(
    datasets: dict[str, Dataset], form: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_BATCH_ROWS", 5)
    dataset, out = datasets["numbers"], io.BytesIO()
    service = MatchService()

    class Stops(Control):
        """Is cancelled at the beginning of a stage; checks that its share never decreases."""

        def __init__(self, at: str) -> None:
            super().__init__()
            self.at, self.seen = at, [0.0]

        def advance(self, share: float) -> None:
            super().advance(share)
            assert self.done >= self.seen[-1]
            self.seen.append(self.done)
            if self.stage == self.at:
                self.cancel()

    stops = Stops("writing")
    with pytest.raises(Cancelled):
        export_matches(opened(dataset, "my layer"), QUERY, form, out, service, stops)
    assert 0.7 <= stops.done < 0.9
    assert len(out.getvalue()) < len(exported(dataset, form).content)
    early = Control()
    early.cancel()
    with pytest.raises(Cancelled):
        export_matches(
            opened(dataset, "my layer"),
            replace(QUERY, start=30, stop=31),
            form,
            out,
            service,
            early,
        )
    whole_run = Stops("never")
    export_matches(opened(dataset, "my layer"), QUERY, form, out, service, whole_run)
    assert whole_run.done == pytest.approx(1)


def test_a_bad_query_is_refused(datasets: dict[str, Dataset]) -> None:
    with pytest.raises(QueryError, match="boundary at step 100"):
        exported(datasets["numbers"], "csv", replace(QUERY, start=99, stop=101))


@pytest.mark.parametrize("seed", range(30))
def test_ranges_are_the_matches(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.choice([0.0, 1.0, np.nan], (int(rng.integers(1, 80)), int(rng.integers(1, 70))))
    cut = sorted({0, len(rows), *rng.integers(0, len(rows), 2).tolist()})
    given = States(rows=rows, offsets=np.array(cut, np.int64))
    query = Query(
        threshold=0.5,
        states=tuple(rng.choice(rows.shape[1], min(3, rows.shape[1]), replace=False).tolist()),
        min_overlap=1,
        min_length=1,
        off_before=int(rng.integers(0, 2)),
        overlapping=bool(rng.integers(0, 2)),
        length=(1, 2) if rng.random() < 0.3 else None,
        top=int(rng.integers(1, 40)),
        offset=int(rng.integers(0, 3)),
    )
    result, ranges = find_matches(given, query), find_ranges(given, query)
    found = zip(
        ranges.starts, ranges.stops, ranges.overlaps, ranges.unions, ranges.sequences, strict=True
    )
    assert [(m.start, m.stop, m.overlap, m.union, m.sequence) for m in result.matches] == list(
        found
    )
    bare = replace(result, matches=(), overview=None, seconds=0)
    assert bare == replace(ranges.result, seconds=0)


def test_pages_of_a_file_stay_small(tmp_path: Path) -> None:
    # All states are on everywhere: each sequence is one long match, whose words are written in bounded batches.
    n_steps = 50_000
    write_dataset(
        tmp_path / "long",
        tokens=["w"] * n_steps,
        sequences=(np.arange(n_steps) // 100).tolist(),
        states={"my layer": np.ones((n_steps, 1), np.float16)},
    )
    dataset = open_dataset(tmp_path / "long", tmp_path / "cache")
    ranges = find_ranges(
        opened(dataset, "my layer").states, Query(threshold=0.5, states=(0,), top=1000)
    )
    control = Control()
    rows = export._Rows(dataset, ranges, ranges.starts.size, 100, control, Beside(dataset))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "_BATCH_WORDS", 1000)
        batches = list(rows.batches())
    assert [batch.num_rows for batch in batches] == [10] * 50
    control.cancel()
    with pytest.raises(Cancelled):
        list(rows.batches())
    assert sum(len(batch.column("tokens").flatten()) for batch in batches) == n_steps
