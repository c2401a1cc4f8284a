"""A query, and the sentences about invalid ones."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.matching.bits import Polarity


class QueryError(ValueError):
    """An invalid query; str(error) is one plain sentence for a person."""


@dataclass(frozen=True, slots=True)
class Query:
    """A selection, a threshold and what counts as a match (docs/matching.md).

    Attributes
    ----------
    threshold
        Finite float64, parsed from its decimal text.
    start, stop
        The selection, half-open and inside one sequence. Not used or checked if
        `states` is given.
    polarity
        Which side of the threshold is on.
    off_before, off_after
        The numbers of steps before and after a range at which its states must be off.
    exclude
        States excluded from the selection; they still count in the union.
    states
        The selected states, instead of a range.
    min_overlap, min_length
        None means the default: half of the selected states, rounded up, and 2 steps (1 if the
        selection is one step long).
    length
        (shortest, longest), inclusive: list only matches of these lengths.
    overlapping
        List every match, not only the best one at each place.
    top, offset
        List `top` matches after the first `offset`.
    context
        Steps of overlap profile before and after each listed match.
    """

    threshold: float
    start: int | None = None
    stop: int | None = None
    polarity: Polarity = Polarity.HIGH
    off_before: int = 0
    off_after: int = 0
    exclude: tuple[int, ...] = ()
    states: tuple[int, ...] | None = None
    min_overlap: int | None = None
    min_length: int | None = None
    length: tuple[int, int] | None = None
    overlapping: bool = False
    top: int = 50
    offset: int = 0
    context: int = 5

    def check(self, n_steps: int, n_states: int, offsets: NDArray[np.int64]) -> None:
        """Raise if this query is not valid for a source.

        Parameters
        ----------
        n_steps, n_states
            The shape of the source.
        offsets
            int64 (n_sequences + 1,): where its sequences begin, and n_steps.

        Raises
        ------
        QueryError
            The message says what is wrong and what to do.
        """
        if not math.isfinite(self.threshold):
            raise QueryError(
                f"The threshold is {self.threshold}; give a finite number, for example 0.3."
            )
        if self.polarity not in tuple(Polarity):
            raise QueryError(
                f"The polarity is {str(self.polarity)!r}; give high, low or magnitude."
            )
        self._check_numbers()
        self._check_length()
        _check_states("exclude", self.exclude, n_states)
        if self.states is not None:
            if not self.states:
                raise QueryError(
                    "The list of states is empty; give at least one state, or a start and a stop."
                )
            _check_states("states", self.states, n_states)
        else:
            self._check_range(n_steps, offsets)

    def with_defaults(self, n_selected: int) -> Query:
        """Return this query with the defaults for `n_selected` selected states."""
        min_overlap = self.min_overlap
        if min_overlap is None:
            min_overlap = max(1, (n_selected + 1) // 2)
        min_length = self.min_length
        if min_length is None:
            min_length = 1 if self._is_one_step() else 2
        return replace(self, min_overlap=min_overlap, min_length=min_length)

    def _is_one_step(self) -> bool:
        if self.states is not None or self.start is None or self.stop is None:
            return False
        return self.stop - self.start == 1

    def _check_numbers(self) -> None:
        limits = (
            ("min_overlap", self.min_overlap, 1),
            ("min_length", self.min_length, 1),
            ("top", self.top, 1),
            ("offset", self.offset, 0),
            ("off_before", self.off_before, 0),
            ("off_after", self.off_after, 0),
            ("context", self.context, 0),
        )
        for name, value, least in limits:
            if value is not None and value < least:
                raise QueryError(f"{name} is {value}; give {least} or more.")

    def _check_length(self) -> None:
        if self.length is None:
            return
        ends: tuple[int | None, ...] = tuple(self.length)
        if len(ends) != 2 or ends[0] is None or ends[1] is None:
            raise QueryError(
                "The length range is open; give both ends, for example 2:10, or one length."
            )
        least, most = ends[0], ends[1]
        if least > most or most < 1:
            raise QueryError(
                f"The length range {least}:{most} is empty; "
                "give the smaller end first, both 1 or more, for example 2:10."
            )

    def _check_range(self, n_steps: int, offsets: NDArray[np.int64]) -> None:
        start, stop = self.start, self.stop
        if start is None and stop is None:
            raise QueryError("Nothing is selected; give a start and a stop, or a list of states.")
        if start is None or stop is None:
            missing = "start" if start is None else "stop"
            raise QueryError(
                f"The selection has no {missing}; give both start and stop, or a list of states."
            )
        if start == stop:
            raise QueryError(
                f"The selection from {start} to {stop} is empty; "
                "stop is the step after the last one, so give a larger stop."
            )
        if start > stop:
            raise QueryError(
                f"The selection from {start} to {stop} is reversed; give a start below the stop."
            )
        if start < 0 or stop > n_steps:
            raise QueryError(
                f"The selection from {start} to {stop} is outside the steps of this source; "
                f"give a start and a stop from 0 to {n_steps}."
            )
        boundary = int(offsets[np.searchsorted(offsets, start, side="right")])
        if stop > boundary:
            raise QueryError(
                f"The selection from {start} to {stop} crosses a sequence boundary at step "
                f"{boundary}; stop at {boundary}, or start there."
            )


def _check_states(name: str, states: tuple[int, ...], n_states: int) -> None:
    for state in states:
        if not 0 <= state < n_states:
            raise QueryError(
                f"{name} contains state {state}, but this source has states 0 to {n_states - 1}; "
                "give states in that range."
            )
