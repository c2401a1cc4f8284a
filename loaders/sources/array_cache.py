"""Arrays derived from a source, stored as files next to its prepared copy.

The files are memory-mapped: all processes on a machine share them in the page cache, and the system
evicts pages when it needs the memory. Files are written completely or not at all, and may be
deleted at any time.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loaders.atomic import whole_file
from loaders.problems import DatasetError, Problem, sized
from loaders.sources.store import ROWS

_ORPHAN_SECONDS = 24 * 3600
# Free space left for everything else that is written at the same time.
_SPARE_BYTES = 16 << 20


def open_rows(home: Path) -> NDArray[Any]:
    """Return the rows of a copy (`Source.home`), memory-mapped; raises OSError if it was deleted."""
    rows: NDArray[Any] = np.load(home / ROWS, mmap_mode="r", allow_pickle=False)
    return rows


def cached(
    folder: Path,
    group: str,
    name: str,
    make: Callable[[], NDArray[Any]],
    *,
    group_bytes: Callable[[], int],
    most_bytes: int,
) -> NDArray[Any]:
    """Return the cached array with this name; make and write it first if there is none.

    Parameters
    ----------
    folder
        The folder of the files, inside the folder of a copy (`Source.home`); created if needed.
    group, name
        Parts of the file name. The arrays of a group are needed together.
    make
        Makes the array. If two processes do so at once, one of the equal results is used.
    group_bytes
        Returns the approximate size of all arrays of the group; called when one is missing.
    most_bytes
        Limit for all folders with this name, over all copies. Before a new group is written, the
        least recently used groups are deleted to stay below it, and to make room on the disk.

    Returns
    -------
    ndarray
        A memory map, copy-on-write.

    Raises
    ------
    DatasetError
        The group is larger than `most_bytes` or than the free disk space, which is checked
        before anything is written; or the folder cannot be written.
    """
    path = folder / f"{group}.{name}.npy"
    found = _open(path)
    if found is not None:
        return found
    whole = group_bytes()
    with _explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _make_room(folder, group, whole, most_bytes)
    array = make()
    with _explained(folder), whole_file(path) as file:
        np.save(file, array, allow_pickle=False)
    found = _open(path)
    return array if found is None else found


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Turn what the system says while a folder is written into a sentence."""
    try:
        yield
    except OSError as error:
        raise DatasetError(
            Problem(
                f"the cache folder {folder}",
                "room to write packed bits that do not fit into memory",
                (error.strerror or str(error)).lower(),
                "make it writable and free some space, or choose another with --cache-dir",
            )
        ) from error


def _open(path: Path) -> NDArray[Any] | None:
    try:
        found: NDArray[Any] = np.load(path, mmap_mode="c", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    # Mark as used. A read-only cache cannot be marked, but nothing is deleted from it either.
    with contextlib.suppress(OSError):
        os.utime(path)
    return np.asarray(found)


@dataclass(slots=True)
class _Group:
    """The files of a group: their bytes, and when one of them was last used."""

    n_bytes: int = 0
    used: float = 0.0


def _make_room(folder: Path, group: str, group_bytes: int, most_bytes: int) -> None:
    """Delete whole groups, least recently used first, until the missing part of this one fits.

    Deletes nothing if that would not be enough.
    """
    others = _groups(folder)
    kept = others.pop((folder, group), _Group()).n_bytes
    missing = max(0, group_bytes - kept)
    can_go = sum(one.n_bytes for one in others.values())
    free = shutil.disk_usage(folder).free
    if group_bytes > most_bytes:
        raise DatasetError(
            Problem(
                f"the packed bits of one threshold, which do not fit into memory ({folder})",
                f"at most the {sized(most_bytes)} that --bits-on-disk allows",
                sized(group_bytes),
                "allow more with --bits-on-disk or, in memory, with --cache-bytes",
            )
        )
    if missing + _SPARE_BYTES > free + can_go:
        raise DatasetError(
            Problem(
                f"the cache folder {folder}",
                f"{sized(missing + _SPARE_BYTES)} of free disk space for the packed bits of one threshold",
                sized(free + can_go),
                "free some space, or choose another with --cache-dir",
            )
        )
    too_many = max(kept + missing + can_go - most_bytes, missing + _SPARE_BYTES - free)
    for home, owner in sorted(others, key=lambda one: others[one].used):
        if too_many <= 0:
            return
        # Processes that have a file mapped can still read it; the space is free once they unmap it.
        for path in home.glob(f"{owner}.*.npy"):
            path.unlink(missing_ok=True)
        too_many -= others[home, owner].n_bytes


def _groups(folder: Path) -> dict[tuple[Path, str], _Group]:
    """All groups of all copies, by folder and name; ignores files deleted in the meantime."""
    found: dict[tuple[Path, str], _Group] = {}
    for path in folder.parents[1].glob(f"*/{folder.name}/*"):
        try:
            status = path.stat()
            # Left by processes that were killed while writing.
            if path.suffix == ".partial" and time.time() - status.st_mtime > _ORPHAN_SECONDS:
                path.unlink()
                continue
        except OSError:
            continue
        one = found.setdefault((path.parent, path.name.split(".")[0]), _Group())
        one.n_bytes += status.st_size
        one.used = max(one.used, status.st_mtime)
    return found
