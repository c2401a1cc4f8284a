"""Make an annotation from a column: its kind, its values and its categories."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from loaders.annotations.exact import (
    exact_column,
    extremes,
    numbers,
    ordered_values,
    texts,
    value_type,
)
from loaders.annotations.values import Annotation, Categorical, Category, Ranked, Scalar
from loaders.config import AnnotationSettings, label_text
from loaders.palette import COLORS, assign_colors
from loaders.parquet import (
    is_list,
    is_text,
    reading,
    type_words,
)
from loaders.problems import (
    DatasetError,
    Problem,
    Severity,
    counted,
    listed,
)
from loaders.sequences import encode, first_null

MOST_INTEGER_CATEGORIES = 50
"""An integer column with at most this many distinct values is categorical, otherwise scalar."""

#: The weights of a list of words are in a column with the same name and this suffix.
WEIGHT = "_weight"


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is an annotation or part of one, before its kind is known."""

    where: str
    values: pa.ChunkedArray


def from_column(
    name: str,
    column: Column,
    partner: Column | None,
    settings: AnnotationSettings,
    settings_where: str,
    problems: list[Problem],
) -> Annotation:
    """Make an annotation from a column, of the natural or the configured kind; raises DatasetError."""
    kind = column.values.type
    natural = natural_kind(column.values)
    if natural is None:
        words = type_words(kind)
        remedy = "write text, numbers, booleans, dates, times or lists of words, or remove it"
        if is_number_list(kind):
            words += " without a matching list of words"
            remedy = (
                f"add the list of words, and name this column like it, with '{WEIGHT}' appended"
            )
        raise DatasetError(Problem(column.where, "a type that can be an annotation", words, remedy))
    chosen = settings.kind or natural
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    fits = {
        "categorical": natural in ("categorical", "scalar"),
        "scalar": value_type(inner) is not None,
        "ranked": natural == "ranked",
        "interval": False,
    }[chosen]
    if not fits:
        raise DatasetError(
            kind_differs(settings_where, name, chosen, f"{type_words(kind)}, which is {natural}")
        )
    check_settings(settings_where, name, chosen, settings, problems)
    if chosen == "categorical":
        return _categorical(name, column, settings, settings_where, problems)
    if chosen == "scalar":
        return _scalar(name, column, settings, settings_where, problems)
    return _ranked(name, column, partner)


