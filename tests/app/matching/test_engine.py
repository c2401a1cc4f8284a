"""The engine against the naive reference, and the reasons for empty answers."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.matching import LengthCount, MatchResult, Polarity, Query, States, find_matches, select
from app.matching import listing as listing_module
from app.matching import shard as shard_module
from tests.naive import Naive, NaiveQuery

HUGE = 10**15


def whole(rows: NDArray[Any]) -> States:
    return States(rows=rows, offsets=np.array([0, len(rows)], dtype=np.int64))


def plain(result: MatchResult) -> dict[str, Any]:
    """The result in the form of the naive reference's `answer`."""
    return {
        "selected_states": result.selected_states,
        "searched_steps": result.searched_steps,
        "total_matches": result.total_matches,
        "full_matches": result.full_matches,
        "places": result.places,
        "matches": [
            (m.rank, m.start, m.stop, m.overlap, m.union, m.sequence, m.profile_start, m.profile)
            for m in result.matches
        ],
        "length_histogram": [
            (bar.length, bar.matches, bar.full_matches) for bar in result.length_histogram
        ],
    }


def whole_answer(result: MatchResult) -> tuple[dict[str, Any], object]:
    return plain(result), result.overview


def assert_like_naive(states: States, query: Query) -> MatchResult:
    """Compare a complete answer with the naive one; check the properties of any answer."""
    naive = Naive(states.rows, states.offsets.tolist(), NaiveQuery(**asdict(query)))
    result = find_matches(states, query)
    assert plain(result) == naive.answer()
    assert result.query.min_overlap == naive.min_overlap()
    assert result.query.min_length == naive.min_length()
    assert result.places_at_least == result.places
    assert (result.reason is None) == bool(result.matches)
    assert sum(bar.matches for bar in result.length_histogram) == result.total_matches
    assert sum(bar.full_matches for bar in result.length_histogram) == result.full_matches
    assert set(select(states, query).raw) == naive.raw_selection()
    seen = result.overview
    if seen is not None:
        bins = list(zip(seen.on, seen.matches, seen.full_matches, strict=True))
        assert bins == naive.overview(seen.bin_steps)
    else:
        assert result.total_matches == 0
    return result


# The worked example of docs/matching.md: state 0 on in [1,6), state 1 in [3,8).
EXAMPLE = np.zeros((9, 2), dtype=np.float32)
EXAMPLE[1:6, 0] = EXAMPLE[3:8, 1] = 1
EXAMPLE_QUERY = Query(
    threshold=0.5, states=(0, 1), min_length=1, min_overlap=1, overlapping=True, context=1
)


def test_worked_example() -> None:
    result = assert_like_naive(whole(EXAMPLE), EXAMPLE_QUERY)
    ranges = [(m.start, m.stop, m.overlap) for m in result.matches]
    assert ranges == [(3, 6, 2), (1, 6, 1), (3, 8, 1)]
    assert result.length_histogram == (LengthCount(3, 1, 1), LengthCount(5, 2, 0))
    assert result.matches[1].profile == (0.0, 0.5, 0.5, 1.0, 1.0, 1.0, 0.5)
    assert result.matches[1].profile_start == 0


def test_worked_example_with_a_limit() -> None:
    result = assert_like_naive(whole(EXAMPLE), replace(EXAMPLE_QUERY, off_before=1))
    assert [(m.start, m.stop, m.overlap) for m in result.matches] == [(1, 6, 1), (3, 8, 1)]


def test_one_per_place_lists_only_the_best_of_the_worked_example() -> None:
    result = assert_like_naive(whole(EXAMPLE), replace(EXAMPLE_QUERY, overlapping=False))
    assert [(m.start, m.stop) for m in result.matches] == [(3, 6)]
    assert (result.total_matches, result.places) == (3, 1)


# ----------------------------------------------------------------------------- random trials


def random_states(rng: np.random.Generator) -> States:
    """Random small sources of every kind: wide, sticky, all on, all off, NaN, ties, short sequences."""
    n_steps = int(rng.integers(1, 15))
    n_states = int(rng.integers(1, 8))
    if rng.random() < 0.08:
        n_states, n_steps = int(rng.integers(60, 140)), min(n_steps, 7)
    on = rng.random((n_steps, n_states)) < rng.choice([0, 0.3, 0.5, 0.6, 0.8, 0.8, 0.95, 1])
    if rng.random() < 0.5:  # states that change slowly, as in a real model
        for t in range(1, n_steps):
            stays = rng.random(n_states) < 0.7
            on[t, stays] = on[t - 1, stays]
    rows = np.where(on, 0.5, 0.25)
    if rng.random() < 0.3:
        rows *= rng.choice([-1, 1], size=rows.shape)
    if rng.random() < 0.2:
        odd = rng.random(rows.shape) < 0.1
        rows[odd] = rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0], size=int(odd.sum()))
    often = rng.choice([0, 0.15, 0.5])
    cuts = [step for step in range(1, n_steps) if rng.random() < often]
    dtype = [np.float16, np.float32, np.float64][rng.integers(3)]
    return States(rows.astype(dtype), np.array([0, *cuts, n_steps], dtype=np.int64))


