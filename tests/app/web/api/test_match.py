"""The route ``/match``."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from app.cli.main import main
from app.matching import Control, MatchResult, MatchService, Query, States
from app.output.options import flag
from app.settings import load
from app.web.api import blueprint, match
from app.web.factory import make_services
from loaders import Catalog
from tests.app.web.api.conftest import Ask, refused


@pytest.mark.parametrize(
    "options",
    [
        {"start": 20, "stop": 23, "threshold": 0.3},
        {"start": 20, "stop": 23, "threshold": "-1e-3", "polarity": "low", "top": 3, "offset": 2},
        {"start": 20, "stop": 24, "threshold": 0.25, "off_before": 1, "off_after": 2, "context": 0},
        {"states": "0,3,5", "threshold": 0.5, "exclude": "3", "overlapping": "1", "length": "2:4"},
        {"start": 0, "stop": 9, "threshold": 9, "min_overlap": 2, "min_length": 3},
        {"states": "1", "threshold": 0.9, "polarity": "magnitude", "length": "3"},
    ],
)
def test_a_match_equals_that_of_the_command_line_byte_for_byte(
    client: FlaskClient,
    folder: Path,
    cache: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
) -> None:
    monkeypatch.setenv("STATEBRUSH_CACHE_DIR", str(cache))
    options = {"source": "one", **options}
    arguments = [
        part
        for name, value in options.items()
        for part in ([flag(name)] if name == "overlapping" else [flag(name), str(value)])
    ]
    capfd.readouterr()
    assert main(["match", str(folder / "waves"), "--format", "json", *arguments]) == 0
    printed = capfd.readouterr().out
    answer = client.get("/api/v1/match", query_string={"dataset": "waves", **options})
    assert answer.status_code == 200, answer.text
    assert answer.text == printed


@pytest.mark.parametrize("form", ["csv", "spreadsheet"])
def test_csv_is_byte_for_byte_that_of_the_command_line(
    client: FlaskClient,
    folder: Path,
    cache: Path,
    form: str,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    asked = {"source": "one", "states": "0,3", "threshold": 0.3, "top": 20}
    added = {"context_words": 3, "annotations": "half,size"}
    answer = client.get(
        "/api/v1/match", query_string={"dataset": "waves", "format": form, **asked, **added}
    )
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    options = [
        text
        for name, value in {**asked, **added, "format": form, "cache_dir": cache}.items()
        for text in (flag(name), str(value))
    ]
    assert main(["match", str(folder / "waves"), *options]) == 0
    assert capfdbinary.readouterr().out == answer.data
    assert answer.data.startswith(b"\xef\xbb\xbf") == (form == "spreadsheet")


def test_words_and_annotations_are_added_if_asked(ask: Ask) -> None:
    asked = {"dataset": "waves", "source": "one", "states": "0,3", "threshold": 0.3, "top": 5}
    plain = ask("match", **asked)
    more = ask("match", **asked, context_words=2, annotations="x,y")
    for bare, one in zip(plain["matches"], more["matches"], strict=True):
        assert one == bare | {key: one[key] for key in ("before", "after", "annotations")}
        assert one["annotations"] == {"x,y": ["u"] * one["length"]}
        assert len(one["before"]) == min(2, one["start"] % 500)
    assert more["query"] == plain["query"]


@pytest.mark.parametrize(
    ("status", "parameters", "says"),
    [
        (400, {}, "threshold is missing; give a number."),
        (400, {"threshold": "high"}, "threshold is 'high'; give a number."),
        (400, {"threshold": "nan"}, "finite"),
        (400, {"threshold": "1_0.5"}, "threshold is '1_0.5'; give a number."),
        (400, {"threshold": "\uff10.5"}, "threshold is '\uff10.5'; give a number."),
        (400, {"threshold": 0.3, "start": "1_0"}, "start is '1_0'; give a whole number."),
        (400, {"threshold": 0.3, "start": "\uff13"}, "start is '\uff13'; give a whole number."),
        (400, {"threshold": 0.3, "top": "9" * 5000}, "99…'; give a whole number."),
        (400, {"threshold": 0.3, "states": "3,1_0"}, "states is '3,1_0'"),
        (400, {"threshold": 0.3, "length": "2:1_0"}, "length is '2:1_0'"),
        (400, {"threshold": 0.3}, "Nothing is selected"),
        (400, {"threshold": 0.3, "start": 499, "stop": 501}, "boundary at step 500"),
        (400, {"threshold": 0.3, "polarity": "up"}, "give high or low or magnitude"),
        (400, {"threshold": 0.3, "length": "2:"}, "length is '2:'"),
        (400, {"threshold": 0.3, "states": ""}, "list of states is empty"),
        (400, {"threshold": 0.3, "states": "3,x"}, "states is '3,x'"),
        (400, {"threshold": 0.3, "states": "3", "overlapping": "yes"}, "give 1 or 0"),
        (400, {"threshold": 0.3, "states": "3", "top": 10_001}, "at most 10,000 is allowed"),
        (400, {"threshold": 0.3, "states": "3", "context": 1001}, "at most 1,000 is allowed"),
        (400, {"threshold": 0.3, "states": "3", "format": "xlsx"}, "give json or csv"),
        (400, {"threshold": 0.3, "states": "3", "context_words": 101}, "from 0 to 100"),
        (404, {"threshold": 0.3, "states": "3", "annotations": "none"}, "no annotation 'none'"),
        (400, {"threshold": 0.3, "states": "3", "min_overlp": "1"}, "no parameter 'min_overlp'"),
    ],
)
def test_a_bad_match_is_one_sentence(
    client: FlaskClient, status: int, parameters: dict[str, Any], says: str
) -> None:
    sentence = refused(client, "match", status, dataset="waves", source="one", **parameters)
    assert says in sentence
    assert "--" not in sentence


def test_an_answer_that_is_too_long_is_refused_before_and_after_the_search(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"dataset": "waves", "source": "one", "states": "0,1", "threshold": -2}
    longest = 2 * 500 + 500  # each sequence is one place, with its words and shares
    for bounds in ((1 << 30, 6 * longest), (6 * longest, 1 << 30)):
        monkeypatch.setattr(match, "_MOST_CONSIDERED", bounds[0])
        monkeypatch.setattr(match, "MOST_ITEMS", 10)
        assert "are allowed over HTTP" in refused(client, "match", 400, **asked)
    monkeypatch.setattr(match, "_MOST_CONSIDERED", 1)
    assert "are allowed over HTTP" in refused(client, "match", 400, **asked, overlapping="")
    monkeypatch.setattr(match, "_MOST_CONSIDERED", 6000)
    monkeypatch.setattr(match, "MOST_ITEMS", 6000)
    answer = client.get("/api/v1/match", query_string={**asked, "context": 0})
    assert answer.status_code == 200
    assert [one["length"] for one in answer.json["matches"]] == [500] * 6  # type: ignore[index]


def test_a_match_in_addition_to_too_many_others_is_503(folder: Path, tmp_path: Path) -> None:
    settings = load({}, {"cache_dir": str(tmp_path), "threads": "2"})
    services = make_services(Catalog([folder], tmp_path), settings, patience=0)
    services.corpus.dataset("waves").open_source("one")
    made = Flask("test")
    made.register_blueprint(blueprint.blueprint(services))
    client = made.test_client()
    asked = {"dataset": "waves", "start": 0, "stop": 2, "source": "one", "threshold": 0.3}
    with services.jobs.slot():
        assert "try again" in refused(client, "match", 503, **asked)
        answer = client.get("/api/v1/search?dataset=waves&query=STRASSE")
        assert answer.status_code == 200, "quick requests still work"
    assert client.get("/api/v1/match", query_string=asked).status_code == 200


class Waits(MatchService):
    """Never finds an answer."""

    def __init__(self) -> None:
        super().__init__()
        self.started, self.ended = threading.Event(), threading.Event()

    def match(
        self, key: str, states: States, query: Query, control: Control | None = None
    ) -> MatchResult:
        assert control is not None
        self.started.set()
        try:
            called_off = threading.Event()
            control.on_cancel(called_off.set)
            assert called_off.wait(30)
            control.check()
            raise AssertionError
        finally:
            self.ended.set()


def test_a_match_ends_when_its_client_disconnects_or_it_takes_too_long(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, matching = load({}, {"cache_dir": str(tmp_path), "threads": "2"}), Waits()
    services = make_services(Catalog([folder], tmp_path), settings, matching=matching)
    services.corpus.dataset("waves").open_source("one")
    made = Flask("test")
    made.register_blueprint(blueprint.blueprint(services))
    address = "/api/v1/match?dataset=waves&source=one&start=0&stop=2&threshold=0.3"
    server = make_server("127.0.0.1", 0, made, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with socket.create_connection(("127.0.0.1", server.server_port)) as client:
            client.sendall(f"GET {address} HTTP/1.0\r\n\r\n".encode())
            assert matching.started.wait(30)
            assert not matching.ended.is_set()
        assert matching.ended.wait(30)
    finally:
        server.shutdown()
    monkeypatch.setattr(match, "MOST_SECONDS", 0)
    answer = made.test_client().get(address)
    assert answer.status_code == 503, "its slot is free again, and its time is up"
    assert "took more than 0 seconds" in json.loads(answer.text)["error"]
