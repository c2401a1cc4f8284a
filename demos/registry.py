"""The demo datasets by name, built on first use.

Demos that are included are built at the first start. Others are downloaded and built on request.

The folder of a demo is `ROOT/vVERSION/NAME`. The last part is the id of the dataset; a new version of a
demo gets a new folder.
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

N_LISTED: Final = 12
"""The number of unknown chords to list, most common first."""


class DemoError(ValueError):
    """There is no such demo, or it does not support an option; `str(error)` is one plain sentence."""


@dataclass(frozen=True, slots=True)
class Demo:
    """One demo dataset.

    `builder(out, progress=progress)` writes the folder `out`, completely or not at all, replacing an
    existing one; `progress` receives the share done, or is None. `version` changes with the output of
    the builder. `fetch(downloads)`, for a demo that is not included, downloads its data and returns
    their folder, which is passed to the builder as `folder`.
    """

    name: str
    title: str
    builder: Callable[..., Path]
    version: int
    fetch: Callable[[Path], Path] | None = None


DEMOS: Final[tuple[Demo, ...]] = (
    Demo("parens", "Parenthesis language", parens.build, 1),
    Demo("chords", "Bach chorales, one chord per beat", chords.build, 2),
    Demo("english", "English text (Brown corpus)", english.build, 2),
    Demo("brown", "Brown corpus, held-out texts", english.build_brown, 1, corpus_folder),
)


def names() -> tuple[str, ...]:
    """Return the names of all demos; the first is the default."""
    return tuple(demo.name for demo in DEMOS)


def starters() -> tuple[str, ...]:
    """Return the names of the included demos."""
    return tuple(demo.name for demo in DEMOS if demo.fetch is None)


def built(root: Path) -> tuple[str, ...]:
    """Return the names of other demos that have been built under `root`."""
    return tuple(
        demo.name for demo in DEMOS if demo.fetch is not None and _is_built(_folder(demo, root))
    )


def offered(root: Path) -> tuple[str, ...]:
    """Return the names of the demos to show if no data is given, which need no download."""
    return (*starters(), *built(root))


def get(name: str) -> Demo:
    """Return the demo with this name, or raise DemoError."""
    for demo in DEMOS:
        if demo.name == name:
            return demo
    raise DemoError(f"There is no demo {name!r}; the demos are {', '.join(names())}.")


def ensure(
    name: str, root: Path, progress: Progress | None = None, source: Path | None = None
) -> Path:
    """Return the folder of a demo, building it first if necessary.

    Any number of processes and threads may call this at once: one builds, the others wait. An
    interrupted build leaves no dataset; the next one starts over.

    Parameters
    ----------
    name
        One of `names()`.
    root
        The folder of all demos; created if needed.
    progress
        Called with the share done, 0 to 1, while building; not at all if nothing has to be built.
    source
        A folder with the data of the demo, instead of downloading it.

    Returns
    -------
    Path
        A dataset folder, `root/vVERSION/NAME`.

    Raises
    ------
    DemoError
        There is no such demo, or it takes no `source`.
    CorpusError
        The data cannot be downloaded, or they are not the expected data.
    OSError
        The folder cannot be written.
    """
    demo = get(name)
    if source is not None and demo.fetch is None:
        raise DemoError(f"The demo {name!r} needs no other data; leave out --from.")
    folder = _folder(demo, root)
    if _is_built(folder):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Without locks two builds may run side by side: each writes its own temporary folder, and the later
    # one takes the place of the earlier, equal one.
    with hold(folder.parent / f".{demo.name}.lock") as alone:
        if _is_built(folder):  # by the process that this one waited for
            return folder
        if alone:
            # No other process is building, so these are from builds that were killed.
            for leftover in folder.parent.glob(f".{demo.name}.*.tmp"):
                shutil.rmtree(leftover, ignore_errors=True)
        if demo.fetch is None:
            demo.builder(folder, progress=progress)
        else:
            data = source or demo.fetch(Path(root) / "downloads")
            demo.builder(folder, folder=data, progress=progress)
    return folder


def build_songs(source: Path, out: Path, progress: Progress | None = None) -> tuple[Path, str]:
    """Build a dataset from a text file of songs (demos/chords/songs.py), using the chord model.

    Parameters
    ----------
    source
        The text file, with one song per line.
    out
        The dataset folder to create; must not exist.
    progress
        Called with the share done, 0 to 1.

    Returns
    -------
    tuple[Path, str]
        `out`, and a sentence about the songs and any unknown chords.
    """
    made = chords.build_songs(source, out, progress)
    sentence = f"{made.n_songs} {'song' if made.n_songs == 1 else 'songs'} read"
    if not made.unknown:
        return made.path, f"{sentence}; every chord is known."
    total = sum(count for _, count in made.unknown)
    named = ", ".join(f"{token} ({count})" for token, count in made.unknown[:N_LISTED])
    more = ", ..." if len(made.unknown) > N_LISTED else ""
    return made.path, (
        f"{sentence}; {total} {'token is not a chord' if total == 1 else 'tokens are not chords'} that the model "
        f"knows, read as unknown: {named}{more}."
    )


def _folder(demo: Demo, root: Path) -> Path:
    return Path(root) / f"v{demo.version}" / demo.name


def _is_built(folder: Path) -> bool:
    # Folders are written completely, but a user may have deleted part of one.
    return all((folder / part).exists() for part in ("tokens.parquet", "states", "dataset.yaml"))
