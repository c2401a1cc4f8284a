r"""Search for a phrase: every place where some tokens occur in a row within one sequence.

A query has one pattern per token, separated by blanks:

- ``word``: the whole token, ignoring case unless `match_case` is set;
- ``word*``: tokens that begin with it (a star alone is the word ``*``);
- ``/regex/``: a regular expression for the whole token. Uses RE2, whose running time is linear in the
  length of the text, so that no expression can hang. ``\/`` is a slash inside the expression;
- ``"a b"``: the token between the quotes, including blanks and other characters; ``"a b"*`` matches
  its beginning.

A quote or slash that is not closed at the end of a word is an ordinary character: ``"`` finds the token
``"``, and ``/usr/bin`` is an ordinary word.

Ignoring case means comparing after Unicode case folding (ß and ss, Σ and ς) and composition (é as one
character or two). Regular expressions use RE2's simpler folding, character by character.
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

#: Phrases with more words or characters are refused.
MOST_PHRASE_WORDS, MOST_PHRASE_LETTERS = 50, 5_000

_PART = re.compile(
    r'"(?P<quoted>[^"]*)"(?P<star>\*?)(?!\S)|/(?P<regex>(?:[^/\\]|\\.)+)/(?!\S)|(?P<word>\S+)',
    re.DOTALL,
)
# Steps processed together: their codes stay in the processor cache.
_BLOCK = 1 << 18
# Up to this many codes are compared one by one; more are looked up in a table.
_FEW_CODES = 4
# Below this share of remaining places, single places are checked instead of whole blocks.
_SPARSE = 16

_Value = TypeVar("_Value")
Positions = NDArray[np.int64]
Codes = NDArray[np.int32]


class SearchError(ValueError):
    """An invalid query; str(error) is one plain sentence for a person."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What one token must match: the pattern as written, its kind, and the text to compare with."""

    written: str
    kind: Literal["whole", "prefix", "regex"]
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Every place where a phrase occurs.

    Attributes
    ----------
    patterns
        One per token; a place p is the half-open range [p, p + length).
    positions
        int64 `(total,)`, ascending: the first step of each place; read-only.
    reason
        Why there are none, one plain sentence; None if there are some.
    """

    patterns: tuple[Pattern, ...]
    positions: Positions
    reason: str | None

    @property
    def length(self) -> int:
        """The number of tokens of a place."""
        return len(self.patterns)

    @property
    def total(self) -> int:
        """The number of places."""
        return int(self.positions.size)

    def index_from(self, step: int) -> int:
        """Return the index of the first place at or after `step`; `total` if there is none."""
        return int(np.searchsorted(self.positions, step, side="left"))

    def next_after(self, step: int) -> int | None:
        """Return the first place that starts after `step`; None if there is none."""
        at = int(np.searchsorted(self.positions, step, side="right"))
        return int(self.positions[at]) if at < self.total else None

    def last_before(self, step: int) -> int | None:
        """Return the last place that starts before `step`; None if there is none."""
        at = self.index_from(step) - 1
        return int(self.positions[at]) if at >= 0 else None


@dataclass(frozen=True, slots=True)
class Hit:
    """One place with the words around it in its sequence.

    Attributes
    ----------
    start, stop
        The half-open range.
    sequence
        The id of the sequence; None if the data has no ids.
    before, tokens, after
        The words before, in and after the place.
    """

    start: int
    stop: int
    sequence: str | int | None
    before: tuple[str, ...]
    tokens: tuple[str, ...]
    after: tuple[str, ...]


def parse(text: str) -> tuple[Pattern, ...]:
    """Parse a query.

    Returns
    -------
    tuple of Pattern
        One per token, in order, 1 to `MOST_PHRASE_WORDS`.

    Raises
    ------
    SearchError
        It is empty or too long, or contains an invalid expression.
    """
    if len(text) > MOST_PHRASE_LETTERS:
        raise SearchError(
            f"The query has {len(text):,} characters; at most {MOST_PHRASE_LETTERS:,} are allowed; "
            "search for a shorter phrase."
        )
    try:
        text.encode()
    except UnicodeEncodeError:
        raise SearchError(
            "The query contains an incomplete character (a lone surrogate); write it again."
        ) from None
    patterns = tuple(_pattern(part) for part in _PART.finditer(text))
    if not patterns:
        raise SearchError("The query is empty; give one or more words separated by blanks.")
    if len(patterns) > MOST_PHRASE_WORDS:
        raise SearchError(
            f"The query has {len(patterns):,} words; at most {MOST_PHRASE_WORDS} are allowed."
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
    """Return the form of a text that is compared when case is ignored."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _matching(texts: pa.Array, pattern: Pattern, *, match_case: bool) -> NDArray[np.bool_]:
    """Return which texts fully match a regular expression; SearchError if it is invalid."""
    try:
        # Check it alone first: `a)(b` would be valid inside the brackets below.
        if len(texts) == 0:
            pc.match_substring_regex(pa.array([""]), pattern.text)
        found = pc.match_substring_regex(
            texts, rf"\A(?s:{pattern.text})\z", ignore_case=not match_case
        )
    except pa.ArrowInvalid as error:
        why = " ".join(str(error).removeprefix("Invalid regular expression: ").split())
        raise SearchError(
            f"{pattern.written} is not a valid regular expression ({why}); fix it, or "
            f'write it in quotes, "{pattern.written}", to search for it as a word.'
        ) from None
    result: NDArray[np.bool_] = found.to_numpy(zero_copy_only=False)
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """Index for searching a dataset: its distinct tokens in order, and distances to sequence ends.

    Attributes
    ----------
    tokens
        The tokens that were indexed.
    room
        uint8 `(n_steps,)`: the number of steps from each step to the end of its sequence, including
        itself, at most 255.
    match_case
        Whether `texts` are unchanged, or folded.
    texts
        Arrow array of strings, ascending.
    order
        int32: the code of each of `texts`.
    counts
        int64: the number of steps with each code.
    """

    tokens: Tokens
    room: NDArray[np.uint8]
    match_case: bool
    texts: pa.Array
    order: Codes
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, tokens: Tokens, offsets: Positions, *, match_case: bool) -> Index:
        """Build the index of some tokens: the only slow part of a search, done once.

        Parameters
        ----------
        tokens
            The tokens to search.
        offsets
            int64 `(n_sequences + 1,)`: the starts of the sequences, and the number of steps.
        match_case
            Whether case is significant.
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
        """The approximate memory used."""
        return int(self.texts.nbytes) + self.order.nbytes + self.counts.nbytes + self.room.nbytes

    def fitting(self, pattern: Pattern) -> Codes:
        """Return the codes of the tokens that match a pattern and occur in the text."""
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
    """Find every place of a phrase, starting with its rarest word. Places never cross a boundary.

    Parameters
    ----------
    index
        The index of the tokens to search.
    patterns
        1 to `MOST_PHRASE_WORDS`.

    Raises
    ------
    SearchError
        A regular expression is invalid.
    """
    codes = index.tokens.codes
    fitting = {pattern: index.fitting(pattern) for pattern in dict.fromkeys(patterns)}
    counts = {pattern: int(index.counts[some].sum()) for pattern, some in fitting.items()}
    for pattern, count in counts.items():
        if count == 0:
            return Found(patterns, _frozen(np.empty(0, np.int64)), _nowhere(pattern, index))
    rarest_first = sorted(range(len(patterns)), key=lambda k: counts[patterns[k]])
    looks = [k for k in rarest_first if counts[patterns[k]] < codes.size]  # the others always match
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
        reason = "Each of these words occurs, but they never occur in this order."
    return Found(patterns, _frozen(places), reason)


Member = Callable[[Codes], NDArray[np.bool_]]


def _member(wanted: Codes, n_codes: int) -> Member:
    """Return a function that tests codes for membership, the fastest for their number."""
    if wanted.size <= _FEW_CODES:
        few: list[int] = wanted.tolist()

        def is_one(codes: Codes) -> NDArray[np.bool_]:
            found: NDArray[np.bool_] = codes == few[0]
            for code in few[1:]:
                found |= codes == code
            return found

        return is_one
    table = np.zeros(n_codes, np.bool_)
    table[wanted] = True

    def is_in(codes: Codes) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = table.take(codes)
        return found

    return is_in


def _places_in(
    index: Index, members: list[tuple[int, Member]], steps: tuple[int, int], length: int
) -> Positions:
    """Return the steps in a half-open range from which every pattern matches."""
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
    """Return a sentence that no token matches a pattern."""
    shown = pattern.written if len(pattern.written) <= 80 else f"{pattern.written[:79]}…"
    case = " with this case" if index.match_case and pattern.kind != "regex" else ""
    return f"No token here matches {shown}{case}."


def _frozen(places: Positions) -> Positions:
    places = places.astype(np.int64, copy=False)
    places.flags.writeable = False
    return places


class SearchService:
    """Answers searches, with bounded caches. Thread-safe.

    Parameters
    ----------
    cache_bytes
        The size of the cache of places in bytes; the least recently used are evicted first. Larger
        results are returned but not cached.
    index_bytes
        The size of the cache of indexes, which are slow to build at the first search.
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
        # A dataset that was opened again has a new table. Cached places refer to tables by number, so that
        # they do not keep the table of a closed dataset in memory.
        self._numbers: WeakKeyDictionary[Tokens, int] = WeakKeyDictionary()
        self._n_tables = 0
        self._numbering = threading.Lock()

    def find(self, dataset: Dataset, text: str, *, match_case: bool = False) -> Found:
        """Return every place of a phrase in a dataset.

        Raises
        ------
        SearchError
            The query is invalid. Finding nothing is a result with a `reason`.
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
        with self._building:  # concurrent first searches build it once
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