def random_query(rng: np.random.Generator, states: States) -> Query:
    def one(*values: Any) -> Any:
        return values[rng.integers(len(values))]

    start = int(rng.integers(states.n_steps))
    stop = int(rng.integers(start + 1, states.bounds(start)[1] + 1))
    explicit = None
    if rng.random() < 0.5:
        size = int(rng.integers(1, states.n_states + 2))
        explicit = tuple(rng.integers(states.n_states, size=size).tolist())
    length = None
    if rng.random() < 0.15:
        least = int(rng.integers(1, 5))
        length = (least, one(least, least + 2, HUGE))
    return Query(
        threshold=one(0.5, 0.5, 0.5, 0.5, 0.5, 0.500001, 0.25, -0.25, 0.0),
        start=start,
        stop=stop if rng.random() < 0.5 else start + 1,
        polarity=one(*[Polarity.HIGH] * 4, Polarity.LOW, Polarity.MAGNITUDE),
        off_before=one(0, 0, 0, 0, 0, 1, 1, 2, 3, HUGE),
        off_after=one(0, 0, 0, 0, 0, 1, 1, 2, 3, HUGE),
        exclude=tuple(rng.integers(states.n_states, size=one(0, 0, 0, 0, 1, 2)).tolist()),
        states=explicit,
        min_overlap=one(None, None, None, 1, 1, 2, HUGE if rng.random() < 0.1 else 1),
        min_length=one(None, None, 1, 1, 1, 3, HUGE if rng.random() < 0.1 else 1),
        length=length,
        overlapping=bool(rng.random() < 0.5),
        top=one(1, 2, 3, 50, HUGE),
        offset=one(0, 0, 0, 0, 0, 0, 0, 1, 2),
        context=one(0, 1, 5, HUGE),
    )


def test_thousands_of_random_queries_are_answered_like_the_naive_reference() -> None:
    rng = np.random.default_rng(20160623)
    n_listed = n_answers = 0
    for _ in range(8000):
        states = random_states(rng)
        result = assert_like_naive(states, random_query(rng, states))
        n_listed += len(result.matches)
        n_answers += bool(result.matches)
    # Most trials must not have empty answers.
    assert n_answers > 2500
    assert n_listed > 5000


@st.composite
def cases(draw: st.DrawFn) -> tuple[States, Query]:
    n_steps = draw(st.integers(1, 10))
    n_states = draw(st.one_of(st.integers(1, 5), st.just(66)))
    dtype: Any = draw(st.sampled_from([np.float16, np.float32, np.float64]))
    polarity = draw(st.sampled_from(list(Polarity)))
    # A value of the stored type, and thresholds at it, next to it, and between it and the next value.
    level = dtype(draw(st.sampled_from([0.3, 0.7, 1.0, 0.0, -0.4])))
    above = float(np.nextafter(level, dtype(9)))
    below = float(np.nextafter(level, dtype(-9)))
    threshold = draw(
        st.sampled_from([float(level), above, below, (float(level) + above) / 2, float(level) / 2])
    )
    some = [float(level), above, below, -float(level), 0.0, np.nan, np.inf, -np.inf]
    weights = draw(st.lists(st.sampled_from(some), min_size=1, max_size=3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = rng.choice(np.array(weights), size=(n_steps, n_states)).astype(dtype)
    cuts = sorted(draw(st.sets(st.integers(1, max(1, n_steps - 1)), max_size=3)) - {n_steps})
    states = States(rows, np.array([0, *cuts, n_steps], dtype=np.int64))
    start = draw(st.integers(0, n_steps - 1))
    small = st.integers(0, 3)
    maybe = st.none() | st.integers(1, 4)
    some_states = st.lists(st.integers(0, n_states - 1), min_size=1, max_size=6).map(tuple)
    spans = st.tuples(st.integers(1, 4), st.integers(0, 4)).map(lambda s: (s[0], s[0] + s[1]))
    query = Query(
        threshold=threshold,
        start=start,
        stop=draw(st.integers(start + 1, states.bounds(start)[1])),
        polarity=polarity,
        off_before=draw(small),
        off_after=draw(small),
        exclude=draw(st.just(()) | some_states),
        states=draw(st.none() | some_states),
        min_overlap=draw(maybe),
        min_length=draw(maybe),
        length=draw(st.none() | spans),
        overlapping=draw(st.booleans()),
        top=draw(st.integers(1, 6)),
        offset=draw(small),
        context=draw(small),
    )
    return states, query


@given(case=cases())
@settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck))
def test_answers_equal_the_naive_reference(case: tuple[States, Query]) -> None:
    assert_like_naive(*case)


