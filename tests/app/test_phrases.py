"""Phrase search, compared with a naive reference written from its description, and its error messages."""

from __future__ import annotations

import gc
import re
import threading
import unicodedata
import weakref
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import phrases as module
from app.phrases import (
    MOST_PHRASE_LETTERS,
    MOST_PHRASE_WORDS,
    Found,
    Index,
    Pattern,
    SearchError,
    SearchService,
    find,
    hits,
    parse,
)
from loaders.sequences import Sequences
from loaders.tokens import Tokens


def dataset_of(tokens: list[str], lengths: list[int] | None = None) -> Any:
    """The parts of a dataset needed by a search, without files; its vocabulary has unused entries."""
    words = sorted({*tokens, "unused", "Unused"}, key=lambda word: word[::-1])
    codes = np.array([words.index(token) for token in tokens], dtype=np.int32)
    offsets = np.cumsum([0, *(lengths or [len(tokens)])]).astype(np.int64)
    table = Tokens(codes, pa.array(words, pa.string()))
    return SimpleNamespace(
        token_table=table,
        tokens=table.texts,
        sequences=Sequences(offsets, tuple(f"q{i}" for i in range(len(offsets) - 1))),
    )


def places(dataset: Any, text: str, *, match_case: bool = False) -> list[int]:
    found = SearchService().find(dataset, text, match_case=match_case)
    assert (found.reason is None) == (found.total > 0)
    return found.positions.tolist()  # type: ignore[no-any-return]


def naive_places(
    tokens: list[str], lengths: list[int], patterns: tuple[Pattern, ...], match_case: bool
) -> list[int]:
    """Find every place, token by token."""

    def alike(text: str) -> str:
        return text if match_case else unicodedata.normalize("NFC", text).casefold()

    def fits(token: str, pattern: Pattern) -> bool:
        if pattern.kind == "regex":
            flags = re.DOTALL if match_case else re.DOTALL | re.IGNORECASE
            return re.fullmatch(pattern.text, token, flags) is not None
        if pattern.kind == "prefix":
            return alike(token).startswith(alike(pattern.text))
        return alike(token) == alike(pattern.text)

    found: list[int] = []
    start = 0
    for length in lengths:
        found += [
            step
            for step in range(start, start + length - len(patterns) + 1)
            if all(fits(tokens[step + k], pattern) for k, pattern in enumerate(patterns))
        ]
        start += length
    return found


WORDS = ["the", "The", "then", "a", "A", "an", "b(", "x y", "4", "", "ß", "SS", "Straße", "\n"]
QUERIES = ["the", "A", "4", "t*", "A*", r"/a|b\(/", "/t.*/", "/.*/", "/.+/", '"x y"', '""', "ss*"]


@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=6).flatmap(
        lambda lengths: st.tuples(
            st.just(lengths),
            st.lists(st.sampled_from(WORDS), min_size=sum(lengths), max_size=sum(lengths)),
        )
    ),
    st.lists(st.sampled_from(QUERIES), min_size=1, max_size=4),
    st.booleans(),
    st.sampled_from([1, 3, 1 << 18]),
    st.sampled_from([0, 1, 10**9]),
)
@settings(max_examples=500, deadline=None)
def test_search_equals_the_naive_reference(
    text: tuple[list[int], list[str]], asked: list[str], match_case: bool, block: int, sparse: int
) -> None:
    lengths, tokens = text
    dataset, patterns = dataset_of(tokens, lengths), parse(" ".join(asked))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK", block)  # many blocks, and both strategies in each
        patch.setattr(module, "_SPARSE", sparse)
        index = Index.of(dataset.token_table, dataset.sequences.offsets, match_case=match_case)
        found = find(index, patterns)
    assert found.positions.tolist() == naive_places(tokens, lengths, patterns, match_case)
    assert found.positions.dtype == np.int64
    assert (found.reason is None) == (found.total > 0)


