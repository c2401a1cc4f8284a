"""Find a phrase in the tokens of a dataset.

A phrase is one pattern a token, with blanks between them: a plain word stands for the whole token,
``word*`` for its beginning, ``/.../`` for a regular expression that fits the whole token (RE2: its
time is linear in the text, no expression can hang), ``"..."`` for a token with blanks or signs in
it. Upper and lower case are alike unless the phrase is asked for exactly.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from loaders import Dataset

MOST_PATTERNS = 50
#: Results of one answer, and words of context on either side of each.
PAGE, CONTEXT = 12, 6

_PART = re.compile(r'"(?P<quoted>[^"]*)"|/(?P<regex>(?:[^/\\]|\\.)+)/|(?P<word>\S+)')


class PhraseError(ValueError):
    """The phrase cannot be searched for; ``str(error)`` is one plain sentence."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One token's pattern: what it was written as, its kind, and the text to compare."""

    written: str
    kind: Literal["whole", "prefix", "regex"]
    text: str


def parse(phrase: str) -> tuple[Pattern, ...]:
    """Split a phrase into patterns.

    Raises
    ------
    PhraseError
        It is empty, or has more than 50 patterns.
    """
    patterns = []
    for part in _PART.finditer(phrase):
        if part["quoted"] is not None:
            patterns.append(Pattern(part[0], "whole", part["quoted"]))
        elif part["regex"] is not None:
            patterns.append(Pattern(part[0], "regex", part["regex"].replace("\\/", "/")))
        elif part["word"].endswith("*") and len(part["word"]) > 1:
            patterns.append(Pattern(part[0], "prefix", part["word"][:-1]))
        else:
            patterns.append(Pattern(part[0], "whole", part["word"]))
    if not patterns:
        raise PhraseError("Type a word or a phrase to find.")
    if len(patterns) > MOST_PATTERNS:
        raise PhraseError(
            f"The phrase has {len(patterns)} words; at most {MOST_PATTERNS} can be searched for."
        )
    return tuple(patterns)


def fitting(vocabulary: pa.Array, pattern: Pattern, *, exact: bool) -> NDArray[np.bool_]:
    """Return which distinct tokens fit a pattern, bool ``(len(vocabulary),)``.

    Raises
    ------
    PhraseError
        The regular expression cannot be read; the sentence says where.
    """
    if pattern.kind == "regex":
        try:
            found = pc.match_substring_regex(
                vocabulary, pattern=f"^(?:{pattern.text})$", ignore_case=not exact
            )
        except pa.ArrowInvalid as error:
            why = str(error).rpartition("RE2: ")[2] or str(error)
            raise PhraseError(
                f"/{pattern.text}/ is not a regular expression that is understood here: {why}."
            ) from None
        return found.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]
    texts, text = vocabulary, pattern.text
    if not exact:
        texts, text = pc.utf8_lower(vocabulary), pc.utf8_lower(pa.scalar(pattern.text)).as_py()
    found = (
        pc.equal(texts, pa.scalar(text, texts.type))
        if pattern.kind == "whole"
        else pc.starts_with(texts, pattern=text)
    )
    return found.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def find(dataset: Dataset, phrase: str, *, exact: bool = False) -> NDArray[np.int64]:
    """Return the first step of every place where the phrase stands, ascending.

    A place lies inside one sequence. The rarest pattern is looked for first, so that frequent words
    in a phrase cost nothing more.

    Raises
    ------
    PhraseError
        The phrase cannot be read, or one of its words is nowhere in the dataset.
    """
    patterns = parse(phrase)
    codes, vocabulary = dataset.token_table.codes, dataset.token_table.vocabulary
    masks = [fitting(vocabulary, pattern, exact=exact) for pattern in patterns]
    for pattern, mask in zip(patterns, masks, strict=True):
        if not mask.any():
            raise PhraseError(f"No token here fits {pattern.written}.")
    last = len(codes) - len(patterns) + 1
    if last <= 0:
        return np.empty(0, dtype=np.int64)
    # How many distinct tokens fit is a good enough guess at how rare a pattern is.
    order = sorted(range(len(masks)), key=lambda k: int(masks[k].sum()))
    first = order[0]
    places = np.flatnonzero(masks[first][codes[first : last + first]])
    for k in order[1:]:
        places = places[masks[k][codes[places + k]]]
    if len(patterns) > 1:
        offsets = dataset.sequences.offsets
        ends = offsets[np.searchsorted(offsets, places, side="right")]
        places = places[places + len(patterns) <= ends]
    return places.astype(np.int64)


class PhraseService:
    """Answers searches from any number of threads; the places of recent phrases are kept.

    Parameters
    ----------
    cache_bytes
        How many bytes of places are kept, the least recently used going first.
    """

    def __init__(self, cache_bytes: int = 1 << 26) -> None:
        self._places: OrderedDict[tuple[str, str, bool], NDArray[np.int64]] = OrderedDict()
        self._bytes = cache_bytes
        self._lock = threading.Lock()

    def places(self, dataset: Dataset, phrase: str, *, exact: bool = False) -> NDArray[np.int64]:
        """Return what `find` returns."""
        key = (dataset.fingerprint, phrase, exact)
        with self._lock:
            if key in self._places:
                self._places.move_to_end(key)
                return self._places[key]
        found = find(dataset, phrase, exact=exact)
        with self._lock:
            self._places[key] = found
            while self._places and sum(p.nbytes for p in self._places.values()) > self._bytes:
                self._places.popitem(last=False)
        return found


def search_payload(
    service: PhraseService, dataset: Dataset, request: Mapping[str, Any]
) -> dict[str, Any]:
    """Answer a ``search-request``.

    Parameters
    ----------
    service, dataset
        Where to look.
    request
        ``n`` (returned), ``phrase``, ``exact``, ``from`` (a step) and ``way``: ``here`` for the first
        place at or after it, ``next`` for the one after it, ``back`` for the one before; both go
        round at the ends.

    Returns
    -------
    dict
        ``total``, ``length`` in tokens, ``at`` (which place is the current one, from 0) and a page of
        ``results`` around it, each with its context inside its sequence; or ``error``.
    """
    answer: dict[str, Any] = {"n": request["n"], "phrase": request["phrase"], "results": []}
    try:
        places = service.places(dataset, str(request["phrase"]), exact=bool(request["exact"]))
        length = len(parse(str(request["phrase"])))
    except PhraseError as error:
        return {**answer, "total": 0, "error": str(error)}
    if len(places) == 0:
        return {**answer, "total": 0, "error": "These words do not stand together anywhere here."}
    step = int(request["from"])
    if request["way"] == "back":
        at = int(np.searchsorted(places, step, side="left")) - 1
    else:
        at = int(
            np.searchsorted(places, step, side="right" if request["way"] == "next" else "left")
        )
    at %= len(places)
    first = max(0, min(at - 2, len(places) - PAGE))
    results = []
    for place in places[first : first + PAGE].tolist():
        low, high = dataset.sequences.bounds(place)
        results.append(
            {
                "start": place,
                "stop": place + length,
                "sequence": dataset.sequences.id(place),
                "before": dataset.tokens(max(low, place - CONTEXT), place),
                "words": dataset.tokens(place, place + length),
                "after": dataset.tokens(place + length, min(high, place + length + CONTEXT)),
            }
        )
    return {
        **answer,
        "total": len(places),
        "length": length,
        "at": at,
        "first": first,
        "results": results,
    }
