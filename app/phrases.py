r"""Search for a phrase: every place where some tokens follow each other inside one sequence.

A query is written as one pattern a token, with blanks between them:

- ``word``: the whole token, upper and lower case alike unless `match_case` is asked for;
- ``word*``: tokens that begin with it (a star alone is the word ``*``);
- ``/regex/``: a regular expression that fits the whole token. RE2: its time grows with the length
  of the text only, no expression can hang. ``\/`` is a slash inside;
- ``"a b"``: the token between the quotes as it is, blanks and signs included; ``"a b"*`` again for
  its beginning.

A quote or a slash that is not closed at the end of a word is a sign like any other: ``"`` finds the
token ``"``, ``/usr/bin`` is a plain word.

Alike means the same after Unicode case folding (ß and ss, Σ and ς) and composition (é in one sign
or two). Regular expressions have RE2's own, simpler folding, one sign for one.
"""

from __future__ import annotations

import contextlib
import re
import threading
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Literal, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from cachetools import LRUCache
from numpy.typing import NDArray

from loaders import Dataset
from loaders.tokens import Tokens

#: A longer phrase, or one with more letters, is refused.
MOST_PHRASE_WORDS, MOST_PHRASE_LETTERS = 50, 5_000

_PART = re.compile(
    r'"(?P<quoted>[^"]*)"(?P<star>\*?)(?!\S)|/(?P<regex>(?:[^/\\]|\\.)+)/(?!\S)|(?P<word>\S+)',
    re.DOTALL,
)
# Steps read together: their codes stay in the processor's cache.
_BLOCK = 1 << 18
# Up to this many codes are compared one after the other; more are looked up in a table.
_FEW_CODES = 4
# Below this share of places left, single places are followed instead of whole blocks.
_SPARSE = 16

_Value = TypeVar("_Value")
Positions = NDArray[np.int64]
Codes = NDArray[np.int32]


