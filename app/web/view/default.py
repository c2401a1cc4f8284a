"""The view that a dataset opens with if a link does not specify one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from app.matching import Polarity, pack
from app.web.view.url import ZOOM, View
from loaders import Dataset, Source

#: The number of steps searched for a default selection, and its size in steps and states.
SEARCHED_STEPS = 10_000
DEFAULT_LENGTH = 3
FEWEST_STATES, MOST_STATES = 3, 15

#: The possible widths of a step in px on opening, and the number of tokens that determine it.
OPENING_WIDTHS, SAMPLED_TOKENS = (ZOOM, 32, 40, 52, 64), 2_000


def opening_view(dataset: Dataset, source: Source) -> View:
    """Return the view that a dataset opens with (docs/dataset.md, "dataset.yaml").

    The default of the dataset, if it has one; otherwise the suggested threshold and the first 3-step range
    within one sequence, in the first 10,000 steps, that selects 3 to 15 states, or else the range that
    comes closest.
    """
    default = dataset.default
    threshold = opening_threshold(dataset, source)
    start = stop = None
    before = after = 0
    tracks: tuple[str, ...] = tuple(
        name for name, item in dataset.annotations.items() if item.kind == "categorical"
    )[:2]
    if default is not None:
        if default.start is not None and default.stop is not None:
            start, stop = default.start, default.stop
            before, after = default.off_before, default.off_after
        if default.tracks is not None:
            tracks = tuple(name for name in default.tracks if name in dataset.annotations)
    if start is None or stop is None:
        start, stop = opening_range(source, dataset.sequences.offsets, threshold)
    return View(
        dataset=dataset.id,
        fp=dataset.fingerprint,
        source=source.name,
        first=max(0, start - 12),
        start=start,
        stop=stop,
        before=before,
        after=after,
        threshold=threshold,
        tracks=tracks,
        zoom=step_width(sampled_tokens(dataset)),
    )


def opening_threshold(dataset: Dataset, source: Source) -> float:
    """Return the threshold of the dataset's default for this source, or else the suggested one."""
    default = dataset.default
    if default is None or default.threshold is None or default.source not in {None, source.name}:
        return float(source.suggested_threshold)
    return default.threshold


def sampled_tokens(dataset: Dataset) -> Sequence[str]:
    """Return the first tokens, which determine the width of a step."""
    return dataset.tokens(0, min(dataset.n_steps, SAMPLED_TOKENS))


def step_width(tokens: Sequence[str]) -> int:
    """Return the width of a step in px on opening: larger for words than for single characters.

    A letter takes about 7 px. The browser lets long words use the space left by short neighbours
    (assets/core/words.mjs), so the mean word must fit unchanged, and nine of ten words must fit with some
    squeezing.
    """
    needed = word_width(tokens)
    return next((width for width in OPENING_WIDTHS if width >= needed), OPENING_WIDTHS[-1])


def word_width(tokens: Sequence[str]) -> float:
    """Return the width of a step in px at which most of the tokens can be read side by side."""
    lengths = sorted(len(token) for token in tokens)
    mean, long = sum(lengths) / len(lengths), lengths[9 * len(lengths) // 10]
    return max(7 * mean + 6, 3 * long + 12)


def opening_range(source: Source, offsets: Any, threshold: float) -> tuple[int, int]:
    """Return the first 3-step range [start, stop) that selects 3 to 15 states, or the closest.

    Only the first 10,000 steps are searched. Sequences shorter than three steps are skipped if there are
    longer ones; otherwise, a whole sequence is returned.
    """
    last = min(source.n_steps, SEARCHED_STEPS)
    words = pack(source.rows[:last], threshold, Polarity.HIGH)
    starts = np.asarray(offsets, dtype=np.int64)
    ends = np.minimum(np.append(starts[1:], source.n_steps), last)
    length = min(DEFAULT_LENGTH, int(np.max(ends - np.minimum(starts, ends))))
    together = words[: last - length + 1].copy()
    for shift in range(1, length):
        together &= words[shift : last - length + 1 + shift]
    counts = np.bitwise_count(together).sum(axis=1).astype(np.int64)
    sequence = np.searchsorted(starts, np.arange(last), side="right")
    inside = sequence[: counts.size] == sequence[length - 1 : length - 1 + counts.size]
    distance = np.maximum(0, np.maximum(FEWEST_STATES - counts, counts - MOST_STATES))
    distance[~inside] = np.iinfo(np.int64).max
    start = int(np.argmin(distance))
    return start, start + length
