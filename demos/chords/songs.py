"""Songs as text, one per line: the input of the chord demo, and of other songs.

    title<TAB>key<TAB>chords          BWV 269<TAB>G major<TAB>G | G D Em^ | ...
    title<TAB>chords
    chords

Chords are separated by spaces. `|` precedes the first beat of a bar, `^` follows a chord that ends a
phrase; both are optional. Empty lines and lines that begin with `#` are skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from demos.chords import symbols

BAR: Final = "|"
PHRASE_END: Final = "^"
KEY: Final = re.compile(r"([A-Ga-g])(#|b|♯|♭)?\s*(major|minor|maj|min|m|M)?")


class SongError(ValueError):
    """A file contains no songs, or an invalid line; `str(error)` is one plain sentence."""


@dataclass(frozen=True, slots=True)
class Key:
    """The pitch class of the tonic, 0 to 11, and whether the key is major."""

    tonic: int
    major: bool

    @property
    def name(self) -> str:
        """The name, for example `F# minor`."""
        return f"{symbols.ROOTS[self.tonic]} {'major' if self.major else 'minor'}"

    @property
    def sharps(self) -> int:
        """The sharps in the key signature, negative for flats, from -5 (Db major) to 6 (F# major)."""
        relative = self.tonic if self.major else (self.tonic + 3) % 12
        return (relative * 7 + 5) % 12 - 5


@dataclass(frozen=True, slots=True)
class Song:
    """One song; all tuples have one item per chord.

    `chords` are as written in the file; `phrase_ends` is whether a phrase ends with the chord; `beats`
    is its beat in the bar, from 1 (0 before the first bar line), or None without bar lines.
    """

    title: str
    key: Key | None
    chords: tuple[str, ...]
    phrase_ends: tuple[bool, ...]
    beats: tuple[int, ...] | None


def parse_key(text: str) -> Key | None:
    """Read `G major`, `f# minor`, `Bbm`, `C`; None if it is not a key. A lower-case letter alone is minor."""
    fit = KEY.fullmatch(text.strip())
    if fit is None:
        return None
    letter, accidental, mode = fit.groups()
    chord = symbols.parse(letter.upper() + (accidental or ""))
    assert chord is not None
    minor = mode in ("minor", "min", "m") or (mode is None and letter.islower())
    return Key(symbols.ROOTS.index(chord), not minor)


def parse(lines: Iterable[str], name: str) -> Iterator[Song]:
    """Read songs.

    Parameters
    ----------
    lines
        The lines of a text file.
    name
        The name of the file, for messages.

    Raises
    ------
    SongError
        A line with more than three fields, an invalid key, or a song without chords.
    """
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\r\n")
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        *head, body = text.split("\t")
        where = f"{name}, line {number}"
        if len(head) > 2:
            raise SongError(
                f"{where}: expected at most title, key and chords, separated by tabs, found "
                f"{len(head) + 1} fields; separate the chords by spaces."
            )
        key = parse_key(head[1]) if len(head) == 2 and head[1].strip() else None
        if key is None and len(head) == 2 and head[1].strip():
            raise SongError(
                f"{where}: expected a key such as G major or F# minor as the second field, "
                f"found {head[1]!r}; leave the field empty if there is none."
            )
        title = head[0].strip() if head else ""
        yield _song(title or f"song {number}", key, body, where)


def _song(title: str, key: Key | None, body: str, where: str) -> Song:
    chords: list[str] = []
    ends: list[bool] = []
    beats: list[int] = []
    beat, bars = 0, False
    for token in body.replace(BAR, f" {BAR} ").split():
        if token == BAR:
            beat, bars = 1, True
            continue
        chord = token.removesuffix(PHRASE_END)
        if not chord:
            raise SongError(
                f"{where}: {PHRASE_END} does not follow a chord; write it right after one."
            )
        chords.append(chord)
        ends.append(token != chord)
        beats.append(beat)
        beat += bars
    if not chords:
        raise SongError(
            f"{where}: the song {title!r} has no chords; write some, or remove the line."
        )
    return Song(title, key, tuple(chords), tuple(ends), tuple(beats) if bars else None)


def line(song: Song) -> str:
    """Return the song as a line of a file, without line end; the inverse of `parse`."""
    words = []
    for i, (chord, end) in enumerate(zip(song.chords, song.phrase_ends, strict=True)):
        if song.beats is not None and song.beats[i] == 1:
            words.append(BAR)
        words.append(chord + PHRASE_END * end)
    return "\t".join([song.title, song.key.name if song.key else "", " ".join(words)])