class SearchError(ValueError):
    """A query that cannot be read; str(error) is one plain sentence for a person."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What one token must be: how it was written, its kind, and the text to compare with."""

    written: str
    kind: Literal["whole", "prefix", "regex"]
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Every place where a phrase occurs.

    Attributes
    ----------
    patterns
        One a token; a place p is the half-open range [p, p + length).
    positions
        int64 `(total,)`, ascending: the first step of each place; read-only.
    reason
        Why there is none, one plain sentence; None exactly when there are some.
    """

    patterns: tuple[Pattern, ...]
    positions: Positions
    reason: str | None

    @property
    def length(self) -> int:
        """How many tokens a place has."""
        return len(self.patterns)

    @property
    def total(self) -> int:
        """How many places there are."""
        return int(self.positions.size)

    def index_from(self, step: int) -> int:
        """Which place, from 0, is the first at or after `step`; `total` when there is none."""
        return int(np.searchsorted(self.positions, step, side="left"))

    def next_after(self, step: int) -> int | None:
        """The first place that starts after `step`; None when there is none."""
        at = int(np.searchsorted(self.positions, step, side="right"))
        return int(self.positions[at]) if at < self.total else None

    def last_before(self, step: int) -> int | None:
        """The last place that starts before `step`; None when there is none."""
        at = self.index_from(step) - 1
        return int(self.positions[at]) if at >= 0 else None


@dataclass(frozen=True, slots=True)
class Hit:
    """One place with the words around it, which are of the same sequence.

    Attributes
    ----------
    start, stop
        Half-open.
    sequence
        The sequence's id; None when the data names none.
    before, tokens, after
        The words before it, of it and after it.
    """

    start: int
    stop: int
    sequence: str | int | None
    before: tuple[str, ...]
    tokens: tuple[str, ...]
    after: tuple[str, ...]


def parse(text: str) -> tuple[Pattern, ...]:
    """Read a query.

    Returns
    -------
    tuple of Pattern
        One a token, in order, 1 to `MOST_PHRASE_WORDS`.

    Raises
    ------
    SearchError
        It is empty or too long, or an expression cannot be read.
    """
    if len(text) > MOST_PHRASE_LETTERS:
        raise SearchError(
            f"The query has {len(text):,} letters, and {MOST_PHRASE_LETTERS:,} are the most; "
            "search for a shorter phrase."
        )
    try:
        text.encode()
    except UnicodeEncodeError:
        raise SearchError(
            "The query holds half a sign (a lone surrogate); write it again."
        ) from None
    patterns = tuple(_pattern(part) for part in _PART.finditer(text))
    if not patterns:
        raise SearchError("The query is empty; give a word, or some with blanks between them.")
    if len(patterns) > MOST_PHRASE_WORDS:
        raise SearchError(
            f"The query has {len(patterns):,} words; at most {MOST_PHRASE_WORDS} can be searched for."
        )
    for pattern in patterns:
        if pattern.kind == "regex":
            _matching(pa.array([], pa.string()), pattern, match_case=True)
    return patterns


def _pattern(part: re.Match[str]) -> Pattern:
    if part["regex"] is not None:
        return Pattern(part[0], "regex", part["regex"])
    if part["quoted"] is not None:
        return Pattern(part[0], "prefix" if part["star"] else "whole", part["quoted"])
    word = part["word"]
    if word.endswith("*") and len(word) > 1:
        return Pattern(word, "prefix", word[:-1])
    return Pattern(word, "whole", word)


def fold(text: str) -> str:
    """Return what is compared when upper and lower case are alike."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _matching(texts: pa.Array, pattern: Pattern, *, match_case: bool) -> NDArray[np.bool_]:
    """Which texts a regular expression fits as a whole; SearchError when it cannot be read."""
    try:
        # Alone first: `a)(b` would be an expression between the brackets below.
        if len(texts) == 0:
            pc.match_substring_regex(pa.array([""]), pattern.text)
        found = pc.match_substring_regex(
            texts, rf"\A(?s:{pattern.text})\z", ignore_case=not match_case
        )
    except pa.ArrowInvalid as error:
        why = " ".join(str(error).removeprefix("Invalid regular expression: ").split())
        raise SearchError(
            f"{pattern.written} is not a regular expression that can be read ({why}); fix it, or "
            f'write it in quotes, "{pattern.written}", to search for it as a word.'
        ) from None
    result: NDArray[np.bool_] = found.to_numpy(zero_copy_only=False)
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """What makes searching a dataset fast: its distinct tokens in order, and how far ends are.

    Attributes
    ----------
    tokens
        What it was made from.
    room
        uint8 `(n_steps,)`: steps from each one to the end of its sequence, itself included, at
        most 255.
    match_case
        Whether `texts` are as written, or folded.
    texts
        Arrow array of strings, ascending.
    order
        int32, for each of `texts` its code.
    counts
        int64, for each code the number of steps at which it occurs.
    """

    tokens: Tokens
    room: NDArray[np.uint8]
    match_case: bool
    texts: pa.Array
    order: Codes
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, tokens: Tokens, offsets: Positions, *, match_case: bool) -> Index:
        """Return the index of some tokens: the one part of a search that is slow, done once.

        Parameters
        ----------
        tokens
            What is searched.
        offsets
            int64 `(n_sequences + 1,)`: where the sequences begin, and the number of steps.
        match_case
            Whether upper and lower case differ.
        """
        texts = tokens.vocabulary
        if not match_case:
            texts = pa.array([fold(text) for text in texts.to_pylist()], pa.large_string())
        order = pc.array_sort_indices(texts)
        return cls(
            tokens=tokens,
            room=_room(offsets),
            match_case=match_case,
            texts=texts.take(order),
            order=order.to_numpy().astype(np.int32),
            counts=np.bincount(tokens.codes, minlength=len(texts)).astype(np.int64),
        )

    @property
    def nbytes(self) -> int:
        """Memory that is held, roughly."""
        return int(self.texts.nbytes) + self.order.nbytes + self.counts.nbytes + self.room.nbytes

    def fitting(self, pattern: Pattern) -> Codes:
        """Return the codes of the tokens that fit a pattern and occur at a step."""
        if pattern.kind == "regex":
            fits = _matching(self.tokens.vocabulary, pattern, match_case=self.match_case)
            codes = np.flatnonzero(fits).astype(np.int32)
        else:
            requested = pattern.text if self.match_case else fold(pattern.text)
            letters = len(requested) if pattern.kind == "prefix" else None

            def text(at: int) -> str:
                return str(self.texts[at].as_py())[:letters]

            every = range(len(self.texts))
            low = bisect_left(every, requested, key=text)
            codes = self.order[low : bisect_right(every, requested, lo=low, key=text)]
        return codes[self.counts[codes] > 0]


