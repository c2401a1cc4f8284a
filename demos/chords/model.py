"""The input of the chord model: chords as codes, and which songs were held out."""

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
"""The code of an unknown token, which is read but never predicted."""


def codes(chords: Sequence[str]) -> NDArray[np.int64]:
    """Return `(n_chords,)` codes; `UNKNOWN_CODE` for chords that `symbols.parse` does not know."""
    code_of = {symbol: code for code, symbol in enumerate(SYMBOLS)}
    known = [parse(chord) for chord in chords]
    return np.array([UNKNOWN_CODE if one is None else code_of[one] for one in known], np.int64)


def transposed(song: NDArray[np.int64], semitones: int) -> NDArray[np.int64]:
    """Return the song transposed up by some semitones; unknown chords stay unknown."""
    moved = (song + semitones * len(QUALITIES)) % len(SYMBOLS)
    return np.where(song == UNKNOWN_CODE, song, moved)


def is_held_out(number: int) -> bool:
    """Whether a song in chorales.txt, numbered from 0, was held out from the training."""
    return number % 10 == 5
