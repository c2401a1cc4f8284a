"""What the chord model reads: chords as codes, which songs it has never seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from demos.chords.symbols import QUALITIES, SYMBOLS, parse

SONGS: Final = Path(__file__).with_name("chorales.txt")
WEIGHTS: Final = Path(__file__).with_name("weights.npz")
UNKNOWN_CODE: Final = len(SYMBOLS)
"""Of a token that is no chord the model knows; it is read, but never predicted."""


def codes(chords: Sequence[str]) -> NDArray[np.int64]:
    """`(n_chords,)` codes; `UNKNOWN_CODE` for what `symbols.parse` does not know."""
    code_of = {symbol: code for code, symbol in enumerate(SYMBOLS)}
    known = [parse(chord) for chord in chords]
    return np.array([UNKNOWN_CODE if one is None else code_of[one] for one in known], np.int64)


def transposed(song: NDArray[np.int64], half_tones: int) -> NDArray[np.int64]:
    """The same song so many half tones higher; what is unknown stays so."""
    moved = (song + half_tones * len(QUALITIES)) % len(SYMBOLS)
    return np.where(song == UNKNOWN_CODE, song, moved)


def is_held_out(number: int) -> bool:
    """Whether the song of that number in chorales.txt, from 0, was kept from the training."""
    return number % 10 == 5
