"""The browser's declarations match the types of the wire, and the types cover the stores of the page."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from app.matching import Polarity
from app.web.view import declarations, url, wire
from components.page import page


def stores(component: Any) -> set[str]:
    if isinstance(component, list):
        return set().union(*(stores(one) for one in component))
    if not isinstance(component, dict):
        return set()
    own = {component["props"]["id"]} if component.get("type") == "Store" else set()
    return own | stores(component.get("props", {}).get("children"))


def test_the_declarations_are_not_stale() -> None:
    assert declarations.PATH.read_text(encoding="utf-8") == declarations.declarations(), (
        "run python -m app.web.view.declarations"
    )


def test_every_store_of_the_page_has_a_type() -> None:
    layout = json.loads(json.dumps(page([]).to_plotly_json(), default=lambda c: c.to_plotly_json()))
    # The figures have types of Plotly.
    assert stores(layout) - {"skeletons"} == set(wire.Stores.__annotations__)


def test_the_choices_match_those_of_the_view() -> None:
    sorts = {*url.SORTS, *(f"-{name}" for name in url.SORTS if name != "rank")}
    assert set(get_args(wire.Sort)) == sorts
    assert set(get_args(wire.PolarityName)) == {str(one) for one in Polarity}


@pytest.mark.parametrize(
    ("hint", "text"),
    [
        (int | None, "number | null"),
        (list[int | str], "(number | string)[]"),
        (tuple[str, bool], "[string, boolean]"),
        (wire.Sort, " | ".join(json.dumps(one) for one in get_args(wire.Sort))),
        (wire.Count, "number"),
        (list[wire.Choice], "Choice[]"),
    ],
)
def test_a_hint_becomes_typescript(hint: Any, text: str) -> None:
    assert declarations.typescript(hint) == text


def test_types_without_a_json_form_are_refused() -> None:
    with pytest.raises(TypeError, match="no JSON form"):
        declarations.typescript(set[int])
