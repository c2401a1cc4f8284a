"""Steps read from text files: tokens, sequences, annotations.

Every text format is read as a stream of `Row`s of text. `survey` reads the stream once, to count
the steps and to find the type of each column. After that, `Steps` reads it again on demand, one
batch at a time, so that no file needs to fit into memory.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from loaders.importers.faults import CannotImport
from loaders.importers.spans import TAG, Span, Spans
from loaders.problems import counted
from loaders.sources.store import Progress

BATCH = 65_536
"""The number of steps in memory at a time."""


class Row(NamedTuple):
    """One step as text from a file.

    `line` is its line, counted from 1. `sequence` is its sequence id, None without sequences. `unit`
    is its sentence or sequence, whose end no range of tags crosses. `cells` are its annotations, None
    for missing values.
    """

    line: int
    token: str
    sequence: str | int | None
    unit: int
    cells: Sequence[str | None]


@dataclass(frozen=True, slots=True)
class RowFile:
    """A file as a stream of rows.

    `names` are the names of the cells, `rows()` returns a new iterator, and `last_line()` is the
    approximate number of the last line, for reporting progress.
    """

    where: str
    names: tuple[str, ...]
    rows: Callable[[], Iterator[Row]]
    last_line: Callable[[], int]


class Piece(NamedTuple):
    """Some steps: their values, and for each annotation the ranges that ended in them, in order.

    Ranges refer to steps of the whole. Those that end with the last step are in a piece without rows.
    """

    batch: pa.RecordBatch
    ranges: Mapping[str, Sequence[Span]]


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """Steps that can be read repeatedly.

    Attributes
    ----------
    schema
            `token`, `sequence` if there are sequences, and the annotations with one value per step.
    read
            Returns a new iterator over pieces of `schema`, with `n_steps` rows in total.
    intervals
            The names of the interval annotations.
    lengths
        int64 `(n_sequences,)`, adding up to `n_steps`; None without sequences.
    left_out
            Descriptions of the parts of the file that were left out.
    """

    where: str
    n_steps: int
    schema: pa.Schema
    read: Callable[[], Iterator[Piece]]
    intervals: tuple[str, ...] = ()
    lengths: NDArray[np.int64] | None = None
    left_out: tuple[str, ...] = ()

    @property
    def annotations(self) -> tuple[str, ...]:
        """The names of the annotations, intervals last."""
        columns = [name for name in self.schema.names if name not in ("token", "sequence")]
        return (*columns, *self.intervals)


def survey(
    file: RowFile,
    *,
    keep_tags: bool = False,
    left_out: Sequence[str] = (),
    progress: Progress | None = None,
) -> Steps:
    """Read all rows once and determine their types.

    A column of integers, numbers or true and false becomes an annotation of that type, anything else
    text. A column of tags (`loaders.importers.spans`) becomes ranges, unless `keep_tags`. Columns
    without values are left out and reported. `progress` is called with the lines read and all lines.

    Raises
    ------
    CannotImport
                There are no rows, or the steps of a sequence are not consecutive.
    """
    kinds = [_Kinds() for _ in file.names]
    lengths: list[int] = []
    seen: set[Hashable] = set()
    sequence: Hashable = None
    whole = True  # every sequence id is an integer
    n_steps = 0
    last_line = 0 if progress is None else file.last_line()
    for batch in _batched(file.rows()):
        for row in batch:
            if row.sequence is None:
                continue
            if row.sequence != sequence or not lengths:
                if row.sequence in seen:
                    raise CannotImport(
                        f"{file.where}, line {row.line:,}",
                        "the steps of a sequence to be consecutive",
                        f"{row.sequence!r} again, after another one",
                        "sort the rows by sequence, or give the second part another id",
                    )
                seen.add(sequence := row.sequence)
                lengths.append(0)
                whole = whole and _is_integer(row.sequence)
            lengths[-1] += 1
        for position, kind in enumerate(kinds):
            kind.take({row.cells[position] for row in batch})
        n_steps += len(batch)
        if progress is not None:
            progress(min(batch[-1].line, last_line), max(1, last_line))
    if n_steps == 0:
        raise CannotImport(
            file.where, "at least one step", "none", "check that this is the right file"
        )
    names = [kind.name(keep_tags) for kind in kinds]
    fields = [pa.field("token", pa.string())]
    if lengths:
        fields.append(pa.field("sequence", pa.int64() if whole else pa.string()))
    kept = [i for i, name in enumerate(names) if name in _TYPES]
    fields.extend(pa.field(file.names[i], _TYPES[names[i]]) for i in kept)
    schema = pa.schema(fields)
    tags = {file.names[i]: i for i, name in enumerate(names) if name == "tags"}
    return Steps(
        where=file.where,
        n_steps=n_steps,
        schema=schema,
        read=lambda: _pieces(file, schema, kept, tags),
        intervals=tuple(tags),
        lengths=np.array(lengths, np.int64) if lengths else None,
        left_out=(
            *left_out,
            *(
                f"column '{file.names[i]}' of {file.where}, which has no values"
                for i, name in enumerate(names)
                if name == "empty"
            ),
        ),
    )


def with_lengths(steps: Steps, lengths: NDArray[np.int64], where: str) -> Steps:
    """Return the steps with sequences of these lengths, numbered from 0.

    Raises
    ------
    CannotImport
                There are sequences already, the lengths do not add up, or a length is below 1.
    """
    if steps.lengths is not None:
        raise CannotImport(
            where,
            "sequences from one input only",
            f"sequences in {steps.where}, too",
            "leave one of them out",
        )
    if (lengths < 1).any():
        which = int(np.flatnonzero(lengths < 1)[0])
        raise CannotImport(
            f"{where}, sequence {which:,}",
            "a length of 1 or more",
            str(lengths[which]),
            "leave empty sequences out",
        )
    if int(lengths.sum()) != steps.n_steps:
        raise CannotImport(
            where,
            f"lengths that add up to {steps.n_steps:,}, the number of tokens in {steps.where}",
            f"{counted(len(lengths), 'length')} that add up to {int(lengths.sum()):,}",
            "give the number of tokens of each sequence",
        )
    ends = np.cumsum(lengths)

    def read() -> Iterator[Piece]:
        start = 0
        for batch, ranges in steps.read():
            stop = start + batch.num_rows
            ids = np.searchsorted(ends, np.arange(start, stop), side="right").astype(np.int64)
            yield Piece(
                batch.add_column(1, pa.field("sequence", pa.int64()), pa.array(ids)), ranges
            )
            start = stop

    schema = steps.schema.insert(1, pa.field("sequence", pa.int64()))
    return replace(steps, schema=schema, read=read, lengths=lengths)


_TYPES = {
    "boolean": pa.bool_(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "text": pa.string(),
}
# Whole numbers with more than 18 digits or leading zeros are names, and stay text.
_WHOLE = r"(?:0|[1-9][0-9]{0,17})"
_PATTERNS = {
    "boolean": re.compile("true|false", re.IGNORECASE),
    "integer": re.compile(f"-?{_WHOLE}"),
    "number": re.compile(
        rf"[+-]?(?:{_WHOLE}(?:\.[0-9]*)?(?:e[+-]?[0-9]+)?|\.[0-9]+(?:e[+-]?[0-9]+)?|nan|inf)",
        re.IGNORECASE,
    ),
    "tags": TAG,
}
_MOST_SEEN = 100_000


def _is_integer(value: str | int) -> bool:
    return isinstance(value, int) or _PATTERNS["integer"].fullmatch(value) is not None


class _Kinds:
    """The types that a column may have, narrowed down during a survey."""

    def __init__(self) -> None:
        self.possible = list(_PATTERNS)
        self.seen: set[str | None] = set()
        self.any = False
        self.any_span = False

    def take(self, values: set[str | None]) -> None:
        """Rule out the types that do not fit one of these values."""
        if not self.possible:
            return
        fresh = values - self.seen - {None}
        self.any = self.any or bool(fresh)
        self.any_span = self.any_span or any(value != "O" for value in fresh)
        self.possible = [
            kind
            for kind in self.possible
            if all(_PATTERNS[kind].fullmatch(value) for value in fresh if value is not None)
        ]
        if len(self.seen) < _MOST_SEEN:
            self.seen |= fresh

    def name(self, keep_tags: bool) -> str:
        """The type of the column."""
        if not self.any:
            return "empty"
        for kind in self.possible:
            if kind != "tags" or (self.any_span and not keep_tags):
                return kind
        return "text"


def _batched(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(itertools.islice(rows, BATCH)):
        yield batch


def _pieces(
    file: RowFile, schema: pa.Schema, kept: list[int], tags: Mapping[str, int]
) -> Iterator[Piece]:
    """Iterate over the file's rows; `kept` and `tags` are the positions of value and tag columns."""
    found = {name: Spans() for name in tags}
    for rows in _batched(file.rows()):
        ranges = {
            name: list(found[name].take((row.unit, row.cells[i]) for row in rows))
            for name, i in tags.items()
        }
        yield Piece(_batch(rows, schema, kept), ranges)
    if tags:
        yield Piece(_batch([], schema, kept), {name: list(found[name].end()) for name in tags})


