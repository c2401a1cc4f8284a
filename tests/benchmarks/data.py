"""The measured sources: realistic generated states, and the trained states of the demos, tiled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from app.matching import Packed, Polarity, Query, States, find_matches, pack
from app.matching.edges import cut_evenly, scan_ends, spans
from app.matching.packed import span_shards
from app.matching.selection import indices

BLOCK = 1 << 14
THRESHOLD = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A source, the starts of its sequences, and its packed bits at a suitable threshold."""

    name: str
    bits: NDArray[np.uint64]
    offsets: NDArray[np.int64]
    n_states: int

    @property
    def states(self) -> States:
        """Return the source without its values, which a search with given states never reads."""
        nothing = np.broadcast_to(np.float16(0), (len(self.bits), self.n_states))
        return States(nothing, self.offsets)

    def packed(self, n_shards: int) -> Packed:
        """Return the packed bits, divided into shards."""
        cuts = cut_evenly(len(self.bits), n_shards)
        parts = [scan_ends(self.bits, 0, *one, self.offsets, self.n_states) for one in spans(cuts)]
        return Packed(self.bits, span_shards(cuts, self.offsets, parts))

    def together(self, n_selected: int, near: float) -> tuple[int, ...]:
        """Return states that are on together: at a step near a share of all, where most are on.

        If fewer are on there, others are added.
        """
        rng = np.random.default_rng(n_selected)
        first = int(near * len(self.bits))
        on = np.bitwise_count(self.bits[first : first + 2000]).sum(axis=1)
        here = np.array(indices(self.bits[first + int(on.argmax())]), dtype=np.int64)
        others = np.setdiff1d(np.arange(self.n_states), here)
        order = np.concatenate([rng.permutation(here), rng.permutation(others)])
        return tuple(sorted(order[:n_selected].tolist()))

    def match(self, states: tuple[int, ...], packed: Packed, threads: int, **options: Any) -> Any:
        """Match given states, with the default options unless others are given."""
        query = Query(threshold=THRESHOLD, states=states, **options)
        return find_matches(self.states, query, bits=packed, threads=threads)


@numba.njit(cache=True, nogil=True)
def _decay(noise: NDArray[Any], keep: NDArray[Any], last: NDArray[Any]) -> None:
    """Turn independent noise into values that each decay at their own rate, in place."""
    for t in range(noise.shape[0]):
        for c in range(noise.shape[1]):
            fresh = np.float32(np.sqrt(1 - keep[c] * keep[c])) * noise[t, c]
            last[c] = keep[c] * last[c] + fresh
            noise[t, c] = last[c]


def generated_blocks(n_steps: int, n_states: int) -> Iterator[NDArray[np.float16]]:
    """Yield states like those of a recurrent network, `(any, n_states)` at a time.

    A few hidden causes, each with its own time scale from one step to some hundreds, correlate the
    states, and individual noise makes them differ. Every state is >= 0.3 at 15 to 35 % of the
    steps.
    """
    rng = np.random.default_rng(7)
    n_causes, common = 24, np.float32(0.85)
    keep = (1 - 1 / np.geomspace(1.5, 300, n_causes)).astype(np.float32)
    own_keep = (1 - 1 / rng.uniform(1.5, 60, n_states)).astype(np.float32)
    loads = np.zeros((n_causes, n_states), np.float32)
    for c in range(n_states):
        loads[rng.choice(n_causes, 3, replace=False), c] = rng.normal(size=3)
    loads *= common / np.linalg.norm(loads, axis=0)
    # The quantile that 15 to 35 % of a normal variable are above.
    ordered = np.sort(rng.standard_normal(1 << 20))
    cut = ordered[((1 - rng.uniform(0.15, 0.35, n_states)) * ordered.size).astype(int)]
    shift = (np.arctanh(THRESHOLD) - cut).astype(np.float32)
    last, own_last = np.zeros(n_causes, np.float32), np.zeros(n_states, np.float32)
    for first in range(0, n_steps, BLOCK):
        n = min(BLOCK, n_steps - first)
        causes = rng.standard_normal((n, n_causes), np.float32)
        values = rng.standard_normal((n, n_states), np.float32)
        _decay(causes, keep, last)
        _decay(values, own_keep, own_last)
        values *= np.sqrt(1 - common * common)
        values += causes @ loads
        values += shift
        yield np.tanh(values).astype(np.float16)


def sequences(n_steps: int) -> NDArray[np.int64]:
    """Return sequences of 1,000 steps on average, of very different lengths."""
    lengths = np.maximum(1, np.random.default_rng(8).geometric(1 / 1000, n_steps // 500 + 10))
    ends = np.cumsum(lengths)
    return np.array([0, *ends[ends < n_steps], n_steps], dtype=np.int64)


def generated(path: Path, n_steps: int, n_states: int) -> NDArray[np.float16]:
    """Return the generated states as a memory map of `path`, which is reused between runs."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(".half")
        header = {"descr": "<f2", "fortran_order": False, "shape": (n_steps, n_states)}
        with half.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            for block in generated_blocks(n_steps, n_states):
                file.write(block.data)
        half.rename(path)
    rows: NDArray[np.float16] = np.load(path, mmap_mode="r")
    return rows


def tiled(
    name: str,
    rows: NDArray[Any],
    cuts: NDArray[np.int64],
    threshold: float,
    n_steps: int,
    n_states: int,
) -> Measured:
    """Return a trained source, repeated to this number of steps and states.

    Repeated states are shifted in time by whole sequences, so that no two are equal.
    """
    shifts = [int(cuts[7 * i % (len(cuts) - 1)]) for i in range(-(-n_states // rows.shape[1]))]
    wide = np.concatenate([np.roll(rows, -shift, axis=0) for shift in shifts], axis=1)
    once = pack(np.ascontiguousarray(wide[:, :n_states]), threshold, Polarity.HIGH)
    times = -(-n_steps // len(rows))
    starts = (cuts[:-1] + np.arange(times)[:, None] * len(rows)).ravel()
    offsets = np.array([*starts[starts < n_steps], n_steps], dtype=np.int64)
    bits = np.ascontiguousarray(np.tile(once, (times, 1))[:n_steps])
    return Measured(name, bits, offsets, n_states)
