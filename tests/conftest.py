"""Shared fixtures: a dataset folder written without the project's writer, and demo datasets."""

from __future__ import annotations

import functools
import importlib.util
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from tests.findings.corpus import Corpus

# Kernels are compiled once for all tests, outside the source tree; numba reads this on import.
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(tempfile.gettempdir()) / "statebrush-test-numba"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests marked `torch` if torch is missing, and those marked `ci` elsewhere, listing each by name.

    A test of torch imports it in its body, never at module level.
    """
    if not os.environ.get("CI"):
        for item in items:
            if item.get_closest_marker("ci"):
                item.add_marker(pytest.mark.skip(reason=f"{item.name} is slow: set CI to run it"))
    if importlib.util.find_spec("torch") is not None:
        return
    for item in items:
        if item.get_closest_marker("torch"):
            reason = f"{item.name} compares with torch, which is not installed (make env-torch)"
            item.add_marker(pytest.mark.skip(reason=reason))


def write_parquet(path: Path, columns: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {
        name: column if isinstance(column, pa.Array) else pa.array(column)
        for name, column in columns.items()
    }
    pq.write_table(pa.table(arrays), path)


@pytest.fixture
def dataset_folder(tmp_path: Path) -> Callable[..., Path]:
    """Write a dataset folder as described in docs/dataset.md, with pyarrow alone."""

    def build(
        name: str = "small",
        sources: dict[str, Any] | None = None,
        sequences: Sequence[int] | Sequence[str] | None = None,
        tokens: Sequence[str] | None = None,
    ) -> Path:
        sources = sources or {"layer": example_rows()}
        n_steps = len(next(iter(sources.values())))
        columns: dict[str, Any] = {"token": tokens or [f"w{step}" for step in range(n_steps)]}
        if sequences is not None:
            columns["sequence"] = sequences
        folder = tmp_path / "data" / name
        write_parquet(folder / "tokens.parquet", columns)
        for source, rows in sources.items():
            states = {f"s{state}": rows[:, state] for state in range(rows.shape[1])}
            write_parquet(folder / "states" / f"{source}.parquet", states)
        return folder

    return build


def example_rows() -> np.ndarray[Any, np.dtype[np.float32]]:
    """The worked example of docs/matching.md: state 0 is on in [1, 6), state 1 in [3, 8)."""
    rows = np.zeros((9, 3), np.float32)
    rows[1:6, 0] = 0.9
    rows[3:8, 1] = 0.8
    return rows


@pytest.fixture(scope="session")
def demo_corpus(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Corpus]:
    """Open a demo dataset by its name, building it on first use."""
    from demos.registry import ensure
    from tests.findings.corpus import open_corpus

    root = tmp_path_factory.mktemp("demos")
    return functools.cache(lambda name: open_corpus(ensure(name, root), root))