@given(case=cases())
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_selections_own_widest_range_is_a_full_match(case: tuple[States, Query]) -> None:
    states, query = case
    query = Query(
        threshold=query.threshold,
        start=query.start,
        stop=query.stop,
        polarity=query.polarity,
        exclude=query.exclude,
        overlapping=True,
        top=HUGE,
    )
    result = find_matches(states, query)
    if not result.selected_states:
        return
    assert query.start is not None and query.stop is not None
    first, last = states.bounds(query.start)
    naive = Naive(states.rows, states.offsets.tolist(), NaiveQuery(**asdict(query)))
    s1 = set(result.selected_states)
    start, stop = query.start, query.stop
    while start > first and s1 <= naive.states_of(start - 1, stop):
        start -= 1
    while stop < last and s1 <= naive.states_of(start, stop + 1):
        stop += 1
    if stop - start < (result.query.min_length or 0):
        raise AssertionError("the default min_length must not exclude the selection itself")
    assert (start, stop, len(s1)) in [(m.start, m.stop, m.overlap) for m in result.matches]


def sticky(seed: int, n_steps: int, n_states: int, stays: float, level: float) -> States:
    """Return values that rarely change, so that runs are long and nested; few sequences."""
    rng = np.random.default_rng(seed)
    rows = rng.random((n_steps, n_states))
    hold = rng.random(rows.shape) < stays
    for t in range(1, n_steps):
        rows[t, hold[t]] = rows[t - 1, hold[t]]
    cuts = sorted(set(rng.integers(1, n_steps, size=int(rng.integers(0, 3))).tolist()))
    return States((rows < level).astype(np.float16), np.array([0, *cuts, n_steps], np.int64))


@pytest.mark.parametrize("seed", range(12))
def test_longer_sources_with_nested_runs_are_answered_like_the_naive_reference(seed: int) -> None:
    rng = np.random.default_rng(seed)
    states = sticky(seed, 45, 5, 0.8, 0.6)
    for _ in range(6):
        assert_like_naive(states, replace(random_query(rng, states), threshold=0.5))


