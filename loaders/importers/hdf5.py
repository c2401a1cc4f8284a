"""Read arrays from HDF5 files, one block at a time. The only module that needs h5py."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loaders.importers.arrays import Array, cuts
from loaders.importers.faults import CannotImport, reading
from loaders.problems import listed

_EXPECTED = "an HDF5 file"


class Hdf5Files:
    """Open HDF5 files, for as long as they are read; use as a context manager."""

    def __init__(self) -> None:
        try:
            import h5py
        except ImportError as error:
            raise CannotImport(
                "HDF5 files",
                "the package h5py to read them",
                "no such package",
                "run python -m pip install h5py in the environment of Statebrush",
            ) from error
        self._h5py: Any = h5py
        self._stack = contextlib.ExitStack()
        self._files: dict[Path, Any] = {}

    def __enter__(self) -> Hdf5Files:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def array(self, path: Path, inside: str) -> Array:
        """Return the array at `inside` in the file at `path`, named after `inside`.

        Raises
        ------
        CannotImport
                    The file does not exist or has another format, or `inside` is not an array.
        """
        file = self._open(path)
        try:
            found = file[inside]
        except (KeyError, ValueError, OSError):  # missing, or a broken link
            found = None
        if not isinstance(found, self._h5py.Dataset) or found.shape is None:
            what = "nothing" if found is None else "a group or an empty array"
            with _reading(path):
                arrays = _arrays_in(file, self._h5py)
            raise CannotImport(
                str(path), f"an array '{inside}'", what, f"there is {listed(arrays)}"
            )
        where = f"{path}, array '{inside}'"
        with _reading(path):
            text = self._h5py.check_string_dtype(found.dtype) is not None
            dtype = np.dtype("U") if text else found.dtype
            rows = found.chunks[0] if found.chunks else 1

        def blocks() -> Iterator[NDArray[Any]]:
            with _reading(path):
                for start, stop in cuts(found.shape, found.dtype, rows):
                    if text:
                        piece = found.asstr(errors="replace")[start:stop]
                        yield np.asarray(piece, object).astype(str)
                    else:
                        yield found[start:stop]

        return Array(inside.strip("/").replace("/", "_"), where, found.shape, dtype, blocks)

    def _open(self, path: Path) -> Any:
        if path not in self._files:
            with reading(path, _EXPECTED), path.open("rb"):
                pass  # h5py's message for a missing or unreadable file is unclear
            if not self._h5py.is_hdf5(path):
                raise CannotImport(
                    str(path), _EXPECTED, "another format, or an incomplete file", "copy it again"
                )
            with _reading(path):
                self._files[path] = self._stack.enter_context(self._h5py.File(path, "r"))
        return self._files[path]


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn errors of HDF5 for a damaged file into CannotImport."""
    try:
        yield
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise CannotImport(
            str(path), _EXPECTED, f"damaged content ({error})", "copy or write it again"
        ) from error


def _arrays_in(file: Any, h5py: Any) -> list[str]:
    found: list[str] = []
    file.visititems(
        lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None
    )
    return found
