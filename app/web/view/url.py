"""The whole view state <-> query string.

The browser writes the address from the ``view`` store (assets/core/state.mjs). This module parses it
and writes the same text, so that links can be created and tested in Python.
"""

from __future__ import annotations

import re
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from math import isfinite
from typing import Any
from urllib.parse import parse_qsl, quote

from app.matching import Polarity

VERSION = 1
#: Width of a step in px: the default, the narrowest and the widest.
ZOOM, ZOOM_RANGE = 26, (8, 96)
#: The maximum values of the fields for on-runs and for words before a match.
MOST_RUNS, MOST_CONTEXT = 999, 30
#: The maximum number of steps that the limit handles reach before or after a brush.
MOST_LIMIT = 999
#: The sort keys of the listed matches.
SORTS = ("rank", "start", "length", "overlap", "more")
# Not \d, which includes digits of all scripts: the browser only reads these.
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_INTEGER = re.compile(r"[0-9]{1,15}")
# Bounded, so that a short link cannot request a list of billions of numbers.
_MOST_STATES = 1_000_000
#: Characters that JavaScript's encodeURIComponent does not encode, and two more for readability.
_SAFE = "-_.!~*'():,"


@dataclass(frozen=True, slots=True)
class View:
    """The visible state of the page, as in the ``view`` store.

    Ranges are half-open, including ``start`` and ``stop`` of the brush (both None without one); only
    ``length`` is inclusive at both ends, as in docs/matching.md. ``first`` is the first visible step and
    ``zoom`` the width of a step in px; the number of visible steps depends on the width of the browser.
    ``runs`` hides shorter on-runs in bars and coverage. In the Match View, ``colour`` is the colouring of
    the words (``match`` or a track), ``sort`` is one of `SORTS`, with a prefix ``-`` for the reverse order,
    ``page`` counts from 0, and ``before_words`` is the number of words before a match (None: as many as
    fit).
    """

    dataset: str
    source: str
    threshold: float
    fp: str = ""
    first: int = 0
    start: int | None = None
    stop: int | None = None
    before: int = 0
    after: int = 0
    polarity: str = "high"
    excluded: tuple[int, ...] = ()
    pinned: int | None = None
    tracks: tuple[str, ...] = ()
    min_overlap: int | None = None
    min_length: int | None = None
    overlapping: bool = False
    length: tuple[int, int] | None = None
    full_range: bool = False
    zoom: int = ZOOM
    runs: int = 1
    mask: bool = False
    colour: str = "match"
    sort: str = "rank"
    page: int = 0
    before_words: int | None = None
    auto: bool = True
    v: int = VERSION

    def store(self) -> dict[str, Any]:
        """Return the view as in the browser's store (plain JSON values)."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A parsed query string: its fields, and a sentence about each part that was ignored."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


def number_text(value: float) -> str:
    """Format a finite double like JavaScript's ``String``: the shortest text that reads back the same.

    >>> number_text(0.30000000000000004), number_text(5.0), number_text(1e-07)
    ('0.30000000000000004', '5', '1e-7')
    """
    if value == 0:
        return "0"
    decimal = Decimal(repr(float(value)))
    if 1e-6 <= abs(value) < 1e21:
        text = format(decimal, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    sign, digits, _ = decimal.as_tuple()
    shown = "".join(map(str, digits)).rstrip("0")
    mantissa = shown[0] + ("." + shown[1:] if len(shown) > 1 else "")
    exponent = decimal.adjusted()
    return f"{'-' if sign else ''}{mantissa}e{'+' if exponent > 0 else '-'}{abs(exponent)}"


def compact(numbers: tuple[int, ...]) -> str:
    """Write ascending integers as ``3,7-9``, or as a mask if that is shorter.

    The mask is ``~`` and the base64url encoding, without padding, of one bit per number, least first. For
    any excluded subset of n states, the text has at most n / 6 + 2 characters.
    """
    listed = _ranges(numbers)
    n_bytes = (numbers[-1] if numbers else -1) // 8 + 1
    if 1 + -(-4 * n_bytes // 3) >= len(listed):
        return listed
    mask = sum(1 << number for number in numbers).to_bytes(n_bytes, "little")
    return "~" + urlsafe_b64encode(mask).decode().rstrip("=")


def _ranges(numbers: tuple[int, ...]) -> str:
    parts: list[str] = []
    i = 0
    while i < len(numbers):
        j = i
        while j + 1 < len(numbers) and numbers[j + 1] == numbers[j] + 1:
            j += 1
        parts.append(f"{numbers[i]}" if i == j else f"{numbers[i]}-{numbers[j]}")
        i = j + 1
    return ",".join(parts)


def write(view: View) -> str:
    """Write a view as a query string, ``?`` included; defaults are left out."""
    parts: list[tuple[str, str]] = [
        ("v", str(view.v)),
        ("dataset", view.dataset),
        ("fp", view.fp),
        ("source", view.source),
        ("first", str(view.first)),
    ]
    if view.start is not None:
        parts.append(("sel", f"{view.start}:{view.stop}"))
    if view.before or view.after:
        parts.append(("off", f"{view.before}:{view.after}"))
    parts.append(("threshold", number_text(view.threshold)))
    if view.polarity != "high":
        parts.append(("polarity", view.polarity))
    if view.excluded:
        parts.append(("exclude", compact(view.excluded)))
    if view.pinned is not None:
        parts.append(("state", str(view.pinned)))
    parts += [("track", track) for track in view.tracks]
    if view.min_overlap is not None:
        parts.append(("overlap", str(view.min_overlap)))
    if view.min_length is not None:
        parts.append(("minlength", str(view.min_length)))
    if view.overlapping:
        parts.append(("list", "all"))
    if view.length is not None:
        parts.append(("length", f"{view.length[0]}:{view.length[1]}"))
    if view.full_range:
        parts.append(("range", "all"))
    if view.zoom != ZOOM:
        parts.append(("width", str(view.zoom)))
    if view.runs != 1:
        parts.append(("runs", str(view.runs)))
    if view.mask:
        parts.append(("mask", "1"))
    if view.colour != "match":
        parts.append(("colour", view.colour))
    if view.sort != "rank":
        parts.append(("sort", view.sort))
    if view.page:
        parts.append(("page", str(view.page + 1)))
    if view.before_words is not None:
        parts.append(("context", str(view.before_words)))
    if not view.auto:
        parts.append(("auto", "0"))
    return "?" + "&".join(f"{key}={quote(text, safe=_SAFE)}" for key, text in parts)


class _BadValueError(ValueError):
    """An invalid value in the address; the message says what is expected."""


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise _BadValueError("a whole number of 0 or more")
    return int(text)


def _positive(text: str) -> int:
    value = _integer(text)
    if value < 1:
        raise _BadValueError("a whole number of 1 or more")
    return value


def _pair(text: str) -> tuple[int, int]:
    low, colon, high = text.partition(":")
    if not colon:
        raise _BadValueError("two whole numbers separated by a colon")
    return _integer(low), _integer(high)


def _selection(text: str) -> tuple[int, int]:
    start, stop = _pair(text)
    if start >= stop:
        raise _BadValueError("start:stop with start below stop")
    return start, stop


def _length(text: str) -> tuple[int, int]:
    low, high = _pair(text)
    if not 1 <= low <= high:
        raise _BadValueError("two lengths, the smaller first")
    return low, high


def _threshold(text: str) -> float:
    if not _NUMBER.fullmatch(text) or not isfinite(float(text)):
        raise _BadValueError("a finite number")
    return float(text)


def _polarity(text: str) -> str:
    if text not in {p.value for p in Polarity}:
        raise _BadValueError("high, low or magnitude")
    return text


def _states(text: str) -> tuple[int, ...]:
    if text.startswith("~"):
        return _marked(text[1:])
    found: set[int] = set()
    for part in text.split(","):
        low, dash, high = part.partition("-")
        first = _integer(low)
        last = _integer(high) if dash else first
        if last < first or last - first + len(found) >= _MOST_STATES:
            raise _BadValueError("state numbers such as 3,7-9")
        found.update(range(first, last + 1))
    return tuple(sorted(found))


def _marked(text: str) -> tuple[int, ...]:
    try:
        mask = b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise _BadValueError("state numbers such as 3,7-9, or ~ and a mask") from None
    return tuple(8 * i + bit for i, byte in enumerate(mask) for bit in range(8) if byte >> bit & 1)


def _flag(expected: str) -> Callable[[str], bool]:
    def parse(text: str) -> bool:
        if text != expected:
            raise _BadValueError(f"“{expected}” or nothing")
        return True

    return parse


def _zoom(text: str) -> int:
    value = _integer(text)
    if not ZOOM_RANGE[0] <= value <= ZOOM_RANGE[1]:
        raise _BadValueError(f"a width from {ZOOM_RANGE[0]} to {ZOOM_RANGE[1]}")
    return value


def _sort(text: str) -> str:
    if text.removeprefix("-") not in SORTS or text == "-rank":
        raise _BadValueError("one of " + ", ".join(SORTS) + ", with - in front for the reverse")
    return text


def _runs(text: str) -> int:
    value = _positive(text)
    if value > MOST_RUNS:
        raise _BadValueError(f"a whole number from 1 to {MOST_RUNS}")
    return value


def _context(text: str) -> int:
    value = _integer(text)
    if value > MOST_CONTEXT:
        raise _BadValueError(f"a whole number from 0 to {MOST_CONTEXT}")
    return value


def _page(text: str) -> int:
    return _positive(text) - 1


def _auto(text: str) -> bool:
    if text not in {"0", "1"}:
        raise _BadValueError("0 or 1")
    return text == "1"


#: key -> (fields it sets, parser). A parser of two fields returns a pair.
_KEYS: Mapping[str, tuple[tuple[str, ...], Callable[[str], Any]]] = {
    "dataset": (("dataset",), str),
    "fp": (("fp",), str),
    "source": (("source",), str),
    "first": (("first",), _integer),
    "sel": (("start", "stop"), _selection),
    "off": (("before", "after"), _pair),
    "threshold": (("threshold",), _threshold),
    "polarity": (("polarity",), _polarity),
    "exclude": (("excluded",), _states),
    "state": (("pinned",), _integer),
    "overlap": (("min_overlap",), _positive),
    "minlength": (("min_length",), _positive),
    "list": (("overlapping",), _flag("all")),
    "length": (("length",), _length),
    "range": (("full_range",), _flag("all")),
    "width": (("zoom",), _zoom),
    "runs": (("runs",), _runs),
    "mask": (("mask",), _flag("1")),
    "colour": (("colour",), str),
    "sort": (("sort",), _sort),
    "page": (("page",), _page),
    "context": (("before_words",), _context),
    "auto": (("auto",), _auto),
}


def read(search: str) -> Parsed:
    """Read a query string.

    Parameters
    ----------
    search
        With or without the leading ``?``. All parts are optional.

    Returns
    -------
    Parsed
        The fields, under the names of `View`; whether they fit the data is not checked here. Unknown,
        repeated or malformed parts are named in a notice and left out.
    """
    fields: dict[str, Any] = {}
    notices: list[str] = []
    tracks: list[str] = []
    seen: set[str] = set()
    try:
        parts = parse_qsl(search.removeprefix("?"), keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        return Parsed({}, ("The link is too long and was ignored.",))
    for key, text in parts:
        if key == "track":
            if text not in tracks:
                tracks.append(text)
            continue
        if key == "v":
            if text != str(VERSION):
                notices.append(
                    f"This link has version {text!r}, but version {VERSION} is supported here, "
                    "so parts of it may be ignored."
                )
            continue
        if key not in _KEYS:
            notices.append(f"The link's part “{key}” is unknown and was ignored.")
            continue
        if key in seen:
            notices.append(f"The link's part “{key}” occurs twice; the first one is used.")
            continue
        seen.add(key)
        names, parse = _KEYS[key]
        try:
            value = parse(text)
        except _BadValueError as error:
            notices.append(
                f"The link's part “{key}” must be {error}, not “{text[:60]}”; it was ignored."
            )
            continue
        fields.update(zip(names, value if len(names) > 1 else (value,), strict=True))
    if tracks:
        fields["tracks"] = tuple(tracks)
    return Parsed(fields, tuple(notices))
