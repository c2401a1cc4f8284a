"""The listed matches of an answer as CSV: for programs, and for spreadsheets."""

from __future__ import annotations

import csv
import io

from app.matching import MatchResult
from app.output import spreadsheet
from app.output.answers import CSV_COLUMNS, SequenceId, answer_rows, match_json
from app.output.beside import Beside

CSV_FORMATS = ("csv", "spreadsheet")


def answer_csv(result: MatchResult, form: str, beside: Beside, sequence_id: SequenceId) -> str:
    """Return the listed matches in one of `CSV_FORMATS`, with a line of column names first."""
    tokens = beside.dataset.tokens
    if form == "csv":
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([*CSV_COLUMNS, *beside.columns])
        rows = answer_rows(result, tokens=tokens, sequence_id=sequence_id)
        for match, row in zip(result.matches, rows, strict=True):
            writer.writerow([*row, *beside.cells(match.start, match.stop)])
        return out.getvalue()
    n_selected = len(result.selected_states)
    heading = spreadsheet.heading(beside.words, [one.name for one in beside.annotations])
    matches = (
        match_json(match, tokens, sequence_id) | beside.of(match.start, match.stop)
        for match in result.matches
    )
    cells = [spreadsheet.row(match, n_selected) for match in matches]
    return spreadsheet.BYTE_ORDER_MARK + spreadsheet.lines([heading, *cells])
