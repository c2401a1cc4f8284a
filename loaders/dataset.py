"""A dataset folder, opened: tokens, sequences, annotations, and sources on demand."""

from __future__ import annotations

import difflib
import hashlib
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from loaders.annotations import Annotation, index_warning, read_annotations
from loaders.config import FILE_NAME, Config, Default, SourceSettings, read_config
from loaders.parquet import index_columns, is_folder, open_file, read_column, repeated, stamp
from loaders.problems import (
    DatasetError,
    Problem,
    Severity,
    counted,
    listed,
    suggestion,
)
from loaders.sequences import Sequences, one_sequence, read_sequences
from loaders.source import SourceFiles, inspect_source
from loaders.store import (
    ROWS,
    Building,
    Progress,
    Stored,
    find_building,
    is_stored,
    open_stored,
    source_key,
)
from loaders.summary import Summary
from loaders.tokens import Tokens, read_tokens

TOKENS_FILE = "tokens.parquet"
STATES_FOLDER = "states"
ANNOTATIONS_FOLDER = "annotations"

Signature = tuple[tuple[str, int, int], ...]
"""The files of a dataset: path, size and time of writing of each."""


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What is known of a source before it is opened."""

    name: str
    title: str
    n_states: int
    dtype: np.dtype[Any]
    transform: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """An opened source: a matrix of `n_steps` by `n_states` on disk.

    Attributes
    ----------
    key
        Names this content: other files, another key.
    rows
        `(n_steps, n_states)` of `dtype` (float16, float32 or float64): a read-only memory map,
        row-major; the transform is applied.
    summary
        Per-state ranges, counts of NaN and infinities, quantiles.
    warnings
        NaN, infinities, constant states.
    """

    name: str
    title: str
    key: str
    state_names: tuple[str, ...]
    rows: NDArray[Any]
    summary: Summary
    warnings: tuple[Problem, ...]

    @property
    def n_steps(self) -> int:
        """Rows."""
        return int(self.rows.shape[0])

    @property
    def n_states(self) -> int:
        """Columns."""
        return int(self.rows.shape[1])

    @property
    def dtype(self) -> np.dtype[Any]:
        """The stored float type."""
        return self.rows.dtype

    @property
    def home(self) -> Path:
        """The folder of the copy: `rows.npy` is there, and whatever else is derived from it."""
        assert isinstance(self.rows, np.memmap) and self.rows.filename is not None
        return Path(self.rows.filename).parent

    @property
    def minimum(self) -> float:
        """The smallest finite value, exact; 0 when none is finite."""
        return self.summary.minimum

    @property
    def maximum(self) -> float:
        """The largest finite value, exact; 0 when none is finite."""
        return self.summary.maximum

    @property
    def low_quantile(self) -> float:
        """The 0.1 % quantile of the finite values (of a sample, see `Summary`)."""
        return self.summary.low_quantile

    @property
    def high_quantile(self) -> float:
        """The 99.9 % quantile of the finite values (of a sample, see `Summary`)."""
        return self.summary.high_quantile

    @property
    def suggested_threshold(self) -> float:
        """A round number at which about a fifth of the values are on; see `suggest_threshold`."""
        return self.summary.suggested_threshold

    def window(self, start: int, stop: int) -> NDArray[Any]:
        """The rows of the half-open range, cut to the steps that exist.

        Returns
        -------
        ndarray
            `(stop - start, n_states)` of `dtype`, a copy in memory.
        """
        return np.array(self.rows[max(0, start) : max(0, stop)])


@dataclass(frozen=True, slots=True, eq=False)
class Inspection:
    """Everything that can be learned of a dataset without reading its states.

    Parts that are broken are None or left out, and have a problem.
    """

    path: Path
    is_dataset: bool
    signature: Signature = ()
    config: Config = field(default_factory=Config)
    n_steps: int | None = None
    tokens: Tokens | None = None
    tokens_stamp: str = ""
    sequences: Sequences | None = None
    annotations: Mapping[str, Annotation] = field(default_factory=dict)
    sources: Mapping[str, SourceFiles] = field(default_factory=dict)
    default: Default | None = None
    findings: tuple[Problem, ...] = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What stops the dataset from being opened."""
        return tuple(p for p in self.findings if p.severity is Severity.PROBLEM)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What is worth a notice."""
        return tuple(p for p in self.findings if p.severity is Severity.WARNING)


class Dataset:
    """An opened dataset. Thread-safe; everything but `open_source` only reads what is in memory.

    Attributes
    ----------
    id
        The folder's name (a `Catalog` makes it distinct).
    name, description
        From dataset.yaml; the name is the folder's when not given.
    n_steps
        Steps, the same in tokens, annotations and all sources.
    fingerprint
        8 hex digits from the content of tokens.parquet and the states (by their Parquet footers
        and sizes): the same for a copy of the folder.
    default
        The view to open on, its source filled in; None when dataset.yaml has none.
    warnings
        Notices about the files; those about values come with a `Source`.
    signature
        Sizes and times of the files as they were opened.
    progress
        Called with (steps done, steps in all) while a copy is built, where `open_source` is given
        nothing else.
    """

    def __init__(
        self, inspection: Inspection, cache_dir: Path, progress: Progress | None, dataset_id: str
    ) -> None:
        if inspection.problems or inspection.tokens is None or inspection.sequences is None:
            raise DatasetError(inspection.problems)
        config = inspection.config
        self.id = dataset_id
        self.name = config.name or folder_name(inspection.path)
        self.description = config.description
        self.path = inspection.path
        self.n_steps = len(inspection.tokens)
        self.sequences = inspection.sequences
        self.annotations: Mapping[str, Annotation] = MappingProxyType(dict(inspection.annotations))
        self.sources: Mapping[str, SourceInfo] = MappingProxyType(
            {
                name: SourceInfo(name, files.title, files.n_states, files.dtype, files.transform)
                for name, files in inspection.sources.items()
            }
        )
        self.fingerprint = fingerprint(inspection)
        self.default = inspection.default
        self.warnings = inspection.warnings
        self.signature = inspection.signature
        self.token_table = inspection.tokens
        self._files = dict(inspection.sources)
        self._cache_dir = cache_dir
        self.progress = progress
        self._locks = {name: threading.Lock() for name in self._files}
        self._opened: dict[str, Source] = {}

    def tokens(self, start: int, stop: int) -> list[str]:
        """The tokens of the half-open range, cut to the steps that exist."""
        return self.token_table.texts(start, stop)

    def open_source(self, name: str, progress: Progress | None = None) -> Source:
        """A source by name; its copy is built when there is none, and opened once.

        Parameters
        ----------
        name
            One of `sources`.
        progress
            Called with (steps done, steps in all) while a copy is built; by default the one that
            the dataset was opened with.

        Raises
        ------
        DatasetError
            No such source; or see `loaders.store.open_stored`.
        """
        files = self._files_of(name)
        source = self._still_there(name)
        if source is not None:
            return source
        with self._locks[name]:
            source = self._still_there(name)
            if source is None:
                stored = open_stored(files, self._cache_dir, progress or self.progress)
                source = opened_source(files, stored)
                self._opened[name] = source
            return source

    def is_ready(self, name: str) -> bool:
        """Whether `open_source` opens a source at once: its copy is there, and known to be whole.

        Raises
        ------
        DatasetError
            No such source.
        """
        files = self._files_of(name)
        return self._still_there(name) is not None or is_stored(files, self._cache_dir)

    def building(self, name: str) -> Building | None:
        """How far the copy of a source is that some process is making; None when none does.

        Raises
        ------
        DatasetError
            No such source.
        """
        return find_building(self._files_of(name), self._cache_dir)

    def source_key(self, name: str) -> str:
        """The key of a source's copy, as `Source.key` has it.

        Raises
        ------
        DatasetError
            No such source.
        """
        return source_key(self._files_of(name))

    def _still_there(self, name: str) -> Source | None:
        """The source if it was opened and its copy is in the cache folder, which may be emptied.

        What is mapped could be read on, but nothing could be derived from it, by no other process.
        """
        source = self._opened.get(name)
        return source if source is not None and (source.home / ROWS).exists() else None

    def _files_of(self, name: str) -> SourceFiles:
        if name not in self._files:
            known = list(self._files)
            raise DatasetError(_unknown(f"dataset '{self.id}'", "a source", name, known))
        return self._files[name]


def open_dataset(
    path: str | os.PathLike[str],
    cache_dir: str | os.PathLike[str],
    progress: Progress | None = None,
    *,
    dataset_id: str | None = None,
) -> Dataset:
    """Open a dataset folder. Sources are opened later, by `Dataset.open_source`.

    Parameters
    ----------
    path
        The folder.
    cache_dir
        Where the derived copies of its sources live; need not be there.
    progress
        Called with (steps done, steps in all) whenever a copy is built.
    dataset_id
        The id to give it, by default the folder's name.

    Raises
    ------
    DatasetError
        With every problem of the folder. Warnings do not raise.
    """
    folder = Path(path)
    inspection = inspect_dataset(folder)
    if inspection.problems:
        raise DatasetError(inspection.problems)
    return Dataset(inspection, Path(cache_dir), progress, dataset_id or folder_name(folder))


def opened_source(files: SourceFiles, stored: Stored) -> Source:
    """The source that a copy belongs to."""
    return Source(
        name=files.name,
        title=files.title,
        key=source_key(files),
        state_names=files.state_names,
        rows=stored.rows,
        summary=stored.summary,
        warnings=stored.summary.warnings(files.where, files.n_steps, files.state_names),
    )


def folder_name(path: Path) -> str:
    """The name of a folder, also for `.` and paths that end in `..`; bytes that are no text escaped."""
    return path.resolve().name.encode("utf-8", "backslashreplace").decode() or "dataset"


def is_dataset_folder(path: Path) -> bool:
    """Whether a folder means to be a dataset: it has tokens.parquet, states/ or dataset.yaml."""
    return any((path / name).exists() for name in (TOKENS_FILE, STATES_FOLDER, FILE_NAME))


def datasets_inside(path: Path) -> list[Path]:
    """The dataset folders right inside a folder, by name; hidden ones do not count.

    Raises
    ------
    OSError
        The folder cannot be read.
    """
    inside = sorted(
        (entry for entry in path.iterdir() if entry.name[0] != "." and entry.is_dir()),
        key=lambda entry: entry.name,
    )
    return [entry for entry in inside if is_dataset_folder(entry)]


def dataset_signature(path: Path) -> Signature:
    """Sizes and times of the files that make a dataset; empty when there are none."""
    found: list[tuple[str, int, int]] = []

    def add(folder: Path, depth: int) -> None:
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name[0] in "._":
                        continue
                    if depth and entry.is_dir():
                        add(folder / entry.name, depth - 1)
                    else:
                        info = entry.stat()
                        name = os.path.relpath(entry.path, path)
                        found.append((name, info.st_size, info.st_mtime_ns))
        except OSError:
            return

    for name in (TOKENS_FILE, FILE_NAME):
        try:
            info = (path / name).stat()
        except OSError:
            continue
        found.append((name, info.st_size, info.st_mtime_ns))
    add(path / STATES_FOLDER, 1)
    add(path / ANNOTATIONS_FOLDER, 0)
    return tuple(sorted(found))


def not_a_dataset(path: Path) -> Problem | None:
    """What keeps a path from being a dataset folder at all; None when it is one."""
    try:
        if not path.exists():
            return Problem(str(path), "a dataset folder", "nothing there", "check the path")
        if not path.is_dir():
            return Problem(str(path), "a dataset folder", "a file", "give the folder that holds it")
        if is_dataset_folder(path):
            return None
        inside = datasets_inside(path)
    except OSError as error:
        found = (error.strerror or str(error)).lower()
        return Problem(str(path), "a dataset folder", found, "check the path")
    found, remedy = "neither", "check the path, or write a dataset there"
    if inside:
        names = listed([folder.name for folder in inside])
        found, remedy = f"a folder of {counted(len(inside), 'dataset')} ({names})", "name one"
    expected = f"a dataset folder with {TOKENS_FILE} and {STATES_FOLDER}/"
    return Problem(str(path), expected, found, remedy)


def inspect_dataset(path: Path, label: str | None = None) -> Inspection:
    """Read everything but the states, and collect every problem and warning on the way.

    `label` is how problems call the folder, by default its name.
    """
    problem = not_a_dataset(path)
    if problem is not None:
        return Inspection(path, False, findings=(problem,))
    signature = dataset_signature(path)
    prefix = label or folder_name(path)
    found: list[Problem] = []
    config_where = f"{prefix}/{FILE_NAME}"
    config, wrong = read_config(path / FILE_NAME, config_where)
    found.extend(wrong)

    found.extend(_misspelt(path, prefix))

    where = f"{prefix}/{TOKENS_FILE}"
    look = _TokensFile()
    try:
        look = _look_at_tokens(path / TOKENS_FILE, where, found)
    except DatasetError as error:
        found.extend(error.problems)
    tokens, sequences, n_steps = _read_tokens(look, where, found)

    notes = read_annotations(
        look.file,
        look.annotations,
        where,
        path / ANNOTATIONS_FOLDER,
        f"{prefix}/{ANNOTATIONS_FOLDER}",
        config.annotations,
        config_where,
        sequences,
        n_steps,
    )
    found.extend(notes.problems)
    sources, names = _inspect_sources(path / STATES_FOLDER, prefix, config, found)
    for files in sources.values():
        if n_steps is not None and files.n_steps != n_steps:
            parts = f" in {len(files.parts):,} part files" if len(files.parts) > 1 else ""
            found.append(
                Problem(
                    files.where,
                    f"{counted(n_steps, 'row')}, as in {TOKENS_FILE}",
                    f"{counted(files.n_steps, 'row')}{parts}",
                    "write one row a step",
                )
            )
    found.extend(
        _unknown(f"{config_where}, sources.{name}", "a source", name, names)
        for name in config.sources
        if names and name not in names
    )
    default = config.default
    if default is not None:
        tracks = list(notes.annotations)
        found.extend(_check_default(default, config_where, names, tracks, sequences, config))
        if default.source is None and names:
            default = replace(default, source=names[0])
    return Inspection(
        path=path,
        is_dataset=True,
        signature=signature,
        config=config,
        n_steps=n_steps,
        tokens=tokens,
        tokens_stamp=look.stamp,
        sequences=sequences,
        annotations=notes.annotations,
        sources=sources,
        default=default,
        findings=tuple(dict.fromkeys(found)),
    )


def _misspelt(folder: Path, prefix: str) -> Iterator[Problem]:
    """What stands beside the parts of a dataset under almost the name of one that is not there."""
    parts = (TOKENS_FILE, FILE_NAME, STATES_FOLDER, ANNOTATIONS_FOLDER)
    try:
        there = sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return
    for name in there:
        near = difflib.get_close_matches(name.lower(), parts, n=1, cutoff=0.8)
        if name not in parts and near and near[0] not in there:
            yield Problem(
                f"{prefix}/{name}",
                f"the name {near[0]}",
                "another one",
                f"it is not read; call it {near[0]} if it is meant",
                Severity.WARNING,
            )


@dataclass(frozen=True, slots=True)
class _TokensFile:
    """The footer of tokens.parquet; the defaults stand for a file that cannot be read."""

    file: pq.ParquetFile | None = None
    n_steps: int | None = None
    has_token: bool = False
    has_sequence: bool = False
    annotations: tuple[str, ...] = ()
    stamp: str = ""


def _look_at_tokens(path: Path, where: str, found: list[Problem]) -> _TokensFile:
    seen = stamp(path, where)
    file = open_file(path, where)
    names = list(file.schema_arrow.names)
    again = repeated(names)
    if again:
        remedy = "rename or drop one"
        found.append(Problem(where, "column names once", f"{listed(again)} more than once", remedy))
    # `token` or `sequence` as the index of a data frame is still what it says.
    index = index_columns(file.schema_arrow) - {"token", "sequence"}
    if index:
        found.append(index_warning(where, [name for name in names if name in index]))
    if "token" not in names:
        kept = [name for name in names if name not in index]
        found.append(
            Problem(where, "a column 'token'", f"the columns {listed(kept)}", "add or rename one")
        )
    n_steps = file.metadata.num_rows
    if n_steps == 0:
        found.append(Problem(where, "at least one row", "no rows", "write one row a step"))
    others = tuple(
        name
        for name in names
        if name not in index and name not in again and name not in ("token", "sequence")
    )
    return _TokensFile(
        file=file,
        n_steps=n_steps or None,
        has_token="token" in names and "token" not in again,
        has_sequence="sequence" in names and "sequence" not in again,
        annotations=others if n_steps else (),
        stamp=f"{seen.footer} {seen.size}",
    )


def _read_tokens(
    look: _TokensFile, where: str, found: list[Problem]
) -> tuple[Tokens | None, Sequences | None, int | None]:
    tokens: Tokens | None = None
    sequences: Sequences | None = None
    if look.file is None or look.n_steps is None:
        return None, None, None
    if look.has_token:
        at = f"{where}, column 'token'"
        try:
            tokens = read_tokens(read_column(look.file, "token", at), at)
        except DatasetError as error:
            found.extend(error.problems)
    if look.has_sequence:
        at = f"{where}, column 'sequence'"
        try:
            sequences = read_sequences(read_column(look.file, "sequence", at), at)
        except DatasetError as error:
            found.extend(error.problems)
    else:
        sequences = one_sequence(look.n_steps)
    return tokens, sequences, look.n_steps


def _inspect_sources(
    folder: Path, prefix: str, config: Config, found: list[Problem]
) -> tuple[dict[str, SourceFiles], list[str]]:
    """The sources that are whole, and the names of all, broken ones included."""
    where = f"{prefix}/{STATES_FOLDER}"
    remedy = "write states/NAME.parquet with one column a state"
    try:
        entries = sorted(folder.iterdir(), key=lambda path: path.name)
    except FileNotFoundError:
        found.append(Problem(where, "a folder with the states", "nothing there", remedy))
        return {}, []
    except OSError as error:
        words = (error.strerror or str(error)).lower()
        found.append(Problem(where, "a folder with the states", words, remedy))
        return {}, []
    sources: dict[str, SourceFiles] = {}
    names: list[str] = []
    for path in entries:
        if path.name[0] in "._":
            continue
        name = path.name if is_folder(path) else path.stem
        at = f"{where}/{path.name}"
        if not is_folder(path) and path.suffix != ".parquet":
            expected = "files that end in .parquet"
            remark = "it is not read"
            found.append(Problem(at, expected, "another file", remark, Severity.WARNING))
            continue
        if name in names:
            found.append(
                Problem(at, "source names once", f"a second source '{name}'", "rename one of them")
            )
        files, wrong = inspect_source(name, path, at, config.sources.get(name, SourceSettings()))
        found.extend(wrong)
        if files is not None and name not in names:
            sources[name] = files
        names.append(name)
    if not names:
        found.append(Problem(where, "at least one source", "no Parquet files", remedy))
    return sources, list(dict.fromkeys(names))


def _check_default(
    default: Default,
    where: str,
    sources: list[str],
    tracks: list[str],
    sequences: Sequences | None,
    config: Config,
) -> list[Problem]:
    """What of `default` does not fit the data."""
    found: list[Problem] = []
    if sources and default.source is not None and default.source not in sources:
        found.append(_unknown(f"{where}, default.source", "a source", default.source, sources))
    known = list(dict.fromkeys([*tracks, *config.annotations]))
    found.extend(
        _unknown(f"{where}, default.tracks", "an annotation", track, known)
        for track in default.tracks or ()
        if track not in known
    )
    if default.start is None or default.stop is None or sequences is None:
        return found
    start, stop, n_steps = default.start, default.stop, sequences.n_steps
    at, shown = f"{where}, default", f"[{start}, {stop})"
    if not 0 <= start < stop <= n_steps:
        remedy = "mend start and stop (stop is not included)"
        found.append(Problem(at, f"0 <= start < stop <= {n_steps}", shown, remedy))
    elif stop > sequences.bounds(start)[1]:
        boundary = sequences.bounds(start)[1]
        crossed = f"{shown}, which crosses the boundary at step {boundary}"
        found.append(Problem(at, "a range inside one sequence", crossed, "choose another range"))
    return found


def _unknown(where: str, what: str, name: str, known: list[str]) -> Problem:
    expected = f"the name of {what} (there {'is' if len(known) == 1 else 'are'} {listed(known)})"
    return Problem(where, expected, f"'{name}'", suggestion(name, known))


def fingerprint(inspection: Inspection) -> str:
    """8 hex digits from the content of tokens.parquet and of the states, by their footers."""
    content = hashlib.blake2b(digest_size=4)
    content.update(inspection.tokens_stamp.encode())
    for name, files in sorted(inspection.sources.items()):
        content.update(f"\0{name}\0{files.digest(times=False)}".encode())
    return content.hexdigest()