def natural_kind(values: pa.ChunkedArray) -> str | None:
    """Return the kind implied by the type of a column (and, for integers, its values), or None."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        simple = is_text(kind.value_type) or value_type(kind.value_type) is not None
        return "categorical" if simple else None
    if is_text(kind) or pa.types.is_boolean(kind):
        return "categorical"
    if pa.types.is_integer(kind):
        few = pc.count_distinct(values, mode="only_valid").as_py() <= MOST_INTEGER_CATEGORIES
        return "categorical" if few else "scalar"
    if value_type(kind) is not None:
        return "scalar"
    return "ranked" if is_word_list(kind) else None


def _categorical(
    name: str,
    column: Column,
    settings: AnnotationSettings,
    settings_where: str,
    problems: list[Problem],
) -> Categorical:
    values = column.values
    if pa.types.is_float16(values.type):
        values = values.cast(pa.float32())
    if pa.types.is_floating(values.type):  # NaN is not a category
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
    if not pa.types.is_integer(values.type) and (exact := exact_column(values)) is not None:
        values = pa.chunked_array([exact])
    codes, distinct = encode(values)
    categories, counts, codes = categories_of(
        name, column.where, codes, distinct, settings, settings_where, problems
    )
    return Categorical(name, categories, counts, codes)


def categories_of(
    name: str,
    where: str,
    codes: NDArray[np.int32],
    distinct: pa.Array,
    settings: AnnotationSettings,
    settings_where: str,
    problems: list[Problem],
) -> tuple[tuple[Category, ...], NDArray[np.int64], NDArray[Any]]:
    """Order and colour the distinct values; renumber the codes in that order."""
    with reading(where):
        distinct.validate(full=True)
    if value_type(distinct.type) in (None, "number"):
        raw = distinct.to_pylist()
        labels = [label_text(value) for value in raw]
    else:
        raw = ordered_values(distinct).to_pylist()
        labels = [str(text) for text in texts(distinct)]
    counts = np.bincount(codes[codes >= 0], minlength=len(raw)).astype(np.int64)
    present = [i for i in range(len(raw)) if counts[i] > 0]  # a dictionary may list unused values
    ordered = sorted(present, key=lambda i: raw[i])
    if len(ordered) > len(COLORS):
        ordered.sort(key=lambda i: -counts[i])  # stable: ties stay in the order above
    at = {labels[i]: i for i in reversed(ordered)}
    first = list(settings.order or ())
    for key, configured in (("order", first), ("colors", list(settings.colors))):
        unknown = [label for label in configured if label not in at]
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
    renumber = np.full(len(raw) + 1, -1, np.int32)  # the last entry is for code -1
    for position, slot in enumerate(slots):
        if slot is not None:
            renumber[slot] = position
    colors = assign_colors(slot_labels, settings.colors)
    categories = tuple(Category(*pair) for pair in zip(slot_labels, colors, strict=True))
    sizes = np.array([0 if slot is None else counts[slot] for slot in slots], np.int64)
    smallest = next(t for t in (np.int8, np.int16, np.int32) if len(slots) <= np.iinfo(t).max)
    return categories, sizes, renumber[codes].astype(smallest)


def _scalar(
    name: str,
    column: Column,
    settings: AnnotationSettings,
    settings_where: str,
    problems: list[Problem],
) -> Scalar:
    values = column.values
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    of = value_type(values.type)
    assert of is not None
    if settings.unit is not None and of not in ("number", "decimal"):
        where = f"{settings_where}, annotations.{name}.unit"
        problems.append(Problem(where, "an annotation of numbers", f"{of}s", "remove the key"))
    exact = exact_column(values)
    if exact is not None:
        places = numbers(exact)
        ends = extremes(exact)
    elif pa.types.is_floating(values.type):
        places, ends = np.array(values.to_numpy()), None
    else:
        values = values.cast(pa.int8()) if pa.types.is_boolean(values.type) else values
        places, ends = values.to_numpy().astype(np.float64), None
    finite = places[np.isfinite(places)]
    low = float(finite.min()) if len(finite) else None
    high = float(finite.max()) if len(finite) else None
    return Scalar(name, settings.unit, low, high, places, of, ends, exact)


def _ranked(name: str, column: Column, partner: Column | None) -> Ranked:
    lengths, flat = _flat(column.values)
    if flat.null_count:
        inside = first_null(flat)
        row = int(np.searchsorted(np.cumsum(lengths), inside, side="right"))
        raise DatasetError(
            Problem(
                f"{column.where}, row {row:,}",
                "a word at every position of the list",
                f"null ({counted(flat.null_count, 'value')} in total)",
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
                    "write one list per step",
                )
            )
        differ = np.flatnonzero(others != lengths)
        if len(differ):
            row = int(differ[0])
            raise DatasetError(
                Problem(
                    f"{partner.where}, row {row:,}",
                    f"as many weights as words in '{name}' ({lengths[row]})",
                    f"{others[row]} ({counted(len(differ), 'such row')} in total)",
                    "write one weight per word",
                )
            )
        weights = np.array(numbers.to_numpy())
        if weights.dtype.kind != "f":
            weights = weights.astype(np.float64)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    return Ranked(name, weights is not None, offsets, codes, words, weights)


def _flat(lists: pa.ChunkedArray) -> tuple[NDArray[np.int64], pa.ChunkedArray]:
    """Return the lengths (0 for null) of the lists in a column, and all their items concatenated."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy().astype(np.int64)
    chunks = [chunk.flatten() for chunk in lists.chunks]  # without the values behind a null
    return lengths, pa.chunked_array(chunks, type=lists.type.value_type)


def kind_differs(where: str, name: str, kind: str, found: str) -> Problem:
    """The problem for a kind in dataset.yaml that does not fit the values."""
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


def is_word_list(kind: pa.DataType) -> bool:
    """Whether a type is a list of strings."""
    if not is_list(kind):
        return False
    inner = kind.value_type
    return is_text(inner.value_type if pa.types.is_dictionary(inner) else inner)


def is_number_list(kind: pa.DataType) -> bool:
    """Whether a type is a list of numbers."""
    return is_list(kind) and bool(
        pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)
    )


def check_settings(
    where: str, name: str, kind: str, settings: AnnotationSettings, problems: list[Problem]
) -> None:
    """Find options that have no effect on this kind."""
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
