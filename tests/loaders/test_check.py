"""The report of `check`."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loaders.check import check, thresholds
from loaders.dataset import open_dataset
from loaders.problems import DatasetError, Problem
from loaders.sources import store
from loaders.sources.summary import Summarizer
from loaders.writer import write_dataset

N = 200


@pytest.fixture
def path(tmp_path: Path) -> Any:
    rng = np.random.default_rng(0)
    return write_dataset(
        tmp_path / "paren",
        tokens=["(", ")"] * (N // 2),
        sequences=["one"] * 50 + ["two"] * 150,
        states={"cell": rng.normal(size=(N, 5)).astype("f2"), "hidden": rng.random((N, 3))},
        columns={"level": [0, 1] * (N // 2), "surprisal": rng.random(N)},
        ranked={"next": ([["a"]] * N, None)},
        intervals={"chunk": [(0, 4, "NP"), (60, 64, "VP")]},
        config={
            "name": "Parentheses",
            "description": "Two lines\nof words.",
            "sources": {"cell": {"title": "cell state", "transform": "tanh"}},
            "annotations": {"surprisal": {"unit": "nats"}},
        },
    )


def test_the_report_describes_the_dataset(path: Path) -> None:
    seen = []
    report = check(path, progress=lambda *p: seen.append(p))
    text = report.text()
    for words in (
        "Parentheses\n",
        "Two lines\n  of words.",
        "steps        200\n",
        "sequences    2, of 50 to 150 steps (median 100)",
        "vocabulary   2 different tokens: '(' 100, ')' 100",
        'cell, "cell state"\n',
        "200 steps x 5 states, float16, tanh applied",
        "200 steps x 3 states, float64",
        "suggested  threshold 0.8, where ",
        "level      categorical  2 categories: '0' 100, '1' 100",
        " nats\n",
        "next       ranked       lists of words without weights",
        "chunk      interval     2 ranges: 'NP' 1, 'VP' 1",
        "Problems: none",
    ):
        assert words in text, text
    assert seen[-1] == (400, 400)
    assert report.exit_code == 0
    assert open_dataset(path, path.parent / "c").fingerprint in text
    assert all(line == line.rstrip() for line in text.splitlines())


def test_shares_refer_to_the_transformed_values(path: Path) -> None:
    report = check(path)
    rows = open_dataset(path, path.parent / "c").open_source("cell").window(0, N)
    (cell, _) = report.sources
    assert cell.sampled == N * 5
    for threshold, share in cell.shares:
        assert share == (rows.astype("f8") >= threshold).mean()
    assert cell.summary.suggested_threshold in [threshold for threshold, _ in cell.shares]


def test_check_writes_nothing(path: Path) -> None:
    before = sorted(path.parent.rglob("*"))
    check(path, deep=True, cache_dir=path.parent / "c")
    assert sorted(path.parent.rglob("*")) == before


def test_a_deep_check_does_not_change_a_copy(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = path.parent / "c"
    monkeypatch.setattr(store, "_send_to_disk", lambda home: None)
    open_dataset(path, cache).open_source("cell")  # not marked as flushed to the disk
    sent: list[Any] = []
    monkeypatch.setattr(store, "_send_to_disk", sent.append)
    before = set(threading.enumerate())
    assert check(path, deep=True, cache_dir=cache).exit_code == 0
    for thread in set(threading.enumerate()) - before:
        thread.join(30)
    assert sent == []
    open_dataset(path, cache).open_source("cell")
    for thread in set(threading.enumerate()) - before:
        thread.join(30)
    assert len(sent) == 1


def test_a_deep_check_digests_and_compares_the_copies(path: Path) -> None:
    cache = path.parent / "c"
    open_dataset(path, cache).open_source("cell")
    report = check(path, deep=True, cache_dir=cache)
    assert report.exit_code == 0
    assert len(report.digests) == 6
    assert "tokens.parquet" in report.text()
    (rows,) = (cache / "sources").glob("*/rows.npy")
    content = bytearray(rows.read_bytes())
    content[-1] ^= 1
    rows.write_bytes(content)
    report = check(path, deep=True, cache_dir=cache)
    assert "first in row 199" in report.problems[0].sentence
    assert report.exit_code == 1
    assert check(path).exit_code == 0


@pytest.mark.parametrize(
    "values",
    [
        np.linspace(0, 1, 500),
        np.linspace(-1, 1, 500),
        np.linspace(-9, -8, 500),
        np.linspace(0, 1e-30, 500),
        np.linspace(0, 7e300, 500),
        np.linspace(1000, 1001, 500),
        np.zeros(5),
        np.full(5, np.nan),
        np.array([-1e308, 1e308]),
        np.array([5e-324, 0]),
    ],
    ids=lambda _: "",
)
def test_thresholds_are_few_round_and_finite(values: Any) -> None:
    summarizer = Summarizer(len(values), 1)
    summarizer.update(0, values[:, None])
    summary = summarizer.finish()
    chosen = thresholds(summary)
    assert 1 <= len(chosen) <= 10
    assert np.isfinite(chosen).all()
    assert list(chosen) == sorted(chosen)
    assert summary.suggested_threshold in chosen
    shares = [summarizer.share_on(threshold) for threshold in chosen]
    assert shares == sorted(shares, reverse=True)


def test_an_error_counts_its_problems() -> None:
    one = Problem("a", "b", "c", "d")
    assert one.sentence == "a: expected b, found c; d."
    assert str(DatasetError(one)) == one.sentence
    assert "(and 1 more problem: " in str(DatasetError([one, one]))
    assert "(and 2 more problems: " in str(DatasetError([one] * 3))
