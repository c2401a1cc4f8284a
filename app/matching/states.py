"""What a match reads: the values and where the sequences begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from app.matching.bits import Polarity


class Opener(Protocol):
    """Gets the on-bits of some steps of a source, in any process: it can be pickled."""

    def bits(
        self, first: int, last: int, threshold: float, polarity: Polarity
    ) -> NDArray[np.uint64]:
        """Return the on-bits of the steps [first, last), as `pack` does.

        They are cached: asking again costs little. C-contiguous and writable, but
        writing to it is to change nothing for anybody else.
        """
        ...


@dataclass(frozen=True, slots=True)
class States:
    """The values of one source and the sequences its steps belong to.

    Attributes
    ----------
    rows
        (n_steps, n_states) float16, float32 or float64; may be a memory map.
    offsets
        int64 (n_sequences + 1,), increasing, from 0 to n_steps. Sequence i is the half-open range
        [offsets[i], offsets[i + 1]).
    opener
        How the on-bits are had piece by piece, where they may be too many for memory; None where
        that is not provided for.
    names
        What the states are called in sentences, one name a state; None: by their numbers.
    """

    rows: NDArray[Any]
    offsets: NDArray[np.int64]
    opener: Opener | None = None
    names: Sequence[str] | None = None

    @property
    def n_steps(self) -> int:
        """Number of rows."""
        return int(self.rows.shape[0])

    @property
    def n_states(self) -> int:
        """Number of columns."""
        return int(self.rows.shape[1])

    def name(self, state: int) -> str:
        """Return what a state is called."""
        return str(state) if self.names is None else self.names[state]

    def bounds(self, step: int) -> tuple[int, int]:
        """Return the half-open range of the sequence that `step` belongs to."""
        ordinal = int(np.searchsorted(self.offsets, step, side="right")) - 1
        return int(self.offsets[ordinal]), int(self.offsets[ordinal + 1])