def _room(offsets: Positions) -> NDArray[np.uint8]:
    n_steps = int(offsets[-1])
    room = np.empty(n_steps, np.uint8)
    for low in range(0, n_steps, _BLOCK):
        steps = np.arange(low, min(low + _BLOCK, n_steps))
        ends = offsets[np.searchsorted(offsets, steps, side="right")]
        room[low : low + steps.size] = np.minimum(ends - steps, 255)
    return room


def find(index: Index, patterns: tuple[Pattern, ...]) -> Found:
    """Find every place of a phrase, from its rarest word on. No place crosses a boundary.

    Parameters
    ----------
    index
        Of what is searched.
    patterns
        1 to `MOST_PHRASE_WORDS`.

    Raises
    ------
    SearchError
        An expression cannot be read.
    """
    codes = index.tokens.codes
    fitting = {pattern: index.fitting(pattern) for pattern in dict.fromkeys(patterns)}
    counts = {pattern: int(index.counts[some].sum()) for pattern, some in fitting.items()}
    for pattern, count in counts.items():
        if count == 0:
            return Found(patterns, _frozen(np.empty(0, np.int64)), _nowhere(pattern, index))
    rarest_first = sorted(range(len(patterns)), key=lambda k: counts[patterns[k]])
    looks = [k for k in rarest_first if counts[patterns[k]] < codes.size]  # the others always fit
    members = {one: _member(some, index.counts.size) for one, some in fitting.items()}
    last = codes.size - len(patterns) + 1
    parts = [
        _places_in(
            index,
            [(k, members[patterns[k]]) for k in looks],
            (low, min(low + _BLOCK, last)),
            len(patterns),
        )
        for low in range(0, last, _BLOCK)
    ]
    places = np.concatenate(parts) if parts else np.empty(0, np.int64)
    reason = None
    if not places.size:
        reason = "Each of these words occurs, but nowhere do they follow each other like this."
    return Found(patterns, _frozen(places), reason)


Member = Callable[[Codes], NDArray[np.bool_]]


def _member(requested: Codes, n_codes: int) -> Member:
    """Return the cheapest test of which of some codes are requested, for this many."""
    if requested.size <= _FEW_CODES:
        few: list[int] = requested.tolist()

        def is_one(codes: Codes) -> NDArray[np.bool_]:
            found: NDArray[np.bool_] = codes == few[0]
            for code in few[1:]:
                found |= codes == code
            return found

        return is_one
    table = np.zeros(n_codes, np.bool_)
    table[requested] = True

    def is_in(codes: Codes) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = table.take(codes)
        return found

    return is_in


def _places_in(
    index: Index, members: list[tuple[int, Member]], steps: tuple[int, int], length: int
) -> Positions:
    """The first steps, of those in a half-open range, from which every pattern fits."""
    codes, (low, high) = index.tokens.codes, steps
    hits = index.room[low:high] >= length
    n_looked = 0
    for shift, member in members:
        if np.count_nonzero(hits) * _SPARSE <= hits.size:
            break
        hits &= member(codes[low + shift : high + shift])
        n_looked += 1
    places = np.flatnonzero(hits)
    places += low
    for shift, member in members[n_looked:]:
        if not places.size:
            break
        places = places[member(codes[places + shift])]
    return places


