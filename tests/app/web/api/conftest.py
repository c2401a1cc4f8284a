"""The API over some small datasets, as a program meets it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.settings import load
from app.web.api import blueprint
from app.web.factory import make_services
from app.web.services import Services
from loaders import Catalog
from loaders.writer import write_dataset

N_STEPS = 3000


@pytest.fixture(scope="package")
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


@pytest.fixture(scope="package")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="package")
def services(folder: Path, cache: Path) -> Services:
    return make_services(Catalog([folder], cache), load({}, {"cache_dir": str(cache)}))


@pytest.fixture(scope="package")
def server(services: Services) -> Flask:
    made = Flask("test")
    made.register_blueprint(blueprint.blueprint(services))
    return made


@pytest.fixture(scope="package")
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
    """Return the sentence of an error."""
    answer = client.get(f"/api/v1/{route}", query_string=parameters)
    assert answer.status_code == status, answer.text
    content = json.loads(answer.text)
    assert list(content) == ["error"]
    sentence: str = content["error"]
    assert sentence.endswith(".")
    assert "Traceback" not in sentence
    assert "\n" not in sentence
    return sentence
