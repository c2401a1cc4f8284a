"""Chord symbols: the 120 that the model knows, and the meaning of other spellings.

A symbol is one of twelve roots and one of ten qualities: C, Cm, Cdim, Caug, Csus4, C7, Cm7, Cmaj7,
Cm7b5, Cdim7. Roots are spelled in the usual way: C Db D Eb E F F# G Ab A Bb B.
"""

from __future__ import annotations

import re
from typing import Final

ROOTS: Final = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
"""Roots by pitch class, 0 to 11."""

QUALITIES: Final = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "dim": (0, 3, 6),
    "aug": (0, 4, 8),
    "sus4": (0, 5, 7),
    "7": (0, 4, 7, 10),
    "m7": (0, 3, 7, 10),
    "maj7": (0, 4, 7, 11),
    "m7b5": (0, 3, 6, 10),
    "dim7": (0, 3, 6, 9),
}
"""Suffix -> the notes above the root, in semitones."""

KIND: Final = {
    "": "major",
    "m": "minor",
    "dim": "diminished",
    "aug": "augmented",
    "sus4": "suspended",
    "7": "seventh",
    "m7": "minor seventh",
    "maj7": "major seventh",
    "m7b5": "half-diminished",
    "dim7": "diminished seventh",
}

SYMBOLS: Final = tuple(root + quality for root in ROOTS for quality in QUALITIES)
"""Symbol `i` has the code `i`; transposing by a semitone adds `len(QUALITIES)`, modulo all."""

UNKNOWN: Final = "?"
"""How the model reads all other tokens; its code follows those of `SYMBOLS`."""

LETTERS: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
SPELLED: Final = re.compile(r"([A-G])((?:#|b|♯|♭)?)([^/]*)(?:/[A-G](?:#|b|♯|♭)?)?")

# Other spellings of qualities, in lower case except the M of a major seventh. An extension that includes
# the seventh is read as the seventh chord, an added note is dropped, and a second that replaces the
# third is read like a fourth that does.
SPELLINGS: Final = {
    "": ("", "maj", "major", "M", "5", "6", "69", "add9", "add2", "2"),
    "m": ("m", "min", "mi", "minor", "-", "m6", "min6", "madd9", "-6"),
    "dim": ("dim", "°", "o", "mb5"),
    "aug": ("aug", "+", "#5"),
    "sus4": ("sus4", "sus", "sus2", "7sus4", "7sus", "9sus4"),
    "7": ("7", "9", "11", "13", "dom7", "7b9", "7#9", "7b5", "7#5", "aug7", "+7", "7#11"),
    "m7": ("m7", "min7", "mi7", "-7", "m9", "min9", "m11", "-9"),
    "maj7": ("maj7", "M7", "Δ", "Δ7", "ma7", "maj9", "M9", "^7", "major7"),
    "m7b5": ("m7b5", "min7b5", "-7b5", "ø", "ø7", "hdim7", "m7-5"),
    "dim7": ("dim7", "°7", "o7"),
}
QUALITY_OF: Final = {
    spelling: quality for quality, spellings in SPELLINGS.items() for spelling in spellings
}


def parse(token: str) -> str | None:
    """Return the symbol for a token, or None if the model does not know the chord.

    Lead-sheet spellings are understood (`F#-7`, `Bbmaj9`, `A♭M7`, `C#°`, `Bø`); enharmonic roots are the
    same, and a bass note after a slash is dropped.
    """
    fit = SPELLED.fullmatch(token.strip())
    if fit is None:
        return None
    letter, accidental, rest = fit.groups()
    shift = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}[accidental]
    rest = rest.replace("♭", "b").replace("♯", "#").replace("(", "").replace(")", "")
    quality = QUALITY_OF.get(rest, QUALITY_OF.get(rest.lower()))
    if quality is None:
        return None
    return ROOTS[(LETTERS[letter] + shift) % 12] + quality


def split(symbol: str) -> tuple[int, str]:
    """Return the pitch class of the root and the quality of one of `SYMBOLS`."""
    number, quality = divmod(SYMBOLS.index(symbol), len(QUALITIES))
    return number, tuple(QUALITIES)[quality]
