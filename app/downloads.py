"""The result of a match as a file: CSV, Parquet or JSON, with the query in it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from app.answers import CSV_COLUMNS, answer_json, answer_rows
from app.match_payload import query_of
from app.matching import MatchResult, MatchService, States
from loaders import Dataset, Source

#: Rows of a file; the command line gives more.
MOST_ROWS = 100_000

Form = Literal["csv", "parquet", "json"]
TYPES: Mapping[Form, str] = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
}


@dataclass(frozen=True, slots=True)
class File:
    """A file to save: its name, MIME type, content, and a sentence if it does not hold everything."""

    name: str
    type: str
    content: bytes
    notice: str | None


def download(
    service: MatchService, dataset: Dataset, source: Source, key: Mapping[str, Any], form: Form
) -> File:
    """Return the whole list of a match request as a file, in the order of the ranking.

    Parameters
    ----------
    service, dataset, source
        Where to match.
    key
        The ``key`` of a match request; its page and sorting do not count, its length filter does.
    form
        ``csv``: one line ``# {the query as JSON}``, then the header and the rows (read it with
        ``pandas.read_csv(path, skiprows=1)``; a column more in every row would repeat the query
        100,000 times). ``parquet``: the query is in the file's metadata under ``statebrush.query``.
        ``json``: the object of docs/matching.md, "Command line".

    Raises
    ------
    QueryError
        The query cannot be asked of this source.
    """
    query = replace(
        query_of({**key, "sort": "rank", "page": 0}), top=MOST_ROWS, offset=0, context=0
    )
    states = States(rows=source.rows, offsets=dataset.sequences.offsets)
    result = service.match(f"{dataset.fingerprint}:{source.key}", states, query)
    ids = dataset.sequences.ids

    def sequence_id(ordinal: int) -> str | int | None:
        return None if ids is None else ids[ordinal]

    answer = answer_json(
        replace(result, matches=()) if form != "json" else result,
        source=source.name,
        state_names=source.state_names,
        tokens=dataset.tokens,
        sequence_id=sequence_id,
    )
    said = {
        "dataset": dataset.id,
        "fingerprint": dataset.fingerprint,
        **{name: value for name, value in answer.items() if name not in _ROWS},
    }
    if form == "json":
        content = json.dumps({"dataset": dataset.id, **answer}, ensure_ascii=False).encode()
    else:
        rows = answer_rows(result, tokens=dataset.tokens, sequence_id=sequence_id)
        content = _csv(rows, said) if form == "csv" else _parquet(rows, said)
    name = f"{dataset.id}-{source.name}-{query.start}-{query.stop}"
    return File(
        name=f"{re.sub(r'[^A-Za-z0-9._-]+', '_', name)}.{form}",
        type=TYPES[form],
        content=content,
        notice=_notice(result),
    )


_ROWS = {"matches", "length_histogram"}


def _csv(rows: list[tuple[int | str, ...]], said: Mapping[str, Any]) -> bytes:
    text = io.StringIO()
    text.write(f"# {json.dumps(said)}\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    writer.writerows(rows)
    return text.getvalue().encode()


def _parquet(rows: list[tuple[int | str, ...]], said: Mapping[str, Any]) -> bytes:
    columns = list(zip(*rows, strict=True)) or [() for _ in CSV_COLUMNS]
    arrays = {}
    for name, values in zip(CSV_COLUMNS, columns, strict=True):
        text = name in {"sequence", "tokens"}
        arrays[name] = pa.array(
            [str(value) for value in values] if text else values,
            pa.string() if text else pa.int64(),
        )
    table = pa.table(arrays).replace_schema_metadata({"statebrush.query": json.dumps(said)})
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def _notice(result: MatchResult) -> str | None:
    known = result.places
    if len(result.matches) < MOST_ROWS or known == MOST_ROWS:
        return None
    of = "more" if known is None else f"{known:,}"
    return (
        f"The file holds the first {MOST_ROWS:,} of {of} matches; "
        "the command line's match --top gives as many as you ask for."
    )
