"""Twenty users at once: the time for a window while others match, compared with an idle server.

`python -m tests.benchmarks.bench_load [STEPS [STATES]]`. A real server, started as a user would, and
real requests over loopback. Ten users look around (a window every tenth of a second) while ten match,
each time with another selection and often at a new threshold: at most once per second each, as people
do, and then without pauses, so that the machine is fully loaded. The ratio of the
medians is what counts: it should be at most 5.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loaders.writer import write_dataset
from tests.app.web.load import User, match_key, search_request, seconds_of, serving, window_request

READERS, MATCHERS, SECONDS, IDLE_WINDOWS = 10, 10, 20, 100
N_STEPS, N_STATES = 300_000, 200


def blocks(n_steps: int, n_states: int) -> Iterator[NDArray[np.float16]]:
    """Slowly changing states, about a quarter of them at 0.5 or more, in bounded memory."""
    rng = np.random.default_rng(0)
    pace = 1 / np.geomspace(2, 60, n_states)
    phase = rng.uniform(0, 2 * np.pi, n_states)
    for start in range(0, n_steps, 20_000):
        steps = np.arange(start, min(n_steps, start + 20_000))[:, None]
        waves = np.sin(steps * pace + phase) * 0.6 + rng.normal(0, 0.25, (len(steps), n_states))
        yield waves.astype(np.float16)


def main(n_steps: int = N_STEPS, n_states: int = N_STATES) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "load"
        tokens = [f"w{i % 997}" for i in range(n_steps)]
        write_dataset(data, tokens=tokens, states={"h": blocks(n_steps, n_states)})
        with serving(data, Path(folder) / "cache") as url:
            measure(url, n_steps)
    print(
        f"{n_steps:,} steps x {n_states} states, float16; {os.cpu_count()} cores, shared with the users"
    )


def measure(url: str, n_steps: int) -> None:
    """Measure idle first, then with all users at once; the matching users are separate processes."""
    rng = np.random.default_rng(1)
    with User(url) as user:
        user.window(window_request(0))
        idle = [
            window_seconds(user, int(rng.integers(0, n_steps - 200))) for _ in range(IDLE_WINDOWS)
        ]
    report("window, idle", idle)
    for pace, what in ((1.0, "one match per second each"), (0.0, "matching without a pause")):
        windows, matches = everybody(url, n_steps, pace)
        print(f"{MATCHERS} users, {what}:")
        report("window", windows)
        report("match", matches)
        print(f"  median window, loaded / idle: {median(windows) / median(idle):.1f}")


def everybody(url: str, n_steps: int, pace: float) -> tuple[list[float], list[float]]:
    """Return the seconds of each window and of each match, with all users at once."""
    end = time.time() + SECONDS
    with ProcessPoolExecutor(2) as processes, ThreadPoolExecutor(READERS) as threads:
        matching = [
            processes.submit(match_all, url, n_steps, end, pace, number) for number in range(2)
        ]
        reading = [threads.submit(read, url, n_steps, end, n) for n in range(READERS)]
        matches = [seconds for some in matching for seconds in some.result()]
        windows = [seconds for some in reading for seconds in some.result()]
    return windows, matches


def report(what: str, seconds: list[float]) -> None:
    """Print one line."""
    ordered = [1000 * one for one in sorted(seconds)]
    print(
        f"  {what:13} n {len(ordered):5}   median {median(ordered):7.1f} ms"
        f"   90 % {ordered[int(0.9 * len(ordered))]:7.1f} ms   most {ordered[-1]:7.1f} ms"
    )


def window_seconds(user: User, start: int) -> float:
    """Return the seconds for one window."""
    return seconds_of(lambda: user.window(window_request(start)))


def read(url: str, n_steps: int, end: float, number: int) -> list[float]:
    """Page through windows until the end; return the seconds of each."""
    rng = np.random.default_rng(100 + number)
    seconds = []
    with User(url) as user:
        while time.time() < end:
            at = int(rng.integers(0, n_steps - 200))
            seconds.append(window_seconds(user, at))
            if rng.random() < 0.1:
                user.search(search_request(f"w{at % 997}"))
            time.sleep(0.1)
    return seconds


def match_all(url: str, n_steps: int, end: float, pace: float, number: int) -> list[float]:
    """Match with half of the users until the end; return the seconds of each match."""
    users = range(number, MATCHERS, 2)
    with ThreadPoolExecutor(len(users)) as threads:
        working = [threads.submit(match, url, n_steps, end, pace, user) for user in users]
        return [seconds for some in working for seconds in some.result()]


def match(url: str, n_steps: int, end: float, pace: float, number: int) -> list[float]:
    """Match until the end, pausing up to twice `pace` seconds; return the seconds of each match."""
    rng = np.random.default_rng(200 + number)
    seconds = []
    with User(url) as user:
        while time.time() < end:
            time.sleep(2 * pace * rng.random())
            at = int(rng.integers(0, n_steps - 200))
            threshold = round(0.3 + 0.01 * int(rng.integers(0, 20)), 2)
            seconds.append(match_seconds(user, match_key(at, at + 3, threshold)))
    return seconds


def match_seconds(user: User, key: dict[str, Any]) -> float:
    """Return the seconds for one match, until its answer has arrived."""
    return seconds_of(lambda: user.match(key))


if __name__ == "__main__":
    main(*(int(text) for text in sys.argv[1:]))
