"""The demo datasets by name, built where and when they are asked for.

Those that come along are there at the first start; the others fetch what they are made from first,
and are built when somebody asks for them by name.

A demo's folder is `ROOT/vVERSION/NAME`: the last part is the dataset's id, and a demo that builds
something else than before gets a new version and so a new place.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from demos.chords import build as chords
from demos.english import build as english
from demos.english.fetch import corpus_folder
from demos.parens import build as parens
from loaders.locks import hold

Progress = Callable[[float], None]

NAMED: Final = 12
"""How many unknown chords are named, the commonest first."""


class DemoError(ValueError):
    """There is no such demo, or it cannot do that; `str(error)` is one plain sentence."""


@dataclass(frozen=True, slots=True)
class Demo:
    """One demo dataset.

    `builder(out, progress=progress)` writes the folder `out`, whole or not at all, replacing what is
    there; `progress` takes the share done or is None. `version` changes with what the builder
    writes. `fetch(downloads)`, for a demo that does not come along, gets what it is made from and
    returns its folder, which the builder is given as `folder`.
    """

    name: str
    title: str
    builder: Callable[..., Path]
    version: int
    fetch: Callable[[Path], Path] | None = None


DEMOS: Final[tuple[Demo, ...]] = (
    Demo("parens", "Parenthesis language", parens.build, 1),
    Demo("chords", "Bach chorales, one chord a beat", chords.build, 1),
    Demo("english", "English text (Brown corpus)", english.build, 1),
    Demo("brown", "Brown corpus, held-out texts", english.build_brown, 1, corpus_folder),
)


def names() -> tuple[str, ...]:
    """The names of all demos, the one to begin with first."""
    return tuple(demo.name for demo in DEMOS)


def starters() -> tuple[str, ...]:
    """The names of the demos that come along."""
    return tuple(demo.name for demo in DEMOS if demo.fetch is None)


def built(root: Path) -> tuple[str, ...]:
    """The names of the others that somebody has built under `root` before."""
    return tuple(
        demo.name for demo in DEMOS if demo.fetch is not None and _is_built(_folder(demo, root))
    )


def offered(root: Path) -> tuple[str, ...]:
    """The names of the demos to show when no data is given: nothing is fetched for them."""
    return (*starters(), *built(root))


def get(name: str) -> Demo:
    """Return the demo of that name, or raise DemoError."""
    for demo in DEMOS:
        if demo.name == name:
            return demo
    raise DemoError(f"There is no demo {name!r}; the demos are {', '.join(names())}.")


def ensure(
    name: str, root: Path, progress: Progress | None = None, source: Path | None = None
) -> Path:
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
    source
        The folder of what the demo is made from, instead of fetching it.

    Returns
    -------
    Path
        A dataset folder, `root/vVERSION/NAME`.

    Raises
    ------
    DemoError
        If there is no such demo, or it takes no `source`.
    CorpusError
        What it is made from cannot be fetched, or is something else.
    OSError
        If the folder cannot be written.
    """
    demo = get(name)
    if source is not None and demo.fetch is None:
        raise DemoError(f"The demo {name!r} comes along whole; leave out --from.")
    folder = _folder(demo, root)
    if _is_built(folder):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Without locks two builds may run side by side: each writes its own temporary folder, and the later
    # one takes the place of the earlier, equal one.
    with hold(folder.parent / f".{demo.name}.lock") as alone:
        if _is_built(folder):  # by whom we waited for
            return folder
        if alone:
            # Nobody else is at work, so these are of builds that were killed.
            for leftover in folder.parent.glob(f".{demo.name}.*.tmp"):
                shutil.rmtree(leftover, ignore_errors=True)
        if demo.fetch is None:
            demo.builder(folder, progress=progress)
        else:
            made_from = source or demo.fetch(Path(root) / "downloads")
            demo.builder(folder, folder=made_from, progress=progress)
    return folder


def bring(source: Path, out: Path, progress: Progress | None = None) -> tuple[Path, str]:
    """Build a dataset of one's own songs, one a line (demos/chords/songs.py), with the chord model.

    Parameters
    ----------
    source
        A text file.
    out
        The dataset folder to make; nothing may be there.
    progress
        Called with the share done, 0 to 1.

    Returns
    -------
    tuple[Path, str]
        `out`, and a sentence on what was read and which chords are unknown.
    """
    brought = chords.bring(source, out, progress)
    sentence = f"{brought.n_songs} {'song' if brought.n_songs == 1 else 'songs'} read"
    if not brought.unknown:
        return brought.path, f"{sentence}; every chord is known."
    total = sum(count for _, count in brought.unknown)
    named = ", ".join(f"{token} ({count})" for token, count in brought.unknown[:NAMED])
    more = ", ..." if len(brought.unknown) > NAMED else ""
    return brought.path, (
        f"{sentence}; {total} {'token is' if total == 1 else 'tokens are'} no chord that the model "
        f"knows, and read as unknown: {named}{more}."
    )


def _folder(demo: Demo, root: Path) -> Path:
    return Path(root) / f"v{demo.version}" / demo.name


def _is_built(folder: Path) -> bool:
    # A folder appears whole; a user who deletes one by halves gets it again, too.
    return all((folder / part).exists() for part in ("tokens.parquet", "states", "dataset.yaml"))
