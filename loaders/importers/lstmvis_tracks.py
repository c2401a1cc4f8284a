"""Import the annotation tracks (section meta) of an LSTMVis project."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from loaders.importers.arrays import Array, first_rows
from loaders.importers.lstmvis_project import (
    Project,
    Words,
    check_column,
    shown,
    whole_numbers,
)
from loaders.problems import counted

_KEYS = ("file", "path", "dict", "vis", "type", "index", "weights_path")


@dataclass(frozen=True, slots=True)
class Track:
    """An annotation to import: the content of its file, and its settings in dataset.yaml."""

    schema: pa.Schema
    batches: Callable[[], Iterator[pa.RecordBatch]]
    settings: dict[str, Any] = field(default_factory=dict)


def read_tracks(project: Project, words: Words, n_steps: int) -> dict[str, Track]:
    """Read the section meta."""
    meta = project.content.get("meta")
    if not meta:
        return {}
    tracks: dict[str, Track] = {}
    for name, part in project.section("meta").items():
        key = f"meta.{name}"
        if not isinstance(part, Mapping):
            raise project.fault(key, "keys with values", shown(part), "write {key: value}")
        kind = part.get("type", "general")
        if kind not in ("general", "wordvec"):
            project.left_out.append(f"the track '{name}', whose type '{kind}' is not known")
            continue
        make = _word_track if kind == "wordvec" else _value_track
        track = make(project, str(name), key, part, words, n_steps)
        if track is not None:
            tracks[str(name)] = track
        project.left_out.extend(
            f"'{extra}' in {project.path}, {key}" for extra in part if extra not in _KEYS
        )
    return tracks


def _value_track(
    project: Project, name: str, key: str, part: Mapping[str, Any], words: Words, n_steps: int
) -> Track | None:
    """Read a track with one value per step, or one per word."""
    array = project.array(key, part)
    if len(array.shape) != 1 and array.shape[1:] != (1,):
        project.left_out.append(f"the track '{name}': {array.where} has {array.words}")
        return None
    check_column(array, "one number or text per step", "iufbU")
    index = part.get("index") or "self"
    values: Callable[[], Iterator[NDArray[Any]]]
    if index == "self":
        if array.shape[0] < n_steps:
            project.left_out.append(
                f"the track '{name}': {array.where} has {counted(array.shape[0], 'row')} for "
                f"{counted(n_steps, 'step')}"
            )
            return None
        values = array.blocks
    else:
        by_word = words if index == "word_sequence" else project.words(str(index))
        table = np.concatenate([block.reshape(len(block)) for block in array.blocks()])

        def values() -> Iterator[NDArray[Any]]:
            for ids in by_word.ids():
                if ids.dtype.kind == "U" or ids.max() >= len(table) or ids.min() < 0:
                    raise project.fault(
                        f"{key}.index",
                        f"numbers below {len(table):,}, the rows of {array.where}",
                        "others",
                        "correct the index",
                    )
                yield table[ids]

    vis = part.get("vis")
    vis = vis if isinstance(vis, Mapping) else {}
    if vis.get("range") not in (None, "dict"):
        project.left_out.append(
            f"the colour range of track '{name}': tracks are scaled automatically"
        )
    if part.get("dict") is not None:
        labels = Words(array, project.dictionary(f"{key}.dict", part["dict"]))
        schema = pa.schema([(name, pa.string())])
        return Track(schema, lambda: _labels(values(), labels, n_steps, schema, project.left_out))
    discrete, scalar = vis.get("type") == "discrete", vis.get("type") == "scalar"
    whole = discrete and array.dtype.kind == "f"
    if array.dtype.kind == "U":
        kind, scalar = pa.string(), False
    else:
        kind = pa.int64() if whole else pa.from_numpy_dtype(array.dtype.newbyteorder("="))
    schema = pa.schema([(name, kind)])
    settings = {"kind": "categorical" if discrete else "scalar"} if discrete or scalar else {}
    return Track(
        schema,
        lambda: _numbers(values(), array.where, n_steps, schema, whole=whole),
        settings,
    )


def _word_track(
    project: Project, name: str, key: str, part: Mapping[str, Any], words: Words, n_steps: int
) -> Track | None:
    """Read a track with a list of words per step, with or without weights: top predictions."""
    array = project.array(key, part)
    weights = project.array(key, part, "weights_path") if "weights_path" in part else None
    if len(array.shape) != 2 or (weights is not None and weights.shape != array.shape):
        shapes = array.words + ("" if weights is None else f" and weights of {weights.words}")
        project.left_out.append(f"the track '{name}': {array.where} has {shapes}")
        return None
    if array.shape[0] < n_steps:
        project.left_out.append(
            f"the track '{name}': {array.where} has {counted(array.shape[0], 'row')} for "
            f"{counted(n_steps, 'step')}"
        )
        return None
    dictionary = None
    if part.get("dict") is not None:
        dictionary = project.dictionary(f"{key}.dict", part["dict"])
    fields = [pa.field(name, pa.list_(pa.string()))]
    if weights is not None:
        fields.append(pa.field(f"{name}_weight", pa.list_(pa.float32())))
    schema = pa.schema(fields)
    names = Words(array, dictionary)

    def batches() -> Iterator[pa.RecordBatch]:
        shares = None if weights is None else _rows_of(weights)
        for row, block in first_rows(array.blocks(), n_steps):
            ids = whole_numbers(array.where, block)
            if shares is not None:  # best first, as in a ranked annotation
                share = shares(len(ids))
                order = np.argsort(-share.astype(np.float64), axis=1, kind="stable")
                ids = np.take_along_axis(ids, order, axis=1)
                share = np.take_along_axis(share, order, axis=1)
            cuts = pa.array(np.arange(len(ids) + 1, dtype=np.int32) * ids.shape[1])
            flat = names.names(ids.reshape(-1), row * ids.shape[1])
            columns = [pa.ListArray.from_arrays(cuts, flat)]
            if shares is not None:
                numbers = pa.array(share.reshape(-1).astype(np.float32))
                columns.append(pa.ListArray.from_arrays(cuts, numbers))
            yield pa.record_batch(columns, schema=schema)
        project.left_out.extend(names.remarks())

    return Track(schema, batches)


def _labels(
    blocks: Iterator[NDArray[Any]],
    labels: Words,
    n_steps: int,
    schema: pa.Schema,
    left_out: list[str],
) -> Iterator[pa.RecordBatch]:
    for row, block in first_rows(blocks, n_steps):
        ids = whole_numbers(labels.array.where, block.reshape(len(block)))
        yield pa.record_batch([labels.names(ids, row)], schema=schema)
    left_out.extend(labels.remarks())


def _numbers(
    blocks: Iterator[NDArray[Any]], where: str, n_steps: int, schema: pa.Schema, *, whole: bool
) -> Iterator[pa.RecordBatch]:
    for _, block in first_rows(blocks, n_steps):
        values = block.reshape(len(block))
        native = (
            whole_numbers(where, values) if whole else values.astype(values.dtype.newbyteorder("="))
        )
        yield pa.record_batch([pa.array(native, schema.field(0).type)], schema=schema)


def _rows_of(array: Array) -> Callable[[int], NDArray[Any]]:
    """Return a function that returns the next rows, independently of the array's blocks."""
    blocks = array.blocks()
    waiting = np.empty((0, *array.shape[1:]), array.dtype)

    def take(count: int) -> NDArray[Any]:
        nonlocal waiting
        while len(waiting) < count:
            waiting = np.concatenate([waiting, next(blocks)])
        taken, waiting = waiting[:count], waiting[count:]
        return taken

    return take
