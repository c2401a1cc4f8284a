"""Section 6.3 of the paper: single states mark parts of a song (docs/tutorial/chords.md)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.findings import progressions
from tests.findings.corpus import Corpus

SOURCE = "layer2_hidden"


def test_a_single_state_stays_on_for_long_on_songs_it_was_not_chosen_on(
    demo_corpus: Callable[[str], Corpus],
) -> None:
    found = progressions.long_runs(demo_corpus("chords"), SOURCE)
    assert found.mean >= 10
    assert found.longest >= 27
    # A state that is always on would have long runs, but no meaning.
    assert found.share < 0.8
    assert found.mean > 5 * found.by_chance
    assert found.mean > 3 * found.middle


def test_a_single_state_follows_the_key_signature(demo_corpus: Callable[[str], Corpus]) -> None:
    found = progressions.key_state(demo_corpus("chords"), SOURCE)
    assert abs(found.held_out) >= 0.6
    assert found.chosen_on * found.held_out > 0


def test_runs_end_with_their_song() -> None:
    on = np.array([1, 1, 0, 1, 1, 1, 0, 0, 1], bool)
    song = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1])
    assert progressions.runs(on, song).tolist() == [2, 1, 2, 1]
    assert progressions.runs(np.zeros(3, bool), np.zeros(3, int)).tolist() == []
