"""What all routes have in common: errors, methods and bounds."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.settings import load
from app.web.api import blueprint
from app.web.factory import create_app, make_services
from app.web.services import Services
from loaders import Catalog
from tests.app.web.api.conftest import refused


@pytest.mark.parametrize("route", ["context", "match", "search"])
def test_an_unknown_or_broken_dataset_is_404(client: FlaskClient, route: str) -> None:
    needed: dict[str, Any] = {"start": 0, "stop": 1, "threshold": 1, "query": "w"}
    known = {o.name for r in blueprint.ROUTES if r.path == f"/{route}" for o in r.options}
    needed = {name: value for name, value in needed.items() if name in known}
    assert "'nowhere'" in refused(client, route, 404, dataset="nowhere", **needed)
    assert "tokens.parquet" in refused(client, route, 404, dataset="broken", **needed)


def test_a_source_that_is_being_prepared_is_503_until_it_is_ready(
    folder: Path, tmp_path: Path
) -> None:
    go = threading.Event()
    catalog = Catalog([folder], tmp_path, lambda done, total: (go.wait(30), None)[1])
    settings = load({}, {"cache_dir": str(tmp_path)})
    made = Flask("test")
    made.register_blueprint(blueprint.blueprint(make_services(catalog, settings, patience=0)))
    client = made.test_client()
    steps = {"dataset": "waves", "start": 0, "stop": 2}
    asked = {**steps, "source": "one", "threshold": 0.3}
    assert "try again" in refused(client, "match", 503, **asked)
    assert "try again" in refused(client, "context", 503, **steps, source="one")
    assert client.get("/api/v1/context", query_string=steps).status_code == 200
    go.set()
    for _ in range(3000):
        answer = client.get("/api/v1/match", query_string=asked)
        if answer.status_code == 200:
            return
        time.sleep(0.01)
    raise AssertionError(answer.text)


def test_the_dashboard_serves_it_in_addition_to_its_page(folder: Path, cache: Path) -> None:
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


def test_an_unexpected_error_is_a_sentence(
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
        sentence = refused(client, "search", 500, dataset="waves", query="w")
        assert words in sentence
        assert "secret" not in sentence
        # The log shows the request and where it failed.
        assert "/api/v1/search?dataset=waves" in caplog.text
        assert "a secret" in caplog.text


def test_no_answer_is_larger_than_its_bound(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blueprint, "MOST_ANSWER_BYTES", 5000)
    assert "at most 5,000 are allowed" in refused(client, "context", 400, dataset="waves", start=0, stop=2000)  # fmt: skip
