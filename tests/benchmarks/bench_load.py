"""Twenty users at once: how long a window takes while others match, against an idle server.

`python -m tests.benchmarks.bench_load [STEPS [STATES]]`. A real server, started as a user would, and
real requests over loopback. Ten users look around (a window every tenth of a second); ten match
without a pause, each time with another selection and often at a new threshold, which is harder than
people are. The ratio of the medians is what counts: it should be at most 5.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from loaders.writer import write_dataset
from tests.load import User, match_key, search_request, seconds_of, serving, window_request

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
    """Idle first, then with everybody at once."""
    rng = np.random.default_rng(1)
    places = rng.integers(0, n_steps - 200, IDLE_WINDOWS).tolist()
    with User(url) as user:
        user.window(window_request(0))
        idle = [seconds_of(lambda at=at: user.window(window_request(at))) for at in places]
    windows: list[float] = []
    matches: list[float] = []
    end = time.monotonic() + SECONDS
    together = threading.Barrier(READERS + MATCHERS)

    def read(number: int) -> None:
        own = np.random.default_rng(100 + number)
        with User(url) as user:
            together.wait()
            while time.monotonic() < end:
                at = int(own.integers(0, n_steps - 200))
                windows.append(seconds_of(lambda at=at: user.window(window_request(at))))
                if own.random() < 0.1:
                    user.search(search_request(f"w{at % 997}"))
                time.sleep(0.1)

    def match(number: int) -> None:
        own = np.random.default_rng(200 + number)
        with User(url) as user:
            together.wait()
            while time.monotonic() < end:
                at = int(own.integers(0, n_steps - 200))
                threshold = round(0.3 + 0.01 * int(own.integers(0, 20)), 2)
                key = match_key(at, at + 3, threshold)
                matches.append(seconds_of(lambda key=key: user.match(key)))

    with ThreadPoolExecutor(READERS + MATCHERS) as pool:
        users = [pool.submit(read, n) for n in range(READERS)]
        users += [pool.submit(match, n) for n in range(MATCHERS)]
        for one in users:
            one.result()
    for what, times in (
        ("window, idle", idle),
        ("window, loaded", windows),
        ("match, loaded", matches),
    ):
        ordered = sorted(times)
        print(
            f"{what:15} n {len(times):5}   median {1000 * statistics.median(ordered):7.1f} ms"
            f"   90 % {1000 * ordered[int(0.9 * len(ordered))]:7.1f} ms   most {1000 * ordered[-1]:7.1f} ms"
        )
    print(
        f"median window, loaded / idle: {statistics.median(windows) / statistics.median(idle):.1f}"
    )


if __name__ == "__main__":
    main(*(int(text) for text in sys.argv[1:]))
