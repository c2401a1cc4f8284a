"""Matching for many clients at once: what is computed is shared and cached, within bounds."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

import numpy as np
from cachetools import LRUCache

from app.matching.bits import Polarity, words_for
from app.matching.control import Control
from app.matching.distributed import Distributed, distribute_states
from app.matching.engine import find_matches
from app.matching.packed import Packed, pack_states
from app.matching.priority import lower_priority
from app.matching.query import Query
from app.matching.ranges import Ranges, find_ranges
from app.matching.result import MatchResult
from app.matching.selection import Selection, select
from app.matching.states import States

_Value = TypeVar("_Value")

# What one listed match and one histogram bar weigh in memory, roughly, without the profile.
_BYTES_PER_ITEM = 400
_BYTES_PER_SHARE = 8

# Computations take turns, each on all threads: two at once are not done sooner, and small requests get
# the interpreter later. Beside one that has taken long another may run: a short one is not behind it.
_AT_ONCE = 2
_SECONDS_TO_BE_LONG = 0.25
_SECONDS_TO_WAIT = 0.05
_NICENESS = 10


@dataclass(frozen=True, slots=True)
class CachedBits:
    """The packed on-bits that are cached: the number of thresholds, their bytes, and the most allowed."""

    thresholds: int
    n_bytes: int
    most_bytes: int


class MatchService:
    """Answers queries from any number of threads.

    Where the on-bits of a source are more than `cache_bytes` and its states have an opener, they
    are not held in memory: the opener gets them piece by piece.

    Parameters
    ----------
    cache_bytes
        Bytes of packed on-bits that are cached; the least recently used are dropped first. Larger
        ones without an opener are used and not cached.
    result_bytes
        The same for answers, roughly estimated.
    threads
        How many threads share one query; None: as many as there are cores. No answer depends on it.
    executors
        One entry for each worker that makes passes (`Distributed`), for states with an opener. None:
        threads of this process.
    """

    def __init__(
        self,
        cache_bytes: int = 1 << 28,
        result_bytes: int = 1 << 24,
        threads: int | None = None,
        executors: Sequence[Executor] | None = None,
    ) -> None:
        self._bits: _Shared[Packed | Distributed] = _Shared(
            cache_bytes, lambda packed: packed.n_bytes
        )
        self._results: _Shared[MatchResult] = _Shared(result_bytes, _weight)
        self._threads = threads or usable_cores()
        self._cache_bytes = 0 if executors else cache_bytes
        # Threads begin with the first task: a server may still be forked.
        pool = ThreadPoolExecutor(self._threads, thread_name_prefix="shards")
        self._executors = tuple(executors or [pool] * self._threads)
        self._turns = threading.Condition()
        self._begun: list[float] = []

    def match(
        self, key: str, states: States, query: Query, control: Control | None = None
    ) -> MatchResult:
        """Return the answer to `query`; identical queries at the same time compute it once.

        Parameters
        ----------
        key
            Names the values and sequences of `states`: two sources with one key must be equal.
        states
            The source.
        query
            The query.
        control
            Shows the progress of the computation, which another call may have begun. Cancelling it ends
            this call; the computation itself ends when no call waits for it any more.

        Raises
        ------
        QueryError
            If the query cannot be asked of this source.
        Cancelled
            If `control` was cancelled.
        """
        query = _normal(states, query)

        def compute(job: Control) -> MatchResult:
            bits = self._packed(key, states, query, job)
            with self._turn(job):
                return find_matches(states, query, bits=bits, threads=self._threads, control=job)

        return self._results.get((key, query), compute, control or Control(), 1.0)

    def ranges(
        self, key: str, states: States, query: Query, control: Control | None = None
    ) -> Ranges:
        """Return the whole list as arrays (`find_ranges`), which is not cached; the on-bits are.

        The parameters and errors are those of `match`.
        """
        query = _normal(states, query)
        control = control or Control()
        bits = self._packed(key, states, query, control)
        with self._turn(control):
            return find_ranges(states, query, bits=bits, threads=self._threads, control=control)

    def select(self, key: str, states: States, query: Query) -> Selection:
        """Return the states that `query` selects; reads only its range unless bits are at hand.

        Raises
        ------
        QueryError
            If the query cannot be asked of this source.
        """
        query = _normal(states, query)
        bits = self._bits.peek((key, query.threshold, query.polarity))
        return select(states, query, bits.in_memory if bits else None)

    def cached_bits(self) -> CachedBits:
        """Return what is cached of packed on-bits: matching at one of those thresholds packs nothing."""
        return self._bits.use()

    @contextmanager
    def _turn(self, control: Control) -> Iterator[None]:
        """Hold the turn to compute; waiting for it can be cancelled."""
        with self._turns:
            while not self._may_begin():
                self._turns.wait(_SECONDS_TO_WAIT)
                control.check()
            begun = time.monotonic()
            self._begun.append(begun)
        try:
            yield
        finally:
            with self._turns:
                self._begun.remove(begun)
                self._turns.notify()

    def _may_begin(self) -> bool:
        if len(self._begun) in (0, _AT_ONCE):
            return not self._begun
        return time.monotonic() - self._begun[-1] >= _SECONDS_TO_BE_LONG

    def _packed(
        self, key: str, states: States, query: Query, control: Control
    ) -> Packed | Distributed:
        n_bytes = states.n_steps * words_for(states.n_states) * 8

        def compute(job: Control) -> Packed | Distributed:
            with self._turn(job):
                job.begin("packing", 1.0)
                if states.opener is not None and n_bytes > self._cache_bytes:
                    return distribute_states(
                        states,
                        query.threshold,
                        query.polarity,
                        opener=states.opener,
                        executors=self._executors,
                        control=job,
                    )
                return pack_states(
                    states, query.threshold, query.polarity, threads=self._threads, control=job
                )

        return self._bits.get((key, query.threshold, query.polarity), compute, control, 0.6)


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def warm() -> None:
    """Compile every kernel, or load it from the cache on disk, by answering tiny queries."""
    rows = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], dtype=np.float16)
    states = States(rows=rows, offsets=np.array([0, len(rows)], dtype=np.int64))
    base = Query(threshold=0.5, start=1, stop=3)
    find_matches(states, base)
    # Shards look beyond their ends.
    find_matches(states, base, bits=pack_states(states, 0.5, Polarity.HIGH, n_shards=2))
    # Limits of two steps and more have a separate kernel; so have blocks of steps.
    find_matches(states, replace(base, off_before=2, off_after=2))
    # Nested runs: together far longer than the source, so that their unions are counted by blocks.
    nested = np.zeros((256, 64), dtype=np.float16)
    for state in range(64):
        nested[state : 256 - state, state] = 1
    states = States(rows=nested, offsets=np.array([0, len(nested)], dtype=np.int64))
    find_matches(states, replace(base, start=127, stop=128, min_overlap=1))


@dataclass(slots=True, eq=False)
class _Computation(Generic[_Value]):
    """A value that is being computed, in a separate thread so that any caller can stop waiting."""

    waiting: int = 0
    control: Control = field(default_factory=Control)
    future: Future[_Value] = field(default_factory=Future)


class _Shared(Generic[_Value]):
    """Values by key, computed once for all calls that ask at the same time, cached up to a number of bytes."""

    def __init__(self, capacity: int, weigh: Callable[[_Value], int]) -> None:
        self._lock = threading.Lock()
        self._cached: LRUCache[Hashable, _Value] = LRUCache(capacity, getsizeof=weigh)
        self._under_way: dict[Hashable, _Computation[_Value]] = {}

    def use(self) -> CachedBits:
        """Return how many values are cached, and what they weigh."""
        with self._lock:
            return CachedBits(
                len(self._cached), int(self._cached.currsize), int(self._cached.maxsize)
            )

    def peek(self, key: Hashable) -> _Value | None:
        """Return a cached value, or None."""
        with self._lock:
            return self._cached.get(key)

    def get(
        self,
        key: Hashable,
        compute: Callable[[Control], _Value],
        control: Control,
        until: float,
    ) -> _Value:
        """Return the cached value, the one that is being computed, or a new one.

        What `compute` raises is raised to every call that waits for it, and not cached. `control` shows
        the work's progress up to the share `until`; when it is cancelled this call raises, and when
        the last call is, so is the control that `compute` was given.
        """
        with self._lock:
            if key in self._cached:
                return self._cached[key]
            job = self._under_way.get(key)
            is_new = job is None
            if job is None:
                job = self._under_way[key] = _Computation()
            job.waiting += 1
        if is_new:
            # A daemon: a server that is ending does not wait for a search.
            work = threading.Thread(target=self._run, args=(key, job, compute), daemon=True)
            try:
                work.start()
            except RuntimeError as error:  # no more threads: no call may wait for this one
                self._forget(key, job)
                job.future.set_exception(error)
        try:
            with control.following(job.control, until):
                either = threading.Event()
                job.future.add_done_callback(lambda _: either.set())
                control.on_cancel(either.set)
                either.wait()
            control.check()
            return job.future.result()
        finally:
            self._leave(key, job)

    def _run(
        self, key: Hashable, job: _Computation[_Value], compute: Callable[[Control], _Value]
    ) -> None:
        try:
            lower_priority(_NICENESS)
            value = compute(job.control)
        except BaseException as error:
            self._forget(key, job)
            job.future.set_exception(error)
            return
        with self._lock, contextlib.suppress(ValueError):  # larger than the whole cache
            self._cached.setdefault(key, value)
        self._forget(key, job)
        job.future.set_result(value)

    def _leave(self, key: Hashable, job: _Computation[_Value]) -> None:
        with self._lock:
            job.waiting -= 1
            if job.waiting:
                return
            # From here on a new call begins again: it must not join work that is being cancelled.
            if self._under_way.get(key) is job:
                del self._under_way[key]
        job.control.cancel()

    def _forget(self, key: Hashable, job: _Computation[_Value]) -> None:
        with self._lock:
            if self._under_way.get(key) is job:
                del self._under_way[key]


def _normal(states: States, query: Query) -> Query:
    """Return the checked query in one spelling, so that equal questions share an answer."""
    query.check(states.n_steps, states.n_states, states.offsets)
    return replace(
        query,
        threshold=float(query.threshold),
        polarity=Polarity(query.polarity),
        exclude=tuple(query.exclude),
        states=None if query.states is None else tuple(query.states),
    )


def _weight(result: MatchResult) -> int:
    n_items = len(result.matches) + len(result.length_histogram) + 1
    n_shares = sum(len(match.profile) for match in result.matches)
    if result.overview is not None:
        n_shares += 3 * len(result.overview.on)
    return n_items * _BYTES_PER_ITEM + (n_shares + len(result.selected_states)) * _BYTES_PER_SHARE
