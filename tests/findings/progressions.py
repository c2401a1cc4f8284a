"""Single states that stay on for long parts of a song (section 6.3 of the paper).

All choices are made on the training songs and evaluated on the held-out ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.findings.corpus import Corpus

THRESHOLD = 0.3


@dataclass(frozen=True)
class Runs:
    """The state with the longest on-runs on the training songs, evaluated on the held-out songs.

    `mean` and `longest` are lengths of its runs in beats; `share` is how often it is on;
    `by_chance` is the mean length if each beat were on independently as often; `middle` is the mean
    length of the median state that is on at least as often as `AT_LEAST`.
    """

    state: int
    mean: float
    longest: int
    share: float
    by_chance: float
    middle: float

    def row(self, name: str) -> str:
        return (
            f"| {name} | {self.state} | {self.mean:.1f} | {self.longest} | {self.share:.0%} | "
            f"{self.by_chance:.1f} | {self.middle:.1f} |"
        )


AT_LEAST = 0.1
"""A state that is rarely on has too few runs to evaluate."""
RUNS_HEAD = (
    "| source | state | mean run (beats) | longest | share on | mean run by chance | median state |\n"
    "|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Key:
    """How closely one state follows the key signature: correlations with its sharps."""

    state: int
    chosen_on: float
    held_out: float

    def row(self, name: str) -> str:
        return f"| {name} | {self.state} | {self.chosen_on:.2f} | {self.held_out:.2f} |"


KEY_HEAD = "| source | state | r, training songs | r, held-out songs |\n|---|---|---|---|"


def runs(on: NDArray[np.bool_], song: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the lengths of the runs of one state, `(n_runs,)`; the end of a song ends a run."""
    same = on[1:] & on[:-1] & (song[1:] == song[:-1])
    begins = np.flatnonzero(on & ~np.insert(same, 0, False))
    ends = np.flatnonzero(on & ~np.append(same, False))
    return ends - begins + 1


def long_runs(corpus: Corpus, source: str) -> Runs:
    """Find the state with the longest runs."""
    on = corpus.on(source, THRESHOLD)
    song = _songs(corpus)
    unseen = corpus.labels("training") == "held out"
    often = np.flatnonzero(on[~unseen].mean(axis=0) >= AT_LEAST)
    means = [_mean(on[~unseen, state], song[~unseen]) for state in often]
    state = int(often[int(np.argmax(means))])
    lengths = runs(on[unseen, state], song[unseen])
    share = float(on[unseen, state].mean())
    return Runs(
        state,
        float(lengths.mean()),
        int(lengths.max()),
        share,
        1 / (1 - share),
        float(np.median([_mean(on[unseen, other], song[unseen]) for other in often])),
    )


def key_state(corpus: Corpus, source: str) -> Key:
    """Find the state that follows the key signature most closely, in either direction."""
    rows = corpus.rows(source).astype(np.float64)
    sharps = np.array([_sharps(label) for label in corpus.labels("signature")])
    unseen = corpus.labels("training") == "held out"
    chosen = [np.corrcoef(column, sharps[~unseen])[0, 1] for column in rows[~unseen].T]
    state = int(np.argmax(np.abs(chosen)))
    return Key(
        state, float(chosen[state]), float(np.corrcoef(rows[unseen, state], sharps[unseen])[0, 1])
    )


def _songs(corpus: Corpus) -> NDArray[np.int64]:
    return np.repeat(np.arange(len(corpus.offsets) - 1), np.diff(corpus.offsets))


def _mean(on: NDArray[np.bool_], song: NDArray[np.int64]) -> float:
    lengths = runs(on, song)
    return float(lengths.mean()) if len(lengths) else 0.0


def _sharps(label: str) -> int:
    count = label.split()[0]
    return 0 if count == "no" else int(count) * (1 if "sharp" in label else -1)
