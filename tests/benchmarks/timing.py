"""Times as multiples of one pass over the same bytes, the minimum cost of reading them.

Ratios are comparable between machines; seconds are not. If another program runs at the same time, both
sides of a ratio are affected, but not always equally, so each side is the fastest of several runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

REPEATS = 5


def fastest(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Return the seconds of the fastest run, after one warm-up run."""
    work()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def one_pass(array: NDArray[Any], repeats: int = REPEATS) -> float:
    """Return the seconds that one thread needs to sum the bytes of an array once, as integers of its width."""
    integers = array.view(f"i{array.dtype.itemsize}")
    return fastest(lambda: integers.sum(dtype=np.int64), repeats)
