"""Phrase search against a literal twin, and what it says when there is nothing to find."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.phrases import MOST_PATTERNS, PAGE, PhraseError, PhraseService, find, parse, search_payload
from loaders import open_dataset
from loaders.sequences import Sequences
from loaders.tokens import Tokens
from loaders.writer import write_dataset


def dataset_of(tokens: list[str], lengths: list[int]) -> Any:
    """What the search needs of a dataset, without files."""
    words = sorted(set(tokens))
    codes = np.array([words.index(token) for token in tokens], dtype=np.int32)
    offsets = np.cumsum([0, *lengths]).astype(np.int64)
    return SimpleNamespace(
        token_table=Tokens(codes, pa.array(words, pa.string())),
        sequences=Sequences(offsets, None),
        fingerprint="00000000",
    )


def naive(
    tokens: list[str], lengths: list[int], phrase: list[tuple[str, str]], exact: bool
) -> list[int]:
    """Every start, written straight from the words of app/phrases.py."""

    def fits(token: str, kind: str, text: str) -> bool:
        if kind == "regex":
            return re.fullmatch(text, token, 0 if exact else re.IGNORECASE) is not None
        if not exact:
            token, text = token.lower(), text.lower()
        return token == text if kind == "whole" else token.startswith(text)

    found: list[int] = []
    start = 0
    for length in lengths:
        found += [
            step
            for step in range(start, start + length - len(phrase) + 1)
            if all(fits(tokens[step + k], *pattern) for k, pattern in enumerate(phrase))
        ]
        start += length
    return found


WORDS = ["the", "The", "then", "a", "A", "an", "b(", "x y", "4"]
PATTERNS = [
    ("whole", "the"), ("whole", "A"), ("whole", "4"), ("prefix", "t"), ("prefix", "A"),
    ("regex", "a|b\\("), ("regex", "t.*"), ("regex", "[0-9]"), ("whole", "x y"),
]  # fmt: skip


def written(kind: str, text: str) -> str:
    if kind == "regex":
        return f"/{text}/"
    if kind == "prefix":
        return f"{text}*"
    return f'"{text}"' if " " in text else text


@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=5).flatmap(
        lambda lengths: st.tuples(
            st.just(lengths),
            st.lists(st.sampled_from(WORDS), min_size=sum(lengths), max_size=sum(lengths)),
        )
    ),
    st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=4),
    st.booleans(),
)
@settings(max_examples=600, deadline=None)
def test_search_equals_the_literal_twin(
    text: tuple[list[int], list[str]], phrase: list[tuple[str, str]], exact: bool
) -> None:
    lengths, tokens = text
    dataset = dataset_of(tokens, lengths)
    asked = " ".join(written(*pattern) for pattern in phrase)
    nowhere = any(not naive(tokens, [1] * len(tokens), [pattern], exact) for pattern in phrase)
    if nowhere:
        with pytest.raises(PhraseError, match="No token here fits"):
            find(dataset, asked, exact=exact)
    else:
        assert find(dataset, asked, exact=exact).tolist() == naive(tokens, lengths, phrase, exact)


def test_patterns_are_read_as_written() -> None:
    kinds = [(p.kind, p.text) for p in parse('the "a b" run* /x\\/[yz]/ * " "')]
    assert kinds == [
        ("whole", "the"), ("whole", "a b"), ("prefix", "run"), ("regex", "x/[yz]"), ("whole", "*"),
        ("whole", " "),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("phrase", "word"),
    [
        ("", "Type a word"),
        ("   ", "Type a word"),
        ("/(/", "not a regular expression"),
        ("/[z-a]/", "not a regular expression"),
        ("/(a)\\1/", "not a regular expression"),
        ("the zebra", "No token here fits zebra"),
        ("w " * (MOST_PATTERNS + 1), "at most 50"),
    ],
)
def test_what_cannot_be_found_is_a_sentence(phrase: str, word: str) -> None:
    with pytest.raises(PhraseError, match=re.escape(word)) as caught:
        find(dataset_of(["the", "w"], [2]), phrase)
    assert "\n" not in str(caught.value)


def test_a_nested_expression_cannot_hang() -> None:
    tokens = ["a" * 4000 + "b", "c"]
    with pytest.raises(PhraseError, match="No token here fits"):
        find(dataset_of(tokens, [2]), "/(a+)+$/ c")


def test_the_answer_goes_round_and_stays_in_its_sequence(tmp_path: Path) -> None:
    tokens = ["x" if i % 10 == 3 else f"w{i % 7}" for i in range(200)]
    write_dataset(
        tmp_path / "d",
        tokens=tokens,
        sequences=[i // 50 for i in range(200)],
        states={"h": np.zeros((200, 1), np.float32) + np.arange(200)[:, None]},
    )
    dataset = open_dataset(tmp_path / "d", tmp_path / "cache")
    service = PhraseService()

    def ask(way: str, step: int) -> dict[str, Any]:
        request = {"n": 1, "phrase": "X", "exact": False, "from": step, "way": way}
        return search_payload(service, dataset, request)

    answer = ask("here", 3)
    assert (answer["total"], answer["at"]) == (20, 0)
    assert len(answer["results"]) == PAGE
    assert ask("next", 3)["at"] == 1
    assert ask("back", 3)["at"] == 19, "before the first comes the last"
    assert ask("next", 193)["at"] == 0
    for result in ask("here", 40)["results"]:
        low, high = dataset.sequences.bounds(result["start"])
        start, stop = result["start"] - len(result["before"]), result["stop"] + len(result["after"])
        assert low <= start < stop <= high
        assert result["before"] + result["words"] + result["after"] == tokens[start:stop]


def test_recent_places_are_kept_within_their_bound() -> None:
    dataset = dataset_of(["a", "b"] * 500, [1000])
    service = PhraseService(cache_bytes=5000)
    first = service.places(dataset, "a")
    assert service.places(dataset, "a") is first
    service.places(dataset, "b")
    assert service.places(dataset, "a") is not first
