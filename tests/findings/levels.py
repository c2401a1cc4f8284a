"""Single states that follow the nesting level (the paper's section 6.1).

The state is chosen on the first half of the texts and judged on the second half.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.findings.corpus import Corpus

THRESHOLD = 0.3
HEAD = "| level | source | state | F1 on the other texts |\n|---|---|---|---|"


@dataclass(frozen=True)
class Level:
    """The state that is on exactly at `level` and deeper, and its F1 score on unseen texts."""

    level: int
    source: str
    state: int
    f1: float

    def row(self) -> str:
        return f"| {self.level} and deeper | {self.source} | {self.state} | {self.f1:.3f} |"


def followers(corpus: Corpus) -> list[Level]:
    """Return the best state of all sources for each level from 1 to 4."""
    level = corpus.labels("level").astype(int)
    sequence = np.repeat(np.arange(len(corpus.offsets) - 1), np.diff(corpus.offsets))
    first = sequence < len(corpus.offsets) // 2
    found = []
    on = {source: corpus.on(source, THRESHOLD) for source in corpus.dataset.sources}
    for depth in range(1, 5):
        deep = level >= depth
        scores = {source: f1(rows[first], deep[first]) for source, rows in on.items()}
        source = max(scores, key=lambda name: scores[name].max())
        state = int(scores[source].argmax())
        (judged,) = f1(on[source][~first][:, [state]], deep[~first])
        found.append(Level(depth, source, state, float(judged)))
    return found


def f1(on: NDArray[np.bool_], truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the F1 score of each state as a predictor of `truth`: `(n_states,)`."""
    both = (on & truth[:, None]).sum(axis=0)
    return np.asarray(2 * both / (on.sum(axis=0) + truth.sum()))
