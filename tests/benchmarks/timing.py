"""Times as multiples of one pass over the same bytes: what any program pays that looks at them once.

Ratios travel between machines; seconds do not. Where another program runs beside this one, both
sides of a ratio suffer, though not always alike: each side is the fastest of several runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

REPEATS = 5


def fastest(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Seconds of the fastest run, after one that does not count."""
    work()
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


def one_pass(array: NDArray[Any], repeats: int = REPEATS) -> float:
    """Seconds of one thread to sum an array's bytes as integers of its width, once over."""
    integers = array.view(f"i{array.dtype.itemsize}")
    return fastest(lambda: integers.sum(dtype=np.int64), repeats)
