"""Read-only JSON over HTTP, for programs: the same answers as the screen and the command line.

docs/api.md is the page for those who use it; its tables of parameters are `table` of each route.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from flask import Blueprint, Response, request

from app.corpus import BeingPrepared, Client, Opened
from app.matching import Cancelled, MatchResult, Query, QueryError
from app.output import options as match_options
from app.output.answers import answer_json
from app.output.options import MATCH_OPTIONS, Option, OptionError, UnknownNameError
from app.phrases import SearchError, hits
from app.web.services import Services
from app.web.slow_clients import PIECE, held_until_sent, while_waited_for
from app.work.failures import sentence_for
from loaders import Dataset, DatasetError, Source
from loaders.annotations import Annotation, Categorical, Ranked, Scalar

PREFIX = "/api/v1"

#: Of /context: steps, states and annotations of one answer, and words of a ranked one at a step.
MOST_STEPS, MOST_STATES, MOST_TRACKS, MOST_RANKED = 2_000, 256, 12, 20
#: Of /match: listed matches, steps of profile on either side of one, and words and shares together.
MOST_MATCHES, MOST_MATCH_CONTEXT, MOST_WORDS = 10_000, 1_000, 2_000_000
# Of /match: words and shares that an answer may turn out to have, for it to be worked out at all.
_MOST_CONSIDERED = 20_000_000
#: Of /match: seconds until it is ended; it ends before when nobody waits for it any more.
MOST_SECONDS = 600
#: Of /search: places of one answer, and words on either side of one.
MOST_HITS, MOST_CONTEXT = 1_000, 100
#: Of any answer, in bytes.
MOST_BYTES = 64 << 20


# A program that is to ask again later waits for a preparation as a page does.
_CLIENT = Client(page="api")


class ApiError(Exception):
    """A request that cannot be answered; str(error) is one plain sentence for a person."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True)
class Route:
    """One question that can be asked.

    Attributes
    ----------
    path
        After the prefix.
    sentence
        What it answers.
    options
        Its parameters.
    answer
        Services and values of the options -> the JSON object.
    """

    path: str
    sentence: str
    options: tuple[Option, ...]
    answer: Callable[[Services, dict[str, Any]], dict[str, Any]]


# ------------------------------------------------------------------------------------ the answers


def datasets(services: Services, given: dict[str, Any]) -> dict[str, Any]:
    """Return every dataset; those that cannot be opened have an `error` and nothing else to tell."""
    found = []
    for entry in services.corpus.entries(_CLIENT):
        known: dict[str, Any] = {"id": entry.id, "name": entry.title, "error": entry.error}
        if entry.error is None:
            try:
                known |= _about(services.corpus.dataset(entry.id, _CLIENT))
            except DatasetError as error:  # it changed just now
                known["error"] = str(error)
        found.append(known)
    return {"datasets": found}


def _about(dataset: Dataset) -> dict[str, Any]:
    return {
        "description": dataset.description,
        "fingerprint": dataset.fingerprint,
        "n_steps": dataset.n_steps,
        "n_sequences": len(dataset.sequences),
        "sources": [
            {
                "name": source.name,
                "title": source.title,
                "n_states": source.n_states,
                "dtype": source.dtype.name,
            }
            for source in dataset.sources.values()
        ],
        "annotations": [
            {"name": name, "kind": item.kind} for name, item in dataset.annotations.items()
        ],
        "default": None if dataset.default is None else asdict(dataset.default),
    }


def context(services: Services, given: dict[str, Any]) -> dict[str, Any]:
    """Return the words of a stretch of steps, the values of some states and some annotations."""
    dataset = _dataset(services, given["dataset"])
    start, stop = given["start"], given["stop"]
    if not 0 <= start < stop <= dataset.n_steps:
        raise ApiError(
            f"The steps from {start} to {stop} are not a stretch of this dataset; "
            f"give a start below the stop, both from 0 to {dataset.n_steps}.",
            400,
        )
    if stop - start > MOST_STEPS:
        raise ApiError(
            f"{stop - start:,} steps are asked for, and {MOST_STEPS:,} are the most; "
            "ask for them in several stretches.",
            400,
        )
    wanted = match_options.whole_numbers("states", given["states"] or "")
    if len(wanted) > MOST_STATES:
        raise ApiError(
            f"{len(wanted):,} states are asked for, and {MOST_STATES} are the most; "
            "ask for them in several lots.",
            400,
        )
    source = None
    if wanted or given["source"] is not None:
        source = _open(services, dataset, given["source"]).source
    return {
        "dataset": dataset.id,
        "fingerprint": dataset.fingerprint,
        "source": None if source is None else source.name,
        "start": start,
        "stop": stop,
        "tokens": dataset.tokens(start, stop),
        "sequences": _sequences(dataset, start, stop),
        "states": [] if source is None else _states(source, start, stop, wanted),
        "annotations": [
            _annotation(item, start, stop) for item in _annotations(dataset, given["annotations"])
        ],
        "limits": {"steps": MOST_STEPS, "states": MOST_STATES, "annotations": MOST_TRACKS},
    }


