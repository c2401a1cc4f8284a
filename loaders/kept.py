"""Arrays that are derived from a source and kept beside its copy, each in a file of its own.

They are read through memory maps: every process of a machine shares one copy in the page cache, and
the system drops pages when it needs the memory. Files appear whole or not at all, and may be
deleted at any time.
"""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loaders.problems import DatasetError, Problem
from loaders.store import ROWS

_ORPHAN_SECONDS = 24 * 3600


def open_rows(home: Path) -> NDArray[Any]:
    """Return the rows of a copy (`Source.home`), memory-mapped; raises OSError if it is gone."""
    rows: NDArray[Any] = np.load(home / ROWS, mmap_mode="r", allow_pickle=False)
    return rows


def keep(
    folder: Path, group: str, name: str, make: Callable[[], NDArray[Any]], most_bytes: int
) -> NDArray[Any]:
    """Return the array of that name, made and written first if there is none.

    Parameters
    ----------
    folder
        Where the files are; made as needed.
    group, name
        Part of a file name each. Arrays of one group are needed together.
    make
        Makes the array. Two processes may both do so; one of the equal results is kept.
    most_bytes
        The files together take no more than this: the groups that were used longest ago are
        deleted. The group that is asked for stays, whatever it takes.

    Returns
    -------
    ndarray
        A memory map. It can be written to, which changes no file.

    Raises
    ------
    DatasetError
        The folder cannot be written, or its disk is full.
    """
    path = folder / f"{group}.{name}.npy"
    found = _open(path)
    if found is not None:
        return found
    array = make()
    half = folder / f"{group}.{uuid.uuid4().hex[:12]}.half"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with half.open("wb") as file:
            np.save(file, array, allow_pickle=False)
        half.rename(path)
    except OSError as error:
        half.unlink(missing_ok=True)
        raise DatasetError(
            Problem(
                f"the cache folder {folder}",
                f"to write {array.nbytes / 1e6:,.1f} MB that do not fit into memory",
                (error.strerror or str(error)).lower(),
                "make it writable with enough room, or choose another with --cache-dir",
            )
        ) from error
    _shrink(folder, group, most_bytes)
    found = _open(path)
    return array if found is None else found


def _open(path: Path) -> NDArray[Any] | None:
    try:
        found: NDArray[Any] = np.load(path, mmap_mode="c", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    with contextlib.suppress(
        OSError
    ):  # in a cache that may only be read, nothing is deleted either
        os.utime(path)  # used now
    return np.asarray(found)


def _shrink(folder: Path, group: str, most_bytes: int) -> None:
    """Delete whole groups, the one used longest ago first; files that go meanwhile are gone."""
    for half in folder.glob("*.half"):  # of processes that were killed while they wrote
        with contextlib.suppress(OSError):
            if time.time() - half.stat().st_mtime > _ORPHAN_SECONDS:
                half.unlink()
    sizes: dict[str, int] = {}
    used: dict[str, float] = {}
    for path in folder.glob("*.*.npy"):
        try:
            status = path.stat()
        except OSError:
            continue
        owner = path.name.split(".")[0]
        sizes[owner] = sizes.get(owner, 0) + status.st_size
        used[owner] = max(used.get(owner, 0.0), status.st_mtime)
    total = sum(sizes.values())
    for owner in sorted(used, key=lambda one: used[one]):
        if total <= most_bytes:
            return
        if owner == group:
            continue
        for path in folder.glob(f"{owner}.*.npy"):
            path.unlink(missing_ok=True)
        total -= sizes[owner]
