"""Searches and downloads of the dashboard."""

from __future__ import annotations

import errno
import io
import itertools
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from app.matching import Control, Query, States
from app.settings import load
from app.web.callbacks.download import answer_download, start_download
from app.web.callbacks.jobs import cancel_job, job_state
from app.web.callbacks.match import start_match
from app.web.callbacks.search import answer_search
from app.web.factory import make_services
from app.web.payloads.search import PAGE
from app.web.services import FILE, MATCH, Services
from app.work.jobs import JobName
from loaders import Catalog
from loaders.writer import write_dataset

KEY: dict[str, Any] = {
    "dataset": "d", "fp": "", "source": "h", "start": 20, "stop": 23, "before": 0, "after": 0,
    "threshold": 0.3, "polarity": "high", "excluded": [], "min_overlap": None, "min_length": None,
    "overlapping": False, "length": None, "tracks": [], "sort": "-length", "page": 3,
}  # fmt: skip


@pytest.fixture
def services(tmp_path: Path) -> Services:
    steps = np.arange(1500)[:, None]
    write_dataset(
        tmp_path / "d",
        tokens=[
            "x" if i % 10 == 3 else ["a,b", 'say "x"', "line\nend", "é"][i % 4] for i in range(1500)
        ],
        sequences=[f"song {i // 500}" for i in range(1500)],
        states={"h": np.sin(steps / (3 + np.arange(12)) + np.arange(12)).astype(np.float32)},
    )
    settings = load({}, {"cache_dir": str(tmp_path / "cache")})
    return make_services(Catalog([tmp_path / "d"], settings.cache_dir), settings)


PAGES = itertools.count()


def prepared(services: Services, form: str, **change: Any) -> dict[str, Any]:
    """Return the status of the file of a new page."""
    return start_download(
        services, f"{next(PAGES):032x}", "0", {"form": form, "key": {**KEY, **change}}
    )


def saved(services: Services, form: str, **change: Any) -> tuple[bytes, str]:
    request_body = {"form": form, "key": {**KEY, **change}}
    path = services.files.file(JobName("a" * 32, FILE, 0))
    answer = answer_download(services, request_body, path, Control())
    assert answer["caps"] == []
    assert [one.suffix for one in path.parent.iterdir()] == [".file"]
    return path.read_bytes(), answer["name"]


def test_every_file_contains_the_whole_list_and_the_query(services: Services) -> None:
    dataset = services.corpus.dataset("d")
    source = dataset.open_source("h")
    query = Query(threshold=0.3, start=20, stop=23, top=100_000, context=0)
    result = services.matching.match("x", States(source.rows, dataset.sequences.offsets), query)
    expected = [(m.start, m.stop, m.overlap, m.union) for m in result.matches]
    assert len(expected) > 50, "more than a page"
    columns = ["start", "stop", "overlap", "union"]

    content, name = saved(services, "csv")
    assert name.endswith(".csv")
    table = pd.read_csv(io.BytesIO(content), keep_default_na=False)
    assert list(table[columns].itertuples(index=False, name=None)) == expected
    assert json.loads(table["query"][0])["query"]["threshold"] == 0.3

    content, _ = saved(services, "parquet")
    parquet = pq.read_table(io.BytesIO(content))
    assert parquet.select(columns).to_pandas().to_records(index=False).tolist() == expected
    assert b"0.3" in parquet.schema.metadata[b"statebrush"]

    content, _ = saved(services, "json")
    whole = json.loads(content)
    assert [tuple(m[c] for c in columns) for m in whole["matches"]] == expected
    assert (whole["query"]["start"], whole["query"]["stop"]) == (20, 23)