def _sequences(dataset: Dataset, start: int, stop: int) -> list[dict[str, Any]]:
    found = []
    while start < stop:
        first, start = dataset.sequences.bounds(start)
        found.append({"id": dataset.sequences.id(first), "start": first, "stop": start})
    return found


def _states(source: Source, start: int, stop: int, wanted: tuple[int, ...]) -> list[dict[str, Any]]:
    for state in wanted:
        if not 0 <= state < source.n_states:
            raise ApiError(
                f"states contains state {state}, but this source has states 0 to "
                f"{source.n_states - 1}; give states in that range.",
                400,
            )
    rows = source.window(start, stop)[:, list(wanted)].astype(float)
    return [
        {
            "state": state,
            "name": source.state_names[state],
            "values": [_number(value) for value in rows[:, column].tolist()],
        }
        for column, state in enumerate(wanted)
    ]


def _annotations(dataset: Dataset, text: str | None) -> list[Annotation]:
    if not text:
        return []
    # A name may hold a comma: the whole text first.
    names = [text] if text in dataset.annotations else text.split(",")
    if len(names) > MOST_TRACKS:
        raise ApiError(
            f"{len(names):,} annotations are asked for, and {MOST_TRACKS} are the most; "
            "ask for them in several lots.",
            400,
        )
    for name in names:
        if name not in dataset.annotations:
            known = ", ".join(dataset.annotations) or "none"
            raise ApiError(f"{dataset.id} has no annotation {name!r}; there are: {known}.", 404)
    return [dataset.annotations[name] for name in names]


def _annotation(item: Annotation, start: int, stop: int) -> dict[str, Any]:
    known: dict[str, Any] = {"name": item.name, "kind": item.kind}
    if isinstance(item, Categorical):
        labels = [category.label for category in item.categories]
        codes = item.codes(start, stop).tolist()
        return known | {"values": [labels[code] if code >= 0 else None for code in codes]}
    if isinstance(item, Scalar):
        values = [_number(value) for value in item.values(start, stop).tolist()]
        return known | {"unit": item.unit, "values": values}
    if isinstance(item, Ranked):
        known["values"] = [row[:MOST_RANKED] for row in item.items(start, stop)]
        weights = item.weights(start, stop)
        if weights is not None:
            known["weights"] = [[_number(w) for w in row[:MOST_RANKED]] for row in weights]
        return known
    spans = [
        {"start": low, "stop": high, "label": label} for low, high, label in item.spans(start, stop)
    ]
    return known | {"spans": spans}


def _number(value: float) -> float | None:
    """A number as it is; None for NaN and the infinities, which JSON has no word for."""
    return value if math.isfinite(value) else None


def match(services: Services, given: dict[str, Any]) -> dict[str, Any]:
    """Return what `python -m app match DATA ... --format json` prints for the same options."""
    dataset_id, form = given.pop("dataset"), given.pop("format")
    query = match_options.query_of(given, match_options.same)
    for name, value, most in (
        ("top", query.top, MOST_MATCHES),
        ("context", query.context, MOST_MATCH_CONTEXT),
    ):
        if value > most:
            raise ApiError(
                f"{name} is {value}, and {most:,} is the most over HTTP; give less, "
                "or ask the command line, which has no such bound.",
                400,
            )
    dataset = _dataset(services, dataset_id)
    opened = _open(services, dataset, given["source"])
    source, states, key = opened.source, opened.states, opened.key
    with services.jobs.place() as held:
        if not held:
            raise ApiError(services.jobs.BUSY, 503)
        with while_waited_for(request.environ, MOST_SECONDS) as control:
            # Places share no step, so their words are no more than the steps there are.
            if query.overlapping or 2 * (states.n_steps + query.top * query.context) > MOST_WORDS:
                least = replace(query, top=1, offset=0, context=0)
                first = services.matching.match(key, states, least, control)
                _check_size(_most_items(first, query), _MOST_CONSIDERED)
            result = services.matching.match(key, states, query, control)
    _check_size(sum(one.length + len(one.profile) for one in result.matches), MOST_WORDS)
    return answer_json(
        result,
        source=source.name,
        state_names=source.state_names,
        tokens=dataset.tokens,
        sequence_id=match_options.sequence_ids(dataset),
        output_format=form,
    )