@pytest.mark.parametrize("bits", [0, 1, 3, 5])
def test_the_overview_counts_like_the_naive_reference_for_any_bins(
    bits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.matching.search._OVERVIEW_BITS", bits)
    rng = np.random.default_rng(bits)
    widths = set()
    for n_steps in (1, 2, 7, 31, 32, 33, 40):
        states = sticky(n_steps, n_steps, 5, 0.8, 0.6) if n_steps > 2 else whole(EXAMPLE[:n_steps])
        for _ in range(4):
            result = assert_like_naive(states, replace(random_query(rng, states), threshold=0.5))
            if result.overview is not None:
                assert len(result.overview.on) <= 2**bits
                widths.add(result.overview.bin_steps)
    assert len(widths) > 1


# ------------------------------------------- the same answer however the search is divided


def variants(seed: int) -> list[Query]:
    rng = np.random.default_rng(seed)
    base = Query(threshold=0.5, states=tuple(range(0, 70, 3)), top=40)
    return [
        replace(
            base,
            min_overlap=min_overlap,
            min_length=int(rng.integers(1, 4)),
            overlapping=overlapping,
            off_before=before,
            off_after=after,
            offset=int(rng.integers(0, 60)),
        )
        for min_overlap in (None, 1, 4)
        for overlapping in (False, True)
        for before, after in ((0, 0), (1, 0), (0, 3), (2, 2), (0, HUGE))
    ]


@pytest.mark.parametrize("page", [1, 7, 100])
def test_small_buffers_give_the_same_answer(page: int, monkeypatch: pytest.MonkeyPatch) -> None:
    states = sticky(page, 300, 70, 0.8, 0.4)
    queries = variants(page)
    expected = [plain(find_matches(states, query)) for query in queries]
    monkeypatch.setattr(shard_module, "_BUFFER", 1)
    monkeypatch.setattr(listing_module, "_PAGE", page)
    monkeypatch.setattr(listing_module, "_FIRST_BATCH", page)
    monkeypatch.setattr(listing_module, "_FIRST_SORTED", 2)
    assert [plain(find_matches(states, query)) for query in queries] == expected


def test_blocks_of_steps_give_the_same_unions(monkeypatch: pytest.MonkeyPatch) -> None:
    states = sticky(5, 2500, 70, 0.995, 0.6)
    queries = variants(5) + [replace(q, off_before=700, off_after=900) for q in variants(6)]
    monkeypatch.setattr(shard_module, "_PASSES_BEFORE_BLOCKS", HUGE)
    expected = [plain(find_matches(states, query)) for query in queries]
    monkeypatch.setattr(shard_module, "_PASSES_BEFORE_BLOCKS", -1)
    assert [plain(find_matches(states, query)) for query in queries] == expected
    assert any(answer["matches"] for answer in expected)


# -------------------------------------------------------------- above the counting limit


def test_places_may_stay_uncounted_above_the_limit_but_the_list_is_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    states = sticky(8, 400, 70, 0.6, 0.4)
    query = Query(threshold=0.5, states=tuple(range(30)), min_overlap=2, top=5, offset=3)
    counted = find_matches(states, query)
    monkeypatch.setattr(listing_module, "COUNT_PLACES_UP_TO", 10)
    monkeypatch.setattr(listing_module, "_FIRST_BATCH", 10)
    lazy = find_matches(states, query)
    assert lazy.matches == counted.matches
    assert lazy.places is None
    assert counted.places is not None
    assert 8 <= lazy.places_at_least <= counted.places
    # A list longer than the number of places has seen all of them.
    assert find_matches(states, replace(query, top=HUGE)).places == counted.places
    nothing = find_matches(states, replace(query, offset=HUGE))
    assert (nothing.matches, nothing.places) == ((), counted.places)
    assert nothing.reason == (
        f"the list has {counted.places} places, "
        "so nothing is left after the first 1,000,000,000,000,000"
    )
    # With overlapping matches listed, nothing needs to be counted.
    assert find_matches(states, replace(query, overlapping=True)).places == counted.total_matches


def test_more_than_a_hundred_thousand_matches() -> None:
    rows = (np.random.default_rng(3).random((60_000, 30)) < 0.4).astype(np.float16)
    query = Query(threshold=0.5, states=tuple(range(30)), min_overlap=1)
    result = find_matches(whole(rows), query)
    assert result.total_matches > 100_000
    assert result.places is None
    assert result.places_at_least >= 50
    assert len(result.matches) == 50
    listed = find_matches(whole(rows), replace(query, overlapping=True, top=2000)).matches
    keys = [(-m.overlap, m.union, -m.length, m.start) for m in listed]
    assert keys == sorted(keys)
    # Filtering the long list here gives the short one.
    taken = np.zeros(60_000, dtype=bool)
    walked = []
    for match in listed:
        if not taken[match.start : match.stop].any():
            taken[match.start : match.stop] = True
            walked.append((match.start, match.stop))
    assert [(m.start, m.stop) for m in result.matches] == walked[:50]


@pytest.mark.parametrize("overlapping", [False, True])
def test_huge_numbers_cost_nothing(overlapping: bool) -> None:
    rows = (np.random.default_rng(4).random((3000, 70)) < 0.3).astype(np.float16)
    rows[:, 0] = 1
    huge = Query(
        threshold=0.5,
        states=(0, 1, 2),
        off_before=HUGE,
        off_after=HUGE,
        min_length=HUGE,
        min_overlap=1,
        length=(1, HUGE),
        top=HUGE,
        context=HUGE,
        overlapping=overlapping,
    )
    assert find_matches(whole(rows), huge).matches == ()
    result = find_matches(whole(rows), replace(huge, min_length=1))
    assert [(m.start, m.stop, m.overlap) for m in result.matches] == [(0, 3000, 1)]
    assert len(result.matches[0].profile) == 3000
    assert find_matches(whole(rows), replace(huge, min_length=1, length=(HUGE, HUGE))).reason == (
        "there is 1 match, but it is not 1,000,000,000,000,000 steps long: it has 3,000 steps"
    )


# ------------------------------------------------------------------------------- reasons


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"min_overlap": 3},
            "at least 3 shared states are required (min_overlap), but only 2 states are selected: require fewer",
        ),
        (
            {"states": (0,), "min_overlap": 2},
            "at least 2 shared states are required (min_overlap), but only 1 state is selected: require fewer",
        ),
        (
            {"min_length": 6},
            "no range with at least 1 of the 2 selected states on throughout is 6 steps long; "
            "the longest has 5 steps",
        ),
        (
            {"min_length": 4, "min_overlap": 2, "off_before": 0},
            "no range with at least 2 of the 2 selected states on throughout is 4 steps long; "
            "the longest has 3 steps",
        ),
        (
            {"min_length": 6, "off_before": 1, "off_after": 2},
            "no range with at least 1 of the 2 selected states on throughout and off at the step "
            "before and the 2 steps after is 6 steps long; the longest has 5 steps",
        ),
        (
            {"min_overlap": 2, "off_before": 1},
            "at least 2 shared states are required (min_overlap), but at most 1 of the 2 selected "
            "is on together and off at the step before: require fewer",
        ),
        ({"threshold": 2}, "none of the 2 selected states is ever on"),
        ({"threshold": 2, "states": (0,)}, "the selected state is never on"),
        (
            {"length": (4, 4)},
            "there are 3 matches, but none is 4 steps long: they have 3 to 5 steps",
        ),
        (
            {"length": (6, 9)},
            "there are 3 matches, but none is 6 to 9 steps long: they have 3 to 5 steps",
        ),
        (
            {"states": (0,), "length": (1, 1)},
            "there is 1 match, but it is not 1 step long: it has 5 steps",
        ),
        ({"offset": 1}, "the list has 1 place, so nothing is left after the first 1"),
        (
            {"offset": 3000, "overlapping": True},
            "the list has 3 matches, so nothing is left after the first 3,000",
        ),
    ],
)
def test_an_empty_list_has_a_reason(options: dict[str, Any], sentence: str) -> None:
    query = replace(EXAMPLE_QUERY, **{"overlapping": False, **options})
    result = find_matches(whole(EXAMPLE), query)
    assert result.matches == ()
    assert result.reason == sentence