def _nowhere(pattern: Pattern, index: Index) -> str:
    """Say that no token fits a pattern."""
    shown = pattern.written if len(pattern.written) <= 80 else f"{pattern.written[:79]}…"
    case = ", written like this" if index.match_case and pattern.kind != "regex" else ""
    return f"No token here fits {shown}{case}."


def _frozen(places: Positions) -> Positions:
    places = places.astype(np.int64, copy=False)
    places.flags.writeable = False
    return places


class SearchService:
    """Answers searches from any number of threads; what is computed is cached within bounds.

    Parameters
    ----------
    cache_bytes
        Bytes of places that are cached; the least recently used are dropped first. The places of one
        query that are larger than this are used and not cached.
    index_bytes
        The same for indexes, which are what makes the first search of a dataset slow.
    """

    def __init__(self, cache_bytes: int = 1 << 26, index_bytes: int = 1 << 28) -> None:
        self._lock = threading.Lock()
        self._places: LRUCache[Hashable, Found] = LRUCache(
            cache_bytes, getsizeof=lambda found: found.positions.nbytes + 200 * found.length
        )
        self._indexes: LRUCache[Hashable, Index] = LRUCache(
            index_bytes, getsizeof=lambda index: index.nbytes
        )
        self._building = threading.Lock()
        # A dataset that was opened again has another table. What is cached of the places holds a
        # number for it, so that a table is freed with its dataset, however long its answers are cached.
        self._numbers: WeakKeyDictionary[Tokens, int] = WeakKeyDictionary()
        self._n_tables = 0
        self._numbering = threading.Lock()

    def find(self, dataset: Dataset, text: str, *, match_case: bool = False) -> Found:
        """Return every place of a phrase in a dataset.

        Raises
        ------
        SearchError
            The query cannot be read. That nothing is found is an answer with its `reason`.
        """
        patterns = parse(text)
        key = (self._number(dataset.token_table), patterns, match_case)
        with self._lock:
            found = self._places.get(key)
        if found is None:
            found = find(self._index(dataset, match_case), patterns)
            self._keep(self._places, key, found)
        return found

    def _number(self, tokens: Tokens) -> int:
        with self._numbering:
            self._n_tables += tokens not in self._numbers
            return self._numbers.setdefault(tokens, self._n_tables)

    def _index(self, dataset: Dataset, match_case: bool) -> Index:
        tokens = dataset.token_table
        key = (tokens, match_case)
        with self._lock:
            index = self._indexes.get(key)
        if index is not None:
            return index
        with self._building:  # several first searches at once build it once
            with self._lock:
                index = self._indexes.get(key)
            if index is None:
                index = Index.of(tokens, dataset.sequences.offsets, match_case=match_case)
                self._keep(self._indexes, key, index)
            return index

    def _keep(self, cache: LRUCache[Hashable, _Value], key: Hashable, value: _Value) -> None:
        with self._lock, contextlib.suppress(ValueError):  # larger than the whole cache
            cache.setdefault(key, value)


def hits(
    dataset: Dataset, found: Found, *, offset: int = 0, top: int = 20, context: int = 6
) -> tuple[Hit, ...]:
    """Return one page of places with their words.

    Parameters
    ----------
    dataset
        The one that was searched.
    found
        Its places.
    offset, top
        How many places to skip, and how many to return at most; 0 or more.
    context
        Words on either side; fewer where the sequence begins or ends.
    """
    page = []
    for start in found.positions[offset : offset + top].tolist():
        first, last = dataset.sequences.bounds(start)
        stop = start + found.length
        low, high = max(first, start - context), min(last, stop + context)
        words = tuple(dataset.tokens(low, high))
        page.append(
            Hit(
                start=start,
                stop=stop,
                sequence=dataset.sequences.id(start),
                before=words[: start - low],
                tokens=words[start - low : stop - low],
                after=words[stop - low :],
            )
        )
    return tuple(page)