def _most_items(first: MatchResult, query: Query) -> int:
    """How many words and shares the longest matches that could be listed have."""
    left, steps = query.top, 0
    low, high = query.length or (1, math.inf)
    for bar in reversed(first.length_histogram):
        if low <= bar.length <= high:
            steps += min(left, bar.matches) * bar.length
            left -= min(left, bar.matches)
    if not query.overlapping:
        steps = min(steps, first.searched_steps)
    return 2 * (steps + (query.top - left) * query.context)


def _check_size(n_items: int, most: int) -> None:
    if n_items > most:
        raise ApiError(
            f"The answer would have up to {n_items:,} words and shares of profile, and "
            f"{MOST_WORDS:,} are the most over HTTP; give a smaller top or context, or a length, "
            "or ask the command line, which has no such bound.",
            400,
        )


def search(services: Services, given: dict[str, Any]) -> dict[str, Any]:
    """Return where a phrase stands: how often, and a page of places with the words around them."""
    dataset = _dataset(services, given["dataset"])
    for name, most in (
        ("offset", dataset.n_steps),
        ("top", MOST_HITS),
        ("context", MOST_CONTEXT),
        ("step", dataset.n_steps),
    ):
        value = given[name]
        if value is not None and not 0 <= value <= most:
            raise ApiError(f"{name} is {value}; give a whole number from 0 to {most:,}.", 400)
    found = services.searching.find(dataset, given["query"], match_case=given["match_case"])
    step = given["step"]
    page = hits(dataset, found, offset=given["offset"], top=given["top"], context=given["context"])
    return {
        "dataset": dataset.id,
        "fingerprint": dataset.fingerprint,
        "query": given["query"],
        "match_case": given["match_case"],
        "length": found.length,
        "total": found.total,
        "reason": found.reason,
        "next": None if step is None else found.next_after(step),
        "previous": None if step is None else found.last_before(step),
        "offset": given["offset"],
        "places": [asdict(hit) for hit in page],
        "limits": {"top": MOST_HITS, "context": MOST_CONTEXT},
    }


def _dataset(services: Services, dataset_id: str) -> Dataset:
    try:
        return services.corpus.dataset(dataset_id, _CLIENT)
    except DatasetError as error:
        raise ApiError(str(error), 404) from None


def _open(services: Services, dataset: Dataset, requested: str | None) -> Opened:
    name = match_options.source_name(dataset, requested, match_options.same)
    opened = services.corpus.open(dataset, name, _CLIENT)
    if isinstance(opened, BeingPrepared):
        raise ApiError(
            f"The source {name!r} of {dataset.id} is being prepared, which is done once and may take "
            "minutes; ask again in a minute.",
            503,
        )
    return opened


# ------------------------------------------------------------------------------------- the routes

_DATASET = Option("dataset", "text", "The dataset, by its id.", required=True)

ROUTES: tuple[Route, ...] = (
    Route("/datasets", "Every dataset, with its sources and annotations.", (), datasets),
    Route(
        "/context",
        "The words of a stretch of steps, the values of some states, and annotations.",
        (
            _DATASET,
            Option(
                "source",
                "text",
                "The source of the states. May be left out where there is only one.",
            ),
            Option("start", "whole", "First step.", required=True),
            Option(
                "stop",
                "whole",
                f"Step after the last one; at most {MOST_STEPS:,} steps at once.",
                required=True,
            ),
            Option(
                "states",
                "text",
                f"The states whose values to return, at most {MOST_STATES}.",
                metavar="1,2,3",
            ),
            Option(
                "annotations",
                "text",
                f"The names of the annotations to return, at most {MOST_TRACKS}.",
                metavar="A,B",
            ),
        ),
        context,
    ),
    Route(
        "/match",
        "Every place where the states selected by a range, or given, are on together.",
        (
            _DATASET,
            *MATCH_OPTIONS,
            Option(
                "format",
                "choice",
                "As on the command line; over HTTP there is only JSON.",
                default="json",
                choices=("json",),
            ),
        ),
        match,
    ),
    Route(
        "/search",
        "Every place where a phrase stands.",
        (
            _DATASET,
            Option("query", "text", "The phrase, one pattern per token.", required=True),
            Option("match_case", "flag", "Distinguish upper and lower case.", default=False),
            Option("top", "whole", f"How many places to list, at most {MOST_HITS:,}.", default=20),
            Option("offset", "whole", "How many to skip first.", default=0),
            Option(
                "context",
                "whole",
                f"Words on either side of a place, at most {MOST_CONTEXT}.",
                default=6,
            ),
            Option("step", "whole", "Also return the places next to this step."),
        ),
        search,
    ),
)


