"""Read everything in a dataset folder except its states, and collect the problems."""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow.parquet as pq

from loaders.annotations import Annotation, read_annotations
from loaders.config import FILE_NAME, Config, Default, SourceSettings, read_config
from loaders.parquet import (
    index_columns,
    index_warning,
    is_folder,
    open_file,
    read_column,
    repeated,
    stamp,
)
from loaders.problems import (
    DatasetError,
    Problem,
    Severity,
    counted,
    listed,
    suggestion,
)
from loaders.sequences import Sequences, one_sequence, read_sequences
from loaders.sources.files import SourceFiles, inspect_source
from loaders.tokens import Tokens, read_tokens

TOKENS_FILE = "tokens.parquet"
STATES_FOLDER = "states"
ANNOTATIONS_FOLDER = "annotations"

Signature = tuple[tuple[str, int, int], ...]
"""The files of a dataset: path, size and modification time of each."""


@dataclass(frozen=True, slots=True, eq=False)
class Inspection:
    """Everything that can be learned about a dataset without reading its states.

    Broken parts are None or left out, and have a problem.
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
        """The problems, which prevent the dataset from being opened."""
        return tuple(p for p in self.findings if p.severity is Severity.PROBLEM)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The warnings."""
        return tuple(p for p in self.findings if p.severity is Severity.WARNING)


def folder_name(path: Path) -> str:
    """Return the name of a folder, also for `.` and paths ending in `..`; undecodable bytes are escaped."""
    return path.resolve().name.encode("utf-8", "backslashreplace").decode() or "dataset"


def is_dataset_folder(path: Path) -> bool:
    """Whether a folder looks like a dataset: it has tokens.parquet, states/ or dataset.yaml."""
    return any((path / name).exists() for name in (TOKENS_FILE, STATES_FOLDER, FILE_NAME))


def datasets_inside(path: Path) -> list[Path]:
    """The dataset folders directly inside a folder, by name, without hidden ones.

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
    """Sizes and modification times of the files of a dataset; empty if there are none."""
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
    """Return why a path is not a dataset folder; None if it is one."""
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
    """Read everything but the states, and collect all problems and warnings.

    `label` is the name of the folder in problems; defaults to its own name.
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
    tokens_file = _TokensFile()
    try:
        tokens_file = _inspect_tokens_file(path / TOKENS_FILE, where, found)
    except DatasetError as error:
        found.extend(error.problems)
    tokens, sequences, n_steps = _read_tokens(tokens_file, where, found)

    notes = read_annotations(
        tokens_file.file,
        tokens_file.annotations,
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
                    "write one row per step",
                )
            )
    found.extend(
        unknown_name(f"{config_where}, sources.{name}", "a source", name, names)
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
        tokens_stamp=tokens_file.stamp,
        sequences=sequences,
        annotations=notes.annotations,
        sources=sources,
        default=default,
        findings=tuple(dict.fromkeys(found)),
    )


def _misspelt(folder: Path, prefix: str) -> Iterator[Problem]:
    """Files with almost the name of a part of a dataset that is missing."""
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
                "a similar name",
                f"it is not read; rename it if it is meant to be {near[0]}",
                Severity.WARNING,
            )


@dataclass(frozen=True, slots=True)
class _TokensFile:
    """The footer of tokens.parquet; the defaults are those of a file that cannot be read."""

    file: pq.ParquetFile | None = None
    n_steps: int | None = None
    has_token: bool = False
    has_sequence: bool = False
    annotations: tuple[str, ...] = ()
    stamp: str = ""


def _inspect_tokens_file(path: Path, where: str, found: list[Problem]) -> _TokensFile:
    seen = stamp(path, where)
    file = open_file(path, where)
    names = list(file.schema_arrow.names)
    again = repeated(names)
    if again:
        remedy = "rename or drop one"
        found.append(Problem(where, "column names once", f"{listed(again)} more than once", remedy))
    # `token` and `sequence` are read even if they were the index of a data frame.
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
        found.append(Problem(where, "at least one row", "no rows", "write one row per step"))
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
    tokens_file: _TokensFile, where: str, found: list[Problem]
) -> tuple[Tokens | None, Sequences | None, int | None]:
    tokens: Tokens | None = None
    sequences: Sequences | None = None
    if tokens_file.file is None or tokens_file.n_steps is None:
        return None, None, None
    if tokens_file.has_token:
        at = f"{where}, column 'token'"
        try:
            tokens = read_tokens(read_column(tokens_file.file, "token", at), at)
        except DatasetError as error:
            found.extend(error.problems)
    if tokens_file.has_sequence:
        at = f"{where}, column 'sequence'"
        try:
            sequences = read_sequences(read_column(tokens_file.file, "sequence", at), at)
        except DatasetError as error:
            found.extend(error.problems)
    else:
        sequences = one_sequence(tokens_file.n_steps)
    return tokens, sequences, tokens_file.n_steps


def _inspect_sources(
    folder: Path, prefix: str, config: Config, found: list[Problem]
) -> tuple[dict[str, SourceFiles], list[str]]:
    """Return the sources without problems, and the names of all sources."""
    where = f"{prefix}/{STATES_FOLDER}"
    remedy = "write states/NAME.parquet with one column per state"
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
    """Check that `default` fits the data."""
    found: list[Problem] = []
    if sources and default.source is not None and default.source not in sources:
        found.append(unknown_name(f"{where}, default.source", "a source", default.source, sources))
    known = list(dict.fromkeys([*tracks, *config.annotations]))
    found.extend(
        unknown_name(f"{where}, default.tracks", "an annotation", track, known)
        for track in default.tracks or ()
        if track not in known
    )
    if default.start is None or default.stop is None or sequences is None:
        return found
    start, stop, n_steps = default.start, default.stop, sequences.n_steps
    at, shown = f"{where}, default", f"[{start}, {stop})"
    if not 0 <= start < stop <= n_steps:
        remedy = "fix start and stop (stop is not included)"
        found.append(Problem(at, f"0 <= start < stop <= {n_steps}", shown, remedy))
    elif stop > sequences.bounds(start)[1]:
        boundary = sequences.bounds(start)[1]
        crossed = f"{shown}, which crosses the boundary at step {boundary}"
        found.append(Problem(at, "a range inside one sequence", crossed, "choose another range"))
    return found


def unknown_name(where: str, what: str, name: str, known: list[str]) -> Problem:
    """Return the problem for an unknown name."""
    expected = f"the name of {what} (there {'is' if len(known) == 1 else 'are'} {listed(known)})"
    return Problem(where, expected, f"'{name}'", suggestion(name, known))


def fingerprint(inspection: Inspection) -> str:
    """Return 8 hex digits from the content of tokens.parquet and the states, read from their footers."""
    content = hashlib.blake2b(digest_size=4)
    content.update(inspection.tokens_stamp.encode())
    for name, files in sorted(inspection.sources.items()):
        content.update(f"\0{name}\0{files.digest(times=False)}".encode())
    return content.hexdigest()
