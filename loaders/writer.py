"""Write a dataset folder (docs/dataset.md) from arrays.

A dataset can be written with pandas or pyarrow alone; this module saves the demos and importers
from repeating themselves, and writes the layout that is fastest to read.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from numpy.typing import NDArray

from loaders.atomic import temporary_folder, temporary_name
from loaders.inspection import inspect_dataset
from loaders.problems import DatasetError, counted

ROW_GROUP = 16_384
"""Steps per row group: few enough to stream in bounded memory, enough to read at full speed."""

FLOAT_WORDS = "float16, float32, float64 or integer"
_SPAN = ("start", "stop", "label")
_NO_TOKENS = "there are no tokens; a dataset needs at least one step."


class WriteError(ValueError):
    """The arguments do not make a dataset; `str(error)` is one plain sentence."""


def write_dataset(
    out: str | os.PathLike[str],
    *,
    tokens: Iterable[str] | pa.Array | pa.ChunkedArray | pa.RecordBatchReader,
    states: Mapping[str, NDArray[Any] | Iterable[NDArray[Any]]],
    sequences: Iterable[int] | Iterable[str] | NDArray[Any] | pa.Array | None = None,
    state_names: Mapping[str, Sequence[str]] | None = None,
    columns: Mapping[str, Any] | None = None,
    annotations: Mapping[str, Any] | None = None,
    ranked: Mapping[str, tuple[Iterable[Sequence[str]], Iterable[Sequence[float]] | None]]
    | None = None,
    intervals: Mapping[str, Iterable[tuple[int, int, str]]] | None = None,
    config: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write one dataset folder, completely or not at all.

    Parameters
    ----------
    out
        The dataset folder to create, with its parents. An existing empty folder is used; anything
        else at this path is refused unless `overwrite` is set.
    tokens
        `n_steps` strings, one per step, possibly empty but not null. Or a record batch reader with
        all the columns of tokens.parquet, written batch by batch as row groups, so that tokens and
        annotations can be larger than memory.
    states
        Source name -> `(n_steps, n_states)` array, or any iterable of row batches
        `(any, n_states)` that add up to `n_steps` rows, so that a source can be larger than
        memory. The float type is preserved; integers stay integers (and are read as float64).
    sequences
        `n_steps` integers or strings; a run of equal values is one sequence. None: one sequence,
        or the column `sequence` of a reader.
    state_names
        Source name -> `n_states` column names; defaults to "0", "1", ....
    columns
        Annotations written as additional columns of tokens.parquet: name -> `n_steps` values.
    annotations
        Annotations written to separate files: name -> `n_steps` values (an array, list, pandas
        Series or Arrow array), or a record batch reader with all the columns of the file (also for
        intervals), written as it is read.
    ranked
        Name -> (`n_steps` lists of words, best first; the same number of lists of weights, or None).
    intervals
        Name -> `(start, stop, label)` rows: half-open steps, sorted, not overlapping.
    config
        The content of dataset.yaml, in parsed form.
    overwrite
        Replace what is at `out`.

    Returns
    -------
    Path
        The dataset folder.

    Raises
    ------
    WriteError
        Lengths that differ, names that cannot be file names, no states, zero steps, `out`
        exists; or anything else that would make the dataset invalid, such as a sequence that is
        not consecutive or an unknown key in `config`.
    OSError
        The disk failed. Nothing is left behind.
    """
    target = Path(out)
    if target.exists() and not overwrite and (not target.is_dir() or any(target.iterdir())):
        raise WriteError(
            f"{target} already exists; choose another folder, or replace it with --overwrite "
            "(in Python: overwrite=True)."
        )
    if not states:
        raise WriteError(f"{target} has no states; give at least one source.")
    for kind, names in (
        ("source", states),
        ("annotation", annotations or {}),
        ("annotation", ranked or {}),
        ("annotation", intervals or {}),
    ):
        for name in names:
            _check_name(kind, name)

    target.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(target.parent, f".{target.name}") as temporary:
        n_steps = _write_tokens(temporary / "tokens.parquet", tokens, sequences, columns or {})
        (temporary / "states").mkdir()
        for name, rows in states.items():
            path = temporary / "states" / f"{name}.parquet"
            _write_states(path, name, rows, (state_names or {}).get(name), n_steps)
        _write_annotations(
            temporary / "annotations", n_steps, annotations or {}, ranked or {}, intervals or {}
        )
        if config:
            text = yaml.safe_dump(
                _plain(config), sort_keys=False, allow_unicode=True, default_flow_style=None
            )
            (temporary / "dataset.yaml").write_text(text, encoding="utf-8")
        _check_whole(temporary, target)
        _put_in_place(temporary, target)
    return target


