"""A source on disk: a Parquet file of states, or a folder of part files.

`inspect_source` reads footers only. `pieces` divides the values into pieces that can be read in
parallel, and `over_pieces` does so.
"""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from loaders.config import SourceSettings
from loaders.parquet import (
    Stamp,
    index_columns,
    index_warning,
    is_folder,
    is_list,
    open_file,
    reading,
    repeated,
    stamp,
    type_words,
)
from loaders.problems import DatasetError, Problem, Severity, counted, listed

_Result = TypeVar("_Result")

# Rows decoded at once: the more, the lower the overhead per column.
_BATCH_BYTES = 1 << 25
_BATCH_ROWS = 32_768
_GROUP_BYTES = 3 << 25
# Rows transposed at once: few enough to stay in the processor cache until they are written.
_BLOCK_BYTES = 1 << 23
_LINE_BYTES = 64
_MOST_THREADS = 4
# Without these options pyarrow buffers a whole row group: a gigabyte or more if pandas or polars
# wrote the file as one row group.
_BOUNDED: dict[str, Any] = {"buffer_size": 1 << 16, "pre_buffer": False}


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a source. `columns` are the positions of the states among its columns."""

    path: Path
    where: str
    stamp: Stamp
    n_steps: int
    columns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SourceFiles:
    """The content of the files of a source, according to their footers.

    Attributes
    ----------
    dtype
            float16, float32 or float64: the widest type of the columns; float64 for integers.
    is_list
            Whether the states are one list column instead of one column each.
    """

    name: str
    title: str
    where: str
    parts: tuple[Part, ...]
    n_steps: int
    state_names: tuple[str, ...]
    dtype: np.dtype[Any]
    is_list: bool
    transform: str | None

    @property
    def n_states(self) -> int:
        """The number of columns, or the length of the lists."""
        return len(self.state_names)

    def digest(self, *, times: bool) -> str:
        """Return 32 hex digits from the footers, sizes, transform and, optionally, modification times."""
        content = hashlib.blake2b(digest_size=16)
        content.update(repr((self.transform, len(self.parts))).encode())
        for part in self.parts:
            time = part.stamp.mtime_ns if times else 0
            content.update(repr((part.stamp.footer, part.stamp.size, time)).encode())
        return content.hexdigest()

    def changed(self) -> bool:
        """Whether a file has changed since it was inspected."""
        try:
            return any(stamp(part.path, part.where) != part.stamp for part in self.parts)
        except DatasetError:
            return True


def inspect_source(
    name: str, path: Path, where: str, settings: SourceSettings
) -> tuple[SourceFiles | None, list[Problem]]:
    """Read the footers of a source.

    Parameters
    ----------
    name, path, where
            The source's name, its file or folder, and its name in problems.
    settings
        What dataset.yaml says about it.

    Returns
    -------
    SourceFiles or None, list of Problem
            None if there is a problem; a source may have warnings.
    """
    problems: list[Problem] = []
    if is_folder(path):
        try:
            files = _part_files(path, where, problems)
        except DatasetError as error:
            return None, [*problems, *error.problems]
        if not files:
            problems.append(
                Problem(where, "part files with names ending in .parquet", "none", "add them")
            )
            return None, problems
    else:
        files = [(path, where)]
    schemas: list[_PartSchema] = []
    for file, file_where in files:
        try:
            schemas.append(_inspect_part(file, file_where, problems))
        except DatasetError as error:
            problems.extend(error.problems)
    if len(schemas) < len(files):
        return None, problems
    first = schemas[0]
    for other in schemas[1:]:
        problems.extend(_differences(first, other))
    if any(problem.severity is Severity.PROBLEM for problem in problems):
        return None, problems
    n_steps = sum(part_schema.part.n_steps for part_schema in schemas)
    if n_steps == 0:
        problems.append(Problem(where, "at least one row", "no rows", "write one row per step"))
        return None, problems
    kinds = {kind for part_schema in schemas for kind in part_schema.kinds}
    return (
        SourceFiles(
            name=name,
            title=settings.title or name,
            where=where,
            parts=tuple(part_schema.part for part_schema in schemas),
            n_steps=n_steps,
            state_names=first.state_names or _list_names(schemas),
            dtype=_widest(kinds),
            is_list=first.is_list,
            transform=settings.transform,
        ),
        problems,
    )


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows that can be read independently of those before them, by any thread.

    Attributes
    ----------
    start, n_steps
            Its first step, and its number of steps.
    batches
            Returns an iterator over its batches; call it once.
    """

    files: SourceFiles
    part: Part
    part_start: int
    start: int
    n_steps: int
    batches: Callable[[], Iterator[pa.RecordBatch]]

    def blocks(self) -> Iterator[NDArray[Any]]:
        """Iterate over the values in order, some thousand rows at a time.

        Yields
        ------
        ndarray
                `(rows, n_states)` of the source's dtype, C-contiguous, not shared; nulls are NaN, and the
                transform is applied.

        Raises
        ------
        DatasetError
                    The file is damaged, has a different number of rows than its footer says, or contains a
                    list of a different length (names the row).
        """
        done = 0
        with reading(self.part.where):
            for batch in self.batches():
                for first in range(0, batch.num_rows, _block_rows(self.files)):
                    some = batch.slice(first, _block_rows(self.files))
                    yield self._block(some, self.start + done - self.part_start)
                    done += some.num_rows
        if done != self.n_steps:
            raise DatasetError(
                Problem(
                    self.part.where,
                    f"the {self.n_steps:,} rows given in its footer after row "
                    f"{self.start - self.part_start:,}",
                    f"{done:,}",
                    "write the file again",
                )
            )

    def _block(self, batch: pa.RecordBatch, row: int) -> NDArray[Any]:
        files, part = self.files, self.part
        if files.is_list:
            block = _list_block(batch.column(part.columns[0]), files, part, row)
        elif {batch.schema.field(i).type for i in part.columns} == {
            pa.from_numpy_dtype(files.dtype)
        }:  # the usual case, all columns of this type: converted together
            tensor = batch.select(part.columns).to_tensor(null_to_nan=True, row_major=False)
            block = np.ascontiguousarray(tensor.to_numpy())
        else:
            block = _column_block(batch, files, part)
        return _tanh(block) if files.transform else block