def table(route: Route) -> str:
    """Return the Markdown table of a route's parameters, as it stands in docs/api.md."""
    lines = ["| Parameter | Value | Default | What it is |", "|---|---|---|---|"]
    kinds = {"whole": "whole number", "number": "number", "flag": "1 or 0", "text": "text"}
    for one in route.options:
        value = one.metavar or (", ".join(one.choices) or kinds[one.kind])
        default = "required" if one.required else ""
        if one.default is not None:
            default = "0" if one.default is False else str(one.default)
        escaped = value.replace("|", " or ")
        lines.append(f"| `{one.name}` | {escaped} | {default} | {one.sentence} |")
    return "\n".join(lines) + "\n"


def blueprint(services: Services) -> Blueprint:
    """Return the API as a Flask blueprint under `PREFIX`.

    Every answer is JSON in UTF-8. Anything wrong is an object with one key, ``error``: one plain
    sentence, with status 400 (the request), 404 (nothing there by that name), 405 (not GET), 500
    (nobody foresaw it; the log has the details) or 503 (later: it is being prepared, or the server is
    busy; or it took too long).
    """
    made = Blueprint("api", __name__, url_prefix=PREFIX)
    for route in ROUTES:
        made.add_url_rule(route.path, route.path.strip("/"), _view(route, services))

    @made.route("/", defaults={"rest": ""}, strict_slashes=False)
    @made.route("/<path:rest>")
    def nothing_here(rest: str) -> Response:
        there = ", ".join(PREFIX + route.path for route in ROUTES)
        return _json({"error": f"There is nothing at {PREFIX}/{rest}; there are {there}."}, 404)

    @made.route("/<path:rest>", methods=["POST", "PUT", "PATCH", "DELETE"])
    def only_reading(rest: str) -> Response:
        return _json({"error": "Nothing can be changed here; ask with GET."}, 405)

    return made


def _view(route: Route, services: Services) -> Callable[[], Response]:
    def answer() -> Response:
        try:
            response = _json(route.answer(services, _given(route)), 200)
            is_large = (response.content_length or 0) > PIECE
            if is_large and not held_until_sent(response, services.jobs):
                raise ApiError(services.jobs.BUSY, 503)
            return response
        except UnknownNameError as error:
            return _json({"error": str(error)}, 404)
        except ApiError as error:
            return _json({"error": str(error)}, error.status)
        except Cancelled:
            sentence = (
                f"The search was ended: it took more than {MOST_SECONDS:,} seconds, or the connection "
                "was closed; ask for less, or ask the command line, which has no such bound."
            )
            return _json({"error": sentence}, 503)
        except (OptionError, QueryError, SearchError, DatasetError) as error:
            return _json({"error": str(error)}, 400)
        except Exception as error:
            return _json({"error": sentence_for(error, request.full_path)}, 500)

    return answer


def _given(route: Route) -> dict[str, Any]:
    for name, texts in request.args.lists():
        if len(texts) > 1:
            raise ApiError(f"{name} is given {len(texts)} times; give it once.", 400)
    return match_options.read(route.options, request.args)


def _json(answer: dict[str, Any], status: int) -> Response:
    # Not Flask's jsonify, which sorts the keys: the command line's order is part of the answer.
    text = json.dumps(answer, allow_nan=False) + "\n"
    if len(text) > MOST_BYTES:
        sentence = (
            f"The answer has {len(text):,} bytes, and {MOST_BYTES:,} are the most; ask for less."
        )
        text, status = json.dumps({"error": sentence}) + "\n", 400
    response = Response(text, status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-cache"
    return response
