"""The API as a program meets it, and that docs/api.md tells all of it."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from app.cli.main import main
from app.matching import Control, MatchResult, MatchService, Query, States
from app.output.options import MATCH_OPTIONS, flag
from app.settings import load
from app.web.api import routes as api
from app.web.factory import create_app, make_services
from app.web.services import Services
from loaders import Catalog
from loaders.writer import write_dataset
from tests import ROOT

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
N_STEPS = 3000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    steps = np.arange(N_STEPS)[:, None]
    waves = np.sin(steps / (3 + np.arange(20)) + np.arange(20)).astype(np.float32)
    odd = np.zeros((N_STEPS, 3), np.float64)
    odd[:, 2] = 1 / 3
    odd[0], odd[1, 0] = np.nan, np.inf
    write_dataset(
        root / "waves",
        tokens=["Straße" if i % 100 == 7 else f"w{i % 50}" for i in range(N_STEPS)],
        sequences=[f"s{i // 500}" for i in range(N_STEPS)],
        states={"one": waves, "odd": odd},
        columns={
            "half": ["a" if i % 2 else None for i in range(N_STEPS)],
            "size": np.where(np.arange(N_STEPS) % 3 == 0, np.nan, np.arange(N_STEPS) / 2),
            "x,y": ["u"] * N_STEPS,
            "guess": [[f"g{k}" for k in range(i % 30)] for i in range(N_STEPS)],
        },
        intervals={"phrase": [(0, 4, "NP"), (10, 20, "VP"), (498, 500, "NP")]},
    )
    write_dataset(
        root / "single",
        tokens=["a", "b"] * 50,
        states={"only": np.ones((100, 2), np.float16)},
    )
    (root / "broken").mkdir()
    (root / "broken" / "tokens.parquet").write_bytes(b"no parquet")
    (root / "broken" / "states").mkdir()
    return root


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def services(folder: Path, cache: Path) -> Services:
    return make_services(Catalog([folder], cache), load({}, {"cache_dir": str(cache)}))


@pytest.fixture(scope="module")
def server(services: Services) -> Flask:
    made = Flask("test")
    made.register_blueprint(api.blueprint(services))
    return made


@pytest.fixture(scope="module")
def client(server: Flask) -> FlaskClient:
    return server.test_client()


Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def ask(client: FlaskClient) -> Ask:
    def ask_it(route: str, **parameters: Any) -> dict[str, Any]:
        answer = client.get(f"/api/v1/{route}", query_string=parameters)
        assert answer.status_code == 200, answer.text
        assert answer.mimetype == "application/json"
        return json.loads(answer.text)  # type: ignore[no-any-return]

    return ask_it


def refused(client: FlaskClient, route: str, status: int, **parameters: Any) -> str:
    """The sentence of an error."""
    answer = client.get(f"/api/v1/{route}", query_string=parameters)
    assert answer.status_code == status, answer.text
    told = json.loads(answer.text)
    assert list(told) == ["error"]
    sentence: str = told["error"]
    assert sentence.endswith(".")
    assert "Traceback" not in sentence
    assert "\n" not in sentence
    return sentence


# -------------------------------------------------------------------------------------- datasets


def test_datasets_are_listed_with_what_they_hold(ask: Ask) -> None:
    found = {one["id"]: one for one in ask("datasets")["datasets"]}
    assert set(found) == {"waves", "single", "broken"}
    assert set(found["broken"]) == {"id", "name", "error"}
    assert "tokens.parquet" in found["broken"]["error"]
    waves = found["waves"]
    assert (waves["error"], waves["n_steps"], waves["n_sequences"]) == (None, N_STEPS, 6)
    assert {(s["name"], s["n_states"], s["dtype"]) for s in waves["sources"]} == {
        ("one", 20, "float32"),
        ("odd", 3, "float64"),
    }
    assert {item["name"]: item["kind"] for item in waves["annotations"]} == {
        "half": "categorical",
        "size": "scalar",
        "x,y": "categorical",
        "guess": "ranked",
        "phrase": "interval",
    }


# --------------------------------------------------------------------------------------- context


def test_context_gives_words_values_and_annotations(ask: Ask, services: Services) -> None:
    answer = ask(
        "context",
        dataset="waves",
        source="one",
        start=495,
        stop=505,
        states="3,0",
        annotations="half,size,guess,phrase",
    )
    dataset = services.corpus.dataset("waves")
    rows = dataset.open_source("one").window(495, 505)
    assert answer["tokens"] == dataset.tokens(495, 505)
    assert answer["sequences"] == [
        {"id": "s0", "start": 0, "stop": 500},
        {"id": "s1", "start": 500, "stop": 1000},
    ]
    assert [(s["state"], s["name"]) for s in answer["states"]] == [
        (c, dataset.open_source("one").state_names[c]) for c in (3, 0)
    ]
    for item in answer["states"]:  # exact: what was stored, widened
        assert np.array_equal(np.array(item["values"], np.float32), rows[:, item["state"]])
    half, size, guess, phrase = answer["annotations"]
    assert half["values"] == ["a", None] * 5
    assert size["values"][:3] == [None, 248.0, 248.5]
    assert guess["values"][0] == [f"g{k}" for k in range(495 % 30)]
    assert max(map(len, ask("context", dataset="waves", start=0, stop=40, annotations="guess")[
        "annotations"][0]["values"])) == api.MOST_RANKED  # fmt: skip
    assert phrase["spans"] == [{"start": 498, "stop": 500, "label": "NP"}]
    assert answer["limits"]["steps"] == api.MOST_STEPS


def test_what_json_cannot_say_is_null(ask: Ask) -> None:
    answer = ask("context", dataset="waves", source="odd", start=0, stop=3, states="0,2")
    assert [item["values"] for item in answer["states"]] == [
        [None, None, 0.0],
        [None, 1 / 3, 1 / 3],
    ]


def test_an_annotation_with_a_comma_in_its_name_can_be_asked_for(ask: Ask) -> None:
    (item,) = ask("context", dataset="waves", start=0, stop=2, annotations="x,y")["annotations"]
    assert item["values"] == ["u", "u"]


def test_context_without_states_needs_no_source(ask: Ask) -> None:
    answer = ask("context", dataset="waves", start=2990, stop=3000)
    assert (answer["source"], answer["states"], len(answer["tokens"])) == (None, [], 10)
    assert ask("context", dataset="single", start=0, stop=1, states="1")["source"] == "only"


@pytest.mark.parametrize(
    ("status", "parameters", "says"),
    [
        (400, {"start": 0}, "stop is missing; give a whole number."),
        (400, {"start": 0, "stop": "x"}, "stop is 'x'; give a whole number."),
        (400, {"start": 5, "stop": 5}, "from 0 to 3000"),
        (400, {"start": -1, "stop": 5}, "from 0 to 3000"),
        (400, {"start": 0, "stop": 3001}, "from 0 to 3000"),
        (400, {"start": 0, "stop": 2001}, "2,000 are the most"),
        (400, {"start": 0, "stop": 9, "states": "1"}, "several sources"),
        (404, {"start": 0, "stop": 9, "states": "1", "source": "two"}, "no source 'two'"),
        (400, {"start": 0, "stop": 9, "states": "20", "source": "one"}, "states 0 to 19"),
        (400, {"start": 0, "stop": 9, "states": "1,x"}, "states is '1,x'"),
        (400, {"start": 0, "stop": 9, "states": "1," * 300 + "1"}, "256 are the most"),
        (404, {"start": 0, "stop": 9, "annotations": "colour"}, "no annotation 'colour'"),
        (400, {"start": 0, "stop": 9, "annotations": "half," * 12 + "half"}, "12 are the most"),
        (400, {"start": 0, "stop": 9, "colour": "red"}, "no parameter 'colour'"),
        (400, {"start": 0, "stop": [9, 10]}, "stop is given 2 times"),
    ],
)
def test_a_bad_context_is_one_sentence(
    client: FlaskClient, status: int, parameters: dict[str, Any], says: str
) -> None:
    assert says in refused(client, "context", status, dataset="waves", **parameters)


# ----------------------------------------------------------------------------------------- match


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
def test_a_match_is_the_command_line_s_byte_for_byte(
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
        (400, {"threshold": 0.3, "states": "3", "top": 10_001}, "10,000 is the most"),
        (400, {"threshold": 0.3, "states": "3", "context": 1001}, "1,000 is the most"),
        (400, {"threshold": 0.3, "states": "3", "format": "csv"}, "give json"),
        (400, {"threshold": 0.3, "states": "3", "min_overlp": "1"}, "no parameter 'min_overlp'"),
    ],
)
def test_a_bad_match_is_one_sentence(
    client: FlaskClient, status: int, parameters: dict[str, Any], says: str
) -> None:
    told = refused(client, "match", status, dataset="waves", source="one", **parameters)
    assert says in told
    assert "--" not in told


def test_an_answer_that_is_too_long_is_refused_before_and_after_it_is_worked_out(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"dataset": "waves", "source": "one", "states": "0,1", "threshold": -2}
    longest = 2 * 500 + 500  # each sequence is one place: its words and shares
    for bounds in ((1 << 30, 6 * longest), (6 * longest, 1 << 30)):
        monkeypatch.setattr(api, "_MOST_CONSIDERED", bounds[0])
        monkeypatch.setattr(api, "MOST_WORDS", 10)
        assert "are the most over HTTP" in refused(client, "match", 400, **asked)
    monkeypatch.setattr(api, "_MOST_CONSIDERED", 1)
    assert "are the most over HTTP" in refused(client, "match", 400, **asked, overlapping="")
    monkeypatch.setattr(api, "_MOST_CONSIDERED", 6000)
    monkeypatch.setattr(api, "MOST_WORDS", 6000)
    answer = client.get("/api/v1/match", query_string={**asked, "context": 0})
    assert answer.status_code == 200
    assert [one["length"] for one in answer.json["matches"]] == [500] * 6  # type: ignore[index]


# ---------------------------------------------------------------------------------------- search


def test_search_gives_places_with_their_words(ask: Ask) -> None:
    answer = ask("search", dataset="waves", query="w6 STRASSE w8", top=2, offset=5, step=507)
    assert (answer["length"], answer["total"], answer["reason"]) == (3, 30, None)
    assert (answer["next"], answer["previous"]) == (606, 506)
    assert [place["start"] for place in answer["places"]] == [506, 606]
    first = answer["places"][0]
    assert (first["stop"], first["sequence"]) == (509, "s1")
    assert first["before"] == [f"w{i}" for i in range(6)]
    assert first["tokens"] == ["w6", "Straße", "w8"]
    assert ask("search", dataset="waves", query="STRASSE", match_case="")["total"] == 0
    nothing = ask("search", dataset="waves", query="zebra", step=0)
    assert (nothing["places"], nothing["next"]) == ([], None)
    assert "fits zebra" in nothing["reason"]


@pytest.mark.parametrize(
    ("status", "parameters", "says"),
    [
        (400, {}, "query is missing"),
        (400, {"query": " "}, "empty"),
        (400, {"query": "/(/"}, "not a regular expression"),
        (400, {"query": "w " * 51}, "at most 50"),
        (400, {"query": "w", "top": 1001}, "0 to 1,000"),
        (400, {"query": "w", "context": -1}, "0 to 100"),
        (400, {"query": "w", "step": "9" * 30}, "0 to 3,000"),
        (400, {"query": "w", "offset": "9" * 30}, "0 to 3,000"),
    ],
)
def test_a_bad_search_is_one_sentence(
    client: FlaskClient, status: int, parameters: dict[str, Any], says: str
) -> None:
    assert says in refused(client, "search", status, dataset="waves", **parameters)


# ------------------------------------------------------------------------------------ everything


@pytest.mark.parametrize("route", ["context", "match", "search"])
def test_an_unknown_or_broken_dataset_is_404(client: FlaskClient, route: str) -> None:
    needed: dict[str, Any] = {"start": 0, "stop": 1, "threshold": 1, "query": "w"}
    known = {o.name for r in api.ROUTES if r.path == f"/{route}" for o in r.options}
    needed = {name: value for name, value in needed.items() if name in known}
    assert "'nowhere'" in refused(client, route, 404, dataset="nowhere", **needed)
    assert "tokens.parquet" in refused(client, route, 404, dataset="broken", **needed)


def test_a_source_that_is_being_prepared_is_503_until_it_is_there(
    folder: Path, tmp_path: Path
) -> None:
    go = threading.Event()
    catalog = Catalog([folder], tmp_path, lambda done, total: (go.wait(30), None)[1])
    settings = load({}, {"cache_dir": str(tmp_path)})
    made = Flask("test")
    made.register_blueprint(api.blueprint(make_services(catalog, settings, patience=0)))
    client = made.test_client()
    steps = {"dataset": "waves", "start": 0, "stop": 2}
    asked = {**steps, "source": "one", "threshold": 0.3}
    assert "ask again" in refused(client, "match", 503, **asked)
    assert "ask again" in refused(client, "context", 503, **steps, source="one")
    assert client.get("/api/v1/context", query_string=steps).status_code == 200
    go.set()
    for _ in range(3000):
        answer = client.get("/api/v1/match", query_string=asked)
        if answer.status_code == 200:
            return
        time.sleep(0.01)
    raise AssertionError(answer.text)


def test_a_match_beside_too_many_others_is_503(folder: Path, tmp_path: Path) -> None:
    settings = load({}, {"cache_dir": str(tmp_path), "threads": "2"})
    services = make_services(Catalog([folder], tmp_path), settings, patience=0)
    services.corpus.dataset("waves").open_source("one")
    made = Flask("test")
    made.register_blueprint(api.blueprint(services))
    client = made.test_client()
    asked = {"dataset": "waves", "start": 0, "stop": 2, "source": "one", "threshold": 0.3}
    with services.jobs.place():
        assert "ask again" in refused(client, "match", 503, **asked)
        answer = client.get("/api/v1/search?dataset=waves&query=STRASSE")
        assert answer.status_code == 200, "what is quick goes on"
    assert client.get("/api/v1/match", query_string=asked).status_code == 200


class Waits(MatchService):
    """Never finds an answer."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.ended = threading.Event(), threading.Event()

    def match(
        self, key: str, states: States, query: Query, control: Control | None = None
    ) -> MatchResult:
        assert control is not None
        self.begun.set()
        try:
            called_off = threading.Event()
            control.on_cancel(called_off.set)
            assert called_off.wait(30)
            control.check()
            raise AssertionError
        finally:
            self.ended.set()


