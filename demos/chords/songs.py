"""Songs as text, one a line: what the chord demo is built from, and what anybody can bring.

    title<TAB>key<TAB>chords          BWV 269<TAB>G major<TAB>G | G D Em^ | ...
    title<TAB>chords
    chords

Chords are parted by spaces. `|` stands before the first beat of a bar, `^` after a chord that ends a
phrase; both may be left out. An empty line, and one that begins with `#`, is no song.
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
    """A file holds no songs, or a line cannot be one; `str(error)` is one plain sentence."""


@dataclass(frozen=True, slots=True)
class Key:
    """Pitch class of the tonic, 0 to 11, and whether it is major."""

    tonic: int
    major: bool

    @property
    def name(self) -> str:
        """Such as `F# minor`."""
        return f"{symbols.ROOTS[self.tonic]} {'major' if self.major else 'minor'}"

    @property
    def sharps(self) -> int:
        """The sharps of its signature, flats below zero, from -5 (Db major) to 6 (F# major)."""
        relative = self.tonic if self.major else (self.tonic + 3) % 12
        return (relative * 7 + 5) % 12 - 5


@dataclass(frozen=True, slots=True)
class Song:
    """One song; the tuples are as long as its chords.

    `chords` as written in the file; `phrase_ends` whether a phrase ends with it; `beats` its place
    in its bar, from 1 (0 before the first bar line), or None where there are no bar lines.
    """

    title: str
    key: Key | None
    chords: tuple[str, ...]
    phrase_ends: tuple[bool, ...]
    beats: tuple[int, ...] | None


def parse_key(text: str) -> Key | None:
    """Read `G major`, `f# minor`, `Bbm`, `C`; None when it is none. A small letter alone is minor."""
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
        Of a text file.
    name
        Of the file, for messages.

    Raises
    ------
    SongError
        A line with more than three fields, a key that is none, a song without chords.
    """
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\r\n")
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        *head, body = text.split("\t")
        where = f"{name}, line {number}"
        if len(head) > 2:
            raise SongError(
                f"{where}: expected at most title, key and chords, parted by tabs, found "
                f"{len(head) + 1} fields; part the chords by spaces."
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
            raise SongError(f"{where}: {PHRASE_END} stands alone; write it right after a chord.")
        chords.append(chord)
        ends.append(token != chord)
        beats.append(beat)
        beat += bars
    if not chords:
        raise SongError(f"{where}: the song {title!r} has no chords; write some, or drop the line.")
    return Song(title, key, tuple(chords), tuple(ends), tuple(beats) if bars else None)


def line(song: Song) -> str:
    """The song as one line of such a file, without its end; `parse` reads the same song from it."""
    words = []
    for i, (chord, end) in enumerate(zip(song.chords, song.phrase_ends, strict=True)):
        if song.beats is not None and song.beats[i] == 1:
            words.append(BAR)
        words.append(chord + PHRASE_END * end)
    return "\t".join([song.title, song.key.name if song.key else "", " ".join(words)])
