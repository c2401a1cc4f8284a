"""Read states from NumPy files, one block at a time."""

from __future__ import annotations

import contextlib
import math
import shutil
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from loaders.importers.faults import CannotImport, reading
from loaders.problems import counted

_BLOCK_BYTES = 1 << 24
_EXPECTED = "a NumPy file (.npy or .npz)"
# What zipfile raises for archives that are damaged, encrypted or compressed in an unknown way.
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)

DTYPES = ("float16", "float32", "float64")
PADDINGS = ("after", "before")


@dataclass(frozen=True, slots=True)
class Array:
    """An array on disk.

    Attributes
    ----------
    blocks
            Returns a new iterator over the array in pieces along its first axis, about 16 MB each.
    """

    name: str
    where: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    blocks: Callable[[], Iterator[NDArray[Any]]]

    @property
    def words(self) -> str:
        """Its shape and type."""
        kind = "Python objects (pickled)" if self.dtype.kind == "O" else str(self.dtype)
        return f"shape {self.shape} of {kind}"


def open_array(path: Path) -> Array:
    """Open the array in a .npy file.

    Raises
    ------
    CannotImport
        The file does not exist or has another format.
    """
    with reading(path, _EXPECTED), path.open("rb") as file:
        shape, fortran, dtype = _header(file, str(path))
        offset = file.tell()
        size = file.seek(0, 2) - offset
    needed = math.prod(shape) * dtype.itemsize
    if dtype.kind != "O" and size < needed:
        raise CannotImport(
            str(path),
            f"{needed:,} bytes for an array of shape {shape} of {dtype}",
            f"{size:,}",
            "write the file again",
        )

    def blocks() -> Iterator[NDArray[Any]]:
        if math.prod(shape):
            with reading(path, _EXPECTED), path.open("rb") as file:
                file.seek(offset)
                yield from _pieces(file, str(path), shape, dtype, fortran=fortran)

    return Array(path.stem, str(path), shape, dtype, blocks)


def open_arrays(path: Path, name: str | None = None) -> tuple[Array, ...]:
    """The arrays of states in a .npy or .npz file.

    Parameters
    ----------
    path
        The file. In an .npz file, all arrays with two or three axes are used.
    name
            The name of the source; defaults to the name of the file, or the names in an .npz file. If
            the file contains several arrays, it is prepended to their names.

    Raises
    ------
    CannotImport
                The file has no such arrays.
    """
    if path.suffix == ".npz" or (path.is_file() and zipfile.is_zipfile(path)):
        found = [a for a in _members(path) if len(a.shape) in (2, 3)]
        if not found:
            raise CannotImport(
                str(path), "arrays with two or three axes", "none", "write the states into it"
            )
        if len(found) == 1:
            own = path.stem if found[0].name.startswith("arr_") else found[0].name
            return (replace(found[0], name=name or own),)
        return tuple(replace(a, name=f"{name}_{a.name}" if name else a.name) for a in found)
    array = open_array(path)
    return (replace(array, name=name or array.name),)


def state_rows(
    array: Array,
    n_steps: int,
    lengths: NDArray[np.int64] | None,
    tokens_where: str,
    *,
    dtype: str | None = None,
    padding: str = "after",
) -> Iterator[NDArray[Any]]:
    """Iterate over the rows of a source, in blocks of shape `(any, n_states)`.

    Parameters
    ----------
    array
            `(n_steps, n_states)`, or `(n_sequences, length, n_states)` with shorter sequences padded.
    n_steps, lengths, tokens_where
            The number of steps and the lengths of the sequences according to the tokens, and the name
            of the tokens in errors.
    dtype
            Round to this float type; None preserves the type.
    padding
            Whether the padding is after or before the steps of a sequence.

    Raises
    ------
    CannotImport
                Immediately: wrong shape or type. While reading: a value outside the range of the type.
    """
    _check_type(array, dtype)
    fits = "give the tokens of these states, one per row"
    if len(array.shape) == 2:
        if array.shape[0] != n_steps:
            raise CannotImport(
                array.where,
                f"{counted(n_steps, 'row')}, one for each token in {tokens_where}",
                f"{array.shape[0]:,}",
                fits,
            )
        blocks = array.blocks()
    elif len(array.shape) == 3:
        taken = _lengths(array, n_steps, lengths, tokens_where)
        blocks = _unpadded(array, taken, padding)
    else:
        raise CannotImport(
            array.where,
            "shape (steps, states) or (sequences, length, states)",
            array.words,
            "reshape it to one of these",
        )
    return blocks if dtype is None else _rounded(array, blocks, np.dtype(dtype))


