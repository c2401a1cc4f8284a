"""All matches of a query as a file: CSV, Parquet or JSON, up to 100,000 rows.

All formats but one have the columns of the command line's CSV: rank, start, stop, length, overlap, union,
sequence, tokens; and, if requested, the words around each match and annotations over it
(`app.output.beside`). CSV for spreadsheets is described in `app.output.spreadsheet`. The query is
included:

- JSON: the object printed by the command line, without profiles, and with a list of what was cut;
- Parquet: the same object without rows, as text in the file's metadata under `statebrush`; tokens
  are lists, and sequences keep their type;
- CSV: as JSON text in the first row of the last column, `query`. A first line `# ...` would be
  misread by any reader that does not skip it, and a browser saves one file, not two. An empty list
  has no first row, so the reason for it is reported instead.

Rows are written in batches, between which the export can be cancelled. The number of words over all
rows is bounded: a file needs little memory, and at most some hundred megabytes of disk.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, BinaryIO, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from app.corpus import Opened
from app.matching import Control, MatchService, Query
from app.matching.ranges import Ranges
from app.output import spreadsheet
from app.output.answers import CSV_COLUMNS, answer_json
from app.output.beside import Beside
from loaders import Dataset, Source

#: The maximum number of rows in a file; the command line has no limit.
MOST_FILE_ROWS = 100_000
#: The maximum number of words in a file; above it, all matches are cut to the same number of words.
MOST_FILE_WORDS = 5_000_000

FORMS = ("csv", "spreadsheet", "parquet", "json")
Form = Literal["csv", "spreadsheet", "parquet", "json"]

#: The MIME type of each form.
TYPES: Mapping[Form, str] = MappingProxyType(
    {
        "csv": "text/csv",
        "spreadsheet": "text/csv",
        "parquet": "application/vnd.apache.parquet",
        "json": "application/json",
    }
)
# Limits for the rows and words in one batch.
_BATCH_ROWS, _BATCH_WORDS = 10_000, 200_000


@dataclass(frozen=True, slots=True)
class Export:
    """A file that was written.

    Attributes
    ----------
    name
        The name to save it as.
    n_rows
        The number of matches in it.
    caps
        What it does not contain, one sentence each; empty if it is complete.
    """

    name: str
    n_rows: int
    caps: tuple[str, ...]


def export_matches(
    opened: Opened,
    query: Query,
    form: Form,
    out: BinaryIO,
    matching: MatchService,
    control: Control | None = None,
    beside: Beside | None = None,
) -> Export:
    """Write all matches of a query to a file, in ranking order.

    Parameters
    ----------
    opened
        The source to search.
    query
        The query. Its `top`, `offset` and `context` have no effect, since the list is complete; the length
        filter and `overlapping` apply.
    form
        One of `FORMS`.
    out
        The output, which is left open.
    matching
        Makes the search, using its cached bits.
    control
        Receives the progress, and can cancel the export.
    beside
        What to add to each row.

    Raises
    ------
    QueryError
        If the query is not valid for this source.
    Cancelled
        If `control` was cancelled.
    OSError
        If `out` cannot be written.
    """
    control, searching = control or Control(), Control()
    control.on_cancel(searching.cancel)
    # One more than are written, to know whether there are more.
    asked = replace(query, top=MOST_FILE_ROWS + 1, offset=0, context=0)
    with control.following(searching, 0.7):
        ranges = matching.ranges(opened.key, opened.states, asked, searching)
    control.begin("writing", 1.0)
    n_rows = min(ranges.starts.size, MOST_FILE_ROWS)
    lengths = (ranges.stops - ranges.starts)[:n_rows]
    most_words = _words_a_row(lengths)
    dataset, source = opened.dataset, opened.source
    asked_beside = beside or Beside(dataset)
    most_beside = min(asked_beside.words, MOST_FILE_WORDS // (2 * max(1, n_rows)))
    beside = replace(asked_beside, words=most_beside)
    rows = _Rows(dataset, ranges, n_rows, most_words, control, beside)
    caps = _caps(ranges, lengths, most_words)
    if most_beside < asked_beside.words:
        caps += (
            f"There are {most_beside} words before and after each match, not {asked_beside.words}, because "
            f"a file holds at most {MOST_FILE_WORDS:,}.",
        )
    about = _about(dataset, source, ranges, caps)
    if form == "csv":
        _write_csv(out, rows, about)
    elif form == "spreadsheet":
        _write_spreadsheet(out, rows, about)
    elif form == "parquet":
        _write_parquet(out, rows, about)
    else:
        _write_json(out, rows, about)
    ending = "-spreadsheet.csv" if form == "spreadsheet" else f".{form}"
    return Export(f"{_stem(dataset, source, ranges.result.query)}{ending}", n_rows, caps)


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """The rows of a file, batch by batch."""

    dataset: Dataset
    ranges: Ranges
    n_rows: int
    most_words: int
    control: Control
    beside: Beside

    @property
    def schema(self) -> pa.Schema:
        """The columns and their types."""
        ids = self.dataset.sequences.ids
        whole = ids is not None and all(
            isinstance(one, int) and -(1 << 63) <= one < 1 << 63 for one in ids
        )
        kinds = {
            "sequence": pa.int64() if whole else pa.string(),
            "tokens": pa.list_(pa.string()),
        }
        return pa.schema([(name, kinds.get(name, pa.int64())) for name in CSV_COLUMNS])

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield all rows, in batches with a bounded number of words."""
        schema = self.schema
        ranges, ids = self.ranges, self.dataset.sequences.ids
        lengths = (ranges.stops - ranges.starts)[: self.n_rows]
        shown = np.minimum(lengths, self.most_words)
        cost = shown * (1 + len(self.beside.annotations)) + 2 * self.beside.words
        ends = np.cumsum(cost)
        low = 0
        while low < self.n_rows:
            before = int(ends[low - 1]) if low else 0
            high = int(np.searchsorted(ends, before + _BATCH_WORDS, side="right"))
            high = min(max(high, low + 1), low + _BATCH_ROWS, self.n_rows)
            some = slice(low, high)
            sequence = pa.nulls(high - low, schema.field("sequence").type)
            if ids is not None:
                named = [ids[ordinal] for ordinal in ranges.sequences[some].tolist()]
                if pa.types.is_string(sequence.type):
                    named = [str(one) for one in named]
                sequence = pa.array(named, sequence.type)
            columns = [
                pa.array(np.arange(low + 1, high + 1)),
                pa.array(ranges.starts[some]),
                pa.array(ranges.stops[some]),
                pa.array(lengths[some]),
                pa.array(ranges.overlaps[some]),
                pa.array(ranges.unions[some]),
                sequence,
                self._tokens(ranges.starts[some], shown[some]),
            ]
            yield pa.record_batch(columns, schema=schema)
            self.control.advance((high - low) / self.n_rows)
            low = high

    def _tokens(self, starts: NDArray[np.int64], shown: NDArray[np.int64]) -> pa.Array:
        table = self.dataset.token_table
        cuts = np.concatenate([np.zeros(1, np.int64), np.cumsum(shown)])
        steps = np.arange(cuts[-1]) + np.repeat(starts - cuts[:-1], shown)
        words = table.vocabulary.take(pa.array(table.codes[steps])).cast(pa.string())
        return pa.ListArray.from_arrays(pa.array(cuts.astype(np.int32)), words)

    def shown(self, batch: pa.RecordBatch) -> Iterator[tuple[int, int]]:
        """Yield the part of each match of a batch that is in the file, as start and stop."""
        starts, lengths = (batch.column(name).to_numpy() for name in ("start", "length"))
        stops = starts + np.minimum(lengths, self.most_words)
        yield from zip(starts.tolist(), stops.tolist(), strict=True)

    def matches(self) -> Iterator[dict[str, Any]]:
        """Yield each row as JSON values."""
        for batch in self.batches():
            for row, (start, stop) in zip(batch.to_pylist(), self.shown(batch), strict=True):
                yield row | self.beside.of(start, stop, row["stop"])