def test_a_query_is_parsed_as_written() -> None:
    read = [
        (p.kind, p.text) for p in parse(r'the "a b" run* /x\/[y z]/ * "new y"* /usr/bin and/or')
    ]
    assert read == [
        ("whole", "the"),
        ("whole", "a b"),
        ("prefix", "run"),
        ("regex", r"x\/[y z]"),
        ("whole", "*"),
        ("prefix", "new y"),
        ("whole", "/usr/bin"),
        ("whole", "and/or"),
    ]


@pytest.mark.parametrize(
    "token", ['"', '"a', "/", "//", "/a", "*", "wo*rd", ".", "\\", "(", '"a"b']
)
def test_unclosed_quotes_and_slashes_are_ordinary_characters(token: str) -> None:
    assert places(dataset_of(["x", token, "y", "aXb"]), token) == [1]


def test_an_expression_must_match_the_whole_token() -> None:
    dataset = dataset_of(["cat", "cats", "concat", "a/b", "cat\n"])
    assert places(dataset, "/cat/") == [0]
    assert places(dataset, "/cat|s/") == [0]
    assert places(dataset, r"/a\/b/") == [3]
    assert places(dataset, "/cat.*/") == [0, 1, 4]
    assert places(dataset, "/CAT/", match_case=True) == []


@pytest.mark.parametrize(
    ("token", "query"),
    [
        ("Straße", "STRASSE"),
        ("STRASSE", "straße"),
        ("Σίσυφος", "σίσυφοσ"),
        ("caf\u00e9", "CAFE\u0301"),
        ("cafe\u0301", "CAF\u00c9"),
        ("\ufb01n", "FIN"),
        ("ЙОД", "йод"),
    ],
)
def test_case_is_ignored_in_every_script(token: str, query: str) -> None:
    dataset = dataset_of(["x", token])
    assert places(dataset, query) == [1]
    assert places(dataset, query, match_case=True) == []
    assert places(dataset, token, match_case=True) == [1]


def test_a_phrase_stays_inside_its_sequence() -> None:
    tokens = ["a", "b"] * 3
    assert places(dataset_of(tokens, [2, 2, 2]), "b a") == []
    assert places(dataset_of(tokens, [3, 3]), "a b") == [0, 4]  # step 2 is the last of its sequence
    assert places(dataset_of(tokens, [1, 1, 1, 1, 2]), "a b") == [4]
    assert places(dataset_of(["a"] * 300), "a " * MOST_PHRASE_WORDS) == list(range(251))


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("", "empty"),
        (" \t\n ", "empty"),
        ("w " * (MOST_PHRASE_WORDS + 1), "51 words; at most 50"),
        ("w" * (MOST_PHRASE_LETTERS + 1), "5,001 characters"),
        ("/(/", "/(/ is not a valid regular expression"),
        ("the /[z-a]/", "/[z-a]/ is not a valid regular expression"),
        (r"/(a)\1/", "not a valid regular expression"),
        ("/a)(b/", "not a valid regular expression"),
        ("/a{1001}/", "not a valid regular expression"),
        (r"/\Qa/", "not a valid regular expression"),
        ("(?=a) /(?=a)/", "not a valid regular expression"),
        ("\ud800", "surrogate"),
    ],
)
def test_the_error_for_an_invalid_query_is_one_sentence(query: str, says: str) -> None:
    with pytest.raises(SearchError, match=re.escape(says)) as caught:
        SearchService().find(dataset_of(["a", "b"]), query)
    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text


