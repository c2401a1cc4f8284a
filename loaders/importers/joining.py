"""Combine steps and states into a new dataset, or add annotations to an existing one."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from loaders.annotations import read_annotations
from loaders.atomic import temporary_folder
from loaders.importers.arrays import Array, full_lengths, state_rows
from loaders.importers.faults import CannotImport
from loaders.importers.spans import Span
from loaders.importers.steps import BATCH, Steps, with_lengths
from loaders.inspection import ANNOTATIONS_FOLDER, TOKENS_FILE, Inspection, inspect_dataset
from loaders.parquet import repeated
from loaders.problems import Severity, counted, listed
from loaders.sources.store import Progress
from loaders.writer import write_dataset

_Batches = Mapping[str, pa.RecordBatch]
"""Rows for several annotations."""

SPAN_SCHEMA = pa.schema(
    [("start", pa.int64()), ("stop", pa.int64()), ("label", pa.string())],
)


@dataclass(frozen=True, slots=True)
class Imported:
    """What was written; `left_out` lists in words what could not be imported."""

    path: Path
    n_steps: int
    sources: tuple[str, ...]
    annotations: tuple[str, ...]
    left_out: tuple[str, ...]


def import_arrays(
    out: Path,
    steps: Steps,
    arrays: Sequence[Array],
    *,
    lengths: NDArray[np.int64] | None = None,
    lengths_where: str = "",
    dtype: str | None = None,
    padding: str = "after",
    config: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Imported:
    """Write a dataset from steps and NumPy arrays.

    Parameters
    ----------
    out
        The dataset folder to create.
    steps
        Tokens and annotations.
    arrays
        The states, one source per array; see `loaders.importers.arrays.state_rows`.
    lengths, lengths_where
        The number of steps of each sequence, if `steps` has no sequences, and their name in errors.
        Arrays with three axes also imply it, if all their sequences have the same length.
    dtype, padding
        See `state_rows`.
    config, overwrite
        See `loaders.writer.write_dataset`.
    progress
        Called with the rows written and the rows in total.

    Raises
    ------
    CannotImport, WriteError
        The message is one sentence; nothing is left behind.
    """
    again = repeated([array.name for array in arrays])
    if again:
        raise CannotImport(
            "the sources", "names that differ", f"{listed(again)} twice", "name them as NAME=FILE"
        )
    if lengths is not None:
        steps = with_lengths(steps, lengths, lengths_where)
    elif steps.lengths is None:
        full = full_lengths(list(arrays), steps.n_steps)
        if full is not None:
            steps = with_lengths(steps, full, "the states")
    track = counting(progress, steps.n_steps * (len(arrays) + 1))
    options: dict[str, Any] = {"dtype": dtype, "padding": padding}
    states = {
        array.name: track(
            state_rows(array, steps.n_steps, steps.lengths, steps.where, **options), len
        )
        for array in arrays
    }
    with contextlib.ExitStack() as kept:
        ranges = {
            name: _RangeFile(kept.enter_context(tempfile.TemporaryFile()))
            for name in steps.intervals
        }

        def tokens() -> Iterator[pa.RecordBatch]:
            for piece in steps.read():
                for name, found in piece.ranges.items():
                    ranges[name].add(found)
                yield piece.batch

        write_dataset(
            out,
            tokens=pa.RecordBatchReader.from_batches(
                steps.schema, track(tokens(), lambda batch: batch.num_rows)
            ),
            states=states,
            # Read after the tokens, when all ranges have been added.
            annotations={name: found.reader() for name, found in ranges.items()},
            config=config,
            overwrite=overwrite,
        )
    return Imported(out, steps.n_steps, tuple(states), steps.annotations, steps.left_out)


def add_annotations(path: Path, steps: Steps, *, overwrite: bool = False) -> Imported:
    """Add the annotations of `steps` to a dataset, one file each; reads `steps` once.

    The tokens must be the same as in the dataset.

    Raises
    ------
    CannotImport
        The message is one sentence; the dataset is unchanged.
    """
    inspection = _valid_dataset(path)
    tokens = inspection.tokens
    assert tokens is not None
    n_steps = len(tokens)
    if steps.n_steps != n_steps:
        raise CannotImport(
            steps.where,
            f"{counted(n_steps, 'token')}, as in {path}/{TOKENS_FILE}",
            f"{steps.n_steps:,}",
            "give a file with the same tokens",
        )
    columns = [name for name in steps.annotations if name not in steps.intervals]
    schemas = {name: pa.schema([steps.schema.field(name)]) for name in columns}
    schemas |= dict.fromkeys(steps.intervals, SPAN_SCHEMA)

    def batches() -> Iterator[_Batches]:
        step = 0
        for batch, ranges in steps.read():
            given = batch.column("token").to_pylist()
            there = tokens.texts(step, step + len(given))
            if given != there:
                at = next(i for i, (a, b) in enumerate(zip(given, there, strict=True)) if a != b)
                raise CannotImport(
                    f"{steps.where}, step {step + at:,}",
                    f"the token {there[at]!r}, as in {path}/{TOKENS_FILE}",
                    repr(given[at]),
                    "give a file with the same tokens",
                )
            step += len(given)
            yield {name: batch.select([name]) for name in columns} | {
                name: _span_batch(found) for name, found in ranges.items()
            }

    return _add(path, inspection, schemas, batches(), steps.where, steps.left_out, overwrite)


def add_ranges(
    path: Path,
    name: str,
    ranges: Iterable[Span],
    where: str,
    left_out: Sequence[str] = (),
    *,
    overwrite: bool = False,
) -> Imported:
    """Add one interval annotation to a dataset; see `add_annotations`."""
    batches = ({name: batch} for batch in span_reader(ranges))
    inspection = _valid_dataset(path)
    return _add(path, inspection, {name: SPAN_SCHEMA}, batches, where, left_out, overwrite)


def span_reader(ranges: Iterable[Span]) -> pa.RecordBatchReader:
    """Return ranges as the record batches of an annotation file."""

    def batches() -> Iterator[pa.RecordBatch]:
        waiting: list[Span] = []
        for span in ranges:
            waiting.append(span)
            if len(waiting) == BATCH:
                yield _span_batch(waiting)
                waiting = []
        yield _span_batch(waiting)

    return pa.RecordBatchReader.from_batches(SPAN_SCHEMA, batches())


class _RangeFile:
    """A temporary file of ranges, which are found while tokens are read and written later."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._writer = pa.ipc.new_stream(file, SPAN_SCHEMA)

    def add(self, ranges: Sequence[Span]) -> None:
        """Add some ranges."""
        self._writer.write_batch(_span_batch(ranges))

    def reader(self) -> pa.RecordBatchReader:
        """Read all ranges that were added before the first batch is requested."""

        def batches() -> Iterator[pa.RecordBatch]:
            self._writer.close()
            self._file.seek(0)
            yield from pa.ipc.open_stream(self._file)

        return pa.RecordBatchReader.from_batches(SPAN_SCHEMA, batches())


