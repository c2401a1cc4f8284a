"""The sources that are measured: realistic generated states, and the demos' trained ones, tiled.

Each is a `.npy` file in a folder that is kept between runs, and is read through a memory map.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from app import settings as settings_module
from app.matching import States

BLOCK = 1 << 14


@dataclass(frozen=True, slots=True)
class Measured:
    """One source, and the threshold at which its on-bits are measured."""

    name: str
    path: Path
    states: States
    threshold: float


@numba.njit(cache=True, nogil=True)
def _forget(noise: NDArray[Any], keep: NDArray[Any], last: NDArray[Any]) -> None:
    """Turn independent noise into values that each decay at a pace of their own, in place."""
    for t in range(noise.shape[0]):
        for c in range(noise.shape[1]):
            last[c] = keep[c] * last[c] + np.float32(np.sqrt(1 - keep[c] ** 2)) * noise[t, c]
            noise[t, c] = last[c]


def generated(folder: Path, n_steps: int, n_states: int, n_factors: int = 24) -> Measured:
    """Return states as a recurrent network has them.

    A few hidden causes, each with a pace of its own from one step to some hundreds, make the states
    go together; a share of its own makes each differ. Every state is on at 15 to 35 % of the steps,
    as float16, in sequences of 1,000 steps on average.
    """
    path = folder / f"generated-{n_steps}x{n_states}.npy"
    rng = np.random.default_rng(7)
    threshold = 0.3
    if not path.exists():
        keep = (1 - 1 / np.geomspace(1.5, 300, n_factors)).astype(np.float32)
        own_keep = (1 - 1 / rng.uniform(1.5, 60, n_states)).astype(np.float32)
        # Three causes a state, some of them against it.
        loads = np.zeros((n_factors, n_states), np.float32)
        for c in range(n_states):
            loads[rng.choice(n_factors, 3, replace=False), c] = rng.normal(size=3)
        loads *= 0.85 / np.linalg.norm(loads, axis=0)
        # The quantile that 15 to 35 % of a normal variable are above.
        ordered = np.sort(rng.standard_normal(1 << 20))
        cut = ordered[((1 - rng.uniform(0.15, 0.35, n_states)) * ordered.size).astype(int)]
        shift = (np.arctanh(threshold) - cut).astype(np.float32)
        last, own_last = np.zeros(n_factors, np.float32), np.zeros(n_states, np.float32)

        def blocks() -> Iterator[NDArray[np.float16]]:
            for first in range(0, n_steps, BLOCK):
                n = min(BLOCK, n_steps - first)
                causes = rng.standard_normal((n, n_factors), np.float32)
                values = rng.standard_normal((n, n_states), np.float32)
                _forget(causes, keep, last)
                _forget(values, own_keep, own_last)
                values *= np.float32(np.sqrt(1 - 0.85**2))
                values += causes @ loads
                values += shift
                yield np.tanh(values).astype(np.float16)

        _save(path, (n_steps, n_states), np.dtype(np.float16), blocks())
    lengths = np.maximum(1, np.random.default_rng(8).geometric(1 / 1000, n_steps // 500 + 10))
    ends = np.cumsum(lengths)
    offsets = np.array([0, *ends[ends < n_steps], n_steps], dtype=np.int64)
    name = f"generated {n_steps:,} x {n_states}"
    return Measured(name, path, States(np.load(path, mmap_mode="r"), offsets), threshold)


def tiled(folder: Path, demo: str, source: str, n_steps: int, n_states: int) -> Measured:
    """Return a trained source repeated until it has that many steps and states.

    A repeated state is shifted in time by whole sequences, so that no two are the same.
    """
    from demos import registry
    from loaders import open_dataset

    settings = settings_module.load({}, {})
    dataset = open_dataset(registry.ensure(demo, folder / "demos"), folder / "cache")
    opened = dataset.open_source(source)
    real, cuts = np.asarray(opened.rows), dataset.sequences.offsets
    del settings
    path = folder / f"{demo}-{source}-{n_steps}x{n_states}.npy"
    if not path.exists():
        copies = [
            np.roll(real, -int(cuts[(7 * i) % (len(cuts) - 1)]), axis=0)
            for i in range(-(-n_states // real.shape[1]))
        ]
        wide = np.ascontiguousarray(np.concatenate(copies, axis=1)[:, :n_states])

        def blocks() -> Iterator[NDArray[Any]]:
            for first in range(0, n_steps, len(wide)):
                yield wide[: n_steps - first]

        _save(path, (n_steps, n_states), wide.dtype, blocks())
    starts = (cuts[:-1] + np.arange(0, n_steps, len(real))[:, None]).ravel()
    offsets = np.array([*starts[starts < n_steps], n_steps], dtype=np.int64)
    name = f"{demo} {source}, tiled to {n_steps:,} x {n_states}"
    states = States(np.load(path, mmap_mode="r"), offsets)
    return Measured(name, path, states, opened.suggested_threshold)


def _save(
    path: Path, shape: tuple[int, int], dtype: np.dtype[Any], blocks: Iterator[NDArray[Any]]
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    with half.open("wb") as file:
        header = {
            "descr": np.lib.format.dtype_to_descr(dtype),
            "fortran_order": False,
            "shape": shape,
        }
        np.lib.format.write_array_header_1_0(file, header)
        for block in blocks:
            file.write(block.tobytes())
    half.rename(path)
