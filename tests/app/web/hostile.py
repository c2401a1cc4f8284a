"""Hostile requests: recorded ones, mutated at random from a fixed seed."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

PAGE = "0123456789abcdef" * 2
KEY = {
    "dataset": "waves", "fp": "", "source": "one", "start": 20, "stop": 23, "before": 0, "after": 0,
    "threshold": 0.3, "polarity": "high", "excluded": [1, 2], "min_overlap": None, "min_length": None,
    "overlapping": False, "length": [2, 9], "tracks": ["half"], "sort": "rank", "page": 0,
}  # fmt: skip

#: json.dumps cannot nest so deeply itself: put into the text afterwards.
_NEST, _LONG, _HUGE, _DIGITS = "@nest@", "@long@", 1.2345e67, 10**30
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 0.5, -0.0, 2**31, 2**53 + 1, 2**63, 2**64, -(2**63) - 1, _DIGITS,
    -1e308, 1e308, 5e-324, float("nan"), float("inf"), float("-inf"), "", "0", "1.0", "NaN", "None",
    "x" * 20_000, "\ud800", "\x00", "a\nb\r\nc", "../../../etc/passwd", "/", "..", "%00", "__class__",
    "waves", "one", "half", "broken", "-rank", "-", "/(a+)+$/", '"', [], {}, [[]], [None], {"": None},
    {"start": 1}, [0, "x"], [2**64], [float("nan")] * 3, list(range(3000)), ["x"] * 500, _NEST, _HUGE,
)  # fmt: skip
_TEXTS = ("", "x" * 20_000, "NaN", "-1e308", "1" * 5000, "10" * 15, "..", "../..", "\x00", "\ud800",
          "é", "１", "%", "a/b", "0" * 64, PAGE, "1e400", "-1", "~////", "~" + "/" * 2000, "3,7-9",
          "0-999999999", "3:2", " ", "\n", "waves", "one", "half", "csv")  # fmt: skip
_METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")
_TYPES = (
    "text/plain",
    "application/json; charset=utf-16",
    "multipart/form-data",
    "",
    "application/xml",
)


@dataclass(frozen=True, slots=True)
class Sent:
    """One request, byte for byte."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    content_type: str = "application/json"

    @property
    def url(self) -> str:
        """The path and query, quoted."""
        path = quote(self.path.encode("utf-8", "surrogatepass"), safe="/")
        pairs = [
            (k.encode("utf-8", "surrogatepass"), v.encode("utf-8", "surrogatepass"))
            for k, v in self.query
        ]
        return f"{path}?{urlencode(pairs)}" if pairs else path


#: What Dash's renderer sends for a callback on the server; there is none.
DASH = {
    "output": "window.data",
    "outputs": {"id": "window", "property": "data"},
    "inputs": [{"id": "window-request", "property": "data", "value": {}}],
    "changedPropIds": ["window-request.data"],
}
_STRETCH = {"dataset": "waves", "fp": "", "start": 5, "stop": 60}
RECORDED: tuple[tuple[str, str, dict[str, Any] | None, tuple[tuple[str, str], ...]], ...] = (
    ("POST", "/_view/open",
     {"kind": "load", "search": "?dataset=waves&sel=20:23&threshold=0.3", "n": 1}, ()),
    ("POST", "/_view/window",
     {**_STRETCH, "n": 1, "source": "one",
      "brush": {"start": 20, "stop": 23, "before": 1, "after": 0}}, ()),
    ("POST", "/_view/tracks", {**_STRETCH, "tracks": ["half"]}, ()),
    ("POST", "/_view/state",
     {"n": 1, "dataset": "waves", "fp": "", "source": "one", "state": 3, "threshold": 0.3,
      "polarity": "high"}, ()),
    ("POST", f"/_jobs/match/{PAGE}/1",
     {"n": 1, "page": PAGE, "key": KEY, "restored": 0, "instead": False}, ()),
    ("POST", "/_view/search",
     {"n": 1, "dataset": "waves", "phrase": "w3 w4", "exact": True, "from": 0, "way": "here"}, ()),
    ("POST", "/_dash-update-component", DASH, ()),
    ("POST", f"/_jobs/file/{PAGE}/0", {"form": "csv", "key": KEY}, ()),
    ("GET", f"/_jobs/file/{PAGE}/0", None, ()),
    ("GET", f"/_jobs/file/{PAGE}/0/matches.csv", None, ()),
    ("POST", f"/_jobs/match/{PAGE}/1/cancel", None, ()),
    ("GET", f"/_jobs/match/{PAGE}/1", None, ()),
    ("GET", "/_jobs/copy", None, (("dataset", "waves"), ("source", "one"), ("page", PAGE))),
    ("POST", "/_jobs/copy/leave", None, (("dataset", "waves"), ("source", "one"), ("page", PAGE))),
    ("POST", "/_jobs/copy/cancel", None, (("dataset", "waves"), ("source", "one"), ("page", PAGE))),
    ("GET", "/api/v1/datasets", None, ()),
    ("GET", "/api/v1/context", None, (("dataset", "waves"), ("source", "one"), ("start", "3"),
                                      ("stop", "9"), ("annotations", "half"))),
    ("GET", "/api/v1/match", None, (("dataset", "waves"), ("source", "one"), ("start", "20"),
                                    ("stop", "23"), ("threshold", "0.3"), ("exclude", "1,2"))),
    ("GET", "/api/v1/state", None, (("dataset", "waves"), ("source", "one"), ("state", "3"),
                                    ("threshold", "0.3"), ("polarity", "low"))),
    ("GET", "/api/v1/search", None, (("dataset", "waves"), ("query", "w3 w4"), ("top", "5"))),
    ("GET", "/_dash-component-suites/dash/dcc/async-graph.js", None, ()),
)  # fmt: skip


