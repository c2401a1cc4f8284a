"""Section 6.2 of the paper: brushing phrases of held-out English finds phrases of the same kind.

docs/tutorial/noun-phrases.md and docs/tutorial/open-verb-phrases.md.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.findings import phrases
from tests.findings.corpus import Corpus

BRUSHES = 150


@pytest.mark.parametrize("source", ["layer1_hidden", "layer2_hidden"])
def test_closed_noun_phrases_find_noun_phrases_four_times_as_often_as_chance(
    demo_corpus: Callable[[str], Corpus], source: str
) -> None:
    found = phrases.closed_noun_phrases(demo_corpus("english"), source, BRUSHES)
    assert found.brushes == BRUSHES
    assert found.empty < 0.25 * BRUSHES
    assert found.ratio >= 4
    assert found.share > 0.25


@pytest.mark.parametrize("source", ["layer1_hidden", "layer2_hidden"])
def test_open_verb_phrases_find_beginnings_of_verb_phrases(
    demo_corpus: Callable[[str], Corpus], source: str
) -> None:
    found = phrases.open_verb_phrases(demo_corpus("english"), source, BRUSHES)
    assert found.empty < 0.25 * BRUSHES
    assert found.ratio >= 2.5
    assert found.interval[0] > 2


def test_a_closed_brush_selects_states_that_come_on_and_go_off_with_the_phrase(
    demo_corpus: Callable[[str], Corpus],
) -> None:
    """The limits matter: without them the same brushes find fewer whole noun phrases."""
    corpus = demo_corpus("english")
    noun_phrases = set(corpus.phrases("NP"))
    candidates = corpus.phrases("NP", phrases.SHORTEST, phrases.LONGEST)
    shares: dict[int, list[float]] = {0: [], 1: []}
    for start, stop in candidates[:: len(candidates) // 60]:
        for limit, found in shares.items():
            result = corpus.match(
                "layer2_hidden",
                start=start,
                stop=stop,
                threshold=phrases.THRESHOLD,
                off_before=limit,
                off_after=limit,
            )
            places = [m for m in result.matches if m.stop <= start or m.start >= stop]
            if places:
                found.append(float(np.mean([(m.start, m.stop) in noun_phrases for m in places])))
    assert np.mean(shares[1]) > 1.1 * np.mean(shares[0])


def test_a_random_range_never_crosses_a_boundary(
    demo_corpus: Callable[[str], Corpus],
) -> None:
    corpus = demo_corpus("english")
    rng = np.random.default_rng(0)
    for _ in range(2_000):
        start, stop = corpus.random_range(5, rng)
        assert stop - start == 5
        assert not any(start < edge < stop for edge in corpus.offsets.tolist())
