"""Import a project of the original LSTMVis: lstm.yml, HDF5 files and dictionaries.

The format is described in README and docs/chapter of https://github.com/HendrikStrobelt/LSTMVis.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from loaders.importers.arrays import Array, first_rows, state_rows
from loaders.importers.faults import CannotImport
from loaders.importers.hdf5 import Hdf5Files
from loaders.importers.joining import Imported, counting
from loaders.importers.lstmvis_project import Project, Words, find_project, read_project, shown
from loaders.importers.lstmvis_tracks import read_tracks
from loaders.parquet import repeated
from loaders.problems import counted
from loaders.sources.store import Progress
from loaders.writer import write_dataset

_TYPE_KEYS = ("type", "layer", "path", "file", "unsigned", "transform")
_UNCHANGED = (None, False, "none", "None", "raw", "no")


@dataclass(frozen=True, slots=True)
class _Source:
    """A source to import; `transform` is left to dataset.yaml, `absolute` (tanh_abs) is applied here."""

    array: Array
    title: str
    transform: bool
    absolute: bool
    unsigned: bool


def import_lstmvis(
    folder: Path,
    out: Path,
    *,
    trim: bool = False,
    encoding: str = "utf-8",
    dtype: str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Imported:
    """Write an LSTMVis project as a dataset.

    Parameters
    ----------
    folder
            The folder that contains lstm.yml, or that file.
    out
            The dataset folder to create.
    trim
            If the files have different numbers of steps, use the first steps, which all have.
    encoding
            The encoding of the dictionaries.
    dtype
            Round the states to this float type; None preserves their type.
    overwrite, progress
        See `loaders.importers.joining.import_arrays`.

    Raises
    ------
    CannotImport, WriteError
                The message is one sentence; nothing is left behind.
    """
    path = find_project(folder)
    with Hdf5Files() as files:
        project = Project(path, read_project(path), files, encoding)
        words = project.words("word_sequence")
        sources = _read_sources(project)
        n_steps = _count_steps(project, words, sources, trim=trim)
        track = counting(progress, n_steps * (len(sources) + 1))
        tracks = read_tracks(project, words, n_steps)
        name = project.text("name") or path.parent.resolve().name
        config: dict[str, Any] = {
            "name": name,
            "description": project.text("description") or "",
            "sources": {
                key: {"title": source.title} | ({"transform": "tanh"} if source.transform else {})
                for key, source in sources.items()
            },
            "annotations": {key: track.settings for key, track in tracks.items() if track.settings},
            "default": {"source": next(iter(sources))},
        }
        schema = pa.schema([("token", pa.string())])
        write_dataset(
            out,
            tokens=pa.RecordBatchReader.from_batches(
                schema, track(words.batches(n_steps, schema), len)
            ),
            states={
                key: track(_rows(project, key, source, n_steps, dtype), len)
                for key, source in sources.items()
            },
            annotations={
                key: pa.RecordBatchReader.from_batches(track.schema, track.batches())
                for key, track in tracks.items()
            },
            config={key: value for key, value in config.items() if value},
            overwrite=overwrite,
        )
        left_out = (*project.left_out, *words.remarks())
    return Imported(out, n_steps, tuple(sources), tuple(tracks), left_out)


def _read_sources(project: Project) -> dict[str, _Source]:
    """Read the section `states`, by the names of the resulting sources."""
    part = project.section("states")
    types = part.get("types")
    if not isinstance(types, list) or not types:
        found = "nothing" if types is None else shown(types)
        raise project.fault("states.types", "a list of states", found, "see LSTMVis's README")
    given: list[tuple[str, str, _Source]] = []
    for number, one in enumerate(types):
        key = f"states.types, entry {number}"
        if not isinstance(one, Mapping):
            raise project.fault(key, "keys with values", shown(one), "write {path: ...}")
        filled = {"file": part.get("file"), **one}
        array = project.array(key, filled)
        transform = one.get("transform", "tanh")
        if transform not in ("tanh", "tanh_abs", *_UNCHANGED):
            raise project.fault(
                f"{key}.transform", "tanh, tanh_abs or none", f"'{transform}'", "choose one"
            )
        words = [f"layer {one['layer']}"] if "layer" in one else []
        words += [str(one["type"])] if "type" in one else []
        given.append(
            (
                array.name,
                str(filled["file"]),
                _Source(
                    array,
                    title=", ".join(words) or array.name,
                    transform=transform == "tanh",
                    absolute=transform == "tanh_abs",
                    unsigned=one.get("unsigned") is True,
                ),
            )
        )
        project.left_out.extend(
            f"'{name}' in {project.path}, {key}" for name in one if name not in _TYPE_KEYS
        )
    again = repeated([name for name, _, _ in given])
    sources: dict[str, _Source] = {}
    for name, file, source in given:
        own = f"{file}_{name}" if name in again else name
        while own in sources:  # the same array again, with a different transform
            own += "_"
        sources[own.lstrip("._") or "states"] = source
    return sources


def _count_steps(
    project: Project, words: Words, sources: Mapping[str, _Source], *, trim: bool
) -> int:
    """Return the number of steps: the same for words and states, or the smallest with `trim`."""
    counts = {words.array.where: words.n_steps}
    for source in sources.values():
        if len(source.array.shape) != 2:
            raise CannotImport(
                source.array.where,
                "shape (steps, states)",
                source.array.words,
                "write one row per step",
            )
        counts[source.array.where] = source.array.shape[0]
    fewest = min(counts.values())
    if fewest == 0:
        where = next(where for where, count in counts.items() if count == 0)
        raise CannotImport(where, "at least one row", "none", "write one row per step")
    odd = next((where for where, count in counts.items() if count != words.n_steps), None)
    if odd is not None and not trim:
        raise CannotImport(
            odd,
            f"{counted(words.n_steps, 'row')}, as in {words.array.where}",
            f"{counts[odd]:,}",
            f"use --trim to keep the first {fewest:,} of each, if these belong together",
        )
    project.left_out.extend(
        f"{counted(count - fewest, 'row')} at the end of {where}"
        for where, count in counts.items()
        if count > fewest
    )
    return fewest


def _rows(
    project: Project, name: str, source: _Source, n_steps: int, dtype: str | None
) -> Iterator[NDArray[Any]]:
    """Iterate over the values of a source, one block at a time."""
    array = source.array

    def blocks() -> Iterator[NDArray[Any]]:
        negative = False
        for first, block in first_rows(array.blocks(), n_steps):
            if source.unsigned and not negative and (block < 0).any():
                negative = True
                row = first + int(np.flatnonzero((block < 0).any(axis=1))[0])
                project.left_out.append(
                    f"'unsigned' of source {name}, which has negative values "
                    f"(the first in row {row:,})"
                )
            if source.absolute:
                kind = block.dtype if block.dtype.kind == "f" else np.dtype(np.float64)
                yield np.abs(np.tanh(block.astype(np.float64))).astype(kind)
            else:
                yield block

    if source.absolute:
        project.left_out.append(
            f"the values of source {name} before tanh_abs: the transformed ones are stored"
        )
    cut = replace(array, shape=(n_steps, array.shape[1]), blocks=blocks)
    return state_rows(cut, n_steps, None, array.where, dtype=dtype)
