"""Prepared copies of sources: row-major, memory-mapped, each with its summary.

A copy in `CACHE/sources/KEY/` is a pure function of the Parquet files, so that it can be deleted at
any time. If its files have been rewritten, it is deleted a day after it was last opened. It is built
in a temporary folder and renamed when complete, so that no process reads an incomplete copy. An
operating-system lock, which is released when its process ends, prevents two processes from building
the same copy; correctness does not depend on it.

Requests do not wait for the disk: a new copy is used from the page cache while a thread flushes it
to the disk and then leaves a mark. A copy without the mark may have lost pages if the machine
crashed, so that one from before the last boot is used only if its checksum is correct.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import threading
import time
import uuid
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from loaders.atomic import temporary_folder, temporary_name
from loaders.locks import hold, is_held
from loaders.problems import DatasetError, Problem, sized
from loaders.sources.files import Piece, SourceFiles, over_pieces
from loaders.sources.summary import Summarizer, Summary, summary_from

FORMAT = 2
"""Part of every key: increase it when the layout, the summary or the reading of values changes."""

Progress = Callable[[int, int], None]
"""Called with (steps done, steps in total), by any thread but never concurrently."""

_ABOUT = "about.json"
_ON_DISK = "on-disk"
_ROWS_WRITTEN = "rows-taken-in"
_SPARE_BYTES = 16 << 20
_ORPHAN_SECONDS = 24 * 3600
_QUIET_SECONDS = 30
_MODULUS = 1 << 64

#: The file with a copy's values, in NumPy's format, which many programs can map.
ROWS = "rows.npy"


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """An opened copy: `rows` is a read-only memory map `(n_steps, n_states)`."""

    rows: NDArray[Any]
    summary: Summary


def source_key(files: SourceFiles) -> str:
    """Return the key of a copy, from footers, sizes, modification times, transform and format version."""
    return f"v{FORMAT}-{files.digest(times=True)}"


def open_stored(files: SourceFiles, cache_dir: Path, progress: Progress | None = None) -> Stored:
    """Open the copy of a source; build it first if there is none.

    Parameters
    ----------
    files
        The inspected source.
    cache_dir
        The cache folder; created if needed.
    progress
        Called regularly with (steps done, steps in total); an exception from it stops the build.

    Returns
    -------
    Stored

    Raises
    ------
    DatasetError
        The source is damaged or changing, the cache folder cannot be written, or the disk is
        full. No incomplete copy is left behind.
    """
    key = source_key(files)
    folder = cache_dir / "sources"
    home = folder / key
    stored = _load(home, files)
    if stored is not None:
        return stored
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with hold(folder / f"{key}.lock", lambda: _tick(progress, files)) as locked:
            stored = _load(home, files)  # another process may have built it meanwhile
            if stored is not None:
                return stored
            _clean(folder, key if locked else None)
            _remove_superseded(folder, older_than=_ORPHAN_SECONDS)
            for _ in range(2):
                _build(files, folder, home, progress)
                stored = _load(home, files)
                if stored is not None:
                    return stored
    except OSError as error:
        raise DatasetError(_cannot_write(files, cache_dir, error)) from error
    raise DatasetError(
        Problem(
            f"the cache folder {cache_dir}",
            f"the copy of {files.where} just built",
            "a missing or damaged copy",
            "check that no other program empties the folder, or choose another with --cache-dir",
        )
    )


@dataclass(frozen=True, slots=True)
class Building:
    """A copy that a process is building: bytes of rows written, bytes in total, seconds so far."""

    done: int
    total: int
    seconds: float


def find_building(files: SourceFiles, cache_dir: Path) -> Building | None:
    """Return the progress of a source's copy, in whichever process builds it; None if none does.

    The number of rows written is in a separate file, since the file of rows has its full size from
    the start. A process that was killed no longer holds its lock. On file systems without locks, a copy
    counts as being built if it was written to within the last half minute.
    """
    key = source_key(files)
    folder = cache_dir / "sources"
    held = is_held(folder / f"{key}.lock")
    if held is False:
        return None
    total = files.n_steps * files.n_states * files.dtype.itemsize
    found = Building(0, total, 0.0) if held else None
    for temporary in folder.glob(f"{key}.*.tmp"):
        try:
            n_rows = int((temporary / _ROWS_WRITTEN).read_text(encoding="ascii"))
            written = (temporary / _ROWS_WRITTEN).stat().st_mtime
            seconds = written - temporary.stat().st_mtime
        except (OSError, ValueError):  # renamed or removed in the meantime, or not written yet
            continue
        if held or time.time() - written < _QUIET_SECONDS:
            done = total * n_rows // files.n_steps
            found = Building(min(total, done), total, max(0.0, seconds))
    return found


def find_stored(files: SourceFiles, cache_dir: Path) -> Stored | None:
    """Open the copy of a source if there is one, without writing anything."""
    return _load(cache_dir / "sources" / source_key(files), files, mark=False)


def is_stored(files: SourceFiles, cache_dir: Path) -> bool:
    """Whether a source has a copy that opens at once, without computing its checksum. Writes nothing."""
    home = cache_dir / "sources" / source_key(files)
    at_once = _is_marked(home) or _is_since_boot(home)
    return at_once and _load(home, files, mark=False) is not None


def _load(home: Path, files: SourceFiles, *, mark: bool = True) -> Stored | None:
    """Open a copy and make sure that it gets its mark; None if there is none or it is invalid."""
    try:
        rows = np.load(home / ROWS, mmap_mode="r", allow_pickle=False)
        with np.load(home / "summary.npz", allow_pickle=False) as arrays:
            summary = summary_from(arrays)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    if rows.shape != (files.n_steps, files.n_states) or rows.dtype != files.dtype:
        return None
    if summary.minima.shape != (files.n_states,):
        return None
    if not _is_marked(home):
        if not _is_whole(home, rows):
            return None
        if mark:
            threading.Thread(target=_send_to_disk, args=(home,), daemon=True).start()
    if mark:
        with contextlib.suppress(OSError):  # in a read-only cache nothing is deleted
            os.utime(home / _ABOUT)  # the time it was last opened
    return Stored(rows, summary)


def _is_marked(home: Path) -> bool:
    try:
        return (home / _ON_DISK).read_bytes() == b"1"
    except OSError:
        return False


def _is_since_boot(home: Path) -> bool:
    """Whether a copy was written since the machine was last booted."""
    try:
        about = json.loads((home / _ABOUT).read_text(encoding="utf-8"))
        return bool(about["boot"] == _boot())
    except (OSError, ValueError, KeyError):
        return False


def _is_whole(home: Path, rows: NDArray[Any]) -> bool:
    """Whether a copy without a mark is still what was written."""
    if _is_since_boot(home):
        return True
    try:
        about = json.loads((home / _ABOUT).read_text(encoding="utf-8"))
        steps = range(0, len(rows), 1 << 14)
        total = sum(_checksum(rows[step : step + (1 << 14)]) for step in steps)
        return bool(about["checksum"] == total % _MODULUS)
    except (OSError, ValueError, KeyError):
        return False


def _checksum(block: NDArray[Any]) -> int:
    """Return the sum of the bits of all values; it changes if pages were replaced by zeros."""
    bits = np.ascontiguousarray(block).view(f"u{block.dtype.itemsize}")
    # Summing over states first takes less than half as long. 65,536 float16 fit into 32 bits.
    few = bits.itemsize == 2 and len(bits) <= 1 << 16
    return int(bits.sum(axis=0, dtype=np.uint32 if few else np.uint64).sum(dtype=np.uint64))


def _boot() -> str:
    """An id of this boot of the machine; a new one each time if the system has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return uuid.uuid4().hex


