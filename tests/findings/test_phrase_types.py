"""Fig. 7 of the paper: S1 of a phrase indicates its type (docs/tutorial/phrase-types.md)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from demos import lstm
from demos.english import build as english
from demos.english import excerpt
from tests.findings import phrase_types
from tests.findings.corpus import Corpus

SOURCE = "layer2_hidden"


@pytest.fixture(scope="module")
def untrained() -> list[np.ndarray]:
    """Return the same states of three untrained networks."""
    codes = english.encode(list(excerpt.read()))
    model = lstm.load(english.WEIGHTS)
    runs = [lstm.forward(phrase_types.untrained(model, seed), codes) for seed in range(3)]
    return [lstm.sources(run)[SOURCE] for run in runs]


@pytest.mark.parametrize("limits", [(True, False), (True, True)], ids=["left", "both"])
def test_two_components_separate_noun_phrases_from_verb_phrases(
    demo_corpus: Callable[[str], Corpus], untrained: list[np.ndarray], limits: tuple[bool, bool]
) -> None:
    corpus = demo_corpus("english")
    noun, verb = corpus.phrases("NP", 2), corpus.phrases("VP", 2)

    def several(on: np.ndarray) -> list[phrase_types.Projection]:
        return phrase_types.several(on, noun, verb, corpus.offsets, limits)

    trained = several(corpus.on(SOURCE, phrase_types.THRESHOLD))
    assert min(len(one.verb) for one in trained) > 500
    assert np.mean([one.two for one in trained]) >= 0.85
    assert np.mean([one.every for one in trained]) >= 0.85
    controls = [
        one.two
        for rows in untrained
        for one in several(rows.astype(float) >= phrase_types.THRESHOLD)
    ]
    assert np.mean(controls) < 0.65


def test_meaningless_patterns_are_classified_by_chance() -> None:
    rng = np.random.default_rng(1)
    on = rng.random((20_000, 30)) < 0.6
    places = [(start, start + 2) for start in range(1, 19_990, 5)]
    rng.shuffle(places)
    offsets = np.arange(0, 20_001, 500)
    found = phrase_types.project(on, places[:1500], places[1500:3000], offsets, (False, False))
    assert found.two == pytest.approx(0.5, abs=0.05)
    assert found.every == pytest.approx(0.5, abs=0.05)


def test_perfect_patterns_are_classified_correctly() -> None:
    on = np.zeros((20_000, 6), bool)
    places = [(start, start + 2) for start in range(1, 19_990, 5)]
    noun, verb = places[::2], places[1::2]
    for start, stop in verb:
        on[start:stop, 3] = True
    for start, stop in noun:
        on[start:stop, 5] = True
    found = phrase_types.project(on, noun, verb, np.arange(0, 20_001, 500), (True, True))
    assert found.two == found.every == 1
    assert found.empty == 0