@pytest.mark.parametrize("limits", [(0, 0), (1, 0), (0, 2), (3, 1)])
def test_the_reason_for_too_large_an_overlap_names_the_largest(limits: tuple[int, int]) -> None:
    for seed in range(10):
        states = sticky(seed, 25, 9, 0.7, 0.45)
        query = Query(
            threshold=0.5,
            states=tuple(range(9)),
            min_overlap=1,
            min_length=1,
            off_before=limits[0],
            off_after=limits[1],
            overlapping=True,
        )
        largest = find_matches(states, query).matches[0].overlap
        if largest < 9:
            reason = find_matches(states, replace(query, min_overlap=largest + 1)).reason
            assert reason is not None
            assert f"but at most {largest} of the 9 selected " in reason


def test_an_empty_selection_has_a_reason_and_no_counts() -> None:
    result = find_matches(whole(EXAMPLE), Query(threshold=2, start=3, stop=6))
    assert result.reason == (
        "no state is >= 2.00 on all 3 steps; state 0 comes closest, its smallest value there is 1"
    )
    assert (result.total_matches, result.full_matches, result.places) == (0, 0, 0)
    assert (result.length_histogram, result.searched_steps) == ((), 9)
    assert result.query.min_overlap == 1


# ---------------------------------------------------------------------------- edge shapes


@pytest.mark.parametrize("on", [True, False])
@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (6, 1), (6, 5), (6, 64), (6, 65)])
def test_all_on_and_all_off(shape: tuple[int, int], on: bool) -> None:
    rows = np.full(shape, float(on), dtype=np.float16)
    for stop in range(1, shape[0] + 1):
        result = assert_like_naive(whole(rows), Query(threshold=0.5, start=0, stop=stop))
        is_match = on and shape[0] >= (result.query.min_length or 0)
        assert [(m.start, m.stop) for m in result.matches] == [(0, shape[0])] * is_match


def test_rows_may_be_a_read_only_memory_map(tmp_path: Any) -> None:
    path = tmp_path / "rows.npy"
    np.save(path, EXAMPLE)
    rows = np.load(path, mmap_mode="r")
    offsets = np.array([0, 9], dtype=np.int64)
    offsets.flags.writeable = False
    assert plain(find_matches(States(rows, offsets), EXAMPLE_QUERY)) == plain(
        find_matches(whole(EXAMPLE), EXAMPLE_QUERY)
    )
