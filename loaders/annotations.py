"""Annotations: what is known about the steps besides their tokens.

A column of tokens.parquet or a file of annotations/ is one annotation. Its kind follows from its
type and can be overridden in dataset.yaml:

- string, boolean, dictionary, integers with at most 50 values: categorical
- floats, other integers: scalar
- `list<string>`, with an optional `list<float>` partner NAME_weight: ranked
- a file with `start`, `stop` and `label`: interval
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from loaders.config import AnnotationSettings, label_text
from loaders.palette import COLORS, assign_colors
from loaders.parquet import (
    index_columns,
    is_folder,
    is_list,
    is_text,
    open_file,
    read_column,
    reading,
    repeated,
    type_words,
)
from loaders.problems import (
    DatasetError,
    Problem,
    Severity,
    counted,
    listed,
    suggestion,
)
from loaders.sequences import Sequences, encode, first_null

MOST_INTEGER_CATEGORIES = 50
"""An integer column with at most this many values is categorical, with more it is scalar."""

_INTERVAL_COLUMNS = ("start", "stop", "label")
_WEIGHT = "_weight"
_T = TypeVar("_T")
_NO_SETTINGS = AnnotationSettings()


@dataclass(frozen=True, slots=True)
class Category:
    """One value of a categorical annotation, or one label of intervals; `color` is `#rrggbb`."""

    label: str
    color: str


@dataclass(frozen=True, slots=True, eq=False)
class Categorical:
    """One category a step, or none.

    Attributes
    ----------
    categories
        In the order of dataset.yaml, then false before true, numbers by size, text by alphabet;
        with more categories than colours, the frequent ones first.
    counts
        int64 `(n_categories,)`: the number of steps of each.
    """

    kind: ClassVar[Literal["categorical"]] = "categorical"
    name: str
    categories: tuple[Category, ...]
    counts: NDArray[np.int64]
    _codes: NDArray[Any]

    def codes(self, start: int, stop: int) -> NDArray[np.int32]:
        """int32 `(stop - start,)`: the category of each step, -1 for null; half-open, cut."""
        return self._codes[max(0, start) : max(0, stop)].astype(np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """One number a step.

    Attributes
    ----------
    unit
        From dataset.yaml; None when not given.
    minimum, maximum
        Over the finite values; None when there are none.
    """

    kind: ClassVar[Literal["scalar"]] = "scalar"
    name: str
    unit: str | None
    minimum: float | None
    maximum: float | None
    _values: NDArray[Any]

    def values(self, start: int, stop: int) -> NDArray[np.float64]:
        """float64 `(stop - start,)`: the value at each step, NaN for null; half-open, cut."""
        return self._values[max(0, start) : max(0, stop)].astype(np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """A list of words a step, best first, with or without weights."""

    kind: ClassVar[Literal["ranked"]] = "ranked"
    name: str
    has_weights: bool
    _offsets: NDArray[np.int64]
    _codes: NDArray[np.int32]
    _words: pa.Array
    _weights: NDArray[Any] | None

    def items(self, start: int, stop: int) -> list[list[str]]:
        """The words of each step, half-open, cut; an empty list for a null."""
        cuts = self._cuts(start, stop)
        flat = self._words.take(pa.array(self._codes[cuts[0] : cuts[-1]])).to_pylist()
        return _split(flat, cuts)

    def weights(self, start: int, stop: int) -> list[list[float]] | None:
        """The weights of the words, as `items`; None without a weight column; NaN for null."""
        if self._weights is None:
            return None
        cuts = self._cuts(start, stop)
        flat = self._weights[cuts[0] : cuts[-1]].astype(np.float64).tolist()
        return _split(flat, cuts)

    def _cuts(self, start: int, stop: int) -> list[int]:
        last = len(self._offsets) - 1
        start = min(max(0, start), last)
        stop = min(max(start, stop), last)
        cuts: list[int] = self._offsets[start : stop + 1].tolist()
        return cuts


@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """Labelled ranges of steps: half-open, sorted, not overlapping, inside one sequence each.

    Attributes
    ----------
    categories
        The labels, ordered and coloured like those of a categorical annotation.
    counts
        int64 `(n_categories,)`: the number of ranges of each.
    """

    kind: ClassVar[Literal["interval"]] = "interval"
    name: str
    categories: tuple[Category, ...]
    counts: NDArray[np.int64]
    _starts: NDArray[np.int64]
    _stops: NDArray[np.int64]
    _codes: NDArray[Any]

    def __len__(self) -> int:
        return len(self._starts)

    def codes(self, start: int, stop: int) -> NDArray[np.int32]:
        """int32 `(stop - start,)`: the category of each step, -1 for none; half-open."""
        codes = np.full(max(0, stop - start), -1, np.int32)
        for low, high, code in self.coded_spans(start, stop):
            codes[max(low, start) - start : high - start] = code
        return codes

    def spans(self, start: int, stop: int) -> list[tuple[int, int, str]]:
        """The ranges that share a step with [start, stop), uncut: (start, stop, label)."""
        return [
            (low, high, self.categories[code].label)
            for low, high, code in self.coded_spans(start, stop)
        ]

    def coded_spans(self, start: int, stop: int) -> list[tuple[int, int, int]]:
        """As `spans`, with the number of the category in place of its label."""
        if stop <= start:
            return []
        first = int(np.searchsorted(self._stops, start, side="right"))
        last = int(np.searchsorted(self._starts, stop, side="left"))
        columns = (self._starts, self._stops, self._codes)
        return list(zip(*(column[first:last].tolist() for column in columns), strict=True))


Annotation = Categorical | Scalar | Ranked | Interval


@dataclass(frozen=True, slots=True)
class _Column:
    """A column that is or belongs to an annotation, before its kind is settled."""

    where: str
    values: pa.ChunkedArray


@dataclass(slots=True)
class Findings:
    """What one pass over the annotations found."""

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
        tokens.parquet, its columns that are annotations, and how problems call it; None when the
        file itself is broken.
    folder, folder_where
        The folder annotations/, which need not be there.
    settings, settings_where
        What dataset.yaml says, and how problems call it.
    sequences, n_steps
        What intervals and lengths are checked against; None when unknown, then they are not.

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
        partner = found.columns[name + _WEIGHT] if name + _WEIGHT in partners else None
        chosen = settings.get(name, _NO_SETTINGS)
        try:
            with reading(column.where):
                annotation = _from_column(name, column, partner, chosen, settings_where, problems)
            annotations[name] = annotation
        except DatasetError as error:
            problems.extend(error.problems)
    for name, (where, table) in found.intervals.items():
        chosen = settings.get(name, _NO_SETTINGS)
        try:
            with reading(where):
                annotations[name] = _from_intervals(
                    name, where, table, chosen, settings_where, sequences, n_steps, problems
                )
        except DatasetError as error:
            problems.extend(error.problems)
    return Findings(annotations, problems)


@dataclass(frozen=True, slots=True)
class _Raw:
    """What the files hold, by annotation, before kinds are settled; `broken` cannot be read."""

    columns: dict[str, _Column]
    intervals: dict[str, tuple[str, pa.Table]]
    broken: set[str]

    def put(self, name: str, column: _Column, problems: list[Problem]) -> None:
        if name in self.columns:
            problems.append(_twice(column.where, name, self.columns[name].where))
        else:
            self.columns[name] = column

    def names(self) -> list[str]:
        """All that were meant to be there."""
        read = [*self.columns, *self.intervals]
        return read + sorted(self.broken.difference(read))

    def partners(self) -> set[str]:
        """The columns that are the weights of a list of words."""
        return {
            name + _WEIGHT
            for name, column in self.columns.items()
            if _is_word_list(column.values.type)
            and name + _WEIGHT in self.columns
            and _is_number_list(self.columns[name + _WEIGHT].values.type)
        }


def _take_columns(
    file: pq.ParquetFile,
    names: Iterable[str],
    file_where: str,
    found: _Raw,
    problems: list[Problem],
) -> None:
    """Read the annotations among the columns of tokens.parquet."""
    for name in names:
        where = f"{file_where}, column '{name}'"
        try:
            found.put(name, _Column(where, read_column(file, name, where)), problems)
        except DatasetError as error:
            problems.extend(error.problems)
            found.broken.add(name)


def _take_file(
    path: Path, where: str, n_steps: int | None, found: _Raw, problems: list[Problem]
) -> None:
    """Read a file of annotations/."""
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
    """What dataset.yaml says about annotations that are not there."""
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
    """The Parquet files of the folder in name order; anything else that is there is a warning."""
    try:
        entries = sorted(folder.iterdir(), key=lambda path: path.name)
    except FileNotFoundError:
        return []
    except OSError as error:
        found = (error.strerror or str(error)).lower()
        problems.append(Problem(where, "a folder of annotation files", found, "mend it"))
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
) -> tuple[dict[str, _Column], pa.Table | None]:
    """The columns of an annotation file by annotation name, or its table of intervals."""
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
    if set(_INTERVAL_COLUMNS) <= set(names):
        extra = [name for name in names if name not in _INTERVAL_COLUMNS]
        if extra:
            problems.append(
                Problem(
                    where,
                    "only start, stop and label",
                    f"further columns {listed(extra)}",
                    "they are not read",
                    Severity.WARNING,
                )
            )
        table = {name: read_column(file, name, where) for name in _INTERVAL_COLUMNS}
        return {}, pa.table(table)
    stem = path.stem
    if len(names) == 2:
        kinds = {name: file.schema_arrow.field(name).type for name in names}
        weight = [name for name in names if name.endswith(_WEIGHT) and _is_number_list(kinds[name])]
        words = [name for name in names if _is_word_list(kinds[name])]
        if (
            len(weight) == 1
            and len(words) == 1
            and weight[0] in (words[0] + _WEIGHT, stem + _WEIGHT)
        ):
            return {
                stem: _Column(where, read_column(file, words[0], where)),
                stem + _WEIGHT: _Column(where, read_column(file, weight[0], where)),
            }, None
    if len(names) != 1:
        missing = [name for name in _INTERVAL_COLUMNS if name not in names]
        near = len(missing) < len(_INTERVAL_COLUMNS) - 1
        raise DatasetError(
            Problem(
                where,
                "one column with a row for each step, or intervals with start, stop and label",
                f"the columns {listed(names)}" if names else "no columns",
                f"add {listed(missing)} for intervals" if near else "write one file a column",
            )
        )
    return {stem: _Column(where, read_column(file, names[0], where))}, None


def _from_column(
    name: str,
    column: _Column,
    partner: _Column | None,
    settings: AnnotationSettings,
    settings_where: str,
    problems: list[Problem],
) -> Annotation:
    kind = column.values.type
    natural = natural_kind(column.values)
    if natural is None:
        words = type_words(kind)
        remedy = "write text, numbers, booleans or lists of words, or remove it"
        if _is_number_list(kind):
            words += " without a list of words beside it"
            remedy = f"add the list of words it belongs to, and name it like that one + '{_WEIGHT}'"
        raise DatasetError(Problem(column.where, "a type that is an annotation", words, remedy))
    chosen = settings.kind or natural
    value_type = kind.value_type if pa.types.is_dictionary(kind) else kind
    numeric = pa.types.is_integer(value_type) or pa.types.is_floating(value_type)
    fits = {
        "categorical": natural in ("categorical", "scalar"),
        "scalar": numeric or pa.types.is_boolean(value_type),
        "ranked": natural == "ranked",
        "interval": False,
    }[chosen]
    if not fits:
        raise DatasetError(
            _kind_differs(settings_where, name, chosen, f"{type_words(kind)}, which is {natural}")
        )
    _check_settings(settings_where, name, chosen, settings, problems)
    if chosen == "categorical":
        return _categorical(name, column, settings, settings_where, problems)
    if chosen == "scalar":
        return _scalar(name, column, settings)
    return _ranked(name, column, partner)


def natural_kind(values: pa.ChunkedArray) -> str | None:
    """The kind that follows from a column's type (and, for integers, its values); None: no kind."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        inner = kind.value_type
        simple = is_text(inner) or pa.types.is_integer(inner) or pa.types.is_floating(inner)
        return "categorical" if simple or pa.types.is_boolean(inner) else None
    if is_text(kind) or pa.types.is_boolean(kind):
        return "categorical"
    if pa.types.is_integer(kind):
        few = pc.count_distinct(values, mode="only_valid").as_py() <= MOST_INTEGER_CATEGORIES
        return "categorical" if few else "scalar"
    if pa.types.is_floating(kind):
        return "scalar"
    return "ranked" if _is_word_list(kind) else None


