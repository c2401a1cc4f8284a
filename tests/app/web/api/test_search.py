"""The route ``/search``."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.app.web.api.conftest import Ask, refused


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
    assert "matches zebra" in nothing["reason"]


@pytest.mark.parametrize(
    ("status", "parameters", "says"),
    [
        (400, {}, "query is missing"),
        (400, {"query": " "}, "empty"),
        (400, {"query": "/(/"}, "not a valid regular expression"),
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
