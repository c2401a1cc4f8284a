"""Read all annotations of a dataset and find their problems.

A column of tokens.parquet or a file in annotations/ is an annotation. Its kind is implied by its
type and can be set in dataset.yaml:

- string, boolean, dictionary, integers with at most 50 values: categorical
- floats, other integers, dates, times, durations, decimals: scalar
- `list<string>`, with an optional `list<float>` partner NAME_weight: ranked
- a file with `start`, `stop` and `label`: interval
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from loaders.annotations.intervals import INTERVAL_COLUMNS, from_intervals
from loaders.annotations.kinds import WEIGHT, Column, from_column, is_number_list, is_word_list
from loaders.annotations.values import Annotation
from loaders.config import AnnotationSettings
from loaders.parquet import (
    index_columns,
    index_warning,
    is_folder,
    open_file,
    read_column,
    reading,
    repeated,
)
from loaders.problems import (
    DatasetError,
    Problem,
    Severity,
    counted,
    listed,
    suggestion,
)
from loaders.sequences import Sequences

_NO_SETTINGS = AnnotationSettings()


@dataclass(slots=True)
class Findings:
    """The annotations that were found, and their problems."""

    annotations: dict[str, Annotation]
    problems: list[Problem]


def read_annotations(
    token_file: pq.ParquetFile | None,
    token_columns: Iterable[str],
    token_where: str,
    folder: Path,
    folder_where: str,
    settings: Mapping[str, AnnotationSettings],
    settings_where: str,
    sequences: Sequences | None,
    n_steps: int | None,
) -> Findings:
    """Read every annotation of a dataset.

    Parameters
    ----------
    token_file, token_columns, token_where
        tokens.parquet, its annotation columns, and its name in problems; None if the file is
        broken.
    folder, folder_where
        The folder annotations/, which may be missing, and its name in problems.
    settings, settings_where
        What dataset.yaml says, and its name in problems.
    sequences, n_steps
        For checking intervals and lengths; not checked if None.

    Returns
    -------
    Findings
        Annotations by name, those of tokens.parquet first, and every problem and warning.
    """
    problems: list[Problem] = []
    found = _Raw({}, {}, set())
    if token_file is not None:
        _take_columns(token_file, token_columns, token_where, found, problems)
    for path in _files(folder, folder_where, problems):
        _take_file(path, f"{folder_where}/{path.name}", n_steps, found, problems)
    problems.extend(_unknown(settings, settings_where, found.names()))
    partners = found.partners()
    annotations: dict[str, Annotation] = {}
    for name, column in found.columns.items():
        if name in partners and name not in settings:
            continue
        partner = found.columns[name + WEIGHT] if name + WEIGHT in partners else None
        chosen = settings.get(name, _NO_SETTINGS)
        try:
            with reading(column.where):
                annotation = from_column(name, column, partner, chosen, settings_where, problems)
            annotations[name] = annotation
        except DatasetError as error:
            problems.extend(error.problems)
    for name, (where, table) in found.intervals.items():
        chosen = settings.get(name, _NO_SETTINGS)
        try:
            with reading(where):
                annotations[name] = from_intervals(
                    name, where, table, chosen, settings_where, sequences, n_steps, problems
                )
        except DatasetError as error:
            problems.extend(error.problems)
    return Findings(annotations, problems)


@dataclass(frozen=True, slots=True)
class _Raw:
    """The content of the files by annotation, before kinds are determined; `broken` cannot be read."""

    columns: dict[str, Column]
    intervals: dict[str, tuple[str, pa.Table]]
    broken: set[str]

    def put(self, name: str, column: Column, problems: list[Problem]) -> None:
        if name in self.columns:
            problems.append(_twice(column.where, name, self.columns[name].where))
        else:
            self.columns[name] = column

    def names(self) -> list[str]:
        """All annotations, including broken ones."""
        read = [*self.columns, *self.intervals]
        return read + sorted(self.broken.difference(read))

    def partners(self) -> set[str]:
        """The columns that contain the weights of a list of words."""
        return {
            name + WEIGHT
            for name, column in self.columns.items()
            if is_word_list(column.values.type)
            and name + WEIGHT in self.columns
            and is_number_list(self.columns[name + WEIGHT].values.type)
        }


def _take_columns(
    file: pq.ParquetFile,
    names: Iterable[str],
    file_where: str,
    found: _Raw,
    problems: list[Problem],
) -> None:
    """Read the annotation columns of tokens.parquet."""
    for name in names:
        where = f"{file_where}, column '{name}'"
        try:
            found.put(name, Column(where, read_column(file, name, where)), problems)
        except DatasetError as error:
            problems.extend(error.problems)
            found.broken.add(name)


def _take_file(
    path: Path, where: str, n_steps: int | None, found: _Raw, problems: list[Problem]
) -> None:
    """Read one file in annotations/."""
    name = path.stem
    try:
        columns, table = _read_file(path, where, problems)
    except DatasetError as error:
        problems.extend(error.problems)
        found.broken.add(name)
        return
    if table is not None:
        if name in found.columns:
            problems.append(_twice(where, name, found.columns[name].where))
        else:
            found.intervals[name] = (where, table)
    for key, column in columns.items():
        if n_steps is not None and len(column.values) != n_steps:
            problems.append(_length_differs(where, len(column.values), n_steps))
            found.broken.add(key)
            return
        found.put(key, column, problems)


def _unknown(names: Iterable[str], where: str, known: list[str]) -> Iterator[Problem]:
    """Find annotations that dataset.yaml names but that do not exist."""
    there = f"there {'is' if len(known) == 1 else 'are'} {listed(known)}"
    for name in names:
        if name not in known:
            yield Problem(
                f"{where}, annotations.{name}",
                f"the name of an annotation ({there})",
                f"'{name}'",
                suggestion(name, known),
            )


def _files(folder: Path, where: str, problems: list[Problem]) -> list[Path]:
    """Return the Parquet files in a folder, by name; warn about anything else."""
    try:
        entries = sorted(folder.iterdir(), key=lambda path: path.name)
    except FileNotFoundError:
        return []
    except OSError as error:
        found = (error.strerror or str(error)).lower()
        problems.append(
            Problem(where, "a folder of annotation files", found, "replace it with a folder")
        )
        return []
    files = []
    for path in entries:
        if path.name[0] in "._":
            continue
        if path.suffix == ".parquet":
            files.append(path)
        else:
            problems.append(
                Problem(
                    f"{where}/{path.name}",
                    "files that end in .parquet",
                    "a folder" if is_folder(path) else "another file",
                    "it is not read",
                    Severity.WARNING,
                )
            )
    return files


def _read_file(
    path: Path, where: str, problems: list[Problem]
) -> tuple[dict[str, Column], pa.Table | None]:
    """Return the columns of an annotation file by annotation name, or its table of intervals."""
    file = open_file(path, where)
    names = list(file.schema_arrow.names)
    again = repeated(names)
    if again:
        raise DatasetError(
            Problem(
                where, "column names once", f"{listed(again)} more than once", "rename or drop one"
            )
        )
    index = index_columns(file.schema_arrow)
    if len(index) < len(names):
        dropped = [name for name in names if name in index]
        names = [name for name in names if name not in index]
        if dropped:
            problems.append(index_warning(where, dropped))
    if set(INTERVAL_COLUMNS) <= set(names):
        extra = [name for name in names if name not in INTERVAL_COLUMNS]
        if extra:
            problems.append(
                Problem(
                    where,
                    "only start, stop and label",
                    f"other columns {listed(extra)}",
                    "they are not read",
                    Severity.WARNING,
                )
            )
        table = {name: read_column(file, name, where) for name in INTERVAL_COLUMNS}
        return {}, pa.table(table)
    stem = path.stem
    if len(names) == 2:
        kinds = {name: file.schema_arrow.field(name).type for name in names}
        weight = [name for name in names if name.endswith(WEIGHT) and is_number_list(kinds[name])]
        words = [name for name in names if is_word_list(kinds[name])]
        if len(weight) == 1 and len(words) == 1 and weight[0] in (words[0] + WEIGHT, stem + WEIGHT):
            return {
                stem: Column(where, read_column(file, words[0], where)),
                stem + WEIGHT: Column(where, read_column(file, weight[0], where)),
            }, None
    if len(names) != 1:
        missing = [name for name in INTERVAL_COLUMNS if name not in names]
        near = len(missing) < len(INTERVAL_COLUMNS) - 1
        raise DatasetError(
            Problem(
                where,
                "one column with a row for each step, or intervals with start, stop and label",
                f"the columns {listed(names)}" if names else "no columns",
                f"add {listed(missing)} for intervals" if near else "write one file per column",
            )
        )
    return {stem: Column(where, read_column(file, names[0], where))}, None


def _length_differs(where: str, found: int, n_steps: int) -> Problem:
    return Problem(
        where,
        f"{counted(n_steps, 'row')}, as in tokens.parquet",
        counted(found, "row"),
        "write one row per step",
    )


def _twice(where: str, name: str, earlier: str) -> Problem:
    return Problem(
        where, "annotation names once", f"'{name}' here and in {earlier}", "rename one of them"
    )
