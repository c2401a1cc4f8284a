"""Build the English datasets: the included excerpt, or the held-out part of the corpus.

The model is in weights.npz (demos/english/train.py). All text is held out: the model was trained on
other texts of the same corpus (see demos/english/corpus.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from demos import adaptive, lstm, opening
from demos.english import chunks, corpus, excerpt
from demos.english.corpus import Text
from demos.opening import Opening
from loaders.writer import write_dataset

WEIGHTS: Final = Path(__file__).with_name("weights.npz")
VOCABULARY: Final = Path(__file__).with_name("vocabulary.txt")

N_PREDICTIONS: Final = 5
TEXTS_AT_ONCE: Final = 16
STEPS_AT_ONCE: Final = 4_096
THRESHOLD: Final = 0.1
"""The threshold that the datasets open with; at 0.3 a third of the noun phrases with limits select no state."""

PHRASE_COLORS: Final = {"NP": "#0072b2", "VP": "#d55e00", "PP": "#009e73"}
WORD_COLORS: Final = {"known": "#d9d9d9", "read as unknown": "#cc79a7"}

LABELS: Final = (
    "Genres and parts of speech are from the corpus; phrases are rule-based chunks over its "
    "tags: noun phrases (NP), verb phrases (VP) and prepositions (PP). The states are those of a "
    "two-layer LSTM (2 x 200, 10,000 words) that was trained to predict the next word of other texts "
    "of the same corpus."
)
EXCERPT: Final = (
    "The beginnings of fifteen texts of American English from 1961, one of each genre of the Brown "
    f"corpus, one sequence per text. {LABELS}"
)
BROWN: Final = (
    "The {n_texts} texts of the Brown corpus (American English, 1961) that were held out from the "
    f"training, one sequence per text. {LABELS}"
)

FEWEST_PLACES: Final = 15
MOSTLY: Final = 0.9


class Span(NamedTuple):
    """A phrase: the steps `[start, stop)`, and NP, VP or PP."""

    start: int
    stop: int
    label: str


class Reading(NamedTuple):
    """The output of the model for some texts; rows as in `lstm.Run`, all texts in order."""

    codes: list[NDArray[np.int64]]
    states: dict[str, NDArray[np.float16]]
    surprisal: NDArray[np.float64]
    predictions: list[list[str]]
    chances: list[list[float]]


def build(out: Path, progress: Callable[[float], None] | None = None) -> Path:
    """Write the dataset of the excerpt, completely or not at all; takes seconds.

    Parameters
    ----------
    out
        The folder to create; an existing one is replaced when the new one is complete.
    progress
        Called regularly with the share done, 0 to 1.

    Returns
    -------
    Path
        `out`, with fewer than 10,000 steps in 15 sequences; the sources of `lstm.sources`, 200
        states each; the annotations `phrase` (intervals), `pos`, `genre`, `surprisal`,
        `prediction` and `vocabulary`.

    Raises
    ------
    OSError
        The disk failed. Nothing is left behind.
    """
    return write(out, list(excerpt.read()), "English text (Brown corpus)", EXCERPT, progress)


def build_brown(out: Path, folder: Path, progress: Callable[[float], None] | None = None) -> Path:
    """Write the dataset of all held-out texts of the corpus in `folder`, like `build`.

    Raises
    ------
    CorpusError
        `folder` does not contain the corpus.
    """
    texts = corpus.read(folder, "held_out")
    description = BROWN.format(n_texts=len(texts))
    return write(out, texts, "Brown corpus, held-out texts", description, progress)


def write(
    out: Path,
    texts: Sequence[Text],
    name: str,
    description: str,
    progress: Callable[[float], None] | None = None,
) -> Path:
    """Write a dataset of any tagged texts; an existing one is replaced."""
    report = progress or (lambda share: None)
    reading = read(texts, lambda share: report(0.8 * share))
    lengths = [len(codes) for codes in reading.codes]
    offsets = np.cumsum([0, *lengths])
    found = spans(texts)
    brush = opening_phrase(reading.states, found, offsets)
    report(0.9)
    tags = [tag for text in texts for tag in text.tags]
    parts = [chunks.part_of_speech(tag) for tag in tags]
    unknown = vocabulary()[corpus.UNKNOWN]
    known, rare = WORD_COLORS
    config: dict[str, Any] = {
        "name": name,
        "description": description,
        "sources": lstm.source_settings(reading.states),
        "annotations": {
            "phrase": {"kind": "interval", "colors": PHRASE_COLORS},
            "pos": {
                "kind": "categorical",
                "order": [part for part in chunks.PARTS if part in set(parts)],
                "colors": {part: chunks.PARTS[part] for part in chunks.PARTS if part in set(parts)},
            },
            "genre": {"kind": "categorical", "order": list(dict.fromkeys(t.genre for t in texts))},
            "surprisal": {"kind": "scalar", "unit": "nats"},
            "prediction": {"kind": "ranked"},
            "vocabulary": {"kind": "categorical", "order": [known, rare], "colors": WORD_COLORS},
        },
    }
    if brush is not None:
        config["default"] = brush.settings(THRESHOLD, ["phrase", "pos"], off_before=1, off_after=1)
    write_dataset(
        out,
        tokens=[word for text in texts for word in text.words],
        sequences=np.repeat(np.array([text.name for text in texts]), lengths).tolist(),
        states=reading.states,
        annotations={
            "pos": parts,
            "genre": np.repeat(np.array([text.genre for text in texts]), lengths).tolist(),
            "surprisal": reading.surprisal.astype(np.float32),
            "vocabulary": np.where(np.concatenate(reading.codes) == unknown, rare, known).tolist(),
        },
        ranked={"prediction": (reading.predictions, reading.chances)},
        intervals={"phrase": found},
        config=config,
        overwrite=True,
    )
    report(1.0)
    return out


def vocabulary() -> dict[str, int]:
    """Return word -> code for the 10,000 words of the model, including `corpus.UNKNOWN`."""
    words = VOCABULARY.read_text(encoding="utf-8").splitlines()
    return {word: code for code, word in enumerate(words)}


def encode(texts: Sequence[Text]) -> list[NDArray[np.int64]]:
    """Return the words of each text as codes."""
    code_of = vocabulary()
    unknown = code_of[corpus.UNKNOWN]
    return [
        np.array([code_of.get(corpus.model_word(word), unknown) for word in text.words], np.int64)
        for text in texts
    ]


def read(texts: Sequence[Text], progress: Callable[[float], None] | None = None) -> Reading:
    """Run the model on texts, in small batches, each from a zero state."""
    model = lstm.load(WEIGHTS)
    tails = adaptive.load_tails(WEIGHTS, len(model.output))
    words = np.array(list(vocabulary()), object)
    codes = encode(texts)
    states: dict[str, list[NDArray[np.float16]]] = {}
    surprisal, predictions, chances = [], [], []
    n_steps, done = sum(map(len, codes)), 0
    for start in range(0, len(codes), TEXTS_AT_ONCE):
        group = codes[start : start + TEXTS_AT_ONCE]
        run = lstm.forward(model, group)
        for name, rows in lstm.sources(run).items():
            states.setdefault(name, []).append(rows)
        hidden = run.hidden[-1]
        surprisal.append(adaptive.surprisal(run.outputs, hidden, tails, group))
        for at in range(0, len(hidden), STEPS_AT_ONCE):
            piece = slice(at, at + STEPS_AT_ONCE)
            best, share = adaptive.most_likely(
                run.outputs[piece], hidden[piece], tails, N_PREDICTIONS
            )
            predictions += words[best].tolist()
            chances += share.tolist()
            done += len(best)
            if progress is not None:
                progress(done / n_steps)
    return Reading(
        codes,
        {name: np.concatenate(rows) for name, rows in states.items()},
        np.concatenate(surprisal),
        predictions,
        chances,
    )


def spans(texts: Sequence[Text]) -> list[Span]:
    """Return the phrases of all texts, in order, as steps of the dataset."""
    found, start = [], 0
    for text in texts:
        for sentence in text.sentences:
            tags = [tag for _, tag in sentence]
            found += [Span(start + a, start + b, label) for a, b, label in chunks.phrases(tags)]
            start += len(sentence)
    return found


def opening_phrase(
    states: dict[str, NDArray[np.float16]], found: Sequence[Span], offsets: NDArray[np.int64]
) -> Opening | None:
    """Choose the noun phrase that a dataset opens with, brushed with both limits.

    Candidates are the noun phrases of two or more words near the start, through which a few hidden states
    are on (`opening.handfuls`) that are off just before and just after. In `FEWEST_PLACES` or more places,
    including the phrase itself, these states (and possibly others) must come on and go off together, and
    `MOSTLY` of the places must be noun phrases. The choice is the candidate with the most places.

    Parameters
    ----------
    states
        Source name -> `(n_steps, n_states)`.
    found
        All phrases.
    offsets
        `(n_sequences + 1,)`: where sequences start, and `n_steps`.

    Returns
    -------
    Opening | None
        None if there is no such phrase.
    """
    noun_phrases = {(span.start, span.stop) for span in found if span.label == "NP"}
    most, chosen = 0, None
    for name, values in states.items():
        if not name.endswith("hidden"):
            continue
        on = opening.on_at(values, THRESHOLD)
        longer = sorted((start, stop) for start, stop in noun_phrases if stop - start >= 2)
        for start, stop, selected in opening.handfuls(on, longer, closed_in=offsets):
            places = list(_together(on[:, selected], offsets))
            share = np.mean([place in noun_phrases for place in places]) if places else 0
            if len(places) >= max(FEWEST_PLACES, most + 1) and share >= MOSTLY:
                most, chosen = len(places), Opening(name, start, stop)
    return chosen


def _together(on: NDArray[np.bool_], offsets: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Yield the ranges of two or more steps throughout which all are on, with all off on both sides."""
    every: NDArray[np.bool_] = np.all(on, axis=1)
    none: NDArray[np.bool_] = ~np.any(on, axis=1)
    edge = np.zeros(len(on) + 1, bool)
    edge[offsets] = True
    begins = np.flatnonzero(every & (edge[:-1] | np.insert(none[:-1], 0, True)))
    for start in begins.tolist():
        stop = start + 1
        while stop < len(on) and every[stop] and not edge[stop]:
            stop += 1
        if stop - start >= 2 and (edge[stop] or none[stop]):
            yield start, stop
