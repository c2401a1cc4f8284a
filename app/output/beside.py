"""What can be added to a listed match: the words around it, and annotations over it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from loaders import Dataset
from loaders.annotations import Annotation, Categorical, Interval, Ranked, Scalar

#: The maximum number of words before and after a match.
MOST_WORDS_BESIDE = 100
#: Words of a ranked annotation per step, as many as the page shows.
_MOST_RANKED = 3


@dataclass(frozen=True, slots=True)
class Beside:
    """What to add to the rows of a list of matches.

    Attributes
    ----------
    dataset
        The source of words and annotations.
    words
        The number of words before and after a match; none beyond its sequence.
    annotations
        Each has one value per step of the match.
    """

    dataset: Dataset
    words: int = 0
    annotations: tuple[Annotation, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of what is added, as columns of a file for programs."""
        context = ("before", "after") if self.words else ()
        return (*context, *(f"annotations.{one.name}" for one in self.annotations))

    def of(self, start: int, stop: int, end: int | None = None) -> dict[str, Any]:
        """What is added to the match [start, stop), as JSON values; {} if nothing is requested.

        Parameters
        ----------
        start, stop
            The match, or the first steps of it that are written.
        end
            The end of the match, if not `stop`.

        Returns
        -------
        dict
            ``before`` and ``after``: lists of words, in the order of the text. ``annotations``: name ->
            list of `values`.
        """
        added: dict[str, Any] = {}
        if self.words:
            first, last = self.dataset.sequences.bounds(start)
            end = stop if end is None else end
            added["before"] = self.dataset.tokens(max(first, start - self.words), start)
            added["after"] = self.dataset.tokens(end, min(last, end + self.words))
        if self.annotations:
            added["annotations"] = {one.name: values(one, start, stop) for one in self.annotations}
        return added

    def cells(self, start: int, stop: int, end: int | None = None) -> list[str]:
        """The same as texts, one for each of `columns`: words joined by spaces, annotations as JSON."""
        added = self.of(start, stop, end)
        context = [" ".join(added[name]) for name in ("before", "after") if name in added]
        lists: Mapping[str, list[Any]] = added.get("annotations", {})
        return [*context, *(json.dumps(one, ensure_ascii=False) for one in lists.values())]

    def arrays(self, shown: Sequence[tuple[int, int]], ends: Sequence[int]) -> list[pa.Array]:
        """The same for many matches, one Arrow array for each of `columns`.

        Lists of words, and of values in the stored type; `shown` and `ends` are as in `of`.
        """
        context = Beside(self.dataset, self.words)
        rows = [context.of(*one, end) for one, end in zip(shown, ends, strict=True)]
        lists = [
            pa.array([row[name] for row in rows], pa.list_(pa.string())) for name in context.columns
        ]
        cuts = np.cumsum([0, *(stop - start for start, stop in shown)]).astype(np.int32)
        for one in self.annotations:
            pieces = [_column(one, 0, 0), *(_column(one, start, stop) for start, stop in shown)]
            lists.append(pa.ListArray.from_arrays(pa.array(cuts), pa.concat_arrays(pieces)))
        return lists

    def fields(self) -> list[pa.Field]:
        """The `columns` with the types of `arrays`."""
        empty = self.arrays([], [])
        return [pa.field(name, one.type) for name, one in zip(self.columns, empty, strict=True)]


def values(annotation: Annotation, start: int, stop: int) -> list[Any]:
    """Return the value of an annotation at each step of [start, stop), exact, as JSON values.

    A label, a number or a text; the best three words of a ranked one, as a list; None if it is missing.
    """
    if isinstance(annotation, Categorical | Interval):
        categories = annotation.categories
        codes = annotation.codes(start, stop).tolist()
        return [categories[code].label if code >= 0 else None for code in codes]
    if isinstance(annotation, Scalar):
        return annotation.plain(start, stop)
    assert isinstance(annotation, Ranked)
    return [words[:_MOST_RANKED] for words in annotation.items(start, stop)]


def _column(annotation: Annotation, start: int, stop: int) -> pa.Array:
    if isinstance(annotation, Scalar):
        return annotation.column(start, stop)
    kind = pa.list_(pa.string()) if isinstance(annotation, Ranked) else pa.string()
    return pa.array(values(annotation, start, stop), kind)
