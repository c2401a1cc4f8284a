"""Results for other programs and for people: JSON, CSV rows, a plain-text table.

The JSON is that of docs/matching.md, "Command line", with the same keys in the same order, since
other programs parse it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from app.matching import Match, MatchResult, Query
from app.matching.reasons import plural

if TYPE_CHECKING:
    import pandas as pd

Tokens = Callable[[int, int], list[str]]
SequenceId = Callable[[int], int | str | None]

CSV_COLUMNS = ("rank", "start", "stop", "length", "overlap", "union", "sequence", "tokens")

# Wider texts are shortened in the table, but not in JSON and CSV.
_TABLE_TEXT = 60


def answer_json(
    result: MatchResult,
    *,
    source: str,
    state_names: Sequence[str],
    tokens: Tokens,
    sequence_id: SequenceId,
    output_format: str | None = None,
    beside: Callable[[int, int], dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return a result as a dict of plain values, ready for `json.dumps`.

    Parameters
    ----------
    result
        The result.
    source
        The name of the source that was searched.
    state_names
        The names of all its states.
    tokens
        Returns the tokens of the steps [start, stop).
    sequence_id
        Returns the id of a sequence from its ordinal; None if the data has no ids.
    output_format
        The value of `--format`; without it, `query` has no key `format`.
    beside
        Returns the keys to add to the match [start, stop).
    """
    add = beside or (lambda start, stop: {})
    return {
        "query": _query(result.query, source, output_format),
        "selected_states": list(result.selected_states),
        "state_names": [state_names[state] for state in result.selected_states],
        "searched_steps": result.searched_steps,
        "total_matches": result.total_matches,
        "full_matches": result.full_matches,
        "places": result.places,
        "reason": result.reason,
        "matches": [
            match_json(match, tokens, sequence_id) | add(match.start, match.stop)
            for match in result.matches
        ],
        "length_histogram": [
            {
                "length": bar.length,
                "matches": bar.matches,
                "full_matches": bar.full_matches,
            }
            for bar in result.length_histogram
        ],
    }


def answer_rows(
    result: MatchResult, *, tokens: Tokens, sequence_id: SequenceId
) -> list[tuple[int | str, ...]]:
    """Return the listed matches as rows of `CSV_COLUMNS`, without the header.

    The tokens are joined by spaces; a sequence without an id is an empty string.
    """
    rows: list[tuple[int | str, ...]] = []
    for match in result.matches:
        sequence = sequence_id(match.sequence)
        rows.append(
            (
                match.rank,
                match.start,
                match.stop,
                match.length,
                match.overlap,
                match.union,
                "" if sequence is None else sequence,
                " ".join(tokens(match.start, match.stop)),
            )
        )
    return rows


def matches_frame(result: MatchResult, *, tokens: Tokens, sequence_id: SequenceId) -> pd.DataFrame:
    """Return the listed matches as a data frame, one row per match, in ranking order.

    Returns
    -------
    DataFrame
        The columns `CSV_COLUMNS`. All are int64 except ``sequence``, which has the ids unchanged (None
        if the data has no ids), and ``tokens``, which has the tokens joined by spaces. Without matches
        there are no rows, but the same columns.
    """
    import pandas as pd  # takes half a second, which other formats do not need

    frame = pd.DataFrame(
        answer_rows(result, tokens=tokens, sequence_id=sequence_id), columns=list(CSV_COLUMNS)
    )
    whole = {name: "int64" for name in CSV_COLUMNS if name not in ("sequence", "tokens")}
    frame = frame.astype({**whole, "sequence": object})
    frame["sequence"] = frame["sequence"].where(frame["sequence"] != "", None)
    return frame


def answer_text(
    result: MatchResult,
    *,
    source: str,
    state_names: Sequence[str],
    tokens: Tokens,
    sequence_id: SequenceId,
) -> str:
    """Return a result as text, without a final newline.

    Contains the query, the counts, and one line per match. There is no column for sequences if no match
    has a sequence id; long texts are shortened.
    """
    lines = [*_summary(result, source, state_names), ""]
    if result.reason is not None:
        return "\n".join([*lines, f"No matches listed: {_printable(result.reason)}."])
    rows = [
        [*(str(cell) for cell in row[:-1]), _one_line(str(row[-1]))]
        for row in answer_rows(result, tokens=tokens, sequence_id=sequence_id)
    ]
    columns = list(CSV_COLUMNS)
    at = columns.index("sequence")
    if not any(row[at] for row in rows):
        for row in (columns, *rows):
            del row[at]
    return "\n".join([*lines, *_aligned([columns, *rows])])


def _query(query: Query, source: str, output_format: str | None) -> dict[str, Any]:
    length = None
    if query.length is not None:
        least, most = query.length
        length = str(least) if least == most else f"{least}:{most}"
    options: dict[str, Any] = {
        "source": source,
        "start": query.start,
        "stop": query.stop,
        "threshold": query.threshold,
        "polarity": str(query.polarity),
        "off_before": query.off_before,
        "off_after": query.off_after,
        "exclude": list(query.exclude),
        "states": None if query.states is None else list(query.states),
        "min_overlap": query.min_overlap,
        "min_length": query.min_length,
        "length": length,
        "overlapping": query.overlapping,
        "top": query.top,
        "offset": query.offset,
        "context": query.context,
    }
    if output_format is not None:
        options["format"] = output_format
    return options


def match_json(match: Match, tokens: Tokens, sequence_id: SequenceId) -> dict[str, Any]:
    """Return one listed match as in `answer_json`."""
    return {
        "rank": match.rank,
        "start": match.start,
        "stop": match.stop,
        "length": match.length,
        "overlap": match.overlap,
        "union": match.union,
        "sequence": sequence_id(match.sequence),
        "tokens": list(tokens(match.start, match.stop)),
        "profile_start": match.profile_start,
        "profile": list(match.profile),
    }


def _summary(result: MatchResult, source: str, state_names: Sequence[str]) -> list[str]:
    query = result.query
    n_selected = len(result.selected_states)
    what = "the given states" if query.states else f"steps {query.start} to {query.stop}"
    names = ", ".join(_printable(state_names[state]) for state in result.selected_states[:12])
    if n_selected > 12:
        names += f" and {n_selected - 12:,} more"
    selected = f"{_counted(n_selected, 'state')} selected by {what} of {source}"
    places = f"{result.places_at_least:,}"
    if result.places is None:
        places = f"at least {places}"
    listed = len(result.matches)
    return [
        f"{selected}: {names}" if names else selected,
        (
            f"{_counted(result.total_matches, 'match')} in {_counted(result.searched_steps, 'step')}, "
            f"{result.full_matches:,} with every selected state; {listed:,} of {places} listed"
        ),
    ]


def _counted(n: int, word: str) -> str:
    return f"{n:,} {plural(n, word)}"


def _one_line(text: str) -> str:
    """Return `text` on one line, shortened if it is too wide."""
    shown = _printable(text)
    return shown if len(shown) <= _TABLE_TEXT else f"{shown[: _TABLE_TEXT - 1]}…"


def _printable(text: str) -> str:
    """Return `text` with control characters escaped."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows with their columns aligned: to the right, except the last."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join([*(cell.rjust(widths[i]) for i, cell in enumerate(row[:-1])), row[-1]]).rstrip()
        for row in rows
    ]
