"""docs/api.md describes all of the API."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from app.cli.main import main
from app.output.options import MATCH_OPTIONS, STATE_OPTIONS, Option, flag
from app.output.state import CONTEXT, PLACES
from app.web.api import blueprint, context, match, search
from app.web.api.route import PREFIX, Route, table
from tests import ROOT
from tests.app.web.api.conftest import Ask

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


def section(path: str) -> str:
    heading = f"## {PREFIX}{path}\n"
    assert heading in PAGE, f"docs/api.md has no heading {heading!r}"
    return re.split(r"\n## ", PAGE.split(heading)[1])[0]


def test_every_route_of_the_server_is_in_docs(server: Flask) -> None:
    own = {rule.rule for rule in server.url_map.iter_rules() if rule.endpoint.startswith("api.")}
    routes = {rule for rule in own if "<" not in rule} - {f"{PREFIX}/"}
    assert routes == {PREFIX + route.path for route in blueprint.ROUTES}
    for path in routes:
        section(path.removeprefix(PREFIX))
    headed = re.findall(r"^## (/\S+)$", PAGE, re.MULTILINE)
    assert set(headed) == routes


@pytest.mark.parametrize("route", blueprint.ROUTES, ids=lambda route: route.path)
def test_every_parameter_is_in_docs(route: Route) -> None:
    if route.options:
        assert table(route) in section(route.path), (
            f"put what app.web.api.route.table() returns for {route.path} into docs/api.md"
        )


@pytest.mark.parametrize(("verb", "options"), [("match", MATCH_OPTIONS), ("state", STATE_OPTIONS)])
def test_the_options_of_a_route_are_those_of_the_command_line(
    capfd: pytest.CaptureFixture[str], verb: str, options: tuple[Option, ...]
) -> None:
    assert main([verb, "--help"]) == 0
    shown = set(re.findall(r"--[a-z-]+", capfd.readouterr().out))
    assert {flag(one.name) for one in options} | {"--format"} <= shown


def test_every_key_of_the_answers_is_in_docs(ask: Ask) -> None:
    answers = {
        "/datasets": ask("datasets"),
        "/context": ask("context", dataset="waves", source="one", start=0, stop=30, states="1",
                        annotations="half,size,guess,phrase"),
        "/state": ask("state", dataset="waves", source="one", state=1, threshold=0.5),
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
        *(
            context.MOST_CONTEXT_STEPS,
            context.MOST_STATES,
            context.MOST_ANNOTATIONS,
            context.MOST_RANKED,
        ),
        *(
            match.MOST_MATCHES,
            match.MOST_PROFILE_CONTEXT,
            match.MOST_ITEMS,
            search.MOST_HITS,
            search.MOST_HIT_CONTEXT,
            match.MOST_SECONDS,
            CONTEXT,
            PLACES,
        ),
    ):
        assert f"{bound:,}" in PAGE
    assert f"{blueprint.MOST_ANSWER_BYTES >> 20} MB" in PAGE
