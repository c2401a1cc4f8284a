"""File locks between processes, which are released when their process ends (docs/decisions/0010)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl

    _HAS_LOCKS = True
except ImportError:  # pragma: no cover - Windows: two processes may do the same work
    _HAS_LOCKS = False

_SECONDS_TO_WAIT = 0.05


@contextmanager
def hold(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[bool]:
    """Hold an exclusive lock for the block; yields False where the file system has no locks.

    Parameters
    ----------
    path
        The lock file, created if needed. It is not deleted, since others may be waiting for it.
    waiting
        Called several times a second while another process holds the lock; what it raises ends
        the waiting.
    """
    with path.open("ab") as file:
        yield _acquire(file.fileno(), waiting)


def hold_for_life(path: Path) -> int:
    """Hold an exclusive lock until this process ends; return the descriptor of the open file.

    Raises
    ------
    OSError
        The file cannot be created, or the file system has no locks.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def is_held(path: Path) -> bool | None:
    """Whether a process holds a lock, without taking it; None where the file system does not say."""
    if not _HAS_LOCKS:  # pragma: no cover
        return None
    try:
        with path.open("rb") as file:
            # Shared: two processes that ask at the same time do not see each other.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (FileNotFoundError, BlockingIOError) as error:
        return isinstance(error, BlockingIOError)
    except OSError:
        return None
    return False


def _acquire(descriptor: int, waiting: Callable[[], None]) -> bool:
    if not _HAS_LOCKS:  # pragma: no cover
        return False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            time.sleep(_SECONDS_TO_WAIT)
        except OSError:
            return False
        else:
            return True
