"""A small dataset for views."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from loaders import Catalog
from loaders.writer import write_dataset


def waves(n_steps: int, n_states: int, dtype: Any = np.float16) -> Any:
    steps = np.arange(n_steps)[:, None]
    return np.sin(steps / (3 + np.arange(n_states)) + np.arange(n_states)).astype(dtype)


@pytest.fixture(scope="package")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    root, n_steps = tmp_path_factory.mktemp("data"), 2000
    write_dataset(
        root / "waves",
        tokens=[f"w{i % 50}" for i in range(n_steps)],
        sequences=(np.arange(n_steps) // 500).tolist(),
        states={"one": waves(n_steps, 40)},
    )
    return Catalog([root], tmp_path_factory.mktemp("cache"))