def _categorical(
    name: str,
    column: _Column,
    settings: AnnotationSettings,
    settings_where: str,
    problems: list[Problem],
) -> Categorical:
    values = column.values
    if pa.types.is_float16(values.type):
        values = values.cast(pa.float32())
    if pa.types.is_floating(values.type):  # NaN is no category
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
    codes, distinct = encode(values)
    categories, counts, codes = _categories(
        name, column.where, codes, distinct, settings, settings_where, problems
    )
    return Categorical(name, categories, counts, codes)


def _categories(
    name: str,
    where: str,
    codes: NDArray[np.int32],
    distinct: pa.Array,
    settings: AnnotationSettings,
    settings_where: str,
    problems: list[Problem],
) -> tuple[tuple[Category, ...], NDArray[np.int64], NDArray[Any]]:
    """Order and colour the distinct values; the codes are renumbered in that order."""
    with reading(where):
        distinct.validate(full=True)
    raw = distinct.to_pylist()
    labels = [label_text(value) for value in raw]
    counts = np.bincount(codes[codes >= 0], minlength=len(raw)).astype(np.int64)
    present = [i for i in range(len(raw)) if counts[i] > 0]  # a dictionary may list unused values
    ordered = sorted(present, key=lambda i: raw[i])
    if len(ordered) > len(COLORS):
        ordered.sort(key=lambda i: -counts[i])  # stable: ties keep the order above
    at = {labels[i]: i for i in reversed(ordered)}
    first = list(settings.order or ())
    for key, wanted in (("order", first), ("colors", list(settings.colors))):
        unknown = [label for label in wanted if label not in at]
        if unknown:
            problems.append(
                Problem(
                    f"{settings_where}, annotations.{name}.{key}",
                    "labels that occur in the data",
                    f"{listed(unknown)}, which {'does' if len(unknown) == 1 else 'do'} not",
                    "check the spelling",
                    Severity.WARNING,
                )
            )
    in_front = [at.get(label) for label in first]
    placed = {i for i in in_front if i is not None}
    slots: list[int | None] = in_front + [i for i in ordered if i not in placed]
    slot_labels = first + [labels[i] for i in slots[len(first) :] if i is not None]
    renumber = np.full(len(raw) + 1, -1, np.int32)  # the last entry serves code -1
    for position, slot in enumerate(slots):
        if slot is not None:
            renumber[slot] = position
    colors = assign_colors(slot_labels, settings.colors)
    categories = tuple(Category(*pair) for pair in zip(slot_labels, colors, strict=True))
    sizes = np.array([0 if slot is None else counts[slot] for slot in slots], np.int64)
    smallest = next(t for t in (np.int8, np.int16, np.int32) if len(slots) <= np.iinfo(t).max)
    return categories, sizes, renumber[codes].astype(smallest)


