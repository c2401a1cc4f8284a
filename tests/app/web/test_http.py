"""The dashboard over HTTP: the answers to the browser's requests, and their size."""

from __future__ import annotations

import base64
import json
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from app.matching import Query, States, select
from app.settings import load
from app.web.factory import create_app
from app.web.payloads.match import heat_start
from app.web.payloads.window import MARGIN, MOST_WINDOW_STEPS, BrushSummaries, brush_summary
from app.web.view.url import View, write
from loaders import Catalog
from loaders.writer import write_dataset


def waves(n_steps: int, n_states: int, dtype: Any = np.float16) -> Any:
    steps = np.arange(n_steps)[:, None]
    return np.sin(steps / (3 + np.arange(n_states)) + np.arange(n_states)).astype(dtype)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    n_steps = 2000
    write_dataset(
        root / "waves",
        tokens=[f"w{i % 50}" for i in range(n_steps)],
        sequences=(np.arange(n_steps) // 500).tolist(),
        states={"one": waves(n_steps, 40), "two": waves(n_steps, 7, np.float64) * 0.2},
        columns={"half": ["a" if i % 500 < 250 else "b" for i in range(n_steps)]},
    )
    (root / "broken").mkdir()
    (root / "broken" / "tokens.parquet").write_bytes(b"no parquet")
    (root / "broken" / "states").mkdir()
    return root


@pytest.fixture(scope="module")
def catalog(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return Catalog([folder], tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def client(catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    settings = load({}, {"cache_dir": str(tmp_path_factory.mktemp("cache"))})
    # Answers come however long the first match compiles; tests/browser/test_long_work.py is about the rest.
    return create_app(catalog, settings, patience=60).server.test_client()


def post(client: FlaskClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Post the request of a page; return the answer."""
    answer = client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text)  # type: ignore[no-any-return]


def opened(client: FlaskClient, search: str, kind: str = "load") -> dict[str, Any]:
    return post(client, "/_view/open", {"kind": kind, "search": search, "n": 3})


def match_stores(client: FlaskClient, key: dict[str, Any]) -> dict[str, Any]:
    request = {"n": 9, "page": "0" * 32, "key": key, "restored": 0, "instead": False}
    return post(client, f"/_jobs/match/{request['page']}/9", request)["answer"]  # type: ignore[no-any-return]


def matched(client: FlaskClient, key: dict[str, Any]) -> dict[str, Any]:
    return match_stores(client, key)["match"]  # type: ignore[no-any-return]


KEY = {
    "dataset": "waves", "fp": "", "source": "one", "start": 20, "stop": 23, "before": 0, "after": 0,
    "threshold": 0.3, "polarity": "high", "excluded": [], "min_overlap": None, "min_length": None,
    "overlapping": False, "length": None, "tracks": ["half"], "sort": "rank", "page": 0,
}  # fmt: skip


def test_the_page_is_served_with_everything_local(client: FlaskClient) -> None:
    text = client.get("/").text
    assert "https://" not in text.replace("https://github.com", "")
    layout = client.get("/_dash-layout").text
    assert "waves" in layout
    assert "broken (cannot be opened)" in layout


def test_an_address_without_a_query_opens_with_a_useful_selection(client: FlaskClient) -> None:
    answer = opened(client, "")
    view = answer["view"]
    assert view["dataset"] == "waves"
    assert view["start"] is not None
    assert view["stop"] - view["start"] == 3
    assert view["history"] == "replace"
    assert answer["info"]["n_states"] == 40
    assert answer["info"]["tracks"] == [{"value": "half", "label": "half", "kind": "categorical"}]


def test_a_link_is_opened_unchanged(client: FlaskClient, catalog: Catalog) -> None:
    dataset = catalog.get("waves")
    made = View(
        dataset="waves", fp=dataset.fingerprint, source="two", threshold=0.125, first=700,
        start=710, stop=714, before=2, after=1, polarity="magnitude", excluded=(1, 3), pinned=2,
        tracks=("half",), min_overlap=2, min_length=3, overlapping=True, length=(2, 9),
        full_range=True, auto=False,
    )  # fmt: skip
    answer = opened(client, write(made))
    assert answer["notices"]["items"] == []
    stored = {k: answer["view"][k] for k in made.store()}
    assert stored == json.loads(json.dumps(made.store()))


@pytest.mark.parametrize(
    ("search", "word"),
    [
        ("?dataset=waves&sel=498:502&threshold=0.1", "boundary at step 500"),
        ("?dataset=waves&sel=1990:2005&threshold=0.1", "beyond the end"),
        ("?dataset=waves&first=99999&threshold=0.1", "beyond the end"),
        ("?dataset=waves&source=three", "no source “three”"),
        ("?dataset=waves&threshold=0.1&exclude=39-41", "0 to 39"),
        ("?dataset=waves&threshold=0.1&state=40", "0 to 39"),
        ("?dataset=waves&threshold=0.1&track=mood", "no annotation “mood”"),
        ("?dataset=waves&threshold=0.1&colour=mood", "“mood”, which is not an annotation"),
        ("?dataset=broken", "tokens.parquet"),
    ],
)
def test_invalid_parts_are_named_and_the_rest_opens(
    client: FlaskClient, search: str, word: str
) -> None:
    answer = opened(client, search)
    assert answer["view"]["dataset"] == "waves"
    said = [item["text"] for item in answer["notices"]["items"]]
    assert len(said) == 1
    assert word in said[0]
    assert "\n" not in said[0]


def test_an_invalid_selection_is_dropped_with_its_limits(client: FlaskClient) -> None:
    view = opened(client, "?dataset=waves&sel=498:502&off=7:9&threshold=0.1&colour=mood")["view"]
    assert (view["start"], view["before"], view["after"]) == (None, 0, 0)
    assert view["colour"] == "match"


def test_picking_a_broken_dataset_keeps_the_view(client: FlaskClient) -> None:
    answer = opened(client, "?dataset=broken", "dataset")
    assert set(answer) == {"notices"}
    assert answer["notices"]["items"][0]["level"] == "error"


def test_switching_the_source_clamps_the_threshold_and_drops_exclusions(
    client: FlaskClient,
) -> None:
    search = "?dataset=waves&source=two&sel=20:23&first=10&threshold=0.9&exclude=1,2&off=1:2"
    answer = opened(client, search, "source")
    view = answer["view"]
    assert view["threshold"] <= 0.2
    assert view["excluded"] == []
    assert (view["start"], view["stop"], view["before"], view["after"]) == (20, 23, 1, 2)
    assert view["history"] == "push"
    assert len(answer["notices"]["items"]) == 2


def decode(payload: dict[str, Any]) -> Any:
    values = np.frombuffer(base64.b64decode(payload["values"]), payload["dtype"])
    return values.reshape(-1, payload["n_states"])


@pytest.mark.parametrize(("source", "dtype"), [("one", "float32"), ("two", "float64")])
def test_a_window_contains_the_stored_numbers(
    client: FlaskClient, catalog: Catalog, source: str, dtype: str
) -> None:
    request = {
        "n": 4, "dataset": "waves", "fp": "", "source": source, "start": 490, "stop": 540,
        "brush": {"start": 3, "stop": 6, "before": 9, "after": 0},
    }  # fmt: skip
    payload = post(client, "/_view/window", request)
    assert payload["dtype"] == dtype
    assert (payload["rows_start"], payload["rows_stop"]) == (490 - MARGIN, 540 + MARGIN)
    rows = catalog.get("waves").open_source(source).rows
    assert np.array_equal(decode(payload), rows[490 - MARGIN : 540 + MARGIN])
    assert payload["tokens"] == [f"w{i % 50}" for i in range(490, 540)]
    assert [s["start"] for s in payload["sequences"]] == [0, 500]
    summary = decode({**payload, "values": payload["brush"]["values"]})
    assert np.array_equal(summary[0], rows[3:6].min(axis=0).astype(dtype))
    assert np.array_equal(summary[3], rows[0:3].max(axis=0).astype(dtype)), "clipped at the edge"


def test_a_window_is_bounded_for_any_request(client: FlaskClient) -> None:
    request = {
        "n": 1, "dataset": "waves", "fp": "", "source": "one", "start": -5, "stop": 10**9,
        "brush": {"start": 0, "stop": 500, "before": 10**9, "after": 10**9},
    }  # fmt: skip
    answer = post(client, "/_view/window", request)
    assert answer["stop"] - answer["start"] == MOST_WINDOW_STEPS
    assert len(json.dumps(answer)) < 200_000


def test_a_match_returns_rows_bins_and_the_servers_s1(
    client: FlaskClient, catalog: Catalog
) -> None:
    answer = matched(client, KEY)
    dataset = catalog.get("waves")
    source = dataset.open_source("one")
    states = States(source.rows, dataset.sequences.offsets)
    chosen = select(states, Query(threshold=0.3, start=20, stop=23))
    assert answer["selected"] == list(chosen.states)
    assert answer["n"] == 9
    assert answer["key"] == KEY
    assert sum(item["matches"] for item in answer["histogram"]) == answer["total"]
    assert sum(item["full_matches"] for item in answer["histogram"]) == answer["full"]
    assert answer["searched"] == 2000
    first = answer["rows"][0]
    assert len(first["tokens"]) == len(first["on"]) == len(answer["tracks"][0]["cells"][0])
    at = first["start"] - first["from"]
    assert first["on"][at] >= first["overlap"]
    for row in answer["rows"]:
        low, high = dataset.sequences.bounds(row["start"])
        assert low <= row["from"] <= row["start"] < row["stop"] <= high
        assert row["sequence"] == row["start"] // 500
    assert len(json.dumps(answer)) < 60_000


def test_the_overview_shows_the_whole_corpus_in_a_bounded_answer(client: FlaskClient) -> None:
    stores = match_stores(client, {**KEY, "overlapping": True})
    overview, match = stores["overview"], stores["match"]
    assert overview["n"] == match["n"]
    assert sum(overview["matches"]) == match["total"]
    assert sum(overview["full"]) == match["full"]
    assert len(overview["on"]) == len(overview["matches"]) <= 1024
    assert len(overview["on"]) * overview["bin_steps"] >= match["searched"] == 2000
    assert max(overview["on"]) <= 1000
    assert len(json.dumps(overview)) < 12_000
    nothing = match_stores(client, {**KEY, "start": None, "stop": None})["overview"]
    assert nothing["on"] == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"start": None, "stop": None}, "Nothing is selected"),
        ({"start": 499, "stop": 501}, "500"),
        ({"source": "three"}, "three"),
        ({"dataset": "broken"}, "tokens.parquet"),
        ({"dataset": "gone"}, "gone"),
        ({"excluded": [77]}, "77"),
    ],
)
def test_a_match_that_cannot_be_run_is_a_sentence(
    client: FlaskClient, change: dict[str, Any], word: str
) -> None:
    answer = matched(client, {**KEY, **change})
    assert word in answer["error"]
    assert "\n" not in answer["error"]
    assert answer["n"] == 9


@pytest.mark.parametrize("column", ["start", "length", "overlap", "more"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_a_sorted_column_turns_alone_and_equal_matches_stay_in_rank_order(
    client: FlaskClient, column: str, sign: str
) -> None:
    def listed(sort: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for page in range(5):
            rows += matched(client, {**KEY, "sort": sort, "page": page})["rows"]
        return rows

    value = {"start": "start", "length": "length", "overlap": "overlap", "more": "union"}[column]
    ranked = listed("rank")
    assert len(ranked) > 60
    assert [row["rank"] for row in ranked] == sorted(row["rank"] for row in ranked)
    turn = -1 if sign else 1
    wanted = sorted(ranked, key=lambda row: (turn * row[value], row["rank"]))
    assert [row["rank"] for row in listed(sign + column)] == [row["rank"] for row in wanted]


@given(
    around=st.lists(st.integers(0, 9), max_size=40), least=st.integers(0, 9), size=st.integers(0, 9)
)
def test_heat_starts_at_what_is_usual_and_below_every_match(
    around: list[int], least: int, size: int
) -> None:
    around = [min(on, size) for on in around]
    least = min(least, size)
    start = heat_start(around, least, size) * size
    if not around or not size:
        assert start == 0
        return
    assert start < max(1, least) + 0.01, "every match is coloured"
    ordinary = sorted(around)[int(0.9 * (len(around) - 1))]
    assert start <= ordinary + 0.01
    if ordinary < least:
        assert abs(start - ordinary) < 0.01 * size, "nine of ten steps around are not"


def test_an_empty_selection_is_an_answer_with_a_reason(client: FlaskClient) -> None:
    answer = matched(client, {**KEY, "threshold": 7.5})
    assert answer["rows"] == []
    assert answer["total"] == 0
    assert "comes closest" in answer["reason"]


def test_an_undecodable_folder_name_does_not_prevent_serving_the_others(
    tmp_path: Path,
) -> None:
    for name in ("fine", "odd"):
        write_dataset(tmp_path / "data" / name, tokens=["a", "b"], states={"s": waves(2, 2)})
    (tmp_path / "data" / "odd").rename(tmp_path / "data" / "caf\udce9")
    settings = load({}, {"cache_dir": str(tmp_path / "cache")})
    client = create_app(
        Catalog([tmp_path / "data"], tmp_path / "cache"), settings
    ).server.test_client()
    assert client.get("/").status_code == 200
    layout = client.get("/_dash-layout").text
    assert "fine" in layout
    assert "udce9 (cannot be opened)" in layout
    assert opened(client, "?dataset=fine")["info"]["dataset"] == "fine"


def test_invalid_requests_about_jobs_get_an_answer(client: FlaskClient) -> None:
    def asked(path: str, method: str = "get") -> dict[str, Any]:
        answer = getattr(client, method)(f"/_jobs/{path}")
        assert answer.status_code == 200, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        return json.loads(answer.text)  # type: ignore[no-any-return]

    for page in ("0" * 32, "nobody", "..", "a" * 20 + "%00"):
        assert asked(f"match/{page}/1")["state"] == "unknown"
    for n in ("9" * 16, "9" * 5000, "-1", "1_0", "\uff11", "one"):
        assert asked(f"match/{'0' * 32}/{n}")["state"] == "unknown"
        assert asked(f"match/{'0' * 32}/{n}/cancel", "post")["state"] == "unknown"
    assert asked("match/nobody/1/cancel", "post")["state"] == "unknown"
    assert asked("match/" + "0" * 32 + "/1/cancel", "post")["state"] == "cancelled"
    opened(client, "?dataset=waves&source=one")
    assert asked("copy?dataset=waves&source=one")["state"] == "ready"
    assert asked("copy?dataset=waves&source=one&page=../x")["state"] == "unknown"
    assert asked("copy/cancel?dataset=waves&source=one&page=..", "post")["state"] == "unknown"
    assert "gone" in asked("copy/cancel?dataset=gone&source=one", "post")["sentence"]
    assert "three" in asked("copy/leave?dataset=waves&source=three", "post")["sentence"]
    for query, word in (
        ("dataset=waves&source=three", "three"),
        ("dataset=gone&source=one", "gone"),
        ("dataset=broken&source=one", "tokens.parquet"),
        ("", "known dataset"),
    ):
        answer = asked(f"copy?{query}")
        assert answer["state"] == "failed"
        assert word in answer["sentence"]


def test_a_copy_is_cancelled_over_http_unless_another_page_waits(
    catalog: Catalog, tmp_path: Path
) -> None:
    go = threading.Event()

    def stand(done: int, total: int) -> None:
        if done:
            go.wait(30)

    (folder,) = [entry.path for entry in catalog.entries() if entry.id == "waves"]
    settings = load({}, {"cache_dir": str(tmp_path)})
    made = create_app(Catalog([folder], tmp_path, stand), settings, patience=0)
    client = made.server.test_client()

    def copy(page: str, what: str = "") -> str:
        path = f"/_jobs/copy{what}?dataset=waves&source=one&page={page * 32}"
        answer = client.post(path) if what else client.get(path)
        return str(json.loads(answer.text)["state"])

    try:
        assert [copy("a"), copy("b")] == ["building", "building"]
        assert copy("a", "/cancel") == "wanted"
        assert copy("b", "/leave") == "left"
        assert copy("a", "/cancel") == "cancelled"
    finally:
        go.set()
    for _ in range(3000):
        if copy("a") == "ready":
            return
        time.sleep(0.01)
    raise AssertionError("requested again, it was not built")


def test_a_file_is_prepared_downloaded_once_and_deleted(client: FlaskClient) -> None:
    opened(client, "?dataset=waves&source=one")
    address = "/_jobs/file/" + "c" * 32 + "/0"
    wanted = {"form": "csv", "key": {**KEY, "sort": "-length", "page": 3}}
    state = json.loads(client.post(address, json=wanted).text)
    assert (state["state"], state["answer"]["caps"]) == ("done", [])
    name = state["answer"]["name"]
    assert client.head(f"{address}/{name}", buffered=True).status_code == 200, (
        "polling does not consume it"
    )
    answer = client.get(f"{address}/{name}", buffered=True)
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == f"attachment; filename={name}"
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    assert answer.text.startswith("rank,start,stop,")
    assert client.get(f"{address}/{name}").status_code == 404
    assert client.get("/_jobs/file/nobody/0/x.csv").status_code == 404
    assert client.get("/_jobs/file/nobody/0").json == {"state": "unknown"}
    assert client.post("/_jobs/file/nobody/0/cancel").json == {"state": "unknown"}
    refused = client.post(address, data=b"{", content_type="application/json")
    assert (refused.status_code, "not JSON" in refused.json["error"]) == (400, True)  # type: ignore[index]


def test_stalled_downloads_leave_threads_for_others(catalog: Catalog, tmp_path: Path) -> None:
    settings = load({}, {"cache_dir": str(tmp_path), "threads": "2"})
    client = create_app(catalog, settings, patience=0).server.test_client()
    (tmp_path / "jobs").mkdir(exist_ok=True)
    pages = ["a" * 32, "b" * 32]
    for page in pages:
        (tmp_path / "jobs" / f"{page}-file-0.file").write_bytes(bytes(1_000_000))
    first, second = (f"/_jobs/file/{page}/0/matches.csv" for page in pages)
    reading = client.get(first)
    refused = client.get(second, buffered=True)
    assert (refused.status_code, refused.mimetype) == (503, "text/plain")
    assert "try again" in refused.text
    reading.close()
    for _ in range(3):
        assert client.head(second, buffered=True).status_code == 200, "a HEAD request only"
    answer = client.get(second, buffered=True)
    assert (answer.status_code, answer.data) == (200, bytes(1_000_000))
    assert client.get(second).status_code == 404, "deleted after it was sent completely"
    again = client.get(first, buffered=True)
    assert again.status_code == 200, "sent only in part, it can be downloaded again"


def test_a_request_of_many_megabytes_is_refused(client: FlaskClient) -> None:
    path = f"/_jobs/match/{'a' * 32}/1"
    answer = client.post(path, data=b" " * (5 << 20), content_type="application/json")
    assert answer.status_code == 413
    many = list(range(100_000))
    key = {**KEY, "start": None, "stop": None, "excluded": many}
    request = {"n": 1, "page": "a" * 32, "restored": 0, "instead": False, "key": key}
    stores = post(client, path, request)["answer"]
    assert "Nothing is selected" in stores["match"]["error"]


def test_a_brush_is_read_once_while_its_window_moves(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = catalog.get("waves").open_source("one")
    read: list[tuple[int, int]] = []

    def counting(given: Any, bounds: tuple[int, int], **brush: int) -> Any:
        read.append((brush["start"], brush["stop"]))
        return brush_summary(given, bounds, **brush)

    monkeypatch.setattr("app.web.payloads.window.brush_summary", counting)
    summaries = BrushSummaries(most=2)
    brushes = [{"start": n, "stop": n + 3, "before": 0, "after": 1} for n in (10, 20, 30)]
    wanted = [brush_summary(source, (0, 500), **brush) for brush in brushes]
    for _ in range(3):
        for brush, right in zip(brushes[:2], wanted, strict=False):
            np.testing.assert_array_equal(summaries.get(source, (0, 500), brush), right)
    assert read == [(10, 13), (20, 23)]
    np.testing.assert_array_equal(summaries.get(source, (0, 500), brushes[2]), wanted[2])
    summaries.get(source, (0, 500), brushes[0])
    assert read == [(10, 13), (20, 23), (30, 33), (10, 13)], "the cache is bounded"
