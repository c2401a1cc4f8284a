"""Read tokens and annotations from CSV and TSV files."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from loaders.importers.faults import CannotImport, codec, count_lines, reading
from loaders.importers.spans import Span
from loaders.importers.steps import Row, RowFile, Steps, survey
from loaders.parquet import repeated
from loaders.problems import counted, listed
from loaders.sources.store import Progress

_EXPECTED = "a table with column names in its first line"
_SPAN = ("start", "stop", "label")


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is read.

    Attributes
    ----------
    token, sequence
            The columns with the tokens and the sequence ids. A table without the default column
            `sequence` has no sequences; without a column that was named explicitly, it is refused.
    delimiter
            One character; None picks whichever of tab, comma and semicolon is most frequent in the
            first line.
    keep_tags
            Keep columns of tags (B-NP) instead of turning them into ranges.
    """

    token: str = "token"  # noqa: S105 - a column name, not a secret
    sequence: str | None = None
    delimiter: str | None = None
    encoding: str = "utf-8"
    keep_tags: bool = False


def read_delimited(path: Path, layout: Layout, progress: Progress | None = None) -> Steps:
    """Read tokens and annotations, one row per step.

    An empty cell is a missing value, or an empty token in the token column. For `progress` see
    `loaders.importers.steps.survey`.

    Raises
    ------
    CannotImport
                The message is one sentence.
    """
    names, delimiter = _head(path, layout)
    where = str(path)
    if layout.token not in names:
        raise CannotImport(
            where,
            f"a column '{layout.token}'",
            f"the columns {listed(names)}",
            "name the token column with --token",
        )
    if layout.sequence is not None and layout.sequence not in names:
        raise CannotImport(
            where,
            f"a column '{layout.sequence}'",
            f"the columns {listed(names)}",
            "name the sequence column with --sequence",
        )
    sequence = layout.sequence or ("sequence" if "sequence" in names else None)
    others = [name for name in names if name not in (layout.token, sequence)]
    for name in ("token", "sequence"):
        if name in others:
            raise CannotImport(
                where,
                f"no other column '{name}', which is a reserved name",
                "one",
                "rename it",
            )
    token_at = names.index(layout.token)
    sequence_at = None if sequence is None else names.index(sequence)
    others_at = [names.index(name) for name in others]

    def rows() -> Iterator[Row]:
        unit, last = -1, None
        for line, cells in _records(path, layout.encoding, delimiter, len(names)):
            own = None if sequence_at is None else cells[sequence_at]
            if own == "":
                raise CannotImport(
                    f"{where}, line {line:,}, column '{sequence}'",
                    "a sequence id at every step",
                    "an empty cell",
                    "give these steps an id",
                )
            if own != last or unit < 0:
                unit, last = unit + 1, own
            yield Row(line, cells[token_at], own, unit, [cells[i] or None for i in others_at])

    file = RowFile(where, tuple(others), rows, lambda: count_lines(path))
    return survey(file, keep_tags=layout.keep_tags, progress=progress)


def is_table_of_ranges(path: Path, layout: Layout) -> bool:
    """Whether a table has columns start, stop and label, but no tokens."""
    names, _ = _head(path, layout)
    return set(_SPAN) <= set(names) and layout.token not in names


def read_ranges(path: Path, layout: Layout) -> tuple[list[Span], tuple[str, ...]]:
    """Read the ranges from a table with columns start, stop and label, sorted; and what was left out.

    Raises
    ------
    CannotImport
                The message is one sentence.
    """
    names, delimiter = _head(path, layout)
    at = [names.index(name) for name in _SPAN]
    found: list[Span] = []
    for line, cells in _records(path, layout.encoding, delimiter, len(names)):
        for name, i in zip(_SPAN[:2], at[:2], strict=True):
            if not (cells[i].isascii() and cells[i].isdigit() and len(cells[i]) < 19):
                raise CannotImport(
                    f"{path}, line {line:,}, column '{name}'",
                    "a step (a whole number)",
                    f"'{cells[i]}'",
                    "write the step's number",
                )
        found.append((int(cells[at[0]]), int(cells[at[1]]), cells[at[2]]))
    further = [name for name in names if name not in _SPAN]
    left_out = (f"the columns {listed(further)} of {path}",) if further else ()
    return sorted(found), left_out


def _head(path: Path, layout: Layout) -> tuple[list[str], str]:
    """Return the column names and the delimiter."""
    encoding = codec(layout.encoding)
    delimiter = layout.delimiter
    if delimiter is not None:
        delimiter = {"tab": "\t", r"\t": "\t"}.get(delimiter, delimiter)
        if len(delimiter) != 1 or delimiter in '\r\n" ':
            raise CannotImport(
                "--delimiter", "one character, or tab", f"{layout.delimiter!r}", "give one"
            )
    with reading(path, _EXPECTED), path.open(encoding=encoding, newline="") as file:
        first = file.readline(1 << 20)
        if delimiter is None:
            delimiter = max("\t,;", key=first.count)
        file.seek(0)
        names = next(csv.reader(file, delimiter=delimiter, strict=True), None)
    if not names:
        raise CannotImport(str(path), _EXPECTED, "an empty file", "write the table again")
    names = [name.strip() for name in names]
    again = repeated(names)
    if again or "" in names:
        raise CannotImport(
            f"{path}, line 1",
            "a different name for each column",
            f"{listed(again)} more than once" if again else "a column without a name",
            "rename the columns" if again else "name it, or leave it out (pandas: index=False)",
        )
    return names, delimiter


def _records(
    path: Path, encoding: str, delimiter: str, width: int
) -> Iterator[tuple[int, list[str]]]:
    """Iterate over the lines after the first with their line numbers, without empty lines at the end."""
    with (
        reading(path, _EXPECTED),
        path.open(encoding=codec(encoding), newline="") as file,
    ):
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        next(reader)
        line, empty = reader.line_num, 0
        while True:
            begins = line + 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                where = f"{path}, line {begins:,}"
                raise CannotImport(where, _EXPECTED, str(error), "fix that line") from error
            if cells is None:
                return
            line = reader.line_num
            if not cells and width > 1:
                empty = empty or begins
                continue
            if empty or len(cells) not in (width, 0):
                raise CannotImport(
                    f"{path}, line {empty or begins:,}",
                    f"{counted(width, 'cell')}, as in line 1",
                    "an empty line" if empty else counted(len(cells), "cell"),
                    "fix that line (quote text that contains delimiters or quotes)",
                )
            yield begins, cells or [""]