def _scalar(name: str, column: _Column, settings: AnnotationSettings) -> Scalar:
    values = column.values
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if not pa.types.is_floating(values.type):
        values = values.cast(pa.int8()) if pa.types.is_boolean(values.type) else values
        numbers = values.to_numpy().astype(np.float64)
    else:
        numbers = np.array(values.to_numpy())
    finite = numbers[np.isfinite(numbers)]
    low = float(finite.min()) if len(finite) else None
    high = float(finite.max()) if len(finite) else None
    return Scalar(name, settings.unit, low, high, numbers)


def _ranked(name: str, column: _Column, partner: _Column | None) -> Ranked:
    lengths, flat = _flat(column.values)
    if flat.null_count:
        inside = first_null(flat)
        row = int(np.searchsorted(np.cumsum(lengths), inside, side="right"))
        raise DatasetError(
            Problem(
                f"{column.where}, row {row:,}",
                "a word in every place of the list",
                f"null ({counted(flat.null_count, 'place')} in all)",
                "write an empty string, or shorten the list",
            )
        )
    codes, words = encode(flat)
    words.validate(full=True)
    weights: NDArray[Any] | None = None
    if partner is not None:
        others, numbers = _flat(partner.values)
        if len(others) != len(lengths):
            raise DatasetError(
                Problem(
                    partner.where,
                    f"a list of weights for each of the {len(lengths):,} rows of '{name}'",
                    counted(len(others), "row"),
                    "write one list a step",
                )
            )
        differ = np.flatnonzero(others != lengths)
        if len(differ):
            row = int(differ[0])
            raise DatasetError(
                Problem(
                    f"{partner.where}, row {row:,}",
                    f"as many weights as words in '{name}' ({lengths[row]})",
                    f"{others[row]} ({counted(len(differ), 'such row')} in all)",
                    "write one weight a word",
                )
            )
        weights = np.array(numbers.to_numpy())
        if weights.dtype.kind != "f":
            weights = weights.astype(np.float64)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    return Ranked(name, weights is not None, offsets, codes, words, weights)


