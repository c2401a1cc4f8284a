"""What brushing a phrase finds (section 6.2 of the paper), compared with random ranges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tests.findings.corpus import Corpus, Range

THRESHOLD = 0.1
SHORTEST, LONGEST = 2, 5
RANDOM_RANGES = 20
"""The number of random ranges drawn for each match, of the same length."""


@dataclass(frozen=True)
class Finding:
    """Means over brushes; a brush that found only itself counts only as `empty`."""

    brushes: int
    empty: int
    states: float
    matches: float
    share: float
    random: float
    steps: float
    interval: tuple[float, float]

    @property
    def ratio(self) -> float:
        return self.share / self.random

    def row(self, name: str) -> str:
        low, high = self.interval
        return (
            f"| {name} | {self.brushes} | {self.empty} | {self.states:.0f} | {self.share:.1%} | "
            f"{self.random:.1%} | {self.ratio:.1f} ({low:.1f} to {high:.1f}) | {self.steps:.1%} |"
        )


HEAD = (
    "| source | brushes | found nothing | states (median) | share of matches | of random ranges | "
    "ratio (95 %) | share of steps |\n|---|---|---|---|---|---|---|---|"
)


def closed_noun_phrases(
    corpus: Corpus, source: str, brushes: int, seed: int = 0, threshold: float = THRESHOLD
) -> Finding:
    """Brush noun phrases with both limits: what share of the listed matches are noun phrases?

    The listed matches are those of the default options (the first 50, one per place), without the
    place of the brush.
    """
    found_phrases = set(corpus.phrases("NP"))
    limits = {"off_before": 1, "off_after": 1, "threshold": threshold}
    return _measure(
        corpus, source, "NP", brushes, seed, limits, lambda place: place in found_phrases
    )


def open_verb_phrases(
    corpus: Corpus, source: str, brushes: int, seed: int = 0, threshold: float = THRESHOLD
) -> Finding:
    """Brush verb phrases with the left limit only: what share of the matches begin a verb phrase?"""
    found_phrases = {start for start, _ in corpus.phrases("VP")}
    limits = {"off_before": 1, "threshold": threshold}
    return _measure(
        corpus, source, "VP", brushes, seed, limits, lambda place: place[0] in found_phrases
    )


def _measure(
    corpus: Corpus,
    source: str,
    label: str,
    brushes: int,
    seed: int,
    limits: dict[str, float],
    fits: Callable[[Range], bool],
) -> Finding:
    rng = np.random.default_rng(seed)
    candidates = corpus.phrases(label, SHORTEST, LONGEST)
    chosen = rng.permutation(len(candidates))[:brushes]
    shares, randoms, states, counts = [], [], [], []
    for number in chosen.tolist():
        start, stop = candidates[number]
        result = corpus.match(source, start=start, stop=stop, **limits)
        states.append(len(result.selected_states))
        places = [(m.start, m.stop) for m in result.matches if m.stop <= start or m.start >= stop]
        if not places:
            continue
        counts.append(len(places))
        shares.append(np.mean([fits(place) for place in places]))
        drawn = [corpus.random_range(b - a, rng) for a, b in places for _ in range(RANDOM_RANGES)]
        randoms.append(np.mean([fits(place) for place in drawn]))
    share, random = np.array(shares), np.array(randoms)
    again = rng.integers(0, len(share), (2_000, len(share)))
    ratios = share[again].mean(axis=1) / random[again].mean(axis=1)
    inside = sum(b - a for a, b, kind in corpus.spans("phrase") if kind == label)
    return Finding(
        brushes=len(chosen),
        empty=len(chosen) - len(shares),
        states=float(np.median(states)),
        matches=float(np.mean(counts)),
        share=float(share.mean()),
        random=float(random.mean()),
        steps=inside / corpus.dataset.n_steps,
        interval=(float(np.quantile(ratios, 0.025)), float(np.quantile(ratios, 0.975))),
    )