def _write_csv(out: BinaryIO, rows: _Rows, about: dict[str, Any]) -> None:
    shown = {key: value for key, value in about.items() if key != "length_histogram"}
    query = json.dumps(shown, ensure_ascii=False)
    added = rows.beside.columns
    csv.writer(text := io.StringIO(), lineterminator="\n").writerow([*CSV_COLUMNS, *added, "query"])
    out.write(text.getvalue().encode())
    for batch in rows.batches():
        # Use Arrow types, which keep integer sequence ids next to missing ones.
        frame = batch.to_pandas(types_mapper=pd.ArrowDtype)
        frame["tokens"] = [" ".join(words) for words in batch.column("tokens").to_pylist()]
        stops = batch.column("stop").to_pylist()
        cells = [
            rows.beside.cells(*shown, stop)
            for shown, stop in zip(rows.shown(batch), stops, strict=True)
        ]
        for name, column in zip(added, zip(*cells, strict=True), strict=True):
            frame[name] = column
        frame["query"] = ""
        frame.loc[frame["rank"] == 1, "query"] = query
        out.write(frame.to_csv(index=False, header=False, lineterminator="\n").encode())


def _write_spreadsheet(out: BinaryIO, rows: _Rows, about: dict[str, Any]) -> None:
    brief = {key: value for key, value in about.items() if key != "length_histogram"}
    query = json.dumps(brief, ensure_ascii=False)
    n_selected = len(about["selected_states"])
    names = [one.name for one in rows.beside.annotations]
    heading = [*spreadsheet.heading(rows.beside.words, names), "query"]
    out.write((spreadsheet.BYTE_ORDER_MARK + spreadsheet.lines([heading])).encode())
    for match in rows.matches():
        last = query if match["rank"] == 1 else ""
        out.write(spreadsheet.lines([[*spreadsheet.row(match, n_selected), last]]).encode())


