"""An opened source: its memory-mapped rows and its summary."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loaders.problems import (
    Problem,
)
from loaders.sources.files import SourceFiles
from loaders.sources.store import (
    Stored,
    source_key,
)
from loaders.sources.summary import Summary


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What is known about a source before it is opened."""

    name: str
    title: str
    n_states: int
    dtype: np.dtype[Any]
    transform: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """An opened source: a matrix of `n_steps` by `n_states` on disk.

    Attributes
    ----------
    key
            Identifies the content: changes when the files change.
    rows
            `(n_steps, n_states)` of `dtype` (float16, float32 or float64): a read-only, row-major
            memory map, with the transform applied.
    summary
            Minima and maxima per state, counts of NaN and infinities, quantiles.
    warnings
            About NaN, infinities and constant states.
    """

    name: str
    title: str
    key: str
    state_names: tuple[str, ...]
    rows: NDArray[Any]
    summary: Summary
    warnings: tuple[Problem, ...]

    @property
    def n_steps(self) -> int:
        """The number of rows."""
        return int(self.rows.shape[0])

    @property
    def n_states(self) -> int:
        """The number of columns."""
        return int(self.rows.shape[1])

    @property
    def dtype(self) -> np.dtype[Any]:
        """The stored float type."""
        return self.rows.dtype

    @property
    def home(self) -> Path:
        """The folder of the copy, with `rows.npy` and everything else derived from the source."""
        assert isinstance(self.rows, np.memmap) and self.rows.filename is not None
        return Path(self.rows.filename).parent

    @property
    def minimum(self) -> float:
        """The smallest finite value, exact; 0 if there is none."""
        return self.summary.minimum

    @property
    def maximum(self) -> float:
        """The largest finite value, exact; 0 if there is none."""
        return self.summary.maximum

    @property
    def low_quantile(self) -> float:
        """The 0.1 % quantile of the finite values (from a sample, see `Summary`)."""
        return self.summary.low_quantile

    @property
    def high_quantile(self) -> float:
        """The 99.9 % quantile of the finite values (from a sample, see `Summary`)."""
        return self.summary.high_quantile

    @property
    def suggested_threshold(self) -> float:
        """A round number at which about a fifth of the values are on; see `suggest_threshold`."""
        return self.summary.suggested_threshold

    def window(self, start: int, stop: int) -> NDArray[Any]:
        """Return the rows of the half-open range, clipped to the steps that exist.

        Returns
        -------
        ndarray
                `(stop - start, n_states)` of `dtype`, a copy in memory.
        """
        return np.array(self.rows[max(0, start) : max(0, stop)])


def opened_source(files: SourceFiles, stored: Stored) -> Source:
    """Make a source from its files and its copy."""
    return Source(
        name=files.name,
        title=files.title,
        key=source_key(files),
        state_names=files.state_names,
        rows=stored.rows,
        summary=stored.summary,
        warnings=stored.summary.warnings(files.where, files.n_steps, files.state_names),
    )
