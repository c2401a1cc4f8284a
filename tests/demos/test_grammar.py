"""The parenthesis language: its texts, their frequencies, and how well they can be predicted."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demos.parens import grammar

seeds = st.integers(0, 2**32 - 1)


def text_of(seed: int, n_steps: int = 300) -> str:
    return grammar.text(grammar.generate(n_steps, np.random.default_rng(seed)))


@given(seeds)
def test_a_text_never_closes_what_is_not_open_nor_goes_deeper_than_four(seed: int) -> None:
    depth = 0
    for character in text_of(seed):
        depth += {"(": 1, ")": -1}.get(character, 0)
        assert 0 <= depth <= 4


@given(seeds)
def test_a_digit_is_its_level(seed: int) -> None:
    text = text_of(seed)
    for step, character in enumerate(text):
        if character.isdigit():
            before = text[:step]
            assert int(character) == before.count("(") - before.count(")")


@given(seeds)
def test_the_level_of_a_step_is_the_one_after_reading_it(seed: int) -> None:
    text = text_of(seed)
    after = grammar.levels(grammar.encode(text))
    before = grammar.levels_before(grammar.encode(text))
    for step in range(len(text)):
        assert after[step] == text[: step + 1].count("(") - text[: step + 1].count(")")
        assert before[step] == text[:step].count("(") - text[:step].count(")")


def test_a_parenthesis_belongs_to_the_level_it_leads_to() -> None:
    codes = grammar.encode("0(1((3(4)3")
    assert grammar.levels(codes).tolist() == [0, 1, 1, 2, 3, 3, 4, 4, 3, 3]
    assert grammar.levels_before(codes).tolist() == [0, 0, 1, 1, 2, 3, 3, 4, 4, 3]


def test_an_empty_text_has_no_levels() -> None:
    nothing = grammar.generate(0, np.random.default_rng(1))
    assert len(nothing) == len(grammar.levels(nothing)) == len(grammar.levels_before(nothing)) == 0
    assert grammar.text(nothing) == ""


@given(seeds)
def test_encoding_a_text_is_reversible(seed: int) -> None:
    text = text_of(seed)
    assert grammar.text(grammar.encode(text)) == text


def test_the_same_seed_gives_the_same_text_and_another_seed_another() -> None:
    assert text_of(3) == text_of(3)
    assert text_of(3) != text_of(4)


def test_a_character_outside_the_alphabet_is_refused() -> None:
    with pytest.raises(ValueError, match="found 5, x"):
        grammar.encode("(x15)")


@pytest.mark.parametrize("level", [-1, 5])
def test_there_are_no_other_levels(level: int) -> None:
    with pytest.raises(ValueError, match="0 to 4"):
        grammar.next_distribution(level)


@pytest.mark.parametrize("level", range(5))
def test_characters_are_as_frequent_as_in_the_distribution(level: int) -> None:
    codes = grammar.generate(40_000, np.random.default_rng(5))
    here = codes[grammar.levels_before(codes) == level]
    shares = np.bincount(here, minlength=7) / len(here)
    chances = grammar.next_distribution(level)
    assert chances.sum() == 1
    assert chances[2 + level] == 0.5
    # Five standard errors.
    assert np.abs(shares - chances).max() < 5 * 0.5 / math.sqrt(len(here))
    assert not shares[chances == 0].any()


def test_levels_are_visited_as_often_as_the_stationary_shares() -> None:
    assert np.allclose(grammar.stationary_levels(), np.array([1, 2, 2, 2, 1]) / 8)
    levels = grammar.levels(grammar.generate(100_000, np.random.default_rng(6)))
    shares = np.bincount(levels, minlength=5) / len(levels)
    assert np.abs(shares - grammar.stationary_levels()).max() < 0.02


def test_the_entropy_floor_is_the_textbook_value() -> None:
    # At both ends one of two characters with 1/2 each; between them 1/2, 1/4, 1/4.
    by_hand = 0.25 * math.log(2) + 0.75 * (0.5 * math.log(2) + 0.5 * math.log(4))
    assert grammar.entropy_floor() == pytest.approx(by_hand, abs=1e-12)
    assert grammar.entropy_floor() == pytest.approx(0.953, abs=0.0005)


def test_the_surprisal_of_a_long_text_under_its_own_grammar_is_the_floor() -> None:
    codes = grammar.generate(100_000, np.random.default_rng(7))
    surprisal = grammar.true_surprisal(codes)
    assert surprisal.mean() == pytest.approx(grammar.entropy_floor(), abs=0.005)
    assert set(np.round(surprisal / math.log(2), 9)) == {1.0, 2.0}


def test_a_text_that_breaks_the_rules_is_infinitely_surprising() -> None:
    for broken in ("1", ")", "((((("):
        assert np.isinf(grammar.true_surprisal(grammar.encode(broken))).any()


def test_the_floor_is_below_what_fewer_characters_of_memory_allow() -> None:
    """The floor requires the level: the loss from the last two characters alone is higher."""
    text = text_of(8, 50_000)
    pairs: dict[str, list[int]] = {}
    for first, second, third in zip(text, text[1:], text[2:], strict=False):
        pairs.setdefault(first + second, [0] * 7)[grammar.ALPHABET.index(third)] += 1
    loss = 0.0
    for counts in pairs.values():
        total = sum(counts)
        loss -= sum(count * math.log(count / total) for count in counts if count)
    assert loss / (len(text) - 2) > grammar.entropy_floor() + 0.05
    assert len(list(itertools.chain(pairs))) <= 49
