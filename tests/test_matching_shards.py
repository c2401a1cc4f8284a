"""The answer does not depend on how the steps are cut up, nor on who makes the passes."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.matching import Packed, Polarity, Query, States, find_matches, pack_states
from app.matching import listing as listing_module
from app.matching import shard as shard_module
from app.matching.edges import FAR, cut_evenly
from tests.naive import Naive, NaiveQuery
from tests.test_matching_engine import (
    EXAMPLE,
    cases,
    plain,
    random_query,
    random_states,
    sticky,
    variants,
    whole,
    whole_answer,
)

SHARDS = (1, 2, 7, 64)
THREADS = (1, 4)


def packed(states: States, query: Query, n_shards: int, threads: int = 1) -> Packed:
    return pack_states(states, query.threshold, query.polarity, n_shards=n_shards, threads=threads)


def test_thousands_of_random_queries_cut_into_shards_are_answered_like_the_naive_twin() -> None:
    rng = np.random.default_rng(1606)
    n_listed = n_across = 0
    for trial in range(3000):
        states = random_states(rng)
        query = random_query(rng, states)
        bits = packed(states, query, SHARDS[1 + trial % 3])
        result = find_matches(states, query, bits=bits, threads=1)
        naive = Naive(states.rows, states.offsets.tolist(), NaiveQuery(**asdict(query)))
        assert plain(result) == naive.answer()
        n_listed += len(result.matches)
        cuts = [shard.first for shard in bits.shards[1:]]
        n_across += sum(any(m.start < cut < m.stop for cut in cuts) for m in result.matches)
    # The trials must be about matches that lie across cuts.
    assert n_listed > 1500
    assert n_across > 500


@given(case=cases(), n_shards=st.integers(1, 12))
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
def test_shards_give_the_naive_answer(case: tuple[States, Query], n_shards: int) -> None:
    states, query = case
    result = find_matches(states, query, bits=packed(states, query, n_shards))
    naive = Naive(states.rows, states.offsets.tolist(), NaiveQuery(**asdict(query)))
    assert plain(result) == naive.answer()
    if result.overview is not None:
        seen = result.overview
        bins = list(zip(seen.on, seen.matches, seen.full_matches, strict=True))
        assert bins == naive.overview(seen.bin_steps)


@pytest.mark.parametrize("stays", [0.3, 0.9, 0.997])
@pytest.mark.parametrize("n_shards", SHARDS)
@pytest.mark.parametrize("threads", THREADS)
def test_any_number_of_shards_and_threads_gives_the_same_answer(
    n_shards: int, threads: int, stays: float
) -> None:
    states = sticky(n_shards, 700, 70, stays, 0.35)
    for query in variants(n_shards):
        bits = packed(states, query, n_shards, threads)
        assert len(bits.shards) == n_shards
        answer = whole_answer(find_matches(states, query, bits=bits, threads=threads))
        assert answer == whole_answer(find_matches(states, query))


def test_a_list_that_is_not_walked_to_its_end_is_the_same_for_any_number_of_shards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listing_module, "COUNT_PLACES_UP_TO", 10)
    monkeypatch.setattr(listing_module, "_FIRST_BATCH", 10)
    monkeypatch.setattr(listing_module, "_PAGE", 3)
    monkeypatch.setattr(shard_module, "_BUFFER", 1)
    states = sticky(8, 400, 70, 0.6, 0.4)
    for query in variants(3):
        one = find_matches(states, query)
        for n_shards in SHARDS[1:]:
            other = find_matches(states, query, bits=packed(states, query, n_shards))
            assert whole_answer(other) == whole_answer(one)
            assert other.places_at_least == one.places_at_least
            assert other.reason == one.reason


def test_shards_fold_blocks_of_steps_for_their_unions(monkeypatch: pytest.MonkeyPatch) -> None:
    states = sticky(5, 2500, 70, 0.995, 0.6)
    queries = variants(5) + [replace(q, off_before=700, off_after=900) for q in variants(6)]
    expected = [plain(find_matches(states, query)) for query in queries]
    monkeypatch.setattr(shard_module, "_PASSES_BEFORE_BLOCKS", -1)
    for query, answer in zip(queries, expected, strict=True):
        assert plain(find_matches(states, query, bits=packed(states, query, 7))) == answer


def test_edges_say_what_lies_beyond_a_shard() -> None:
    """State 0 on in [1, 6), state 1 in [3, 8), of nine steps; a cut after every step."""
    bits = pack_states(whole(EXAMPLE), 0.5, Polarity.HIGH, n_shards=9)
    since = [shard.edges.since[:2].tolist() for shard in bits.shards]
    assert since == [[0, 0], [1, 1], [1, 2], [1, 3], [1, 3], [1, 3], [1, 3], [7, 3], [8, 3]]
    gap = [shard.edges.gap[:2].tolist() for shard in bits.shards]
    assert gap == [[FAR, FAR]] * 7 + [[1, FAR], [2, FAR]]
    next_on = [shard.edges.next_on[:2].tolist() for shard in bits.shards]
    assert next_on == [
        [1, 3],
        [2, 3],
        [3, 3],
        [4, 4],
        [5, 5],
        [FAR, 6],
        [FAR, 7],
        [FAR, FAR],
        [FAR, FAR],
    ]


def test_shards_are_never_empty() -> None:
    assert cut_evenly(10, 3) == (0, 3, 6, 10)
    assert cut_evenly(3, 64) == (0, 1, 2, 3)
    assert cut_evenly(1, 1) == (0, 1)
