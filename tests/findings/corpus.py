"""A demo dataset for the measures, read through the loaders like in the dashboard."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.matching.query import Query
from app.matching.result import MatchResult
from app.matching.service import MatchService
from app.matching.states import States
from loaders import Dataset, open_dataset
from loaders.annotations import Categorical, Interval

Range = tuple[int, int]


@dataclass(frozen=True)
class Corpus:
    """A dataset and a matching service."""

    dataset: Dataset
    service: MatchService

    @property
    def offsets(self) -> NDArray[np.int64]:
        return self.dataset.sequences.offsets

    def rows(self, source: str) -> NDArray[Any]:
        return self.dataset.open_source(source).rows

    def on(self, source: str, threshold: float) -> NDArray[np.bool_]:
        return np.asarray(self.rows(source).astype(np.float64) >= threshold)

    def match(self, source: str, **options: Any) -> MatchResult:
        states = States(self.rows(source), self.offsets)
        return self.service.match(f"{self.dataset.id} {source}", states, Query(**options))

    def labels(self, name: str) -> NDArray[np.str_]:
        """Return the label of a categorical annotation at every step, `(n_steps,)`."""
        annotation = self.dataset.annotations[name]
        assert isinstance(annotation, Categorical)
        names = np.array([*(category.label for category in annotation.categories), ""])
        return names[annotation.codes(0, self.dataset.n_steps)]

    def spans(self, name: str) -> list[tuple[int, int, str]]:
        annotation = self.dataset.annotations[name]
        assert isinstance(annotation, Interval)
        return [(a, b, label) for a, b, label in annotation.spans(0, self.dataset.n_steps)]

    def phrases(self, label: str, shortest: int = 1, longest: int = 10**9) -> list[Range]:
        """Return the phrases with a label and a number of words that do not touch the ends of their text."""
        edges = set(self.offsets.tolist())
        return [
            (start, stop)
            for start, stop, kind in self.spans("phrase")
            if kind == label
            and shortest <= stop - start <= longest
            and start not in edges
            and stop not in edges
        ]

    def random_range(self, length: int, rng: np.random.Generator) -> Range:
        """Return a random range of this length within one sequence, uniformly distributed."""
        while True:
            start = int(rng.integers(0, self.dataset.n_steps - length + 1))
            if start + length <= self.dataset.sequences.bounds(start)[1]:
                return start, start + length


def open_corpus(path: Path, cache_dir: Path) -> Corpus:
    return Corpus(open_dataset(path, cache_dir), MatchService(threads=1))
