"""The service: sharing, caching, and that no kernel compiles twice."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.matching import (
    MatchService,
    Polarity,
    Query,
    QueryError,
    States,
    find_matches,
    kernels,
    select,
    warm,
)
from app.matching import service as service_module
from tests import ROOT


def source(seed: int = 0, n_steps: int = 400) -> States:
    rows = np.random.default_rng(seed).normal(size=(n_steps, 70)).astype(np.float16)
    return States(rows=rows, offsets=np.array([0, n_steps // 2, n_steps], dtype=np.int64))


QUERY = Query(threshold=0.3, start=3, stop=5)


class Counter:
    """Counts the calls of a function of the service module."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self.calls = 0
        self.real = getattr(service_module, name)
        monkeypatch.setattr(service_module, name, self)

    def __call__(self, *args: Any, **options: Any) -> Any:
        self.calls += 1
        return self.real(*args, **options)


def test_service_answers_like_the_engine() -> None:
    service = MatchService()
    states = source()
    answer = service.match("a", states, QUERY)
    assert replace(answer, seconds=0) == replace(find_matches(states, QUERY), seconds=0)
    assert service.select("a", states, QUERY) == select(states, QUERY)


def test_bits_are_packed_once_for_each_threshold_and_polarity(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    packs = Counter(monkeypatch, "pack_states")
    service = MatchService()
    states = source()
    for stop in (4, 5, 6, 4):
        service.match("a", states, replace(QUERY, stop=stop))
    assert packs.calls == 1
    service.match("a", states, replace(QUERY, threshold=0.4))
    service.match("a", states, replace(QUERY, polarity=Polarity.LOW))
    service.match("b", source(1), QUERY)
    assert packs.calls == 4


def test_an_equal_query_is_answered_from_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Counter(monkeypatch, "find_matches")
    service = MatchService()
    states = source()
    first = service.match("a", states, QUERY)
    assert service.match("a", states, replace(QUERY)) is first
    assert runs.calls == 1
    assert service.match("b", source(1), QUERY) is not first
    assert runs.calls == 2


def test_the_least_recently_used_bits_and_answers_are_evicted_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    states = source()
    one = service_module.pack_states(states, 0.1, Polarity.HIGH).n_bytes
    packs = Counter(monkeypatch, "pack_states")
    service = MatchService(cache_bytes=2 * one, result_bytes=0)
    assert service.usage() == service_module.CacheUsage(0, 0, 2 * one)
    ask = [replace(QUERY, threshold=level) for level in (0.1, 0.2, 0.3)]
    service.match("a", states, ask[0])
    service.match("a", states, ask[1])
    service.match("a", states, ask[0])
    assert packs.calls == 2
    service.match("a", states, ask[2])  # 0.2 is the least recently used
    service.match("a", states, ask[0])
    assert packs.calls == 3
    service.match("a", states, ask[1])
    assert packs.calls == 4
    assert service.usage() == service_module.CacheUsage(2, 2 * one, 2 * one)


def test_bits_above_the_limit_are_used_but_not_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    packs = Counter(monkeypatch, "pack_states")
    service = MatchService(cache_bytes=10, result_bytes=0)
    answers = [service.match("a", source(), QUERY) for _ in range(2)]
    assert packs.calls == 2
    assert answers[0].matches == answers[1].matches


def test_equal_concurrent_queries_are_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    service = MatchService()
    states = source()
    entered, go_on = threading.Event(), threading.Event()
    runs = Counter(monkeypatch, "find_matches")

    def slow(*args: Any, **options: Any) -> Any:
        entered.set()
        assert go_on.wait(30)
        return runs(*args, **options)

    monkeypatch.setattr(service_module, "find_matches", slow)
    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(service.match, "a", states, QUERY)
        assert entered.wait(30)
        others = [pool.submit(service.match, "a", states, QUERY) for _ in range(4)]
        go_on.set()
        answers = {id(future.result(30)) for future in [first, *others]}
    assert len(answers) == 1
    assert runs.calls == 1


def test_an_error_reaches_all_callers_and_is_not_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    service = MatchService()
    states = source()
    with pytest.raises(QueryError, match="crosses a sequence boundary at step 200"):
        service.match("a", states, replace(QUERY, start=199, stop=201))
    with pytest.raises(QueryError):
        service.select("a", states, replace(QUERY, start=5))

    def broken(*args: Any, **options: Any) -> Any:
        raise OSError("the disk failed")

    with monkeypatch.context() as patch:
        patch.setattr(service_module, "pack_states", broken)
        with pytest.raises(OSError, match="the disk failed"):
            service.match("a", states, QUERY)
    assert service.match("a", states, QUERY).matches


def test_many_threads_get_the_right_answers() -> None:
    service = MatchService(cache_bytes=20_000, result_bytes=20_000)
    sources = {name: source(seed) for seed, name in enumerate("abc")}
    jobs = [
        (name, replace(QUERY, threshold=level, start=start, stop=start + 2))
        for name in sources
        for level in (0.2, 0.5)
        for start in range(20)
    ]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda j: service.match(j[0], sources[j[0]], j[1]), jobs * 2))
    for (name, query), answer in zip(jobs * 2, answers, strict=True):
        expected = find_matches(sources[name], query)
        assert replace(answer, seconds=0) == replace(expected, seconds=0)


def test_nothing_is_left_to_compile_after_warming() -> None:
    warm()
    compiled = {
        name: kernel.signatures
        for name, kernel in vars(kernels).items()
        if hasattr(kernel, "signatures") and not name.startswith("_")
    }
    assert len(compiled) >= 6
    # A search must not block the threads that answer other requests.
    assert all(getattr(kernels, name).targetoptions["nogil"] for name in compiled)
    assert {name for name, signatures in compiled.items() if len(signatures) != 1} == set()
    states = source()
    rows = np.asarray(states.rows)
    rows.flags.writeable = False
    service = MatchService()
    for before in (0, 1, 2, 300):
        for overlapping in (False, True):
            for length in (None, (1, 3)):
                query = replace(
                    QUERY,
                    off_before=before,
                    off_after=before,
                    overlapping=overlapping,
                    min_overlap=1,
                    min_length=1,
                    length=length,
                )
                service.match("a", states, query)
                service.match("a", states, replace(query, states=tuple(range(70))))
    for name, signatures in compiled.items():
        assert getattr(kernels, name).signatures == signatures


def test_a_read_only_installation_can_be_imported(tmp_path: Path) -> None:
    # Root may write anywhere, so numba is made to see every folder as read-only.
    code = (
        "import numba.core.caching as caching\n"
        "def closed(self): raise OSError('read-only')\n"
        "caching._CacheLocator.ensure_cache_path = closed\n"
        "from app.matching import warm\n"
        "import app.matching.kernels as kernels\n"
        "assert not kernels.sweep.stats.cache_path\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=dict(os.environ), capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
