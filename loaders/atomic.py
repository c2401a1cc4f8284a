"""Files and folders written completely or not at all: to a temporary name, and then renamed."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def temporary_name(prefix: str, ending: str = "tmp") -> str:
    """Return a name that no other process or thread uses: ``PREFIX.PID-RANDOM.ENDING``."""
    return f"{prefix}.{os.getpid()}-{uuid.uuid4().hex[:8]}.{ending}"


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file to be written, which replaces `path` when the block ends without an error.

    Until then it is next to `path`, with the suffix ``.half``. An error deletes it.
    """
    half = path.with_name(temporary_name(path.name, "half"))
    try:
        with half.open("wb") as file:
            yield file
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


@contextmanager
def temporary_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Create a folder ``PREFIX.PID-RANDOM.tmp``, to be renamed or moved within the block.

    If it still exists at the end, it is deleted.
    """
    folder = parent / temporary_name(prefix)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