def _span_batch(ranges: Sequence[Span]) -> pa.RecordBatch:
    columns = [[span[i] for span in ranges] for i in range(3)]
    return pa.record_batch(
        [pa.array(c, f.type) for c, f in zip(columns, SPAN_SCHEMA, strict=True)],
        schema=SPAN_SCHEMA,
    )


def _valid_dataset(path: Path) -> Inspection:
    inspection = inspect_dataset(path)
    if inspection.problems:
        first = inspection.problems[0]
        raise CannotImport(first.where, first.expected, first.found, first.remedy)
    return inspection


def _add(
    path: Path,
    inspection: Inspection,
    schemas: Mapping[str, pa.Schema],
    batches: Iterable[_Batches],
    where: str,
    left_out: Sequence[str],
    overwrite: bool,
) -> Imported:
    """Write annotation files next to those of the dataset, check them, and move them there."""
    folder = path / ANNOTATIONS_FOLDER
    if not schemas:
        raise CannotImport(where, "annotations in addition to the tokens", "none", "add a column")
    files = {f.stem for f in folder.glob("*.parquet")} if folder.is_dir() else set()
    for name in schemas:
        taken = name in inspection.annotations
        if not name or name[0] in "._" or any(c in name for c in "/\\\0"):
            raise CannotImport(
                where, "names that can be file names", f"'{name}'", "rename the column"
            )
        if taken and not (overwrite and name in files):
            raise CannotImport(
                f"{path}",
                f"no annotation '{name}' yet",
                "one",
                "rename the new one" + (", or use --overwrite" if name in files else ""),
            )
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with temporary_folder(folder, "") as temporary:
            with contextlib.ExitStack() as open_files:
                writers = {
                    name: open_files.enter_context(
                        pq.ParquetWriter(temporary / f"{name}.parquet", schema, compression="zstd")
                    )
                    for name, schema in schemas.items()
                }
                for some in batches:
                    for name, batch in some.items():
                        if batch.num_rows:
                            writers[name].write_batch(batch)
            found = read_annotations(
                token_file=None,
                token_columns=(),
                token_where="",
                folder=temporary,
                folder_where=where,
                settings={},
                settings_where="",
                sequences=inspection.sequences,
                n_steps=inspection.n_steps,
            )
            for problem in found.problems:
                if problem.severity is Severity.PROBLEM:
                    raise CannotImport(
                        problem.where, problem.expected, problem.found, problem.remedy
                    )
            for name in schemas:
                (temporary / f"{name}.parquet").replace(folder / f"{name}.parquet")
    finally:
        if is_new and not any(folder.iterdir()):
            folder.rmdir()
    return Imported(path, inspection.n_steps or 0, (), tuple(schemas), tuple(left_out))


def counting(
    progress: Progress | None, total: int
) -> Callable[[Iterator[Any], Callable[[Any], int]], Iterator[Any]]:
    """Return a function that passes pieces through and reports the progress over all calls."""
    done = 0

    def counted_pieces(pieces: Iterator[Any], size: Callable[[Any], int]) -> Iterator[Any]:
        nonlocal done
        for piece in pieces:
            yield piece
            done += size(piece)
            if progress is not None:
                progress(min(done, total), total)

    return counted_pieces