def _check_whole(temporary: Path, target: Path) -> None:
    """Raise WriteError if what was written cannot be opened as a dataset."""
    problems = inspect_dataset(temporary, label=target.name).problems
    if problems:
        raise WriteError(str(DatasetError(problems)))


def _put_in_place(temporary: Path, target: Path) -> None:
    """Rename `temporary` to `target`; what was there is removed only after that."""
    old: Path | None = None
    if target.exists():
        old = target.with_name(temporary_name(f".{target.name}", "old"))
        target.rename(old)
    try:
        temporary.rename(target)
    except BaseException:
        if old is not None:
            old.rename(target)
        raise
    if old is not None:
        if old.is_dir():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.unlink(missing_ok=True)


def _check_name(kind: str, name: str) -> None:
    if not name or name[0] in "._" or "/" in name or "\\" in name or "\0" in name:
        raise WriteError(
            f"the {kind} name {name!r} cannot be a file name here; "
            "leave out slashes, and a dot or underscore at the start."
        )


def _write_tokens(
    path: Path, tokens: Any, sequences: Any | None, columns: Mapping[str, Any]
) -> int:
    if isinstance(tokens, pa.RecordBatchReader):
        if sequences is not None or columns:
            raise WriteError(
                "sequences and columns cannot be combined with a reader; make them columns of the reader."
            )
        n_steps = _write_batches(path, tokens)
        if n_steps == 0:
            raise WriteError(_NO_TOKENS)
        return n_steps
    token_column = _array(tokens)
    if not pa.types.is_dictionary(token_column.type):
        token_column = token_column.cast(pa.string())
    n_steps = len(token_column)
    if n_steps == 0:
        raise WriteError(_NO_TOKENS)
    if token_column.null_count:
        raise WriteError("a token is null; write an empty string for a step without text.")
    table = {"token": token_column}
    if sequences is not None:
        table["sequence"] = _array(sequences)
    for name, values in columns.items():
        if name in table:
            raise WriteError(f"an annotation column of tokens.parquet cannot be called {name!r}.")
        table[name] = _array(values)
    for name, column in table.items():
        if len(column) != n_steps:
            raise WriteError(
                f"column {name!r} has {counted(len(column), 'value')} for {counted(n_steps, 'token')}; "
                "give one value per step."
            )
    pq.write_table(pa.table(table), path, row_group_size=4 * ROW_GROUP, compression="zstd")
    return n_steps


def _write_batches(path: Path, batches: pa.RecordBatchReader) -> int:
    """Write record batches as row groups; return the number of rows."""
    written = 0
    with pq.ParquetWriter(path, batches.schema, compression="zstd") as writer:
        for batch in batches:
            if batch.num_rows:
                writer.write_batch(batch)
                written += batch.num_rows
    return written


def _write_states(
    path: Path,
    source: str,
    rows: NDArray[Any] | Iterable[NDArray[Any]],
    names: Sequence[str] | None,
    n_steps: int,
) -> None:
    writer: pq.ParquetWriter | None = None
    schema: pa.Schema | None = None
    written = 0
    try:
        for group in _groups(source, rows):
            if writer is None or schema is None:
                n_states = len(group)
                names = [str(i) for i in range(n_states)] if names is None else list(names)
                if len(names) != n_states:
                    raise WriteError(
                        f"source {source!r} has {counted(n_states, 'state')} and "
                        f"{counted(len(names), 'state name')}; "
                        "give one name per state."
                    )
                if len(set(names)) != n_states:
                    raise WriteError(f"two states of source {source!r} have the same name.")
                kind = pa.from_numpy_dtype(group.dtype)
                schema = pa.schema([pa.field(name, kind) for name in names])
                # Plain, uncompressed float pages: a dictionary or zstd would save about a tenth of the
                # bytes and cost most of the reading speed.
                writer = pq.ParquetWriter(path, schema, compression="none", use_dictionary=False)
            arrays = [pa.array(column) for column in group]
            writer.write_table(
                pa.Table.from_arrays(arrays, schema=schema), row_group_size=ROW_GROUP
            )
            written += group.shape[1]
    finally:
        if writer is not None:
            writer.close()
    if written != n_steps:
        raise WriteError(
            f"source {source!r} has {counted(written, 'row')} for {counted(n_steps, 'token')}; "
            "give one row per step."
        )