def _batch(rows: Sequence[Row], schema: pa.Schema, kept: list[int]) -> pa.RecordBatch:
    columns: list[pa.Array] = [_column([row.token for row in rows], schema.field(0).type)]
    if "sequence" in schema.names[1:2]:
        columns.append(_column([row.sequence for row in rows], schema.field(1).type))
    first = len(columns)
    columns.extend(
        _column([row.cells[i] for row in rows], schema.field(first + n).type)
        for n, i in enumerate(kept)
    )
    return pa.record_batch(columns, schema=schema)


def _column(values: Sequence[str | int | None], kind: pa.DataType) -> pa.Array:
    """Convert text to the type found by the survey."""
    if pa.types.is_boolean(kind):
        return pa.array([None if v is None else str(v).lower() == "true" for v in values], kind)
    if pa.types.is_integer(kind):
        return pa.array([None if v is None else int(v) for v in values], kind)
    if pa.types.is_floating(kind):
        return pa.array([None if v is None else float(v) for v in values], kind)
    texts = [None if v is None else str(v) for v in values]
    try:
        return pa.array(texts, kind)
    except UnicodeEncodeError:  # a lone surrogate, which JSON can contain and UTF-8 cannot
        return pa.array(
            [None if t is None else t.encode("utf-8", "replace").decode() for t in texts], kind
        )
