"""What a demo opens on: a stretch through which a handful of states are on that say something.

Nothing about single states is known beforehand (it changes with every training), so each demo looks
for such a stretch in the states it has just computed. What makes one telling is the demo's own.
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
"""Steps from the start of the dataset in which the stretch begins."""

On = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Opening:
    """The source, and the steps `[start, stop)` to brush."""

    source: str
    start: int
    stop: int

    def settings(self, threshold: float, tracks: Sequence[str], **limits: int) -> dict[str, Any]:
        """Return the `default` of dataset.yaml; `limits` are its `off_before` and `off_after`."""
        brush = {"source": self.source, "start": self.start, "stop": self.stop}
        return brush | limits | {"threshold": threshold, "tracks": list(tracks)}


def on_at(states: NDArray[np.float16], threshold: float) -> On:
    """Return which values are on, in the shape of `states`; NaN is not."""
    # Widened first: a float16 compared with a Python float would round the threshold.
    return np.asarray(states.astype(np.float64) >= threshold)


def handfuls(
    on: On, ranges: Iterable[tuple[int, int]], *, closed_in: NDArray[np.int64] | None = None
) -> Iterator[tuple[int, int, NDArray[np.int64]]]:
    """Those of the ranges near the start through which `FEWEST` to `MOST` states are on.

    Parameters
    ----------
    on
        `(n_steps, n_states)`.
    ranges
        Half-open, not empty, each inside one sequence.
    closed_in
        `(n_sequences + 1,)`, where sequences start, and `n_steps`: the states must also be off at
        the step before the range and the one after it, as far as these are in its sequence.

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
    """Return the steps of all ranges of two steps or more through which all states are on.

    Parameters
    ----------
    on
        `(n_steps, n_selected)`.
    offsets
        `(n_sequences + 1,)`: where sequences start, and `n_steps`; no range crosses one.

    Returns
    -------
    NDArray[np.bool_]
        `(n_steps,)`.
    """
    together: On = np.all(on, axis=1)
    # Two neighbours that are both on belong to one range of two steps or more.
    pair = together[1:] & together[:-1]
    pair[offsets[1:-1] - 1] = False
    return np.append(pair, False) | np.insert(pair, 0, False)
