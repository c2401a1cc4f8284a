"""What a demo opens with: a range in which a few states are on that mean something.

The meaning of single states is not known in advance (it changes with every training), so each demo
searches for such a range in the states that it has just computed. What counts is up to the demo.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

FEWEST: Final = 3
MOST: Final = 15
NEAR: Final = 5_000
"""The range begins within this many steps from the start of the dataset."""

On = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Opening:
    """The source, and the range `[start, stop)` to brush."""

    source: str
    start: int
    stop: int

    def settings(self, threshold: float, tracks: Sequence[str], **limits: int) -> dict[str, Any]:
        """Return the `default` of dataset.yaml; `limits` are its `off_before` and `off_after`."""
        brush = {"source": self.source, "start": self.start, "stop": self.stop}
        return brush | limits | {"threshold": threshold, "tracks": list(tracks)}


def on_at(states: NDArray[np.float16], threshold: float) -> On:
    """Return which values are on, with the shape of `states`; NaN is not on."""
    # Widened first: comparing float16 with a Python float would round the threshold.
    return np.asarray(states.astype(np.float64) >= threshold)


def handfuls(
    on: On, ranges: Iterable[tuple[int, int]], *, closed_in: NDArray[np.int64] | None = None
) -> Iterator[tuple[int, int, NDArray[np.int64]]]:
    """Iterate over the ranges near the start throughout which `FEWEST` to `MOST` states are on.

    Parameters
    ----------
    on
        `(n_steps, n_states)`.
    ranges
        Half-open, not empty, each within one sequence.
    closed_in
        `(n_sequences + 1,)`, the starts of sequences and `n_steps`: if given, the states must also be off
        at the steps before and after the range, within its sequence.

    Yields
    ------
    tuple
        Start, stop, and the states, ascending.
    """
    for start, stop in ranges:
        if start >= NEAR:
            continue
        through: On = np.all(on[start:stop], axis=0)
        if closed_in is not None and start not in closed_in:
            through &= ~on[start - 1]
        if closed_in is not None and stop not in closed_in:
            through &= ~on[stop]
        selected = np.flatnonzero(through)
        if FEWEST <= len(selected) <= MOST:
            yield start, stop, selected


def steps_together(on: On, offsets: NDArray[np.int64]) -> On:
    """Return the steps of all ranges of two or more steps throughout which all states are on.

    Parameters
    ----------
    on
        `(n_steps, n_selected)`.
    offsets
        `(n_sequences + 1,)`: the starts of sequences and `n_steps`; no range crosses one.

    Returns
    -------
    NDArray[np.bool_]
        `(n_steps,)`.
    """
    together: On = np.all(on, axis=1)
    # Two neighbours that are both on belong to a range of two or more steps.
    pair = together[1:] & together[:-1]
    pair[offsets[1:-1] - 1] = False
    return np.append(pair, False) | np.insert(pair, 0, False)
