"""The answer does not depend on the division into shards or on the workers."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.matching import (
    Cancelled,
    Control,
    MatchService,
    Packed,
    Polarity,
    Query,
    States,
    distribute_states,
    find_matches,
    pack,
    pack_states,
)
from app.matching import listing as listing_module
from app.matching import shard as shard_module
from app.matching.edges import FAR, cut_evenly
from tests.app.matching.test_engine import (
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
from tests.naive import Naive, NaiveQuery

SHARDS = (1, 2, 7, 64)
THREADS = (1, 4)


def packed(states: States, query: Query, n_shards: int, threads: int = 1) -> Packed:
    return pack_states(states, query.threshold, query.polarity, n_shards=n_shards, threads=threads)


def test_thousands_of_random_queries_over_shards_are_answered_like_the_naive_reference() -> None:
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
    # Many trials must have matches that cross shards.
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


def test_a_partial_list_is_the_same_for_any_number_of_shards(
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


def test_shards_combine_blocks_of_steps_for_their_unions(monkeypatch: pytest.MonkeyPatch) -> None:
    states = sticky(5, 2500, 70, 0.995, 0.6)
    queries = variants(5) + [replace(q, off_before=700, off_after=900) for q in variants(6)]
    expected = [plain(find_matches(states, query)) for query in queries]
    monkeypatch.setattr(shard_module, "_PASSES_BEFORE_BLOCKS", -1)
    for query, answer in zip(queries, expected, strict=True):
        assert plain(find_matches(states, query, bits=packed(states, query, 7))) == answer


def test_edges_describe_what_is_beyond_a_shard() -> None:
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


# ------------------------------------------------------------ shards on other workers


@dataclass(frozen=True)
class InHand:
    """An opener that contains its rows; a real one refers to a file."""

    rows: NDArray[Any]

    def bits(
        self, first: int, last: int, threshold: float, polarity: Polarity
    ) -> NDArray[np.uint64]:
        assert 0 <= first < last <= len(self.rows)
        return pack(self.rows[first:last], threshold, polarity)


@pytest.mark.parametrize("n_workers", [1, 3])
@pytest.mark.parametrize("n_shards", SHARDS)
def test_workers_give_the_same_answer(n_shards: int, n_workers: int) -> None:
    states = sticky(n_shards, 700, 70, 0.9, 0.35)
    with ThreadPoolExecutor(n_workers) as pool:
        for query in variants(n_shards + n_workers):
            bits = distribute_states(
                states,
                query.threshold,
                query.polarity,
                opener=InHand(states.rows),
                executors=[pool] * n_workers,
                n_shards=n_shards,
            )
            assert len(bits.shards) == n_shards
            answer = whole_answer(find_matches(states, query, bits=bits))
            assert answer == whole_answer(find_matches(states, query))


def test_each_worker_gets_the_same_shards_every_time_in_one_task() -> None:
    tasks: list[list[tuple[Any, ...]]] = [[], [], []]

    class Recording(ThreadPoolExecutor):
        def __init__(self, taken: list[tuple[Any, ...]]) -> None:
            super().__init__(1)
            self.taken = taken

        def submit(self, work: Any, /, *arguments: Any) -> Any:  # type: ignore[override]
            self.taken.append((work.__name__, arguments))
            return super().submit(work, *arguments)

    states = sticky(1, 700, 70, 0.9, 0.35)
    executors = [Recording(taken) for taken in tasks]
    bits = distribute_states(
        states,
        0.5,
        Polarity.HIGH,
        opener=InHand(states.rows),
        executors=executors,
        n_shards=7,
    )
    find_matches(states, Query(threshold=0.5, states=tuple(range(30))), bits=bits)
    passes = set()
    for task in tasks:
        packed_steps = [arguments[3:5] for name, arguments in task if name == "_scan_ends"]
        asked = [arguments for name, arguments in task if name == "_work"]
        for arguments in asked:
            assert [(span.first, span.last) for span in arguments[4]] == packed_steps
        passes.add(len(asked))
    assert len(passes) == 1  # one task per pass
    for executor in executors:
        executor.shutdown()


def test_a_search_by_workers_can_be_cancelled_and_drops_its_tasks() -> None:
    go_on = threading.Event()
    packed_shards = []

    @dataclass(frozen=True)
    class Slow(InHand):
        def bits(self, first: int, last: int, *more: Any) -> NDArray[np.uint64]:
            packed_shards.append(first)
            assert go_on.wait(30)
            return super().bits(first, last, *more)

    states = sticky(1, 700, 70, 0.9, 0.35)
    control = Control()
    with ThreadPoolExecutor(1) as pool, ThreadPoolExecutor(1) as caller:
        asked = caller.submit(
            distribute_states,
            states,
            0.5,
            Polarity.HIGH,
            opener=Slow(states.rows),
            executors=[pool],
            n_shards=7,
            control=control,
        )
        while not packed_shards:
            time.sleep(0.01)
        control.cancel()
        with pytest.raises(Cancelled):
            asked.result(30)
        go_on.set()
    assert len(packed_shards) == 1


def test_an_error_in_a_worker_reaches_the_caller() -> None:
    class Broken(InHand):
        def bits(self, *_: Any) -> NDArray[np.uint64]:
            raise OSError("the disk failed")

    states = sticky(1, 700, 70, 0.9, 0.35)
    with ThreadPoolExecutor(1) as pool, pytest.raises(OSError, match="the disk failed"):
        distribute_states(
            states, 0.5, Polarity.HIGH, opener=Broken(states.rows), executors=[pool], n_shards=3
        )


def test_a_service_does_not_hold_bits_in_memory_above_its_limit() -> None:
    states = replace(sticky(1, 700, 70, 0.9, 0.35), opener=None)
    openable = replace(states, opener=InHand(states.rows))
    query = Query(threshold=0.5, states=tuple(range(30)))
    small, large = MatchService(cache_bytes=1000), MatchService()
    answer = small.match("a", openable, query)
    assert whole_answer(answer) == whole_answer(large.match("a", states, query))
    control = Control()
    again = small.match("a", openable, replace(query, min_overlap=1), control)
    assert again.total_matches > answer.total_matches
    assert control.done == 1