@pytest.mark.parametrize(
    ("request_body", "word"),
    [
        ({"form": "csv", "key": {**KEY, "start": 499, "stop": 502}}, "500"),
        ({"form": "csv", "key": {**KEY, "dataset": "gone"}}, "gone"),
        ({"form": "csv"}, "KeyError"),
        (None, "TypeError"),
    ],
)
def test_an_invalid_request_saves_nothing_and_has_an_error(
    services: Services, request_body: Any, word: str
) -> None:
    state = start_download(services, "a" * 32, "0", request_body)
    assert state["state"] == "done"
    assert word in state["answer"]["error"]
    assert start_download(services, "..", "0", request_body) == {"state": "unknown"}
    folder = services.files.file(JobName("a" * 32, FILE, 0)).parent
    assert not folder.exists() or list(folder.iterdir()) == []


def test_a_full_disk_is_one_sentence(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("app.web.callbacks.download.export_matches", full)
    error = prepared(services, "csv")["answer"]["error"]
    assert "no space left on device" in error and "--cache-dir" in error
    assert list(services.files.file(JobName("a" * 32, FILE, 0)).parent.iterdir()) == []


def ask(services: Services, way: str, step: int, phrase: str = "X") -> dict[str, Any]:
    request = {"n": 1, "dataset": "d", "phrase": phrase, "exact": False, "from": step, "way": way}
    return answer_search(services, request)


def test_a_search_wraps_around_and_its_context_stays_in_the_sequence(services: Services) -> None:
    answer = ask(services, "here", 3)
    assert (answer["total"], answer["at"]) == (150, 0)
    assert len(answer["results"]) == PAGE
    assert ask(services, "next", 3)["at"] == 1
    assert ask(services, "back", 3)["at"] == 149, "the first is preceded by the last"
    assert ask(services, "next", 1493)["at"] == 0
    dataset = services.corpus.dataset("d")
    for result in ask(services, "here", 490)["results"]:
        low, high = dataset.sequences.bounds(result["start"])
        start, stop = result["start"] - len(result["before"]), result["stop"] + len(result["after"])
        assert low <= start < stop <= high
        found = [*result["before"], *result["tokens"], *result["after"]]
        assert found == dataset.tokens(start, stop)


@pytest.mark.parametrize(
    ("phrase", "word"), [("zebra", "zebra"), ("x x", "never occur"), ("/(/", "(")]
)
def test_a_search_without_results_is_a_sentence(services: Services, phrase: str, word: str) -> None:
    answer = ask(services, "here", 0, phrase)
    assert answer["total"] == 0
    assert word in answer["error"]


def until(condition: Callable[[], bool]) -> None:
    for _ in range(3000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("the condition was never met")


def test_a_file_reports_progress_is_cancelled_and_restarts_while_matches_run(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, over = threading.Event(), threading.Event()

    def stands(*given: Any, **__: Any) -> Any:
        *_, control = given
        try:
            given[3].write(b"half")
            control.begin("writing", 1.0)
            control.advance(0.5)
            started.set()
            while not over.wait(0.005):
                control.check()
        finally:
            over.set()

    with monkeypatch.context() as patch:
        patch.setattr("app.web.callbacks.download.export_matches", stands)
        name = JobName("b" * 32, FILE, 0)
        assert (
            start_download(services, name.page, "0", {"form": "csv", "key": KEY})["state"]
            == "running"
        )
        assert started.wait(30)
        assert job_state(services.files, FILE, name.page, "0")["state"] == "running"
        assert job_state(services.jobs, FILE, name.page, "0")["state"] == "running", (
            "it is visible to another process"
        )
        request = {"n": 1, "page": "e" * 32, "key": KEY, "instead": True}
        if start_match(services, request["page"], "1", request)["state"] != "done":  # compiling
            until(lambda: job_state(services.jobs, MATCH, "e" * 32, "1")["state"] == "done")
        assert not over.is_set()
        assert cancel_job(services.files, FILE, name.page, "0") == {"state": "cancelled"}
        assert over.wait(30)
    folder = services.files.file(name).parent
    until(lambda: {path.suffix for path in folder.iterdir()} <= {".alive", ".cancelled", ".answer"})
    assert "name" in prepared(services, "csv")["answer"]
