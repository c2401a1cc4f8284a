"""Make chorales.txt: Bach's chorales with one chord per beat.

    python -m demos.chords.chorales music21-10.5.1-py3-none-any.whl

reads the MusicXML files included in the Python package music21 (`pip download --no-deps
music21==10.5.1`; it is read as an archive and not installed). The music is by Johann Sebastian Bach
(1685-1750); of each score only the names of the chords on the beats, the bars, the phrase ends
(fermatas) and the key are used.

The chord of a beat is the one whose notes agree best with the notes that sound during it, weighted by
duration; among equals, the one whose root is in the bass.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import click
import numpy as np
from numpy.typing import NDArray

from demos.chords import songs, symbols
from demos.chords.songs import Key, Song

FOLDER = "music21/corpus/bach/"
HEADER = """\
# Chorales harmonized by Johann Sebastian Bach, one per line: title, key, one chord per beat.
# | begins a bar, ^ ends a phrase (a fermata in the score). The chord names were derived from the
# scores included in music21 10.5.1 (encoded by Margaret Greentree, used by permission) by
# demos/chords/chorales.py; see NOTICE.md.
"""
STRANGE = 0.6
"""The penalty for a sounding note that is not in the chord."""
MISSING = 0.25
"""The penalty for a note of the chord that does not sound."""
ROOT_IN_BASS = 0.12
FEWEST_PARTS = 4
FEWEST_BEATS = 16


@dataclass(frozen=True, slots=True)
class Note:
    """A note: its time, in quarter notes from the start, and its pitch in semitones."""

    start: Fraction
    stop: Fraction
    pitch: int
    fermata: bool


@dataclass(frozen=True, slots=True)
class Score:
    """The parts of a score that are used.

    `bars` are the times of bar lines; `beat` is the length of a beat; `sharps` is the initial key
    signature, negative for flats; `minor` is whether the score says that the key is minor.
    """

    notes: tuple[Note, ...]
    bars: tuple[Fraction, ...]
    beat: Fraction
    sharps: int
    minor: bool


@click.command()
@click.argument("wheel", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path(__file__).with_name("chorales.txt"),
    help="The file to write.  [default: chorales.txt next to this script]",
)
def main(wheel: Path, out: Path) -> None:
    """Read the chorales in the music21 WHEEL and write them with one song per line."""
    with zipfile.ZipFile(wheel) as archive:
        found = [song for song in (chorale(*score) for score in scores(archive)) if song]
    text = HEADER + "".join(f"{songs.line(song)}\n" for song in found)
    out.write_text(text, encoding="utf-8")
    n_chords = sum(len(song.chords) for song in found)
    click.echo(f"{out}: {len(found)} chorales, {n_chords} chords")


def scores(archive: zipfile.ZipFile) -> Iterator[tuple[str, ElementTree.Element]]:
    """Title and MusicXML of every chorale in the wheel, in the order of the catalogue."""
    names = [n for n in archive.namelist() if n.startswith(f"{FOLDER}bwv") and n.endswith(".mxl")]

    def order(name: str) -> list[tuple[int, str]]:
        parts = name.removeprefix(f"{FOLDER}bwv").removesuffix(".mxl").replace("-", ".").split(".")
        return [(int(part), "") if part.isdigit() else (0, part) for part in parts]

    for name in sorted(names, key=order):
        with zipfile.ZipFile(io.BytesIO(archive.read(name))) as inner:
            files = [n for n in inner.namelist() if n.endswith(("xml",)) and "META-INF" not in n]
            # From a pinned release of a package, not from untrusted input.
            root = ElementTree.fromstring(inner.read(files[0]))  # noqa: S314
        yield f"BWV {name.removeprefix(f'{FOLDER}bwv').removesuffix('.mxl')}", root


def chorale(title: str, root: ElementTree.Element) -> Song | None:
    """Return the chorale in a score; None if it has too few voices, no phrase ends or is too short."""
    if len(root.findall("part")) < FEWEST_PARTS:
        return None
    score = read(root)
    end = max((note.stop for note in score.notes), default=Fraction(0))
    chords, ends, beats = [], [], []
    time = Fraction(0)
    while time < end:
        stop = time + score.beat
        sounding = [note for note in score.notes if note.start < stop and note.stop > time]
        if sounding:
            chords.append(chord(sounding, time, stop))
            # A phrase ends on the last beat of its last note.
            ends.append(any(n.fermata and time < n.stop <= stop for n in sounding))
            bar = max((start for start in score.bars if start <= time), default=Fraction(0))
            first = score.bars[1] if len(score.bars) > 1 else end
            beat = int((time - bar) / score.beat) + 1
            # An upbeat: the first bar is shorter than the others.
            upbeat = bar == 0 and len(score.bars) > 2 and first < score.bars[2] - score.bars[1]
            beats.append(0 if upbeat else beat)
        time = stop
    if not any(ends) or len(chords) < FEWEST_BEATS:
        return None
    return Song(title, key(chords, score), tuple(chords), tuple(ends), tuple(beats))


def read(root: ElementTree.Element) -> Score:
    """Read the notes of a score-partwise document; ignores repeats and grace notes."""
    notes: list[Note] = []
    bars: list[Fraction] = []
    beat, sharps, minor = None, None, False
    for number, part in enumerate(root.findall("part")):
        time, divisions = Fraction(0), 1
        for measure in part.findall("measure"):
            if number == 0:
                bars.append(time)
            longest, previous = time, time
            for item in measure:
                if item.tag == "attributes":
                    divisions = int(item.findtext("divisions") or divisions)
                    if sharps is None and item.find("key/fifths") is not None:
                        sharps = int(item.findtext("key/fifths") or 0)
                        minor = item.findtext("key/mode") == "minor"
                    if beat is None and item.find("time/beat-type") is not None:
                        beat = Fraction(4, int(item.findtext("time/beat-type") or 4))
                    continue
                length = Fraction(item.findtext("duration") or 0) / divisions
                if item.tag == "backup":
                    time -= length
                elif item.tag == "forward":
                    time += length
                elif item.tag == "note" and item.find("grace") is None:
                    start = previous if item.find("chord") is not None else time
                    pitch = _pitch(item)
                    if pitch is not None:
                        held = item.find("notations/fermata") is not None
                        notes.append(Note(start, start + length, pitch, held))
                    previous, time = start, max(time, start + length)
                longest = max(longest, time)
            time = longest
    # Halves and quarters are beats; eighths, as in 12/8, count as quarters.
    beat = max(beat or Fraction(1), Fraction(1))
    return Score(tuple(notes), tuple(bars), beat, sharps or 0, minor)


def _pitch(note: ElementTree.Element) -> int | None:
    step = note.findtext("pitch/step")
    if step is None:
        return None
    octave, alter = note.findtext("pitch/octave"), note.findtext("pitch/alter")
    return 12 * int(octave or 4) + symbols.LETTERS[step] + round(float(alter or 0))


def chord(notes: list[Note], start: Fraction, stop: Fraction) -> str:
    """Return the name of the chord that best fits the notes in `[start, stop)`."""
    weights: NDArray[np.float64] = np.zeros(12)
    for note in notes:
        weights[note.pitch % 12] += float(min(note.stop, stop) - max(note.start, start))
    weights /= weights.sum()
    # The bass note on the beat.
    at_first = [note.pitch for note in notes if note.start <= start]
    bass = min(at_first or [note.pitch for note in notes]) % 12
    best, name = -np.inf, ""
    for symbol in symbols.SYMBOLS:
        tonic, quality = symbols.split(symbol)
        inside = [(tonic + interval) % 12 for interval in symbols.QUALITIES[quality]]
        agree = weights[inside].sum()
        missing = sum(weights[note] == 0 for note in inside) / len(inside)
        score = agree - STRANGE * (1 - agree) - MISSING * missing * len(inside)
        score += ROOT_IN_BASS * (tonic == bass)
        if score > best + 1e-9:
            best, name = score, symbol
    return name


def key(chords: list[str], score: Score) -> Key:
    """Return the key of a score: major or minor, with the key signature of the score.

    Many scores say major for every song, or nothing. Then it is whichever of the two keys has the tonic
    that ends the song and occurs more often.
    """
    major = (score.sharps * 7) % 12
    minor = (major - 3) % 12

    def weight(tonic: int, qualities: tuple[str, ...]) -> float:
        names = {symbols.ROOTS[tonic] + quality for quality in qualities}
        return sum(name in names for name in chords) / len(chords) + (chords[-1] in names)

    # A minor song may end on the major chord of its tonic.
    is_minor = score.minor or weight(minor, ("m", "", "m7")) > weight(major, ("", "7", "maj7"))
    return Key(minor, False) if is_minor else Key(major, True)


if __name__ == "__main__":
    main()
