"""The demo datasets by name, built where and when they are asked for.

A demo's folder is `ROOT/vVERSION/NAME`: the last part is the dataset's id, and a demo that builds
something else than before gets a new version and so a new place.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from demos.chords import build as chords
from demos.english import build as english
from demos.parens import build as parens

Progress = Callable[[float], None]


class DemoError(ValueError):
    """There is no such demo; `str(error)` is one plain sentence."""


@dataclass(frozen=True, slots=True)
class Demo:
    """One demo dataset.

    `builder(out, progress)` writes the folder `out`, whole or not at all, replacing what is there;
    `progress` takes the share done or is None. `version` changes with what the builder writes.
    """

    name: str
    title: str
    builder: Callable[[Path, Progress | None], Path]
    version: int


DEMOS: Final = (
    Demo("parens", "Parenthesis language", parens.build, 1),
    Demo("chords", "Bach chorales, one chord a beat", chords.build, 1),
    Demo("english", "English text (Brown corpus)", english.build, 1),
)


def names() -> tuple[str, ...]:
    """The names of all demos, the one to begin with first."""
    return tuple(demo.name for demo in DEMOS)


def get(name: str) -> Demo:
    """Return the demo of that name, or raise DemoError."""
    for demo in DEMOS:
        if demo.name == name:
            return demo
    raise DemoError(f"There is no demo {name!r}; the demos are {', '.join(names())}.")


def ensure(name: str, root: Path, progress: Progress | None = None) -> Path:
    """Return the folder of a demo, building it first if it is not there yet.

    Any number of processes and threads may ask at once: one builds, the others wait for it. A build
    that was interrupted, however roughly, left no dataset; the next one starts over.

    Parameters
    ----------
    name
        One of `names()`.
    root
        The folder that all demos are kept in; made as needed.
    progress
        Called with the share done, 0 to 1, while building; not at all if nothing is to be built.

    Returns
    -------
    Path
        A dataset folder, `root/vVERSION/NAME`.

    Raises
    ------
    DemoError
        If there is no such demo.
    OSError
        If the folder cannot be written.
    """
    demo = get(name)
    folder = Path(root) / f"v{demo.version}" / demo.name
    if _is_built(folder):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(folder.parent / f".{demo.name}.lock") as alone:
        if _is_built(folder):  # by whom we waited for
            return folder
        if alone:
            # Nobody else is at work, so these are of builds that were killed.
            for leftover in folder.parent.glob(f".{demo.name}.*.tmp"):
                shutil.rmtree(leftover, ignore_errors=True)
        demo.builder(folder, progress)
    return folder


def _is_built(folder: Path) -> bool:
    # A folder appears whole; a user who deletes one by halves gets it again, too.
    return all((folder / part).exists() for part in ("tokens.parquet", "states", "dataset.yaml"))


@contextmanager
def _alone(lock: Path) -> Iterator[bool]:
    """Hold a lock that ends with the process; yields False where the file system has no locks.

    Without locks two builds may run side by side: each writes its own temporary folder, and the
    later one takes the place of the earlier, equal one.
    """
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            alone = True
        except OSError:
            alone = False
        yield alone
    finally:
        os.close(handle)
