"""The input of a search: the values and the sequences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from app.matching.bits import Polarity


class Opener(Protocol):
    """Gets the packed bits of some steps of a source, in any process; it can be pickled."""

    def bits(
        self, first: int, last: int, threshold: float, polarity: Polarity
    ) -> NDArray[np.uint64]:
        """Return the packed bits of the steps [first, last), as `pack` does.

        They are cached, so that repeated calls are cheap. C-contiguous and writable, but copy-on-write.
        """
        ...


@dataclass(frozen=True, slots=True)
class States:
    """The values of one source and its sequences.

    Attributes
    ----------
    rows
        (n_steps, n_states) float16, float32 or float64; may be a memory map.
    offsets
        int64 (n_sequences + 1,), increasing, from 0 to n_steps. Sequence i is the half-open range
        [offsets[i], offsets[i + 1]).
    opener
        Gets the packed bits shard by shard, if they may be too many for memory; None if that is
        not supported.
    names
        The names of the states in sentences; None: their numbers.
    """

    rows: NDArray[Any]
    offsets: NDArray[np.int64]
    opener: Opener | None = None
    names: Sequence[str] | None = None

    @property
    def n_steps(self) -> int:
        """The number of rows."""
        return int(self.rows.shape[0])

    @property
    def n_states(self) -> int:
        """The number of columns."""
        return int(self.rows.shape[1])

    def name(self, state: int) -> str:
        """Return the name of a state."""
        return str(state) if self.names is None else self.names[state]

    def bounds(self, step: int) -> tuple[int, int]:
        """Return the half-open range of the sequence of `step`."""
        ordinal = int(np.searchsorted(self.offsets, step, side="right")) - 1
        return int(self.offsets[ordinal]), int(self.offsets[ordinal + 1])