def _write_parquet(out: BinaryIO, rows: _Rows, about: dict[str, Any]) -> None:
    metadata = {"statebrush": json.dumps(about, ensure_ascii=False)}
    beside = rows.beside
    schema = pa.schema([*rows.schema, *beside.fields()]).with_metadata(metadata)
    with pq.ParquetWriter(out, schema) as writer:
        for batch in rows.batches():
            stops = batch.column("stop").to_pylist()
            added = beside.arrays([*rows.shown(batch)], stops)
            writer.write_batch(pa.record_batch([*batch.columns, *added], schema=schema))


def _write_json(out: BinaryIO, rows: _Rows, about: dict[str, Any]) -> None:
    head = json.dumps(about, ensure_ascii=False)[:-1]
    out.write(f'{head}, "matches": ['.encode())
    between = itertools.chain([""], itertools.repeat(","))
    for row, comma in zip(rows.matches(), between, strict=False):
        one = json.dumps(row, ensure_ascii=False)
        out.write(f"{comma}\n{one}".encode())
    out.write(b"\n]}\n")


def _about(
    dataset: Dataset, source: Source, ranges: Ranges, caps: tuple[str, ...]
) -> dict[str, Any]:
    """The command line's answer without its list, and the data that it refers to."""
    result = replace(ranges.result, query=replace(ranges.result.query, top=MOST_FILE_ROWS))
    answer = answer_json(
        result,
        source=source.name,
        state_names=source.state_names,
        tokens=dataset.tokens,
        sequence_id=lambda ordinal: None,
    )
    del answer["matches"]
    data = {"dataset": dataset.id, "fingerprint": dataset.fingerprint}
    return {**data, **answer, "caps": list(caps)}


def _words_a_row(lengths: NDArray[np.int64]) -> int:
    """Return the largest power of two of words per row with which all rows stay within `MOST_FILE_WORDS`.

    Returns the length of the longest row if nothing needs to be cut.
    """
    longest = int(lengths.max(initial=1))
    if int(lengths.sum()) <= MOST_FILE_WORDS:
        return longest
    most = 1
    while int(np.minimum(lengths, 2 * most).sum()) <= MOST_FILE_WORDS:
        most *= 2
    return most


def _caps(ranges: Ranges, lengths: NDArray[np.int64], most_words: int) -> tuple[str, ...]:
    caps = []
    if ranges.result.reason is not None:
        caps.append(f"The file contains no matches: {ranges.result.reason}.")
    if ranges.starts.size > MOST_FILE_ROWS:
        places = ranges.result.places
        known = f"more than {MOST_FILE_ROWS:,}" if places is None else f"{places:,}"
        what = "matches" if ranges.result.query.overlapping else "places"
        caps.append(
            f"The file contains the first {MOST_FILE_ROWS:,} of {known} {what}; the command line's match "
            "lists as many as --top requests."
        )
    n_cut = int(np.count_nonzero(lengths > most_words))
    if n_cut:
        caps.append(
            f"The tokens of {n_cut:,} long matches are cut to their first {most_words:,} words, "
            f"because a file contains at most {MOST_FILE_WORDS:,}; start and stop are unchanged."
        )
    return tuple(caps)


def _stem(dataset: Dataset, source: Source, query: Query) -> str:
    """Return the file name without its extension: dataset, source and selection."""
    selection = f"{query.start}-{query.stop}"
    if query.states is not None:
        selection = "states-" + "-".join(map(str, query.states[:5]))
        if len(query.states) > 5:
            selection += f"-and-{len(query.states) - 5}-more"
    parts = (re.sub(r"[^\w.-]+", "_", text) for text in (dataset.id, source.name))
    stem = "-".join([*(part[:60] for part in parts), selection])
    return stem.lstrip(".-") or "matches"
