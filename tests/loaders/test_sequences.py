"""Sequences: the ranges of steps without a reset."""

from __future__ import annotations

import numpy as np
import pytest

from loaders.sequences import Sequences, one_sequence


@pytest.mark.parametrize(
    ("start", "stop", "expected"),
    [
        (0, 10, [(0, 4, "a"), (4, 9, "b"), (9, 10, "c")]),
        (3, 5, [(0, 4, "a"), (4, 9, "b")]),
        (4, 9, [(4, 9, "b")]),
        (9, 10, [(9, 10, "c")]),
        (5, 5, []),
    ],
)
def test_the_sequences_that_touch_a_range(
    start: int, stop: int, expected: list[tuple[int, int, str]]
) -> None:
    sequences = Sequences(np.array([0, 4, 9, 10]), ("a", "b", "c"))
    assert list(sequences.touching(start, stop)) == expected


def test_without_ids_there_is_one_sequence() -> None:
    assert list(one_sequence(7).touching(2, 3)) == [(0, 7, None)]
