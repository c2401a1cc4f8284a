"""What a pass over the steps returns: counts, or the matches themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

_NONE: Integers = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """The number of matches.

    Attributes
    ----------
    lengths, by_length, full_by_length
        The lengths that occur, ascending, and the number of matches and of full matches of each.
    by_overlap
        Matches that pass the length filter, by overlap (the index).
    by_bin, full_by_bin
        Matches and full matches that pass the length filter, by the bin of their start
        (`Terms.bin_shift`).
    """

    lengths: Integers
    by_length: Integers
    full_by_length: Integers
    by_overlap: Integers
    by_bin: Integers
    full_by_bin: Integers

    @classmethod
    def empty(cls) -> Counts:
        """Return zero counts."""
        return cls(*[_NONE] * 6)

    @classmethod
    def sum(cls, parts: Sequence[Counts]) -> Counts:
        """Return the sum of all parts."""
        if len(parts) == 1:
            return parts[0]
        lengths, where = np.unique(
            np.concatenate([part.lengths for part in parts]), return_inverse=True
        )
        by_length, full_by_length = (np.zeros(lengths.size, dtype=np.int64) for _ in range(2))
        np.add.at(by_length, where, np.concatenate([part.by_length for part in parts]))
        np.add.at(full_by_length, where, np.concatenate([part.full_by_length for part in parts]))
        return cls(
            lengths,
            by_length,
            full_by_length,
            np.sum([part.by_overlap for part in parts], axis=0),
            np.sum([part.by_bin for part in parts], axis=0),
            np.sum([part.full_by_bin for part in parts], axis=0),
        )

    @property
    def total(self) -> int:
        """The number of matches of any length."""
        return int(self.by_length.sum())


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Matches [starts, stops), in the order found (by stop) unless stated otherwise."""

    starts: Integers
    stops: Integers
    overlaps: Integers
    unions: Integers

    @classmethod
    def join(cls, parts: Sequence[Found]) -> Found:
        """Return the matches of all `parts`, concatenated."""
        if len(parts) == 1:
            return parts[0]
        none = [_NONE]
        return cls(
            np.concatenate([part.starts for part in parts] or none),
            np.concatenate([part.stops for part in parts] or none),
            np.concatenate([part.overlaps for part in parts] or none),
            np.concatenate([part.unions for part in parts] or none),
        )

    @property
    def size(self) -> int:
        """The number of matches."""
        return int(self.starts.size)

    def take(self, which: Integers | NDArray[np.bool_] | slice) -> Found:
        """Return the matches selected by `which`, in its order."""
        return Found(
            self.starts[which], self.stops[which], self.overlaps[which], self.unions[which]
        )
