"""Sequences: ranges of steps over which the model's state was carried without a reset."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from loaders.parquet import is_text, type_words
from loaders.problems import DatasetError, Problem, counted


@dataclass(frozen=True, slots=True, eq=False)
class Sequences:
    """The sequences of a dataset.

    Attributes
    ----------
    offsets
        int64, `(n_sequences + 1,)`, strictly increasing from 0 to `n_steps`; read-only.
    ids
        `n_sequences` integers or strings; None if the dataset has no `sequence` column and so
        only one sequence.
    """

    offsets: NDArray[np.int64]
    ids: tuple[str, ...] | tuple[int, ...] | None

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def n_steps(self) -> int:
        """The number of steps in all sequences."""
        return int(self.offsets[-1])

    def ordinal(self, step: int) -> int:
        """Return the number of the sequence that contains `step`, from 0; IndexError outside the data."""
        if not 0 <= step < self.n_steps:
            raise IndexError(f"step {step} is not one of the {self.n_steps:,} steps")
        return int(np.searchsorted(self.offsets, step, side="right")) - 1

    def id(self, step: int) -> str | int | None:
        """Return the id of the sequence that contains `step`; None if sequences have no ids."""
        ordinal = self.ordinal(step)
        return None if self.ids is None else self.ids[ordinal]

    def bounds(self, step: int) -> tuple[int, int]:
        """Return start and stop (half-open) of the sequence that contains `step`."""
        ordinal = self.ordinal(step)
        return int(self.offsets[ordinal]), int(self.offsets[ordinal + 1])

    def touching(self, start: int, stop: int) -> Iterator[tuple[int, int, str | int | None]]:
        """Yield start, stop (half-open) and id of every sequence that touches [start, stop)."""
        while start < stop:
            first, last = self.bounds(start)
            yield first, last, self.id(start)
            start = last


def one_sequence(n_steps: int) -> Sequences:
    """Return all steps as one sequence without an id."""
    return _frozen(np.array([0, n_steps], np.int64), None)


def read_sequences(column: pa.ChunkedArray, where: str) -> Sequences:
    """Read sequences from the `sequence` column: a run of equal values is a sequence.

    Parameters
    ----------
    column
        Integers or strings, dictionary-encoded or not; at least one.
    where
        The name of the column in problems.

    Raises
    ------
    DatasetError
        Wrong type, a null, or an id that recurs after another one; names the row.
    """
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (pa.types.is_integer(kind) or is_text(kind)):
        raise DatasetError(
            Problem(
                where,
                "integers or strings",
                type_words(column.type),
                "write the sequence's number or name at each step, without nulls",
            )
        )
    if column.null_count:
        row = first_null(column)
        raise DatasetError(
            Problem(
                f"{where}, row {row:,}",
                "a sequence id at every step",
                f"null ({counted(column.null_count, 'row')} in total)",
                "give these steps an id",
            )
        )
    codes, values = encode(column)
    changes = np.flatnonzero(codes[1:] != codes[:-1]) + 1
    starts = np.concatenate([np.zeros(1, np.int64), changes.astype(np.int64)])
    runs = codes[starts]
    _, first = np.unique(runs, return_index=True)
    if len(first) != len(runs):
        again = np.ones(len(runs), bool)
        again[first] = False
        ordinal = int(np.flatnonzero(again)[0])
        earlier = int(np.flatnonzero(runs == runs[ordinal])[0])
        raise DatasetError(
            Problem(
                f"{where}, row {int(starts[ordinal]):,}",
                "the steps of a sequence to be consecutive",
                f"{values[int(runs[ordinal])].as_py()!r} again, after it ended at row "
                f"{int(starts[earlier + 1]):,}",
                "sort the steps by sequence, or give the second part another id",
            )
        )
    ids = tuple(values.take(pa.array(runs)).to_pylist())
    return _frozen(np.append(starts, len(codes)), ids)


def encode(column: pa.ChunkedArray) -> tuple[NDArray[np.int32], pa.Array]:
    """Encode a column as codes into its distinct values.

    Returns
    -------
    codes, values
        int32 `(n,)`, -1 for null; and the distinct values, in order of first appearance for plain
        columns and in the order of the file for dictionary columns.
    """
    if pa.types.is_string_view(column.type):
        column = column.cast(pa.large_string())
    if pa.types.is_dictionary(column.type):
        column = column.unify_dictionaries()
    else:
        column = column.dictionary_encode()
    if column.num_chunks == 0:
        return np.zeros(0, np.int32), pa.array([], column.type.value_type)
    values = column.chunk(0).dictionary
    codes = np.empty(len(column), np.int32)
    position = 0
    for chunk in column.chunks:
        indices = chunk.indices
        if indices.null_count:
            indices = pc.fill_null(indices.cast(pa.int32()), -1)
        codes[position : position + len(chunk)] = indices.to_numpy(zero_copy_only=False)
        position += len(chunk)
    return _merge_equal(codes, values)


def _merge_equal(codes: NDArray[np.int32], values: pa.Array) -> tuple[NDArray[np.int32], pa.Array]:
    """Merge equal values and drop nulls of a dictionary from a file, which may contain both."""
    distinct = values.dictionary_encode()
    if len(distinct.dictionary) == len(values) and not values.null_count:
        return codes, values
    mapping = pc.fill_null(distinct.indices.cast(pa.int32()), -1).to_numpy(zero_copy_only=False)
    table = np.append(mapping, np.int32(-1)).astype(np.int32)  # code -1 takes the last entry
    return table[codes], distinct.dictionary


def first_null(column: pa.ChunkedArray) -> int:
    """Return the row of the first null in a column that has one."""
    position = 0
    for chunk in column.chunks:
        if chunk.null_count:
            missing = chunk.is_null().to_numpy(zero_copy_only=False)
            return position + int(np.flatnonzero(missing)[0])
        position += len(chunk)
    raise ValueError("the column has no null")


def _frozen(offsets: NDArray[np.int64], ids: tuple[Any, ...] | None) -> Sequences:
    offsets.flags.writeable = False
    return Sequences(offsets, ids)
