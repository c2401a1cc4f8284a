"""Opening Parquet files: footers, type names, and errors reported as problems."""

from __future__ import annotations

import contextlib
import hashlib
import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from loaders.problems import DatasetError, Problem, Severity, listed

_MAGIC = b"PAR1"


@dataclass(frozen=True, slots=True)
class Stamp:
    """Identifies one version of a file without reading it.

    `footer` is the hash of the bytes of the Parquet footer (schema, row groups, statistics).
    """

    footer: str
    size: int
    mtime_ns: int


def stamp(path: Path, where: str) -> Stamp:
    """The stamp of a Parquet file.

    Raises
    ------
    DatasetError
        The file is missing, cannot be read, is empty or truncated, or is not a Parquet file.
    """
    try:
        info = path.stat()
        if not (stat.S_ISREG(info.st_mode) or stat.S_ISDIR(info.st_mode)):
            raise DatasetError(_not_parquet(where, "a pipe or a device"))  # reading could never end
        with path.open("rb") as file:
            size = file.seek(0, 2)
            if size == 0:
                raise DatasetError(_not_parquet(where, "an empty file"))
            file.seek(max(0, size - 8))
            tail = file.read(8)
            if len(tail) < 8 or tail[4:] != _MAGIC:
                file.seek(0)
                truncated = file.read(4) == _MAGIC
                found = "a truncated one (its end is missing)" if truncated else "another format"
                raise DatasetError(_not_parquet(where, found))
            length = int.from_bytes(tail[:4], "little")
            if length + 12 > size:
                raise DatasetError(_not_parquet(where, "a damaged one (its footer is cut)"))
            file.seek(size - 8 - length)
            footer = hashlib.blake2b(file.read(length), digest_size=16).hexdigest()
    except OSError as error:
        raise DatasetError(_unreadable(where, error)) from error
    return Stamp(footer, size, info.st_mtime_ns)


def open_file(path: Path, where: str, **options: Any) -> pq.ParquetFile:
    """Open a Parquet file; `options` are passed to pyarrow.

    Raises
    ------
    DatasetError
                As for `stamp`, or the footer is invalid.
    """
    stamp(path, where)  # its error messages are clearer than pyarrow's
    with reading(where):
        return pq.ParquetFile(path, **options)


def is_folder(path: Path) -> bool:
    """Whether the path is a folder; False if access is denied, where pathlib raises."""
    try:
        return path.is_dir()
    except OSError:
        return False


@contextlib.contextmanager
def reading(where: str) -> Iterator[None]:
    """Turn errors from pyarrow and the file system into a DatasetError."""
    try:
        yield
    except (pa.ArrowException, EOFError, UnicodeDecodeError) as error:
        text = str(error).strip().splitlines()
        found = f"damaged content ({text[0][:160].rstrip('.') if text else 'no details'})"
        raise DatasetError(_not_parquet(where, found)) from error
    except UnicodeEncodeError as error:  # pyarrow requires names in UTF-8
        found = "bytes that are not UTF-8"
        raise DatasetError(Problem(where, "a name in UTF-8", found, "rename the file")) from error
    except OSError as error:
        if error.errno is None:  # pyarrow reports damaged pages as OSError without a number
            found = f"damaged content ({str(error).splitlines()[0][:160].rstrip('.')})"
            raise DatasetError(_not_parquet(where, found)) from error
        raise DatasetError(_unreadable(where, error)) from error


def _not_parquet(where: str, found: str) -> Problem:
    return Problem(where, "a complete Parquet file", found, "write the file again")


def _unreadable(where: str, error: OSError) -> Problem:
    if isinstance(error, FileNotFoundError):
        return Problem(where, "a Parquet file", "no such file", "add it")
    if isinstance(error, IsADirectoryError):
        return Problem(where, "a Parquet file", "a folder", "replace it with a file")
    found = (error.strerror or str(error)).lower()
    return Problem(where, "a file that can be read", found, "make it readable")


def index_columns(schema: pa.Schema) -> frozenset[str]:
    """The columns that pandas saved as its index, from the file's pandas metadata; often none."""
    raw = (schema.metadata or {}).get(b"pandas")
    if raw is None:
        return frozenset()
    try:
        named = json.loads(raw).get("index_columns", [])
    except (ValueError, AttributeError):
        return frozenset()
    if not isinstance(named, list):
        return frozenset()
    return frozenset(name for name in named if isinstance(name, str)) & frozenset(schema.names)


def type_words(kind: pa.DataType) -> str:
    """Name a column type in the words of docs/dataset.md."""
    words = {pa.float16(): "float16", pa.float32(): "float32", pa.float64(): "float64"}
    if kind in words:
        return words[kind]
    if pa.types.is_null(kind):
        return "no values at all (type null)"
    if pa.types.is_dictionary(kind):
        return f"dictionary of {type_words(kind.value_type)}"
    if pa.types.is_fixed_size_list(kind):
        return f"fixed-size list of {kind.list_size} {type_words(kind.value_type)}"
    if is_list(kind):
        return f"list of {type_words(kind.value_type)}"
    return str(kind)


def is_text(kind: pa.DataType) -> bool:
    """string, large_string or string_view."""
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def is_list(kind: pa.DataType) -> bool:
    """Any list type; views included."""
    return bool(
        pa.types.is_list(kind)
        or pa.types.is_large_list(kind)
        or pa.types.is_fixed_size_list(kind)
        or pa.types.is_list_view(kind)
        or pa.types.is_large_list_view(kind)
    )


def repeated(names: list[str]) -> list[str]:
    """The names that occur more than once, in order of appearance."""
    seen: set[str] = set()
    twice: dict[str, None] = {}
    for name in names:
        if name in seen:
            twice[name] = None
        seen.add(name)
    return list(twice)


def read_column(file: pq.ParquetFile, name: str, where: str) -> pa.ChunkedArray:
    """Read one top-level column.

    pyarrow selects by dotted path, so that requesting `a` also returns `a.b`, which is dropped here.
    """
    kind = file.schema_arrow.field(name).type
    with reading(where):
        if not is_list(kind) or not file.num_row_groups:
            column = _named(file.read(columns=[name], use_pandas_metadata=False), name)
        else:
            # pyarrow cannot read lists of dictionary-encoded values across several row groups.
            groups = [
                _named(file.read_row_group(i, columns=[name], use_pandas_metadata=False), name)
                for i in range(file.num_row_groups)
            ]
            column = pa.chunked_array([c for group in groups for c in group.chunks], type=kind)
        if len(column) != file.metadata.num_rows:
            raise EOFError(f"{len(column):,} of {file.metadata.num_rows:,} rows of a column")
        return column


def _named(table: pa.Table, name: str) -> pa.ChunkedArray:
    return table.column(table.schema.names.index(name))


def index_warning(where: str, names: list[str]) -> Problem:
    """The warning about index columns that were left out."""
    return Problem(
        where,
        "no index columns",
        f"{listed(names)}, saved by pandas as the index",
        "it is left out (save with index=False)",
        Severity.WARNING,
    )
