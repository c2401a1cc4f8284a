"""The JSON, csv rows and table of an answer (docs/matching.md, "Command line")."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.matching import MatchResult, Query, States, find_matches
from app.output.answers import CSV_COLUMNS, answer_json, answer_rows, answer_text, matches_frame

WORDS = ["the", "little", "prince", "asked", "a", "sheep", "please", "draw", "me"]
NAMES = [f"s{i}" for i in range(4)]


def states() -> States:
    rows = np.zeros((9, 4), dtype=np.float32)
    rows[1:6, 0] = 1
    rows[3:8, 1] = 1
    return States(rows=rows, offsets=np.array([0, 9], dtype=np.int64))


def tokens(start: int, stop: int) -> list[str]:
    return WORDS[start:stop]


def as_json(result: MatchResult, **more: Any) -> dict[str, Any]:
    more = {"sequence_id": lambda ordinal: None, **more}
    return answer_json(result, source="lstm", state_names=NAMES, tokens=tokens, **more)


def test_answer_has_the_keys_of_the_definition_in_their_order() -> None:
    result = find_matches(states(), Query(threshold=0.5, start=3, stop=6))
    answer = as_json(result, output_format="json")
    assert list(answer) == [
        "query",
        "selected_states",
        "state_names",
        "searched_steps",
        "total_matches",
        "full_matches",
        "places",
        "reason",
        "matches",
        "length_histogram",
    ]
    assert list(answer["query"]) == [
        "source",
        "start",
        "stop",
        "threshold",
        "polarity",
        "off_before",
        "off_after",
        "exclude",
        "states",
        "min_overlap",
        "min_length",
        "length",
        "overlapping",
        "top",
        "offset",
        "context",
        "format",
    ]
    assert list(answer["matches"][0]) == [
        "rank",
        "start",
        "stop",
        "length",
        "overlap",
        "union",
        "sequence",
        "tokens",
        "profile_start",
        "profile",
    ]
    assert list(answer["length_histogram"][0]) == ["length", "matches", "full_matches"]


def test_answer_tells_the_defaults_that_were_used_and_null_for_the_rest() -> None:
    query = as_json(find_matches(states(), Query(threshold=0.5, start=3, stop=6)))["query"]
    assert query == {
        "source": "lstm",
        "start": 3,
        "stop": 6,
        "threshold": 0.5,
        "polarity": "high",
        "off_before": 0,
        "off_after": 0,
        "exclude": [],
        "states": None,
        "min_overlap": 1,
        "min_length": 2,
        "length": None,
        "overlapping": False,
        "top": 50,
        "offset": 0,
        "context": 5,
    }


@pytest.mark.parametrize(("length", "text"), [((3, 3), "3"), ((3, 5), "3:5")])
def test_length_filter_is_told_as_it_is_typed(length: tuple[int, int], text: str) -> None:
    result = find_matches(states(), Query(threshold=0.5, start=3, stop=6, length=length))
    assert as_json(result)["query"]["length"] == text


def test_answer_survives_json_unchanged() -> None:
    query = Query(threshold=0.5, states=(1, 0, 1), exclude=(3,), context=2, overlapping=True)
    answer = as_json(find_matches(states(), query), sequence_id=lambda ordinal: f"doc {ordinal}")
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    assert answer["selected_states"] == [0, 1]
    assert answer["state_names"] == ["s0", "s1"]
    assert answer["matches"][0] == {
        "rank": 1,
        "start": 3,
        "stop": 6,
        "length": 3,
        "overlap": 2,
        "union": 2,
        "sequence": "doc 0",
        "tokens": ["asked", "a", "sheep"],
        "profile_start": 1,
        "profile": [0.5, 0.5, 1.0, 1.0, 1.0, 0.5, 0.5],
    }


def test_csv_rows_join_the_tokens_and_leave_a_missing_sequence_empty() -> None:
    result = find_matches(states(), Query(threshold=0.5, start=3, stop=6))
    rows = answer_rows(result, tokens=tokens, sequence_id=lambda ordinal: None)
    assert rows == [(1, 3, 6, 3, 2, 2, "", "asked a sheep")]
    assert len(rows[0]) == len(CSV_COLUMNS)
    assert answer_rows(result, tokens=tokens, sequence_id=lambda ordinal: 7)[0][6] == 7


def test_the_frame_has_the_rows_of_the_csv_and_their_types() -> None:
    query = Query(threshold=0.5, start=3, stop=6, overlapping=True)
    result = find_matches(states(), query)
    frame = matches_frame(result, tokens=tokens, sequence_id=lambda ordinal: "a")
    rows = answer_rows(result, tokens=tokens, sequence_id=lambda ordinal: "a")
    assert [tuple(row) for row in frame.itertuples(index=False)] == rows
    assert tuple(frame.columns) == CSV_COLUMNS
    assert set(frame.drop(columns=["sequence", "tokens"]).dtypes.astype(str)) == {"int64"}


def test_the_frame_of_no_match_has_its_columns_and_types() -> None:
    result = find_matches(states(), Query(threshold=2, start=3, stop=6))
    frame = matches_frame(result, tokens=tokens, sequence_id=lambda ordinal: None)
    assert frame.shape == (0, len(CSV_COLUMNS))
    assert frame["start"].dtype == "int64"


def test_a_sequence_without_an_id_is_missing_in_the_frame() -> None:
    result = find_matches(states(), Query(threshold=0.5, start=3, stop=6))
    frame = matches_frame(result, tokens=tokens, sequence_id=lambda ordinal: None)
    assert frame["sequence"].isna().all()


def as_text(result: MatchResult, sequence: int | None = None) -> str:
    return answer_text(
        result,
        source="lstm",
        state_names=NAMES,
        tokens=tokens,
        sequence_id=lambda ordinal: sequence,
    )


def test_the_table_is_aligned_and_reports_the_counts() -> None:
    query = Query(threshold=0.5, start=3, stop=6, overlapping=True)
    assert as_text(find_matches(states(), query)).splitlines() == [
        "2 states selected by steps 3 to 6 of lstm: s0, s1",
        "3 matches in 9 steps, 1 with every selected state; 3 of 3 listed",
        "",
        "rank  start  stop  length  overlap  union  tokens",
        "   1      3     6       3        2      2  asked a sheep",
        "   2      1     6       5        1      2  little prince asked a sheep",
        "   3      3     8       5        1      2  asked a sheep please draw",
    ]


def test_the_table_shows_sequences_if_there_are_any() -> None:
    text = as_text(find_matches(states(), Query(threshold=0.5, start=3, stop=6)), sequence=0)
    assert "sequence" in text


def test_an_empty_answer_has_its_reason() -> None:
    result = find_matches(states(), Query(threshold=2, start=3, stop=6))
    assert as_json(result)["reason"] == result.reason
    assert as_json(result)["matches"] == []
    assert as_text(result).splitlines() == [
        "0 states selected by steps 3 to 6 of lstm",
        "0 matches in 9 steps, 0 with every selected state; 0 of 0 listed",
        "",
        f"No matches listed: {result.reason}.",
    ]


def test_names_of_states_stay_on_one_line() -> None:
    names = ["a\nb", "s1", "s2", "s3"]
    for query, line in (
        (Query(threshold=0.5, start=3, stop=6), r"lstm: a\nb, s1"),
        (Query(threshold=2, start=3, stop=6), r"state a\nb comes closest"),
    ):
        result = find_matches(replace(states(), names=names), query)
        words = {"tokens": tokens, "sequence_id": lambda ordinal: None}
        text = answer_text(result, source="lstm", state_names=names, **words)  # type: ignore[arg-type]
        assert any(line in one for one in text.splitlines())


def test_table_keeps_every_match_on_one_line() -> None:
    result = find_matches(states(), Query(threshold=0.5, start=3, stop=6))
    text = answer_text(
        result,
        source="lstm",
        state_names=NAMES,
        tokens=lambda start, stop: ["a\nb", "\t", "x" * 100],
        sequence_id=lambda ordinal: None,
    )
    last = text.splitlines()[-1]
    assert r"a\nb \t xxx" in last
    assert last.endswith("x…")