def hostile(seed: int, count: int) -> Iterator[Sent]:
    """Yield `count` requests, determined by the seed. Some are mutated so little that they are still valid."""
    rng = random.Random(seed)
    for _ in range(count):
        # Bodies offer the most mutations.
        (recorded,) = rng.choices(RECORDED, [3 if one[2] else 1 for one in RECORDED])
        method, path, body, query = recorded
        sent = Sent(method, path, query)
        if body is not None:
            changed: Any = copy.deepcopy(body)
            for _ in range(rng.choice((1, 1, 1, 2, 4))):
                changed = _changed(rng, changed)
            sent = replace(sent, body=_text(rng, changed))
        chance = rng.random()
        if chance < 0.05:
            sent = replace(sent, method=rng.choice(_METHODS))
        elif chance < 0.08:
            sent = replace(sent, content_type=rng.choice(_TYPES))
        elif chance < 0.12 or (chance < 0.5 and body is None):
            parts = sent.path.split("/")
            parts[rng.randrange(1, len(parts))] = rng.choice(_TEXTS)
            sent = replace(sent, path="/".join(parts).replace("\ud800", "\ufffd"))
        if query and rng.random() < 0.9:
            pairs = list(query)
            at = rng.randrange(len(pairs))
            choice = rng.random()
            if choice < 0.7:
                pairs[at] = (pairs[at][0], rng.choice(_TEXTS))
            elif choice < 0.8:
                del pairs[at]
            else:
                pairs.append((rng.choice((*_TEXTS, pairs[at][0])), rng.choice(_TEXTS)))
            sent = replace(sent, query=tuple(pairs))
        yield sent


def _changed(rng: random.Random, whole: Any) -> Any:
    """Return a JSON value with one part of it mutated."""
    places = list(_places(whole))
    if not places or rng.random() < 0.03:
        return _value(rng)
    holder, key = rng.choice(places)
    choice = rng.random()
    if choice < 0.7:
        holder[key] = _value(rng)
    elif choice < 0.82:
        del holder[key]
    elif isinstance(holder, dict):
        holder[rng.choice(("extra", "", "id", "value", "\ud800", "__proto__"))] = _value(rng)
    else:
        holder.append(_value(rng))
    return whole


def _value(rng: random.Random) -> Any:
    return copy.deepcopy(rng.choice(_VALUES))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in list(items)[:50]:
        yield value, key
        yield from _places(inner)


def _text(rng: random.Random, body: Any) -> bytes:
    """Return the body as bytes, sometimes cut, with a byte changed, or with text that no encoder writes."""
    text = json.dumps(body)
    deep = rng.choice((50, 900, 100_000))
    text = text.replace(f'"{_NEST}"', "[" * deep + "]" * deep)
    text = text.replace(repr(_HUGE), rng.choice(("1e400", "1" * 5000, "01", "-", "1e", "0x10")))
    raw = text.encode()
    chance = rng.random()
    if chance < 0.04:
        return raw[: rng.randrange(len(raw) + 1)]
    if chance < 0.06:
        at = rng.randrange(len(raw) or 1)
        return raw[:at] + bytes([rng.randrange(256)]) + raw[at + 1 :]
    if chance < 0.07:
        return b"\xef\xbb\xbf" + raw
    return raw
