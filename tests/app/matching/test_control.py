"""Progress and cancellation of a search, of packing, and of computations with several callers."""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.matching import (
    Cancelled,
    Control,
    MatchService,
    Polarity,
    Query,
    States,
    find_matches,
    pack,
)
from app.matching import service as service_module
from app.matching import shard as shard_module


class Watching(Control):
    """Records each check of the computation; cancels itself at one of them."""

    def __init__(self, cancel_at: int | None = None) -> None:
        super().__init__()
        self.looks = 0
        self.seen: list[tuple[str, float]] = []
        self._cancel_at = cancel_at

    def check(self) -> None:
        self.looks += 1
        self.seen.append((self.stage, self.done))
        if self.looks == self._cancel_at:
            self.cancel()
        super().check()


def source(n_steps: int = 3000) -> States:
    rows = (np.random.default_rng(0).random((n_steps, 70)) < 0.4).astype(np.float16)
    return States(rows=rows, offsets=np.array([0, n_steps // 3, n_steps], dtype=np.int64))


QUERY = Query(threshold=0.5, states=tuple(range(70)), min_overlap=3)


@pytest.fixture(autouse=True)
def short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_module, "_STRETCH_WORDS", 500)
    monkeypatch.setattr(shard_module, "_STRETCH_UNIONS", 100)


def plain(result: Any) -> Any:
    return replace(result, seconds=0)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    "options", [{}, {"off_before": 3, "off_after": 2}, {"overlapping": True}, {"min_overlap": 69}]
)
def test_progress_rises_from_packing_to_the_end(threads: int, options: dict[str, Any]) -> None:
    control = Watching()
    query = replace(QUERY, **options)
    result = find_matches(source(), query, threads=threads, control=control)
    assert plain(result) == plain(find_matches(source(), query))
    stages = [stage for stage, _ in control.seen]
    assert set(stages) >= {"packing", "counting", "listing"}
    shares = [share for _, share in control.seen]
    assert shares == sorted(shares)
    assert 0 <= shares[0] < 0.1
    assert shares[-1] <= 1
    # Each stage advances in pieces; otherwise a long one would show no progress and ignore cancelling.
    assert len({share for stage, share in control.seen if stage == "counting"}) > 5


def test_a_search_ends_wherever_it_is_cancelled() -> None:
    control = Watching()
    find_matches(source(), QUERY, control=control)
    looks = control.looks
    assert looks > 20
    for at in range(1, looks + 1):
        control = Watching(cancel_at=at)
        with pytest.raises(Cancelled):
            find_matches(source(), QUERY, control=control)
        assert control.looks == at


def test_packing_can_be_cancelled() -> None:
    rows = np.zeros((100_000, 70), dtype=np.float16)
    control = Watching(cancel_at=5)
    with pytest.raises(Cancelled):
        pack(rows, 0.5, Polarity.HIGH, control)
    assert control.looks < 10


# ------------------------------------------------------------------ shared computations


class Gate:
    """Replaces a function of the service: waits to be released, and checks its control."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self.real = getattr(service_module, name)
        self.entered = threading.Semaphore(0)
        self.go_on = threading.Event()
        self.cancelled = threading.Event()
        self.calls = 0
        monkeypatch.setattr(service_module, name, self)

    def __call__(self, *args: Any, **options: Any) -> Any:
        self.calls += 1
        control = options.get("control") or args[-1]
        control.on_cancel(self.go_on.set)
        self.entered.release()
        assert self.go_on.wait(30)
        try:
            return self.real(*args, **options)
        except Cancelled:
            self.cancelled.set()
            raise

    def await_call(self) -> None:
        assert self.entered.acquire(timeout=30)


class Turns(threading.Condition):
    """The turns of a service, with the threads that have waited for one."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: set[int] = set()

    def wait(self, timeout: float | None = None) -> bool:
        woken = super().wait(timeout)
        if not woken:
            self.waiting.add(threading.get_ident())
        return woken


def until(condition: Any) -> None:
    for _ in range(3000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("the condition was never met")


def cancel_all(controls: list[Control], asked: list[Future[Any]]) -> None:
    for control in controls:
        control.cancel()
    for future in asked:
        with pytest.raises(Cancelled):
            future.result(30)


def test_cancelling_one_caller_does_not_affect_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = Gate(monkeypatch, "find_matches")
    service, states = MatchService(), source()
    controls = [Control() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        # The first caller started the computation; cancelling it must not end it either.
        asked = [pool.submit(service.match, "a", states, QUERY, control) for control in controls]
        gate.await_call()
        until(lambda: all(control.done == 0.6 for control in controls))
        cancel_all(controls[:3], asked[:3])
        assert not asked[3].done()
        gate.go_on.set()
        answer = asked[3].result(30)
    assert gate.calls == 1
    assert plain(answer) == plain(find_matches(states, QUERY))
    assert controls[3].done == 1
    assert service.match("a", states, QUERY, Control()) is answer


def test_a_computation_without_callers_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(monkeypatch, "find_matches")
    service, states = MatchService(), source()
    controls = [Control(), Control()]
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(service.match, "a", states, QUERY, control) for control in controls]
        gate.await_call()
        until(lambda: all(control.done == 0.6 for control in controls))
        cancel_all(controls, asked)
    assert gate.cancelled.wait(30)
    # The cancelled computation is forgotten: a new request gets an answer.
    assert service.match("a", states, QUERY).matches
    assert gate.calls == 2


def test_searches_that_share_their_packing_do_not_share_their_cancelling(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = Gate(monkeypatch, "pack_states")
    service, states = MatchService(), source()
    first, second = Control(), Control()
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(service.match, "a", states, QUERY, first)
        gate.await_call()
        other = pool.submit(service.match, "a", states, replace(QUERY, min_overlap=5), second)
        until(lambda: second.stage == "packing")
        first.cancel()
        with pytest.raises(Cancelled):
            one.result(30)
        gate.go_on.set()
        assert other.result(30).matches
    assert gate.calls == 1


@pytest.mark.parametrize(("long", "at_once"), [(1e9, 1), (0.0, 2)])
def test_searches_take_turns_but_do_not_wait_for_a_long_one(
    long: float, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_module, "_SECONDS_TO_BE_LONG", long)
    service, states = MatchService(), source()
    service.match("a", states, replace(QUERY, top=1))  # now everything is packed
    gate = Gate(monkeypatch, "find_matches")
    turns = Turns()
    monkeypatch.setattr(service, "_turns", turns)
    controls = [Control() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        asked = [
            pool.submit(service.match, "a", states, replace(QUERY, min_overlap=i + 2), control)
            for i, control in enumerate(controls)
        ]
        for _ in range(at_once):
            gate.await_call()
        until(lambda: len(turns.waiting) == 4 - at_once)
        assert gate.calls == at_once
        cancel_all(controls, asked)
    # The turn is free again.
    answers = [service.match("a", states, replace(QUERY, min_overlap=i)) for i in (2, 3, 4)]
    assert all(answer.matches for answer in answers)


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no individual priority")
def test_searches_have_a_lower_priority_than_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    real = service_module.find_matches

    def noting(*args: Any, **options: Any) -> Any:
        seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return real(*args, **options)

    monkeypatch.setattr(service_module, "find_matches", noting)
    mine = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    MatchService().match("a", source(), QUERY)
    assert seen[0] == min(19, mine + 10)
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == mine


def test_a_search_runs_even_if_its_priority_cannot_be_lowered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def forbidden(*_: int) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "setpriority", forbidden)
    assert MatchService().match("a", source(), QUERY).matches


def test_a_control_that_is_cancelled_before_the_search_ends_it_at_once() -> None:
    control = Control()
    control.cancel()
    service, states = MatchService(), source()
    with pytest.raises(Cancelled, match="start it again"):
        service.match("a", states, QUERY, control)
    assert service.match("a", states, QUERY).matches
    control.cancel()  # again, and after the end, has no effect