def _groups(source: str, rows: NDArray[Any] | Iterable[NDArray[Any]]) -> Iterator[NDArray[Any]]:
    """Split or join row batches into groups of `ROW_GROUP` rows (the last one may be shorter).

    Yields
    ------
    ndarray
        `(n_states, rows)`, the values of each state contiguous; its memory is reused for the next.
    """
    batches: Iterable[NDArray[Any]] = [rows] if isinstance(rows, np.ndarray) else rows
    first: tuple[int, np.dtype[Any]] | None = None
    group = np.empty((0, 0))
    count = 0
    for given in batches:
        batch = np.asarray(given)
        if batch.ndim != 2 or batch.shape[1] == 0 or batch.dtype.kind not in "fiu":
            raise WriteError(
                f"source {source!r} needs rows of shape (steps, states) in {FLOAT_WORDS}, "
                f"found shape {batch.shape} of {batch.dtype}."
            )
        if batch.dtype.kind == "f" and batch.dtype.itemsize > 8:
            raise WriteError(
                f"source {source!r} is {batch.dtype}, which Parquet cannot hold; "
                "round it to float64 first."
            )
        this = (batch.shape[1], batch.dtype)
        if first is None:
            first = this
            group = np.empty((batch.shape[1], ROW_GROUP), batch.dtype.newbyteorder("="))
        elif this != first:
            raise WriteError(
                f"the batches of source {source!r} differ: first {first[0]} states of {first[1]}, "
                f"then {this[0]} of {this[1]}; give all of them the same shape and type."
            )
        start = 0
        while start < len(batch):
            taken = min(len(batch) - start, ROW_GROUP - count)
            group[:, count : count + taken] = batch[start : start + taken].T
            start, count = start + taken, count + taken
            if count == ROW_GROUP:
                yield group
                count = 0
    if count:
        yield group[:, :count]


def _write_annotations(
    folder: Path,
    n_steps: int,
    annotations: Mapping[str, Any],
    ranked: Mapping[str, tuple[Iterable[Sequence[str]], Iterable[Sequence[float]] | None]],
    intervals: Mapping[str, Iterable[tuple[int, int, str]]],
) -> None:
    tables: dict[str, pa.Table | pa.RecordBatchReader] = {}
    full_length: set[str] = set()

    def add(name: str, table: pa.Table | pa.RecordBatchReader, *, per_step: bool) -> None:
        if name in tables:
            raise WriteError(f"the annotation {name!r} is given twice; rename one of them.")
        tables[name] = table
        if per_step:
            full_length.add(name)

    for name, values in annotations.items():
        if isinstance(values, pa.RecordBatchReader):
            add(name, values, per_step=not set(_SPAN) <= set(values.schema.names))
        else:
            add(name, pa.table({name: _array(values)}), per_step=True)
    for name, (items, weights) in ranked.items():
        words = pa.array([list(row) for row in items], pa.list_(pa.string()))
        add(name, pa.table({name: words}), per_step=True)
        if weights is not None:
            partner = f"{name}_weight"
            shares = pa.array([[float(w) for w in row] for row in weights], pa.list_(pa.float32()))
            add(partner, pa.table({partner: shares}), per_step=True)
    for name, spans in intervals.items():
        rows = list(spans)
        table = pa.table(
            {
                "start": pa.array([int(row[0]) for row in rows], pa.int64()),
                "stop": pa.array([int(row[1]) for row in rows], pa.int64()),
                "label": pa.array([str(row[2]) for row in rows], pa.string()),
            }
        )
        add(name, table, per_step=False)
    if tables:
        folder.mkdir()
    for name, table in tables.items():
        path = folder / f"{name}.parquet"
        if isinstance(table, pa.RecordBatchReader):
            n_rows = _write_batches(path, table)
        else:
            n_rows = table.num_rows
            pq.write_table(table, path, row_group_size=4 * ROW_GROUP, compression="zstd")
        if name in full_length and n_rows != n_steps:
            raise WriteError(
                f"annotation {name!r} has {counted(n_rows, 'value')} for "
                f"{counted(n_steps, 'token')}; "
                "give one value per step."
            )


def _array(values: Any) -> Any:
    """Return any column of values as one Arrow array."""
    if isinstance(values, pa.ChunkedArray | pa.Array):
        return values
    if isinstance(values, np.ndarray) or hasattr(values, "dtype"):
        return pa.array(values)
    return pa.array(list(values))


def _plain(value: Any) -> Any:
    """Convert a value to types that YAML can write: NumPy scalars and tuples become Python's own."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Sequence | np.ndarray):
        return [_plain(item) for item in value]
    return value