def pieces(files: SourceFiles) -> Iterator[Piece]:
    """Divide a source along its row groups: small ones are joined, large ones read in batches.

    A large row group can only be decoded in order, which happens, in several threads, as this iterator
    advances. Small row groups are decoded when they are read, by one thread each.

    Yields
    ------
    Piece
            In order and without gaps.

    Raises
    ------
    DatasetError
                The file is damaged.
    """
    width = files.n_states * files.dtype.itemsize
    rows = max(64, min(_BATCH_ROWS, _BATCH_BYTES // width))
    start = 0
    for part in files.parts:
        part_start = start
        file = open_file(part.path, part.where, **_BOUNDED)
        for groups, n_steps in _runs(file.metadata, width):
            if n_steps * width <= _GROUP_BYTES:
                read = partial(_read_groups, part, file.metadata, groups)
                yield Piece(files, part, part_start, start, n_steps, read)
                start += n_steps
                continue
            with reading(part.where):
                for batch in file.iter_batches(batch_size=rows, row_groups=groups):
                    held = partial(iter, [batch])
                    yield Piece(files, part, part_start, start, batch.num_rows, held)
                    start += batch.num_rows


def over_pieces(files: SourceFiles, work: Callable[[Piece], _Result]) -> Iterator[_Result]:
    """Apply `work` to each piece of a source, several at once, and yield the results in order.

    Uses as many threads as pyarrow would, at most four, to bound the memory. An exception is raised
    in the order of the pieces, and no piece is started after it.
    """
    n_threads = min(pa.cpu_count(), _MOST_THREADS)
    with ThreadPoolExecutor(n_threads, "piece") as pool:
        coming: deque[Future[_Result]] = deque()
        try:
            for piece in pieces(files):
                coming.append(pool.submit(work, piece))
                if len(coming) > n_threads:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)
            # The decoded pages are not needed again; a server would otherwise hold this memory.
            pa.default_memory_pool().release_unused()


def _runs(metadata: pq.FileMetaData, width: int) -> Iterator[tuple[list[int], int]]:
    """Yield row groups to read at once, with their rows: small ones are joined to a batch."""
    groups: list[int] = []
    n_steps = 0
    for i in range(metadata.num_row_groups):
        more = metadata.row_group(i).num_rows
        if groups and (n_steps + more) * width > _BATCH_BYTES:
            yield groups, n_steps
            groups, n_steps = [], 0
        groups.append(i)
        n_steps += more
    if n_steps:
        yield groups, n_steps


def _read_groups(
    part: Part, metadata: pq.FileMetaData, groups: list[int]
) -> Iterator[pa.RecordBatch]:
    # A separate handle: pyarrow does not guarantee that threads can share one.
    with pq.ParquetFile(part.path, metadata=metadata, **_BOUNDED) as file:
        yield from file.read_row_groups(groups, use_threads=False).to_batches()


def _block_rows(files: SourceFiles) -> int:
    """The number of rows transposed at once."""
    width = files.n_states * files.dtype.itemsize
    rows = max(64, min(_BATCH_ROWS, _BLOCK_BYTES // width))
    # The length of a column is an odd number of cache lines: with a power of two, such as 8,192 rows,
    # the values of one row all compete for the same few cache sets, and transposing takes seven times
    # as long.
    lines = (rows * files.dtype.itemsize // _LINE_BYTES - 1) | 1
    return lines * _LINE_BYTES // files.dtype.itemsize


@dataclass(frozen=True, slots=True)
class _PartSchema:
    part: Part
    kinds: frozenset[pa.DataType]
    state_names: tuple[str, ...]
    is_list: bool
    width: int | None


def _part_files(folder: Path, where: str, problems: list[Problem]) -> list[tuple[Path, str]]:
    files = []
    try:
        entries = sorted(folder.iterdir(), key=lambda path: path.name)
    except OSError as error:
        words = (error.strerror or str(error)).lower()
        raise DatasetError(
            Problem(where, "a folder that can be read", words, "make it readable")
        ) from error
    for path in entries:
        if path.name[0] in "._":
            continue
        if path.suffix == ".parquet":
            files.append((path, f"{where}/{path.name}"))
        else:
            found = "a folder" if is_folder(path) else "another file"
            problems.append(
                Problem(
                    f"{where}/{path.name}",
                    "part files that end in .parquet",
                    found,
                    "it is not read",
                    Severity.WARNING,
                )
            )
    names = [path.name for path, _ in files]
    for earlier, later in zip(names, sorted(names, key=_by_number), strict=True):
        if earlier != later:
            problems.append(
                Problem(
                    where,
                    "part files whose name order is the order of the steps",
                    f"'{earlier}' before '{later}'",
                    "name order is used; if that is wrong, pad the numbers with zeros",
                    Severity.WARNING,
                )
            )
            break
    return files


def _by_number(name: str) -> list[tuple[int, int, str]]:
    pieces = re.split(r"([0-9]+)", name)
    return [(0, int(p), "") if p.isdigit() and p.isascii() else (1, 0, p) for p in pieces]


def _inspect_part(path: Path, where: str, problems: list[Problem]) -> _PartSchema:
    seen = stamp(path, where)
    file = open_file(path, where, **_BOUNDED)
    schema = file.schema_arrow
    index = index_columns(schema)
    positions = [i for i, name in enumerate(schema.names) if name not in index]
    names = [schema.names[i] for i in positions]
    if index:
        problems.append(index_warning(where, [name for name in schema.names if name in index]))
    if not names:
        raise DatasetError(
            Problem(where, "at least one column of numbers", "none", "write one column per state")
        )
    again = repeated(names)
    if again:
        raise DatasetError(
            Problem(
                where,
                "state names once",
                f"{listed(again)} more than once",
                "rename the columns",
            )
        )
    types = [schema.field(i).type for i in positions]
    n_steps = file.metadata.num_rows
    if len(types) == 1 and is_list(types[0]) and _is_number(types[0].value_type):
        width = _width(file, types[0], positions[0], names[0], where, n_steps)
        part = Part(path, where, seen, n_steps, tuple(positions))
        return _PartSchema(part, frozenset([types[0].value_type]), (), True, width)
    wrong: dict[str, list[str]] = {}
    for name, kind in zip(names, types, strict=True):
        if not _is_number(kind):
            wrong.setdefault(type_words(kind), []).append(name)
    if wrong:
        raise DatasetError(
            Problem(
                f"{where}, {'column' if len(columns) == 1 else 'columns'} {listed(columns)}",
                "numbers (float16, float32, float64 or integers)",
                words,
                "convert to numbers, or remove columns that are not states",
            )
            for words, columns in wrong.items()
        )
    part = Part(path, where, seen, n_steps, tuple(positions))
    return _PartSchema(part, frozenset(types), tuple(names), False, None)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def _width(
    file: pq.ParquetFile,
    kind: pa.DataType,
    position: int,
    name: str,
    where: str,
    n_steps: int,
) -> int | None:
    """Return the length of the lists; None for a part without rows."""
    if pa.types.is_fixed_size_list(kind):
        width = int(kind.list_size)
    elif n_steps == 0:
        return None
    else:
        with reading(where):
            first = next(file.iter_batches(batch_size=1)).column(position)
        width = pc.list_value_length(first)[0].as_py() or 0
    if width == 0:
        at = f"{where}, column '{name}', row 0"
        found = "an empty list or null"
        raise DatasetError(
            Problem(at, "a list with one number per state", found, "write the states")
        )
    return width


def _list_names(schemas: list[_PartSchema]) -> tuple[str, ...]:
    width = next(part_schema.width for part_schema in schemas if part_schema.width is not None)
    return tuple(str(i) for i in range(width))


def _differences(first: _PartSchema, other: _PartSchema) -> list[Problem]:
    """Compare a part file with the first one in everything that must be equal."""
    where, reference = other.part.where, first.part.path.name
    remedy = "write all parts with the same columns"
    if first.is_list != other.is_list:
        kinds = ("one column per state", "one list column")
        expected = f"{kinds[first.is_list]}, as in {reference}"
        return [Problem(where, expected, kinds[other.is_list], remedy)]
    if first.is_list:
        if None not in (first.width, other.width) and first.width != other.width:
            expected = f"lists of {first.width}, as in {reference}"
            return [Problem(where, expected, f"lists of {other.width}", remedy)]
        return []
    if len(first.state_names) != len(other.state_names):
        expected = f"{counted(len(first.state_names), 'state column')}, as in {reference}"
        return [Problem(where, expected, f"{len(other.state_names):,}", remedy)]
    for i, (a, b) in enumerate(zip(first.state_names, other.state_names, strict=True)):
        if a != b:
            expected = f"'{a}' as state column {i}, as in {reference}"
            return [Problem(where, expected, f"'{b}'", remedy)]
    return []


def _widest(kinds: set[pa.DataType]) -> np.dtype[Any]:
    if any(pa.types.is_integer(kind) or kind == pa.float64() for kind in kinds):
        return np.dtype(np.float64)
    return np.dtype(np.float32 if pa.float32() in kinds else np.float16)


def _column_block(batch: pa.RecordBatch, files: SourceFiles, part: Part) -> NDArray[Any]:
    columns = np.empty((files.n_states, batch.num_rows), files.dtype)
    for state, position in enumerate(part.columns):
        columns[state] = batch.column(position).to_numpy(zero_copy_only=False)
    return np.ascontiguousarray(columns.T)


def _list_block(column: pa.Array, files: SourceFiles, part: Part, first_row: int) -> NDArray[Any]:
    lengths = pc.fill_null(pc.list_value_length(column), -1).to_numpy(zero_copy_only=False)
    bad = np.flatnonzero(lengths != files.n_states)
    if len(bad):
        row = int(bad[0])
        found = "null" if lengths[row] < 0 else f"a list of {lengths[row]}"
        raise DatasetError(
            Problem(
                f"{part.where}, row {first_row + row:,}",
                f"a list of {files.n_states} numbers, as in row 0",
                found,
                "write one number per state at every step",
            )
        )
    flat = column.flatten().to_numpy(zero_copy_only=False)
    return np.array(flat, files.dtype).reshape(len(column), files.n_states)


def _tanh(block: NDArray[Any]) -> NDArray[Any]:
    """Compute tanh in float64, rounded once to the block's type; NaN stays NaN, infinities become +-1."""
    if block.dtype == np.float16:
        looked_up: NDArray[Any] = _tanh_table()[block.view(np.uint16)]
        return looked_up
    rounded: NDArray[Any] = np.tanh(block.astype(np.float64)).astype(block.dtype)
    return rounded


@cache
def _tanh_table() -> NDArray[np.float16]:
    """The tanh of all 65,536 float16 values: equal to computing it, and much faster."""
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    with np.errstate(invalid="ignore"):  # includes signalling NaN
        return np.tanh(every.astype(np.float64)).astype(np.float16)