def _send_to_disk(home: Path) -> None:
    """Flush a copy to the disk and mark it; without the mark it will be tried again."""
    with contextlib.suppress(OSError):
        for name in (ROWS, "summary.npz", _ABOUT):
            with (home / name).open("rb") as file:
                os.fsync(file.fileno())
        # Overwrite, not create: if the folder is deleted meanwhile, no new file may appear in it.
        with (home / _ON_DISK).open("r+b") as file:
            file.write(b"1")


def _build(files: SourceFiles, folder: Path, home: Path, progress: Progress | None) -> None:
    """Write a copy next to `home` and rename it; if another process was faster, use its copy."""
    _check_room(files, folder)
    with temporary_folder(folder, home.name) as temporary:
        summarizer = Summarizer(files.n_steps, files.n_states)
        with (
            (temporary / ROWS).open("wb") as file,
            (temporary / _ROWS_WRITTEN).open("wb", 0) as taken_in,
        ):

            def report(done: int, total: int) -> None:
                # At the same place, and in one call: others read it at any time.
                os.pwrite(taken_in.fileno(), b"%20d" % done, 0)
                if progress is not None:
                    progress(done, total)

            checksum = _write_rows(file, files, summarizer, report)
        with (temporary / "summary.npz").open("wb") as file:
            np.savez(file, **summarizer.finish().arrays())  # type: ignore[arg-type]
        about = {
            "files": [
                [str(part.path.absolute()), part.stamp.size, part.stamp.mtime_ns]
                for part in files.parts
            ],
            "n_steps": files.n_steps,
            "n_states": files.n_states,
            "dtype": files.dtype.name,
            "transform": files.transform,
            "checksum": checksum,
            "boot": _boot(),
        }
        (temporary / _ON_DISK).write_bytes(b"0")
        (temporary / _ABOUT).write_text(json.dumps(about, indent=1), encoding="utf-8")
        if files.changed():
            raise DatasetError(
                Problem(
                    files.where,
                    "files that do not change while they are read",
                    "a change",
                    "open the dataset again when they are complete",
                )
            )
        (temporary / _ROWS_WRITTEN).unlink()
        _replace(temporary, home, files)