def _flat(lists: pa.ChunkedArray) -> tuple[NDArray[np.int64], pa.ChunkedArray]:
    """Lengths (0 for null) and all items of a list column in one row."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy().astype(np.int64)
    chunks = [chunk.flatten() for chunk in lists.chunks]  # without what stands under a null
    return lengths, pa.chunked_array(chunks, type=lists.type.value_type)


def _from_intervals(
    name: str,
    where: str,
    table: pa.Table,
    settings: AnnotationSettings,
    settings_where: str,
    sequences: Sequences | None,
    n_steps: int | None,
    problems: list[Problem],
) -> Interval:
    if settings.kind not in (None, "interval"):
        raise DatasetError(
            _kind_differs(settings_where, name, settings.kind, "intervals (start, stop, label)")
        )
    _check_settings(settings_where, name, "interval", settings, problems)
    wrong: list[Problem] = []
    for side in ("start", "stop"):
        values = table.column(side)
        if not pa.types.is_integer(values.type):
            found = type_words(values.type)
            wrong.append(Problem(f"{where}, column '{side}'", "integers", found, "write steps"))
        elif values.null_count:
            at = f"{where}, column '{side}', row {first_null(values):,}"
            wrong.append(Problem(at, "a step", "null", "remove the row, or give the step"))
    label = table.column("label")
    if natural_kind(label) not in ("categorical", "scalar") or pa.types.is_floating(label.type):
        found = type_words(label.type)
        wrong.append(Problem(f"{where}, column 'label'", "text", found, "write text"))
    elif label.null_count:
        at = f"{where}, column 'label', row {first_null(label):,}"
        wrong.append(Problem(at, "a label", "null", "remove the row, or write an empty label"))
    if wrong:
        raise DatasetError(wrong)
    starts = table.column("start").to_numpy().astype(np.int64)
    stops = table.column("stop").to_numpy().astype(np.int64)
    wrong = check_intervals(where, starts, stops, sequences, n_steps)
    if wrong:
        raise DatasetError(wrong)
    codes, distinct = encode(label)
    categories, counts, renumbered = _categories(
        name, where, codes, distinct, settings, settings_where, problems
    )
    return Interval(name, categories, counts, starts, stops, renumbered)


def check_intervals(
    where: str,
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    sequences: Sequences | None,
    n_steps: int | None,
) -> list[Problem]:
    """Everything that is wrong with half-open ranges, the first row of each fault."""
    problems: list[Problem] = []

    def fault(bad: NDArray[np.bool_], expected: str, found: Any, remedy: str) -> None:
        rows = np.flatnonzero(bad)
        if len(rows):
            row = int(rows[0])
            more = f" ({counted(len(rows), 'such row')} in all)" if len(rows) > 1 else ""
            problems.append(
                Problem(f"{where}, row {row:,}", expected, f"{found(row)}{more}", remedy)
            )

    def span(row: int) -> str:
        return f"[{starts[row]}, {stops[row]})"

    fault(stops <= starts, "start < stop", span, "remove or mend the row")
    outside = starts < 0
    if n_steps is not None:
        outside = outside | (stops > n_steps)
        fault(outside, f"steps from 0 to {n_steps}", span, "cut it to the steps that exist")
    if len(starts) > 1:
        back = np.append(False, starts[1:] < starts[:-1])
        fault(
            back,
            "intervals sorted by start",
            lambda row: f"{span(row)} after {span(row - 1)}",
            "sort the rows",
        )
        reach = np.maximum.accumulate(stops)
        overlap = np.append(False, starts[1:] < reach[:-1]) & ~back
        fault(
            overlap,
            "intervals that do not overlap",
            lambda row: f"{span(row)} after one that ends at {reach[row - 1]}",
            "write the layers as separate annotations",
        )
    if sequences is not None:
        ends = np.searchsorted(sequences.offsets, starts, side="right")
        limit = sequences.offsets[np.clip(ends, 0, len(sequences))]
        crossing = (stops > limit) & ~outside & (stops > starts)
        fault(
            crossing,
            "intervals inside one sequence",
            lambda row: f"{span(row)}, which crosses the boundary at step {limit[row]}",
            "cut it at the boundary",
        )
    return problems


def index_warning(where: str, names: list[str]) -> Problem:
    """The notice about index columns that were left out."""
    return Problem(
        where,
        "no index columns",
        f"{listed(names)}, saved by pandas as the index",
        "it is left out (save with index=False)",
        Severity.WARNING,
    )


def _check_settings(
    where: str, name: str, kind: str, settings: AnnotationSettings, problems: list[Problem]
) -> None:
    """Options that mean nothing for the kind."""
    unfit = []
    if settings.unit is not None and kind != "scalar":
        unfit.append(("unit", "scalar"))
    if kind not in ("categorical", "interval"):
        if settings.order is not None:
            unfit.append(("order", "categorical or interval"))
        if settings.colors:
            unfit.append(("colors", "categorical or interval"))
    problems.extend(
        Problem(
            f"{where}, annotations.{name}.{key}",
            f"a {kinds} annotation",
            f"a {kind} one" if kind != "interval" else "an interval one",
            "remove the key, or set the kind",
        )
        for key, kinds in unfit
    )


def _kind_differs(where: str, name: str, kind: str, found: str) -> Problem:
    need = {
        "categorical": "text, booleans or numbers",
        "scalar": "numbers",
        "ranked": "lists of words",
        "interval": "a file with start, stop and label",
    }[kind]
    return Problem(
        f"{where}, annotations.{name}.kind",
        f"data that fits kind {kind} ({need})",
        found,
        "change the kind or the data",
    )


def _length_differs(where: str, found: int, n_steps: int) -> Problem:
    return Problem(
        where,
        f"{counted(n_steps, 'row')}, as in tokens.parquet",
        counted(found, "row"),
        "write one row a step",
    )


def _twice(where: str, name: str, earlier: str) -> Problem:
    return Problem(
        where, "annotation names once", f"'{name}' here and in {earlier}", "rename one of them"
    )


def _is_word_list(kind: pa.DataType) -> bool:
    if not is_list(kind):
        return False
    inner = kind.value_type
    return is_text(inner.value_type if pa.types.is_dictionary(inner) else inner)


def _is_number_list(kind: pa.DataType) -> bool:
    return is_list(kind) and bool(
        pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)
    )


def _split(flat: list[_T], cuts: list[int]) -> list[list[_T]]:
    base = cuts[0]
    return [flat[a - base : b - base] for a, b in itertools.pairwise(cuts)]