def full_lengths(arrays: list[Array], n_steps: int) -> NDArray[np.int64] | None:
    """Return the sequence lengths of a three-axis array without padding; None if they are unknown."""
    for array in arrays:
        if len(array.shape) == 3 and array.shape[0] * array.shape[1] == n_steps:
            return np.full(array.shape[0], array.shape[1], np.int64)
    return None


def _check_type(array: Array, dtype: str | None) -> None:
    too_wide = array.dtype.kind == "f" and array.dtype.itemsize > 8 and dtype is None
    if array.dtype.kind not in "fiu" or too_wide:
        raise CannotImport(
            array.where,
            "states as float16, float32, float64 or integers",
            array.words,
            "round it with --dtype float64" if too_wide else "convert it with NumPy's astype",
        )


def _lengths(
    array: Array, n_steps: int, lengths: NDArray[np.int64] | None, tokens_where: str
) -> NDArray[np.int64]:
    """Return the number of steps to read from each sequence of a three-axis array."""
    if lengths is None:
        raise CannotImport(
            array.where,
            f"{counted(n_steps, 'step')}, one for each token in {tokens_where}",
            f"{array.shape[0]:,} sequences of {array.shape[1]:,}",
            "give the number of steps of each with --lengths, or tokens with sequences",
        )
    if len(lengths) != array.shape[0]:
        raise CannotImport(
            array.where,
            f"{counted(len(lengths), 'sequence')}, as the tokens in {tokens_where} have",
            f"{array.shape[0]:,}",
            "give the tokens of these states",
        )
    long = np.flatnonzero(lengths > array.shape[1])
    if len(long):
        raise CannotImport(
            f"{array.where}, sequence {long[0]:,}",
            f"{counted(int(lengths[long[0]]), 'step')}, as the tokens in {tokens_where} have",
            f"{array.shape[1]:,}",
            "give the tokens of these states",
        )
    return lengths


def _unpadded(array: Array, lengths: NDArray[np.int64], padding: str) -> Iterator[NDArray[Any]]:
    first = 0
    for block in array.blocks():
        taken = lengths[first : first + len(block)]
        position = np.arange(block.shape[1])
        if padding == "before":
            keep = position >= block.shape[1] - taken[:, None]
        else:
            keep = position < taken[:, None]
        yield block[keep]
        first += len(block)


def _rounded(
    array: Array, blocks: Iterator[NDArray[Any]], dtype: np.dtype[Any]
) -> Iterator[NDArray[Any]]:
    row = 0
    for block in blocks:
        with np.errstate(over="ignore"):
            rounded = block.astype(dtype)
        lost = np.isfinite(block) & ~np.isfinite(rounded)
        if lost.any():
            at = np.argwhere(lost)[0]
            raise CannotImport(
                f"{array.where}, row {row + int(at[0]):,}",
                f"values that {dtype} can hold (up to {np.finfo(dtype).max:g})",
                f"{block[tuple(at)]:g}",
                "choose a wider type with --dtype",
            )
        yield rounded
        row += len(block)


def _members(path: Path) -> Iterator[Array]:
    """Iterate over the arrays in an .npz file; their blocks are read on demand."""
    with _archive(path) as archive:
        for member in archive.namelist():
            if member.endswith(".npy"):
                where = f"{path}, array '{member[:-4]}'"
                with archive.open(member) as file:
                    shape, fortran, dtype = _header(file, where)
                blocks = _member_blocks(path, member, where, shape, fortran, dtype)
                yield Array(member[:-4], where, shape, dtype, blocks)


