"""What the dashboard makes of a search and of a file to save."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from dash import no_update

from app.callbacks.download import answer_download
from app.callbacks.search import answer_search
from app.factory import make_services
from app.matching import Query, States
from app.search_payload import PAGE
from app.services import Services
from app.settings import load
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


def saved(services: Services, form: str, **change: Any) -> tuple[bytes, str]:
    request = {"n": 1, "form": form, "key": {**KEY, **change}}
    sent, notices = answer_download(services, request)
    assert notices["items"] == []
    return base64.b64decode(sent["content"]), sent["filename"]


def test_every_file_holds_the_whole_list_and_the_query(services: Services) -> None:
    dataset = services.catalog.get("d")
    source = dataset.open_source("h")
    query = Query(threshold=0.3, start=20, stop=23, top=100_000, context=0)
    result = services.matching.match("x", States(source.rows, dataset.sequences.offsets), query)
    wanted = [(m.start, m.stop, m.overlap, m.union) for m in result.matches]
    assert len(wanted) > 50, "more than a page"
    columns = ["start", "stop", "overlap", "union"]

    content, name = saved(services, "csv")
    assert name.endswith(".csv")
    table = pd.read_csv(io.BytesIO(content), keep_default_na=False)
    assert list(table[columns].itertuples(index=False, name=None)) == wanted
    assert json.loads(table["query"][0])["query"]["threshold"] == 0.3

    content, _ = saved(services, "parquet")
    parquet = pq.read_table(io.BytesIO(content))
    assert parquet.select(columns).to_pandas().to_records(index=False).tolist() == wanted
    assert b"0.3" in parquet.schema.metadata[b"statebrush"]

    content, _ = saved(services, "json")
    whole = json.loads(content)
    assert [tuple(m[c] for c in columns) for m in whole["matches"]] == wanted
    assert (whole["query"]["start"], whole["query"]["stop"]) == (20, 23)


def test_a_request_that_cannot_be_answered_saves_nothing_and_says_why(services: Services) -> None:
    request = {"n": 1, "form": "csv", "key": {**KEY, "start": 499, "stop": 502}}
    _, notices = answer_download(services, request)
    assert "500" in notices["items"][0]["text"]


def ask(services: Services, way: str, step: int, phrase: str = "X") -> dict[str, Any]:
    request = {"n": 1, "dataset": "d", "phrase": phrase, "exact": False, "from": step, "way": way}
    return answer_search(services, request)


def test_a_search_goes_round_and_its_context_stays_in_the_sequence(services: Services) -> None:
    answer = ask(services, "here", 3)
    assert (answer["total"], answer["at"]) == (150, 0)
    assert len(answer["results"]) == PAGE
    assert ask(services, "next", 3)["at"] == 1
    assert ask(services, "back", 3)["at"] == 149, "before the first comes the last"
    assert ask(services, "next", 1493)["at"] == 0
    dataset = services.catalog.get("d")
    for result in ask(services, "here", 490)["results"]:
        low, high = dataset.sequences.bounds(result["start"])
        start, stop = result["start"] - len(result["before"]), result["stop"] + len(result["after"])
        assert low <= start < stop <= high
        found = [*result["before"], *result["tokens"], *result["after"]]
        assert found == dataset.tokens(start, stop)


@pytest.mark.parametrize(("phrase", "word"), [("zebra", "zebra"), ("x x", "nowhere"), ("/(/", "(")])
def test_what_is_not_found_is_a_sentence(services: Services, phrase: str, word: str) -> None:
    answer = ask(services, "here", 0, phrase)
    assert answer["total"] == 0
    assert word in answer["error"]


def test_a_file_beside_too_many_others_is_refused_in_a_sentence(tmp_path: Path) -> None:
    write_dataset(tmp_path / "d", tokens=["a"] * 30, states={"h": np.eye(30, dtype=np.float32)})
    settings = load({}, {"cache_dir": str(tmp_path / "cache"), "threads": "2"})
    services = make_services(Catalog([tmp_path / "d"], tmp_path / "cache"), settings)
    services.catalog.get("d").open_source("h")
    with services.jobs.place():
        sent, notices = answer_download(services, {"n": 1, "form": "csv", "key": KEY})
    assert sent is no_update
    assert "ask again" in notices["items"][0]["text"]
    assert isinstance(answer_download(services, {"n": 2, "form": "csv", "key": KEY})[0], dict)
