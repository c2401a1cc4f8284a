"""Make an annotation from a table of intervals, and check intervals."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from loaders.annotations.kinds import categories_of, check_settings, kind_differs, natural_kind
from loaders.annotations.values import Interval
from loaders.config import AnnotationSettings
from loaders.parquet import (
    type_words,
)
from loaders.problems import (
    DatasetError,
    Problem,
    counted,
)
from loaders.sequences import Sequences, encode, first_null

INTERVAL_COLUMNS = ("start", "stop", "label")


def from_intervals(
    name: str,
    where: str,
    table: pa.Table,
    settings: AnnotationSettings,
    settings_where: str,
    sequences: Sequences | None,
    n_steps: int | None,
    problems: list[Problem],
) -> Interval:
    """Make an annotation from a table of intervals; raises DatasetError."""
    if settings.kind not in (None, "interval"):
        raise DatasetError(
            kind_differs(settings_where, name, settings.kind, "intervals (start, stop, label)")
        )
    check_settings(settings_where, name, "interval", settings, problems)
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
    categories, counts, renumbered = categories_of(
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
    """Find all problems of half-open ranges; each names the first row that has it."""
    problems: list[Problem] = []

    def fault(bad: NDArray[np.bool_], expected: str, found: Any, remedy: str) -> None:
        rows = np.flatnonzero(bad)
        if len(rows):
            row = int(rows[0])
            more = f" ({counted(len(rows), 'such row')} in total)" if len(rows) > 1 else ""
            problems.append(
                Problem(f"{where}, row {row:,}", expected, f"{found(row)}{more}", remedy)
            )

    def span(row: int) -> str:
        return f"[{starts[row]}, {stops[row]})"

    fault(stops <= starts, "start < stop", span, "remove or fix the row")
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
