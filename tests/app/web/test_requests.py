"""Invalid requests are refused with one sentence and one log line, before any other code reads them."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest
from flask.testing import FlaskClient
from pydantic import TypeAdapter

from app.settings import load
from app.web.factory import create_app
from app.web.requests import RefusalLog
from app.web.view import wire
from loaders import Catalog
from loaders.writer import write_dataset
from tests.app.web.hostile import DASH, KEY, PAGE

TRACKS = ["half", "number", "phrase"]
RANGE = {"n": 1, "dataset": "waves", "fp": "", "source": "one", "start": 0, "stop": 9}
WINDOW = {**RANGE, "brush": None}
MATCHES = f"/_jobs/match/{PAGE}/1"
MATCH = {"n": 1, "page": PAGE, "key": {**KEY, "tracks": []}, "restored": 0, "instead": False}


@pytest.fixture
def fresh_client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """A client of an application that has not refused any request yet."""
    return made(tmp_path_factory)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    return made(tmp_path_factory)


def made(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    root = tmp_path_factory.mktemp("requests")
    rows = np.sin(np.arange(600).reshape(60, 10)).astype(np.float32)
    write_dataset(
        root / "waves",
        tokens=[f"w{i}" for i in range(60)],
        states={"one": rows},
        columns={"half": ["a", "b"] * 30, "number": [0.5, 1.5] * 30},
        intervals={"phrase": [(0, 4, "NP"), (5, 20, "VP")]},
    )
    settings = load({}, {"cache_dir": str(root / "cache")})
    catalog = Catalog([root / "waves"], settings.cache_dir)
    return create_app(catalog, settings, patience=60).server.test_client()


def post(client: FlaskClient, body: Any, path: str = "/_view/window") -> Any:
    return client.post(path, data=json.dumps(body), content_type="application/json")


def with_match(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    request = json.loads(json.dumps(MATCH))
    change(request)
    return request  # type: ignore[no-any-return]


def test_every_answer_is_of_its_declared_type(client: FlaskClient) -> None:
    for path, store, value in (
        (
            "open",
            "OpenedView",
            {"kind": "load", "search": "?dataset=waves&first=900&threshold=0.1&sel=3:6", "n": 1},
        ),
        ("open", "OpenedView", {"kind": "load", "search": "", "n": 1}),
        ("window", "window",
         {**RANGE, "brush": {"start": 3, "stop": 6, "before": 1, "after": 0}}),
        ("window", "window", {**RANGE, "source": "two", "brush": None}),
        ("tracks", "tracks",
         {"dataset": "waves", "fp": "", "start": 0, "stop": 9, "tracks": TRACKS}),
        ("search", "search",
         {"n": 1, "dataset": "waves", "phrase": "w3", "exact": True, "from": 0, "way": "next"}),
        ("search", "search",
         {"n": 1, "dataset": "waves", "phrase": "nothing", "exact": True, "from": 0, "way": "here"}),
    ):  # fmt: skip
        answer = post(client, value, f"/_view/{path}").json
        hints = get_type_hints(wire.Stores, include_extras=True)
        TypeAdapter(hints.get(store, wire.OpenedView)).validate_python(answer, extra="forbid")
    for key in (
        {**MATCH["key"], "tracks": TRACKS},
        {**MATCH["key"], "start": None, "stop": None},
    ):
        answer = post(client, {**MATCH, "key": key}, MATCHES).json
        TypeAdapter(wire.JobStatus).validate_python(answer, extra="forbid")
        assert answer["state"] == "done"
    answer = post(client, {"form": "csv", "key": MATCH["key"]}, f"/_jobs/file/{PAGE}/0").json
    TypeAdapter(wire.JobStatus).validate_python(answer, extra="forbid")
    answer = client.get("/_jobs/copy?dataset=waves&source=one").json
    TypeAdapter(wire.PreparationStatus).validate_python(answer, extra="forbid")


def test_the_requests_of_a_page_fit(client: FlaskClient) -> None:
    assert post(client, WINDOW).status_code == 200
    assert post(client, with_match(lambda request: None), MATCHES).status_code == 200


@pytest.mark.parametrize("path", ["/_view/open", "/_view/window", "/_view/tracks", "/_view/search"])
def test_a_request_with_a_field_too_many_is_refused(client: FlaskClient, path: str) -> None:
    bodies = {
        "/_view/open": {"kind": "load", "search": "", "n": 1},
        "/_view/window": WINDOW,
        "/_view/tracks": {"dataset": "waves", "fp": "", "start": 0, "stop": 9, "tracks": TRACKS},
        "/_view/search": {
            "n": 1, "dataset": "waves", "phrase": "w3", "exact": True, "from": 0, "way": "next",
        },
    }  # fmt: skip
    assert post(client, bodies[path], path).status_code == 200
    answer = post(client, {**bodies[path], "more": 1}, path)
    assert answer.status_code == 400
    assert "more is not a known field" in answer.json["error"]


def test_a_callback_of_dash_is_refused(client: FlaskClient) -> None:
    answer = post(client, DASH, "/_dash-update-component")
    assert answer.status_code == 400
    assert "no callbacks on the server" in answer.json["error"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r: r.update(n="1"), ["The body.n", "integer", "'1'"]),
        (lambda r: r.update(n=True), ["The body.n", "True"]),
        (lambda r: r.update(n=10**30), ["The body.n", "less than"]),
        (lambda r: r.update(page="../x"), ["The body.page", "'../x'"]),
        (lambda r: r.pop("key"), ["The body.key is missing"]),
        (lambda r: r.update(more=1), ["The body.more is not a known field"]),
        (lambda r: r["key"].update(threshold=float("nan")), ["key.threshold", "finite", "nan"]),
        (lambda r: r["key"].update(sort="x" * 20_000), ["key.sort", "'rank'"]),
        (lambda r: r["key"].update(length=[1]), ["key.length", "[1]"]),
        (lambda r: r["key"].update(excluded=[1, "a"]), ["key.excluded.1", "'a'"]),
        (lambda r: r["key"].update(tracks=["\ud800"]), ["key.tracks.0", "\\ud800"]),
    ],
)
def test_the_error_for_an_invalid_request_names_field_expected_and_found(
    client: FlaskClient, change: Callable[[dict[str, Any]], Any], words: list[str]
) -> None:
    answer = post(client, with_match(change), MATCHES)
    assert answer.status_code == 400
    assert list(answer.json) == ["error"]
    assert all(word in answer.json["error"] for word in words), answer.json
    assert len(answer.json["error"]) < 300
    assert "\n" not in answer.json["error"]


@pytest.mark.parametrize(
    ("data", "content_type", "word"),
    [
        (b"{", "application/json", "not JSON"),
        (b"", "application/json", "not JSON"),
        (b"[" * 100_000, "application/json", "nested"),
        (b'{"output": ' + b"1" * 5000 + b"}", "application/json", "not JSON"),
        (b"[]", "application/json", "must be a JSON object, not []"),
        (b"null", "application/json", "must be a JSON object, not None"),
        (b"{}", "text/plain", "application/json"),
    ],
)
def test_a_body_that_is_not_a_json_object_is_refused(
    client: FlaskClient, data: bytes, content_type: str, word: str
) -> None:
    for path in ("/_view/window", MATCHES, f"/_jobs/file/{PAGE}/0"):
        answer = client.post(path, data=data, content_type=content_type)
        assert answer.status_code == 400
        assert word in answer.json["error"]  # type: ignore[index]


def test_a_refusal_is_one_line_in_the_log_and_a_bug_has_its_traceback(
    fresh_client: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    post(fresh_client, {**WINDOW, "source": ["a\nb"]})
    (line,) = caplog.records
    assert line.levelno == logging.WARNING
    assert line.exc_info is None
    assert "\n" not in line.getMessage()

    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Catalog, "get", fail)
    caplog.clear()
    answer = json.loads(post(fresh_client, WINDOW).text)
    assert "its log has the details" in answer["error"]
    assert [record.exc_info is not None for record in caplog.records] == [True]


def test_the_log_gets_a_few_refusals_a_minute_and_the_number_of_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = 0.0
    log = RefusalLog(most=3, seconds=60, now=lambda: now)
    for _ in range(7000):
        log.add("POST /x", "It does not fit.")
    assert len(caplog.records) == 4
    now = 61.0
    log.add("POST /x", "It does not fit.")
    assert len(caplog.records) == 6
    assert "6997 more" in caplog.records[4].getMessage()


def test_a_missing_file_of_a_library_is_a_404(client: FlaskClient) -> None:
    for path in ("x/y.js", "dash/../x", "dash/deps/nope.js"):
        assert client.get(f"/_dash-component-suites/{path}").status_code == 404


def test_a_name_with_a_line_break_is_not_a_file(client: FlaskClient, tmp_path: Path) -> None:
    body = {"form": "csv", "key": MATCH["key"]}
    address = f"/_jobs/file/{PAGE}/0"
    answer = post(client, body, address)
    assert answer.json["state"] == "done", answer.text
    assert client.get(f"{address}/a%0D%0Ab.csv").status_code == 404
    assert client.get(f"{address}/a.csv", buffered=True).status_code == 200, "it still exists"