def test_a_match_ends_when_its_client_goes_or_it_takes_too_long(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, matching = load({}, {"cache_dir": str(tmp_path), "threads": "2"}), Waits()
    services = make_services(Catalog([folder], tmp_path), settings, matching=matching)
    services.corpus.dataset("waves").open_source("one")
    made = Flask("test")
    made.register_blueprint(api.blueprint(services))
    address = "/api/v1/match?dataset=waves&source=one&start=0&stop=2&threshold=0.3"
    server = make_server("127.0.0.1", 0, made, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with socket.create_connection(("127.0.0.1", server.server_port)) as client:
            client.sendall(f"GET {address} HTTP/1.0\r\n\r\n".encode())
            assert matching.begun.wait(30)
            assert not matching.ended.is_set()
        assert matching.ended.wait(30)
    finally:
        server.shutdown()
    monkeypatch.setattr(api, "MOST_SECONDS", 0)
    answer = made.test_client().get(address)
    assert answer.status_code == 503, "its place is free again, and its time is up"
    assert "took more than 0 seconds" in json.loads(answer.text)["error"]


def test_the_dashboard_serves_it_beside_its_own_page(folder: Path, cache: Path) -> None:
    settings = load({}, {"cache_dir": str(cache)})
    client = create_app(Catalog([folder], cache), settings).server.test_client()
    answer = client.get("/api/v1/search?dataset=waves&query=STRASSE")
    assert (answer.status_code, json.loads(answer.text)["total"]) == (200, 30)
    for path in ("", "/", "/colours"):
        answer = client.get(f"/api/v1{path}")
        assert (answer.status_code, answer.mimetype) == (404, "application/json")
    assert client.post("/api/v1/match").status_code == 405
    assert client.get("/").mimetype == "text/html"


@pytest.mark.parametrize("path", ["", "/", "/colours", "/match/more"])
def test_an_unknown_route_is_404_and_names_the_routes(client: FlaskClient, path: str) -> None:
    answer = client.get(f"/api/v1{path}")
    assert answer.status_code == 404
    assert "/api/v1/match" in answer.json["error"]  # type: ignore[index]


@pytest.mark.parametrize("path", ["/match", "/datasets", "/colours"])
def test_nothing_can_be_changed(client: FlaskClient, path: str) -> None:
    for method in ("post", "put", "patch", "delete"):
        answer = getattr(client, method)(f"/api/v1{path}")
        assert (answer.status_code, list(answer.json)) == (405, ["error"])


def test_what_nobody_foresaw_is_a_sentence_too(
    services: Services,
    client: FlaskClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for kind, words in (
        (RuntimeError, "could not answer (RuntimeError)"),
        (MemoryError, "too little memory"),
    ):

        def fail(*_: Any, kind: type[Exception] = kind) -> None:
            raise kind("a secret")

        monkeypatch.setattr(Catalog, "get", fail)
        caplog.clear()
        told = refused(client, "search", 500, dataset="waves", query="w")
        assert words in told
        assert "secret" not in told
        # Who looks after the server finds what was asked and where it failed.
        assert "/api/v1/search?dataset=waves" in caplog.text
        assert "a secret" in caplog.text


def test_no_answer_is_larger_than_its_bound(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "MOST_BYTES", 5000)
    assert "5,000 are the most" in refused(client, "context", 400, dataset="waves", start=0, stop=2000)  # fmt: skip


# ----------------------------------------------------------------------------------- the page


def section(path: str) -> str:
    heading = f"## {api.PREFIX}{path}\n"
    assert heading in PAGE, f"docs/api.md has no heading {heading!r}"
    return re.split(r"\n## ", PAGE.split(heading)[1])[0]


def test_every_route_of_the_server_is_in_docs(server: Flask) -> None:
    own = {rule.rule for rule in server.url_map.iter_rules() if rule.endpoint.startswith("api.")}
    told = {rule for rule in own if "<" not in rule} - {f"{api.PREFIX}/"}
    assert told == {api.PREFIX + route.path for route in api.ROUTES}
    for path in told:
        section(path.removeprefix(api.PREFIX))
    headed = re.findall(r"^## (/\S+)$", PAGE, re.MULTILINE)
    assert set(headed) == told


@pytest.mark.parametrize("route", api.ROUTES, ids=lambda route: route.path)
def test_every_parameter_is_in_docs(route: api.Route) -> None:
    if route.options:
        assert api.table(route) in section(route.path), (
            f"put what app.web.api.routes.table() returns for {route.path} into docs/api.md"
        )


def test_the_options_of_a_match_are_those_of_the_command_line(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert main(["match", "--help"]) == 0
    shown = set(re.findall(r"--[a-z-]+", capfd.readouterr().out))
    assert {flag(one.name) for one in MATCH_OPTIONS} | {"--format"} <= shown


def test_every_key_of_the_answers_is_in_docs(ask: Ask) -> None:
    answers = {
        "/datasets": ask("datasets"),
        "/context": ask("context", dataset="waves", source="one", start=0, stop=30, states="1",
                        annotations="half,size,guess,phrase"),
        "/search": ask("search", dataset="waves", query="w1"),
    }  # fmt: skip

    def keys(value: Any) -> set[str]:
        if isinstance(value, dict):
            return {*value, *(k for v in value.values() for k in keys(v))}
        return {k for v in value for k in keys(v)} if isinstance(value, list) else set()

    for path, answer in answers.items():
        inside = keys({k: v for k, v in answer.items() if k != "limits"})
        text = section(path)
        missing = [k for k in inside if f'"{k}"' not in text and f"`{k}`" not in text]
        assert missing == [], path


def test_every_bound_is_in_docs() -> None:
    for bound in (
        *(api.MOST_STEPS, api.MOST_STATES, api.MOST_TRACKS, api.MOST_RANKED),
        *(
            api.MOST_MATCHES,
            api.MOST_MATCH_CONTEXT,
            api.MOST_WORDS,
            api.MOST_HITS,
            api.MOST_CONTEXT,
            api.MOST_SECONDS,
        ),
    ):
        assert f"{bound:,}" in PAGE
    assert f"{api.MOST_BYTES >> 20} MB" in PAGE
