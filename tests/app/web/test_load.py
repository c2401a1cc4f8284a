"""Twenty users at once on a server started from the command line: no error, and no mixed-up answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np

from app.matching import Control
from app.settings import load
from app.web.callbacks.match import answer_match
from app.web.callbacks.search import answer_search
from app.web.callbacks.select import answer_window
from app.web.factory import make_services
from app.web.services import Services
from loaders import Catalog
from loaders.writer import write_dataset
from tests.app.web.load import User, match_key, search_request, serving, window_request

N_STEPS, N_STATES, USERS, ROUNDS = 20_000, 60, 20, 2


def write(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    walk = np.cumsum(rng.normal(size=(N_STEPS, N_STATES)), axis=0)
    states = np.sin(walk / 4).astype(np.float16)
    tokens = [f"w{k}" for k in rng.integers(0, 300, N_STEPS)]
    return write_dataset(folder, tokens=tokens, states={"h": states})


Ask = tuple[str, dict[str, Any]]


def questions(user: int, round_: int) -> list[Ask]:
    """Return the requests of one user in one round, which no other user sends."""
    at = 100 + 900 * user + 90 * round_
    key = match_key(at, at + 3, round(0.1 + 0.02 * user + 0.005 * round_, 3))
    return [
        ("window", window_request(at)),
        ("match", key),
        ("window", window_request(at + 30)),
        ("search", search_request(f"w{15 * user + round_}")),
        ("match", {**key, "min_overlap": 2}),
        ("window", window_request(at + 60)),
    ]


def alone(services: Services, kind: str, asked: dict[str, Any]) -> Any:
    """Return the answer to a single user, without HTTP."""
    if kind == "match":
        return answer_match(services, {"n": 0, "key": asked}, Control())
    answers: dict[str, Callable[..., Any]] = {"window": answer_window, "search": answer_search}
    return answers[kind](services, {**asked, "n": 0})


def comparable(answer: Any) -> Any:
    """Return an answer as JSON, without the parts that differ between runs."""
    plain = json.loads(json.dumps(answer))
    for store in (plain, plain.get("match", {}), plain.get("overview", {})):
        store.pop("n", None)
        store.pop("seconds", None)
        store.pop("kept", None)
    return plain


def test_twenty_users_at_once_get_their_own_answers(tmp_path: Path) -> None:
    data = write(tmp_path / "load")
    together = Barrier(USERS)

    def use(url: str, number: int) -> list[tuple[Ask, Any]]:
        with User(url) as user:
            asks = {"window": user.window, "match": user.match, "search": user.search}
            together.wait(timeout=60)
            return [
                ((kind, asked), asks[kind](asked))
                for round_ in range(ROUNDS)
                for kind, asked in questions(number, round_)
            ]

    with serving(data, tmp_path / "cache") as url, ThreadPoolExecutor(USERS) as pool:
        got = list(pool.map(use, [url] * USERS, range(USERS)))

    settings = load({}, {"cache_dir": str(tmp_path / "cache")})
    services = make_services(Catalog([data], settings.cache_dir), settings)
    services.preparations.ready(services.corpus.dataset("load"), "h")
    matched = 0
    for answers in got:
        for (kind, asked), answer in answers:
            assert comparable(answer) == comparable(alone(services, kind, asked)), (kind, asked)
            assert "error" not in answer.get("match", answer)
            matched += kind == "match" and answer["match"]["total"] > 0
    assert matched > USERS * ROUNDS, "the matches that are compared are not all empty"
