"""`make bench`: packing and matching, in passes over the same bytes.

A pass is the fastest of several runs of NumPy summing the same memory as integers: what any program
has to pay that looks at every value once. Ratios travel between machines; seconds do not.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app import settings as settings_module

REPEATS = 5
N_STEPS, N_STATES = 200_000, 200


@dataclass(frozen=True)
class Row:
    """One line of the table: `passes` is `seconds` over the time of one pass."""

    data: str
    what: str
    matches: str
    seconds: float
    passes: float


def fastest(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Seconds of the fastest run, after one that does not count."""
    work()
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


def one_pass(array: NDArray[Any]) -> float:
    """Seconds to sum an array's bytes as integers of its width, once over."""
    whole = np.ascontiguousarray(array)
    integers = whole.view(f"u{whole.dtype.itemsize}")
    return fastest(lambda: integers.sum(dtype=np.uint64))


def generated() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Smooth states as a recurrent network has them, in sequences of 500 steps."""
    rng = np.random.default_rng(0)
    # Each state forgets at a pace of its own, from one step to some hundreds.
    keep = 1 - 1 / np.geomspace(1.5, 300, N_STATES)
    scale = np.sqrt(1 - keep**2)
    rows = np.empty((N_STEPS, N_STATES), np.float32)
    state = rng.standard_normal(N_STATES)
    for step in range(N_STEPS):
        state = keep * state + scale * rng.standard_normal(N_STATES)
        rows[step] = state
    return np.tanh(rows), np.arange(0, N_STEPS + 1, 500)


def measure(name: str, rows: NDArray[Any], offsets: NDArray[np.int64]) -> Iterator[Row]:
    """Yield the lines of one source; the selection is a brush of four steps in its middle."""
    from app.matching import Query, States, find_matches, pack, select

    states = States(rows=rows, offsets=offsets)
    middle = int(offsets[len(offsets) // 2 - (len(offsets) == 2)])
    start = min(middle + 3, int(offsets[-1]) - 4)
    base = Query(threshold=0.5, start=start, stop=start + 4)
    bits = pack(rows, base.threshold, base.polarity)
    # With limits the brush itself selects too few states to be worth measuring: its states are given.
    given = replace(base, states=select(states, base, bits).states, start=None, stop=None)
    over_values, over_bits = one_pass(rows), one_pass(bits)

    seconds = fastest(lambda: pack(rows, base.threshold, base.polarity))
    yield Row(name, "pack (passes over the values)", "", seconds, seconds / over_values)

    asked = {
        "match": base,
        "match, 1 state shared is enough": replace(base, min_overlap=1),
        "match, 1 off before and after": replace(given, off_before=1, off_after=1),
        "match, 3 off before and after": replace(given, off_before=3, off_after=3),
        "match, every match listed": replace(base, overlapping=True, top=1000),
        "match, all states": replace(
            base, states=tuple(range(rows.shape[1])), start=None, stop=None, min_overlap=1
        ),
    }
    for what, query in asked.items():
        result = find_matches(states, query, bits=bits)
        seconds = fastest(lambda query=query: find_matches(states, query, bits=bits), 3)
        found = f"{result.total_matches:,}"
        yield Row(name, f"{what} (passes over the bits)", found, seconds, seconds / over_bits)


def main() -> int:
    settings = settings_module.load(os.environ)
    settings_module.prepare_cache(settings)
    from demos import registry
    from loaders import open_dataset

    rows: list[Row] = []
    rows.extend(measure(f"generated {N_STEPS:,} x {N_STATES}", *generated()))
    for demo in registry.names():
        dataset = open_dataset(
            registry.ensure(demo, settings.cache_dir / "demos"), settings.cache_dir
        )
        source = dataset.open_source(next(iter(dataset.sources)))
        name = f"{demo} {source.n_steps:,} x {source.n_states}"
        rows.extend(measure(name, np.array(source.rows), dataset.sequences.offsets))

    print(f"{'data':30}  {'what':52}  {'matches':>10}  {'ms':>9}  {'passes':>7}")
    for row in rows:
        line = f"{row.data:30}  {row.what:52}  {row.matches:>10}"
        print(f"{line}  {1000 * row.seconds:9.2f}  {row.passes:7.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