@pytest.mark.parametrize(
    ("query", "match_case", "says"),
    [
        ("the zebra a", False, "No token here matches zebra."),
        ("The zebra", True, "No token here matches The with this case."),
        ("unused", False, "No token here matches unused."),
        ("zeb*", False, "No token here matches zeb*."),
        ('"a  b"', False, 'No token here matches "a  b".'),
        ("/z+/", False, "No token here matches /z+/."),
        (
            "cat the",
            False,
            "Each of these words occurs, but they never occur in this order",
        ),
        ("the cat the cat", False, "Each of these words occurs"),
    ],
)
def test_an_empty_result_has_a_reason(query: str, match_case: bool, says: str) -> None:
    found = SearchService().find(dataset_of(["the", "cat"]), query, match_case=match_case)
    assert found.total == 0
    assert found.reason is not None
    assert found.reason.startswith(says)
    assert (found.next_after(0), found.last_before(9)) == (None, None)


def test_a_nested_expression_cannot_hang() -> None:
    assert places(dataset_of(["a" * 5000 + "b", "c"]), "/(a+)+$/ c") == []


def test_next_and_previous_from_any_step() -> None:
    found = Found(parse("a"), np.array([3, 7, 20]), None)
    assert [found.next_after(step) for step in (-1, 3, 6, 7, 20)] == [3, 7, 7, 20, None]
    assert [found.last_before(step) for step in (3, 4, 7, 99)] == [None, 3, 3, 20]
    assert [found.index_from(step) for step in (0, 3, 4, 21)] == [0, 0, 1, 3]


def test_a_page_shows_words_of_the_same_sequence() -> None:
    tokens = [f"w{i}" for i in range(10)] + ["x", "y"] + [f"v{i}" for i in range(8)]
    dataset = dataset_of(tokens * 2, [11, 9, 11, 9])
    found = SearchService().find(dataset, "/[vw]0/")
    assert found.positions.tolist() == [0, 12, 20, 32]
    (hit,) = hits(dataset, found, offset=1, top=1, context=3)
    assert (hit.start, hit.stop, hit.sequence) == (12, 13, "q1")
    assert (hit.before, hit.tokens, hit.after) == (("y",), ("v0",), ("v1", "v2", "v3"))
    assert hits(dataset, found, offset=4) == ()
    assert [h.start for h in hits(dataset, found, offset=2, top=5, context=0)] == [20, 32]


def test_the_cache_of_answers_is_bounded() -> None:
    dataset = dataset_of(["a", "b"] * 500)
    service = SearchService(cache_bytes=5000)
    first = service.find(dataset, "a")
    assert service.find(dataset, " a ") is first
    assert service.find(dataset, "a", match_case=True) is not first
    assert service.find(dataset, "a") is not first
    large = service.find(dataset, "/a|b/")
    assert large.total == 1000
    assert service.find(dataset, "/a|b/") is not large
    with pytest.raises(ValueError, match="read-only"):
        first.positions[0] = 1


def test_cached_answers_do_not_keep_a_closed_dataset_in_memory() -> None:
    service, dataset = SearchService(index_bytes=0), dataset_of(["a", "b"])
    assert service.find(dataset, "a").total == 1
    table = weakref.ref(dataset.token_table)
    del dataset
    gc.collect()
    assert table() is None
    assert service.find(dataset_of(["b", "a"]), "a").positions.tolist() == [1]


def test_two_datasets_never_share_an_answer() -> None:
    service = SearchService()
    one, two = dataset_of(["a", "b"]), dataset_of(["b", "a"])
    assert service.find(one, "a").positions.tolist() == [0]
    assert service.find(two, "a").positions.tolist() == [1]


def test_many_threads_get_one_answer() -> None:
    rng = np.random.default_rng(3)
    tokens = [f"w{i}" for i in rng.integers(0, 30, 3000)]
    dataset, service = dataset_of(tokens), SearchService(cache_bytes=2000)
    expected = {q: places(dataset, q) for q in ("w1 w2", "w3", "w1*", "/w[12]/ w3")}
    wrong: list[str] = []

    def ask(seed: int) -> None:
        for query in np.random.default_rng(seed).permutation(list(expected) * 10).tolist():
            found = service.find(dataset, query).positions.tolist()
            wrong.extend([query] if found != expected[query] else [])

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
