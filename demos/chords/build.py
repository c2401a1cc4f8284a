"""Build the chord dataset: Bach's chorales, or other songs, read by the trained model.

The model is in weights.npz (demos/chords/train.py), the chorales are in chorales.txt
(demos/chords/chorales.py). Other songs come from a text file with one song per line (see
demos/chords/songs.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from demos import lstm, opening
from demos.chords import model, songs, symbols
from demos.chords.songs import Song
from demos.opening import Opening
from loaders.writer import write_dataset

N_PREDICTIONS: Final = 3
THRESHOLD: Final = 0.3

DEGREES: Final = ("I", "bII", "II", "bIII", "III", "IV", "#IV", "V", "bVI", "VI", "bVII", "VII")
"""The root of a chord relative to the tonic; its quality is the annotation `kind`."""

DEGREE_COLORS: Final[dict[str, str]] = {
    "I": "#0072b2",
    "II": "#56b4e9",
    "III": "#009e73",
    "IV": "#e69f00",
    "V": "#d55e00",
    "VI": "#cc79a7",
    "VII": "#f0e442",
}
"""Roots outside the scale are grey."""
OUTSIDE: Final = "#b3b3b3"

FLAT_COLORS: Final = ("#08306b", "#08519c", "#2171b5", "#4292c6", "#9ecae1")
SHARP_COLORS: Final = ("#fdd0a2", "#fd8d3c", "#e6550d", "#b63e05", "#8c2d04", "#5c1d02")
NO_ACCIDENTAL: Final = "#bdbdbd"

DESCRIPTION: Final = (
    "403 chorales harmonized by J. S. Bach, one chord per beat and one sequence per song (the numbers are "
    "those in the catalogue of his works, BWV), and the states of a two-layer LSTM (2 x 128) that was "
    "trained to predict the next chord. The chord of a beat was derived by rules from the notes that "
    "sound; phrase ends are the fermatas of the score, and the key is that of its signature. "
    "Every tenth song was held out from the training."
)

SHORTEST_PHRASE: Final = 8
LONGEST_PHRASE: Final = 16
FEWEST_SONGS: Final = 20
MOSTLY: Final = 0.99


class SongDataset(NamedTuple):
    """A dataset made from songs, and the chords in them that the model does not know."""

    path: Path
    n_songs: int
    unknown: tuple[tuple[str, int], ...]
    """Unknown tokens and how often they occur, most common first."""


def build(out: Path, progress: Callable[[float], None] | None = None) -> Path:
    """Write the dataset folder of the demo, completely or not at all; takes seconds.

    Parameters
    ----------
    out
        The folder to create; an existing one is replaced when the new one is complete.
    progress
        Called regularly with the share done, 0 to 1.

    Returns
    -------
    Path
        `out`, with about 22,000 steps in 403 sequences; the sources of `lstm.sources`, 128
        states each; the annotations `degree`, `kind`, `signature`, `key`, `mode`, `beat`,
        `phrase_end`, `phrase` (intervals), `surprisal`, `prediction` and `training`.

    Raises
    ------
    OSError
        The disk failed. Nothing is left behind.
    """
    with model.SONGS.open(encoding="utf-8") as file:
        # Without the prefix, so that the number fits into a row of the page.
        chorales = tuple(
            replace(song, title=song.title.removeprefix("BWV "))
            for song in songs.parse(file, model.SONGS.name)
        )
    seen = [
        "held out" if model.is_held_out(number) else "trained on" for number in range(len(chorales))
    ]
    _write(
        out,
        chorales,
        "Bach chorales, one chord per beat",
        DESCRIPTION,
        seen,
        progress,
        overwrite=True,
    )
    return out


def build_songs(
    source: Path, out: Path, progress: Callable[[float], None] | None = None
) -> SongDataset:
    """Build a dataset from a text file with one song per line, using the same model.

    A token that is not a known chord keeps its position and its spelling; the model reads it as unknown,
    and its surprisal is NaN.

    Raises
    ------
    songs.SongError
        The file cannot be read as text, or contains no songs or an invalid line; or `out` exists.
    OSError
        The disk failed.
    """
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise songs.SongError(f"{out} already exists; choose another folder.")
    try:
        # Not splitlines, which also splits at characters that may occur in a title.
        lines = source.read_text(encoding="utf-8-sig").split("\n")
        own = tuple(songs.parse(lines, source.name))
    except UnicodeDecodeError:
        raise songs.SongError(
            f"{source} is not text in UTF-8; save it as UTF-8, with one song per line."
        ) from None
    if not own:
        raise songs.SongError(
            f"{source} contains no songs; write one per line, with chords separated by spaces."
        )
    tokens = Counter(chord for song in own for chord in song.chords if not symbols.parse(chord))
    if sum(tokens.values()) == sum(len(song.chords) for song in own):
        some = ", ".join(token for token, _ in tokens.most_common(3))
        raise songs.SongError(
            f"{source} contains no chord that the model knows (the most common tokens are {some}); write "
            "chords such as C, F#m, Bb7, Gmaj7, Am7b5, Edim7, Dsus4 or Caug, separated by spaces."
        )
    description = (
        f"{len(own)} {'song' if len(own) == 1 else 'songs'} from {source.name}, read by a two-layer LSTM (2 x 128) that was trained "
        "on Bach's chorales to predict the next chord. Chords are shown as written in the file; chords that "
        "the model does not know are read as unknown and have no surprisal."
    )
    _write(out, own, source.stem, description, None, progress, overwrite=False)
    return SongDataset(out, len(own), tuple(tokens.most_common()))


def _write(
    out: Path,
    read: Sequence[Song],
    name: str,
    description: str,
    training: Sequence[str] | None,
    progress: Callable[[float], None] | None,
    *,
    overwrite: bool,
) -> None:
    report = progress or (lambda share: None)
    codes = [model.codes(song.chords) for song in read]
    lengths = [len(song.chords) for song in read]
    offsets = np.cumsum([0, *lengths])
    run = lstm.forward(lstm.load(model.WEIGHTS), codes, progress=lambda share: report(0.5 * share))
    states = lstm.sources(run)
    signature = [_signature(song) for song in read for _ in song.chords]
    annotations: dict[str, Any] = {
        "degree": [_degree(song, chord) for song in read for chord in song.chords],
        "kind": [_kind(chord) for song in read for chord in song.chords],
        "phrase_end": [end for song in read for end in song.phrase_ends],
        "signature": signature,
        "key": [song.key.name if song.key else None for song in read for _ in song.chords],
        "mode": [_mode(song) for song in read for _ in song.chords],
        "beat": [beat for song in read for beat in _beats(song)],
        "surprisal": _surprisal(run, codes).astype(np.float32),
    }
    if training is not None:
        annotations["training"] = np.repeat(np.array(training), lengths).tolist()
    # Songs without key or bar lines have nulls; if none has any, there is no annotation.
    annotations = {
        label: values
        for label, values in annotations.items()
        if any(value is not None and value is not False for value in values)
    }
    phrase = [
        (int(first) + start, int(first) + stop, _phrase_label(song, stop))
        for song, first in zip(read, offsets, strict=False)
        for start, stop in phrases(song)
    ]
    report(0.7)
    brush = opening_phrase(
        "layer2_hidden",
        states["layer2_hidden"],
        np.array([label or "" for label in signature]),
        offsets,
        [(start, stop) for start, stop, _ in phrase],
    )
    config: dict[str, Any] = {
        "name": name,
        "description": description,
        "sources": lstm.source_settings(states),
        "annotations": _settings(annotations),
    }
    if brush is not None:
        config["default"] = brush.settings(THRESHOLD, ["signature", "phrase"])
    write_dataset(
        out,
        tokens=[chord for song in read for chord in song.chords],
        sequences=np.repeat(np.array(_titles(read)), lengths).tolist(),
        states=states,
        annotations=annotations,
        ranked={"prediction": lstm.most_likely(run.outputs, symbols.SYMBOLS, N_PREDICTIONS)},
        intervals={"phrase": phrase} if phrase else None,
        config=config,
        overwrite=overwrite,
    )
    report(1.0)


def opening_phrase(
    source: str,
    states: NDArray[np.float16],
    signature: NDArray[np.str_],
    offsets: NDArray[np.int64],
    found: Sequence[tuple[int, int]],
) -> Opening | None:
    """Choose the phrase that the dataset opens with: one whose states indicate the key signature.

    Candidates are the phrases near the start, `SHORTEST_PHRASE` to `LONGEST_PHRASE` chords long, in which
    a few states (`opening.handfuls`) are on throughout at `THRESHOLD`, such that wherever these states are
    on together for two or more steps, in `FEWEST_SONGS` or more songs, the key signature is that of the
    phrase at `MOSTLY` of the steps. The choice is the candidate whose states are on together during most
    of the music with that signature.

    Parameters
    ----------
    source
        The name of the source of the states.
    states
        `(n_steps, n_states)`.
    signature
        `(n_steps,)` labels; where it is empty (unknown), no phrase is chosen.
    offsets
        `(n_sequences + 1,)`: where sequences start, and `n_steps`.
    found
        The phrases, half-open, in order.

    Returns
    -------
    Opening | None
        None if there is no such phrase.
    """
    on = opening.on_at(states, THRESHOLD)
    song = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    fitting = (
        (start, stop)
        for start, stop in found
        if SHORTEST_PHRASE <= stop - start <= LONGEST_PHRASE and signature[start]
    )
    best, chosen = 0.0, None
    for start, stop, selected in opening.handfuls(on, fitting):
        steps = opening.steps_together(on[:, selected], offsets)
        same = signature == signature[start]
        if same[steps].mean() < MOSTLY or len(np.unique(song[steps])) < FEWEST_SONGS:
            continue
        share = float(steps[same].mean())
        if share > best:
            best, chosen = share, Opening(source, start, stop)
    return chosen


def phrases(song: Song) -> Iterator[tuple[int, int]]:
    """Iterate over the phrases of a song, half-open; none if no phrase ends are marked."""
    start = 0
    for place, end in enumerate(song.phrase_ends):
        if end:
            yield start, place + 1
            start = place + 1


def signature_name(sharps: int) -> str:
    """Return for example `3 sharps`, `1 flat` or `no sharps or flats`."""
    if not sharps:
        return "no sharps or flats"
    return f"{abs(sharps)} {'sharp' if sharps > 0 else 'flat'}{'s' * (abs(sharps) > 1)}"


def _settings(annotations: dict[str, Any]) -> dict[str, Any]:
    """Return the orders and colours of the labels that occur."""
    every: dict[str, dict[str, str | None]] = {
        "degree": {degree: DEGREE_COLORS.get(degree, OUTSIDE) for degree in DEGREES},
        "kind": dict.fromkeys(symbols.KIND.values()),
        "signature": {signature_name(n): _signature_color(n) for n in range(-5, 7)},
    }
    settings: dict[str, Any] = {
        "surprisal": {"kind": "scalar", "unit": "nats"},
        "prediction": {"kind": "ranked"},
    }
    for label, colors in every.items():
        there: set[str | None] = set(annotations.get(label, ()))
        if there:
            order = [one for one in colors if one in there]
            settings[label] = {"kind": "categorical", "order": order}
            if label != "kind":
                settings[label]["colors"] = {one: colors[one] for one in order}
    return settings


def _signature_color(sharps: int) -> str:
    if not sharps:
        return NO_ACCIDENTAL
    return SHARP_COLORS[sharps - 1] if sharps > 0 else FLAT_COLORS[sharps]


def _signature(song: Song) -> str | None:
    return signature_name(song.key.sharps) if song.key else None


def _mode(song: Song) -> str | None:
    if song.key is None:
        return None
    return "major" if song.key.major else "minor"


def _degree(song: Song, chord: str) -> str | None:
    symbol = symbols.parse(chord)
    if song.key is None or symbol is None:
        return None
    return DEGREES[(symbols.split(symbol)[0] - song.key.tonic) % 12]


def _kind(chord: str) -> str | None:
    symbol = symbols.parse(chord)
    return symbols.KIND[symbols.split(symbol)[1]] if symbol else None


def _beats(song: Song) -> list[str | None]:
    if song.beats is None:
        return [None] * len(song.chords)
    return [str(beat) if beat else "upbeat" for beat in song.beats]


def _phrase_label(song: Song, stop: int) -> str:
    degree = _degree(song, song.chords[stop - 1])
    return f"ends on {degree or song.chords[stop - 1]}"


def _titles(read: Sequence[Song]) -> list[str]:
    """Return titles as sequence ids; repeated titles get a number."""
    times: Counter[str] = Counter()
    titles = []
    for song in read:
        times[song.title] += 1
        title = song.title if times[song.title] == 1 else f"{song.title} ({times[song.title]})"
        titles.append(title)
    return (
        titles
        if len(set(titles)) == len(titles)
        else [f"{i}. {t}" for i, t in enumerate(titles, 1)]
    )


def _surprisal(run: lstm.Run, codes: list[NDArray[np.int64]]) -> NDArray[np.float64]:
    known = [np.where(song == model.UNKNOWN_CODE, 0, song) for song in codes]
    values = lstm.surprisal(run, known)
    values[np.concatenate(codes) == model.UNKNOWN_CODE] = np.nan
    return values