def _write_rows(
    file: BinaryIO, files: SourceFiles, summarizer: Summarizer, report: Progress
) -> int:
    """Write all rows and return their checksum."""
    header = {
        "descr": np.lib.format.dtype_to_descr(files.dtype),
        "fortran_order": False,
        "shape": (files.n_steps, files.n_states),
    }
    np.lib.format.write_array_header_1_0(file, header)
    file.flush()
    begin = file.tell()
    width = files.n_states * files.dtype.itemsize
    _reserve(file, begin + files.n_steps * width)
    lock = threading.Lock()
    done = 0
    report(0, files.n_steps)

    def take(piece: Piece) -> int:
        nonlocal done
        step, checksum = piece.start, 0
        for block in piece.blocks():
            summarizer.update(step, block)
            checksum += _checksum(block)
            _write_at(file, block, begin + step * width)
            step += len(block)
            with lock:
                done += len(block)
                report(done, files.n_steps)
        return checksum

    return sum(over_pieces(files, take)) % _MODULUS


def _write_at(file: BinaryIO, block: NDArray[Any], position: int) -> None:
    # Plain writes: a full disk is an OSError here, but a SIGBUS through a memory map.
    left = block.data.cast("B")
    while left:
        n_bytes = os.pwrite(file.fileno(), left, position)
        position += n_bytes
        left = left[n_bytes:]


def _reserve(file: BinaryIO, size: int) -> None:
    """Allocate disk space in advance: writing into it costs the system up to ten times less."""
    if not hasattr(os, "posix_fallocate"):  # macOS
        return
    try:
        os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        # Other errors: some file systems cannot allocate, and writing will report real problems.


def _replace(temporary: Path, home: Path, files: SourceFiles) -> None:
    for _ in range(3):
        try:
            temporary.rename(home)
        except OSError:
            if not home.exists():
                raise
            if _load(home, files) is not None:
                return  # another process was faster; its copy is equal
            _remove(home)  # the existing one is damaged
        else:
            return


def _remove(home: Path) -> None:
    """Remove a copy; renames it first, so that no process opens an incomplete one."""
    aside = home.with_name(temporary_name(home.name))
    with contextlib.suppress(OSError):
        home.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)


def _tick(progress: Progress | None, files: SourceFiles) -> None:
    if progress is not None:
        progress(0, files.n_steps)


def _needed(files: SourceFiles) -> int:
    return files.n_steps * files.n_states * files.dtype.itemsize + _SPARE_BYTES


def _check_room(files: SourceFiles, folder: Path) -> None:
    needed, free = _needed(files), shutil.disk_usage(folder).free
    if free < needed:
        _remove_superseded(folder, older_than=0)
        free = shutil.disk_usage(folder).free
    if free < needed:
        raise DatasetError(
            Problem(
                f"the cache folder {folder.parent}",
                f"{sized(needed)} of free disk space for the copy of {files.where}",
                sized(free),
                "free some space, or choose another folder with --cache-dir",
            )
        )


def _cannot_write(files: SourceFiles, cache_dir: Path, error: OSError) -> Problem:
    return Problem(
        f"the cache folder {cache_dir}",
        f"room to write the copy of {files.where} ({sized(_needed(files))})",
        (error.strerror or str(error)).lower(),
        "make it writable and free some space, or choose another folder with --cache-dir",
    )


def _clean(folder: Path, locked_key: str | None) -> None:
    """Remove incomplete copies of killed processes: with this key if locked, others after a day."""
    for leftover in folder.glob("*.tmp"):
        try:
            ours = locked_key is not None and leftover.name.split(".")[0] == locked_key
            if ours or time.time() - leftover.stat().st_mtime > _ORPHAN_SECONDS:
                shutil.rmtree(leftover, ignore_errors=True)
        except OSError:  # deleted in the meantime
            continue


def _remove_superseded(folder: Path, *, older_than: float) -> None:
    """Remove copies whose files have been rewritten and that were last opened too long ago."""
    for about in folder.glob(f"*/{_ABOUT}"):
        if about.parent.suffix == ".tmp":
            continue
        try:
            last_opened = about.stat().st_mtime
            files = json.loads(about.read_text(encoding="utf-8"))["files"]
            changed = [_has_changed(*file) for file in files]
        except (OSError, ValueError, KeyError, TypeError):
            # A missing file may be on a drive that is not mounted, or the copy is from an older version.
            continue
        if any(changed) and time.time() - last_opened > older_than:
            _remove(about.parent)


def _has_changed(path: str, size: int, mtime_ns: int) -> bool:
    now = Path(path).stat()
    return (now.st_size, now.st_mtime_ns) != (size, mtime_ns)
