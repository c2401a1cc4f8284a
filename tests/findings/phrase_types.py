"""Fig. 7 of the paper: the states that a phrase selects indicate the kind of phrase.

Every noun phrase and every verb phrase of two words or more becomes one pattern: which states are on
through it (S1). The patterns' two main directions (PCA) are learned from the phrases of half of the
texts; a line that parts the two kinds (Fisher's linear discriminant) is learned there, too, and judged
on the other half of the texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demos import lstm
from tests.findings.corpus import Range

THRESHOLD = 0.1
MOST_PHRASES = 4_000
"""The maximum number of each kind; limited by the rarer kind."""


@dataclass(frozen=True)
class Projection:
    """`points` `(n_phrases, 2)`, `verb` `(n_phrases,)`, and the balanced accuracies on unseen texts.

    `empty` is the share of phrases that select no state at all; they are left out of the rest.
    """

    points: NDArray[np.float64]
    verb: NDArray[np.bool_]
    two: float
    every: float
    empty: float
    explained: float


DRAWS = 5
"""The figures are means over this many draws of the phrases."""
HEAD = (
    "| patterns | phrases | select no state | variance on two components | balanced accuracy, two "
    "components | least to most | from all states |\n|---|---|---|---|---|---|---|"
)


def row(name: str, draws: list[Projection]) -> str:
    """Return a row of the table."""
    two = [one.two for one in draws]

    def mean(values: list[float]) -> float:
        return float(np.mean(values))

    return (
        f"| {name} | {mean([len(one.verb) for one in draws]):.0f} | "
        f"{mean([one.empty for one in draws]):.1%} | {mean([one.explained for one in draws]):.0%} | "
        f"{mean(two):.3f} | {min(two):.3f} to {max(two):.3f} | "
        f"{mean([one.every for one in draws]):.3f} |"
    )


def several(
    on: NDArray[np.bool_],
    noun: list[Range],
    verb: list[Range],
    offsets: NDArray[np.int64],
    limits: tuple[bool, bool],
) -> list[Projection]:
    """Run `project` with `DRAWS` draws of the phrases."""
    return [project(on, noun, verb, offsets, limits, seed) for seed in range(DRAWS)]


def project(
    on: NDArray[np.bool_],
    noun: list[Range],
    verb: list[Range],
    offsets: NDArray[np.int64],
    limits: tuple[bool, bool],
    seed: int = 0,
) -> Projection:
    """Project the patterns of phrases, the same number of each kind.

    Parameters
    ----------
    on
        `(n_steps, n_states)`.
    noun, verb
        The phrases.
    offsets
        The starts of texts, and `n_steps`.
    limits
        Whether a state must be off just before the phrase, and just after.
    """
    rng = np.random.default_rng(seed)
    count = min(len(noun), len(verb), MOST_PHRASES)
    chosen = [ranges[i] for ranges in (noun, verb) for i in rng.permutation(len(ranges))[:count]]
    is_verb = np.repeat([False, True], count)
    patterns = np.array([_pattern(on, place, limits) for place in chosen], float)
    kept = patterns.any(axis=1)
    patterns, is_verb = patterns[kept], is_verb[kept]
    starts = np.array([start for start, _ in chosen])[kept]
    text = np.searchsorted(offsets, starts, side="right")
    learn = text % 2 == 0
    centred = patterns - patterns[learn].mean(axis=0)
    _, strength, directions = np.linalg.svd(centred[learn], full_matrices=False)
    points = centred @ directions[:2].T
    power = strength**2
    return Projection(
        points,
        is_verb,
        _balanced_accuracy(points, is_verb, learn),
        _balanced_accuracy(centred, is_verb, learn),
        1 - float(kept.mean()),
        float(power[:2].sum() / power.sum()),
    )


def untrained(model: lstm.Lstm, seed: int = 0) -> lstm.Lstm:
    """Return the same network with the initial weights of torch."""
    rng = np.random.default_rng(seed)

    def drawn(like: Any, bound: float) -> Any:
        return rng.uniform(-bound, bound, like.shape).astype(np.float32)

    layers = []
    for layer in model.layers:
        bound = 1 / np.sqrt(layer.n_states)
        # torch has two biases, both drawn.
        bias = drawn(layer.bias, bound) + drawn(layer.bias, bound)
        layers.append(lstm.Layer(drawn(layer.inputs, bound), drawn(layer.recurrent, bound), bias))
    embedding = rng.normal(size=model.embedding.shape).astype(np.float32)
    return lstm.Lstm(embedding, tuple(layers), model.output, model.output_bias)


def _pattern(on: NDArray[np.bool_], place: Range, limits: tuple[bool, bool]) -> NDArray[np.bool_]:
    start, stop = place
    pattern = np.logical_and.reduce(on[start:stop], axis=0)
    if limits[0]:
        pattern &= ~on[start - 1]
    if limits[1]:
        pattern &= ~on[stop]
    return pattern


def _balanced_accuracy(
    points: NDArray[np.float64], verb: NDArray[np.bool_], learn: NDArray[np.bool_]
) -> float:
    """Return the mean of the shares of each kind that are classified correctly on unseen data."""
    noun, other = points[learn & ~verb], points[learn & verb]
    within = np.cov(noun.T) + np.cov(other.T)
    # A state that is never on has no variance.
    within = np.atleast_2d(within) + 1e-6 * np.eye(points.shape[1])
    direction = np.linalg.solve(within, other.mean(axis=0) - noun.mean(axis=0))
    middle = direction @ (other.mean(axis=0) + noun.mean(axis=0)) / 2
    said = points @ direction > middle
    unseen = ~learn
    return float((said[unseen & verb].mean() + (~said[unseen & ~verb]).mean()) / 2)