@contextlib.contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open an .npz file; errors from zipfile for damaged files become CannotImport."""
    with reading(path, _EXPECTED):
        size = path.stat().st_size  # a missing or unreadable file is reported as such
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except CannotImport:
        raise
    except (*_ZIP_ERRORS, OSError) as error:
        raise CannotImport(
            str(path),
            _EXPECTED,
            f"a damaged file, or another format, of {size:,} bytes",
            "write it again",
        ) from error


def _member_blocks(
    path: Path,
    member: str,
    where: str,
    shape: tuple[int, ...],
    fortran: bool,
    dtype: np.dtype[Any],
) -> Callable[[], Iterator[NDArray[Any]]]:
    def blocks() -> Iterator[NDArray[Any]]:
        with _archive(path) as archive, archive.open(member) as file:
            _header(file, where)
            if not fortran:
                yield from _pieces(file, where, shape, dtype, fortran=False)
                return
            with (
                tempfile.TemporaryFile() as unpacked
            ):  # a member of an archive cannot be memory-mapped
                shutil.copyfileobj(file, unpacked)
                unpacked.seek(0)
                yield from _pieces(unpacked, where, shape, dtype, fortran=True)

    return blocks


def _pieces(
    file: IO[bytes], where: str, shape: tuple[int, ...], dtype: np.dtype[Any], *, fortran: bool
) -> Iterator[NDArray[Any]]:
    """Read the array that begins at the current position of the file, cut along its first axis."""
    missing = CannotImport(
        where, "a complete array", "a file whose end is missing", "write it again"
    )
    if fortran and len(shape) > 1:  # its rows are scattered over the file
        offset = file.tell()
        if file.seek(0, 2) < offset + math.prod(shape) * dtype.itemsize:
            raise missing
        mapped = np.memmap(file, dtype, "r", offset, shape, "F")
        for start, stop in cuts(shape, dtype):
            yield np.asarray(mapped[start:stop])
        return
    for start, stop in cuts(shape, dtype):  # read, not mapped, so that only one block is in memory
        piece = (stop - start, *shape[1:])
        size = math.prod(piece) * dtype.itemsize
        content = file.read(size)
        if len(content) < size:
            raise missing
        yield np.frombuffer(content, dtype).reshape(piece)


def _header(file: IO[bytes], where: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read shape, Fortran order and type; leaves the file at the first value."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # files created with Python 2 are read, too
            version = np.lib.format.read_magic(file)
            read = {
                (1, 0): np.lib.format.read_array_header_1_0,
                (2, 0): np.lib.format.read_array_header_2_0,
            }[version]
            shape, fortran, dtype = read(file)
        if min(shape, default=0) < 0:
            raise ValueError("a negative length")
    except _ZIP_ERRORS:
        raise
    except Exception as error:  # NumPy parses the header as Python: anything may be raised
        raise CannotImport(
            where, _EXPECTED, "another format, or a damaged file", "save it with numpy.save"
        ) from error
    return shape, fortran, dtype


def first_rows(blocks: Iterator[NDArray[Any]], n_rows: int) -> Iterator[tuple[int, NDArray[Any]]]:
    """Iterate over the first rows of a stream of blocks, as (number of the first row, block)."""
    row = 0
    for block in blocks:
        cut = block[: n_rows - row]
        if len(cut):
            yield row, cut
        row += len(cut)
        if row == n_rows:
            return


def cuts(
    shape: tuple[int, ...], dtype: np.dtype[Any], multiple: int = 1
) -> Iterator[tuple[int, int]]:
    """Split the first axis into half-open ranges of about 16 MB, multiples of `multiple` if possible."""
    row = max(1, math.prod(shape[1:]) * dtype.itemsize)
    size = max(1, _BLOCK_BYTES // row)
    size = max(multiple, size - size % multiple) if multiple < 4 * size else size
    for start in range(0, shape[0] if shape else 0, size):
        yield start, min(start + size, shape[0])
