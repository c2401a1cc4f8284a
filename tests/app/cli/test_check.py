"""`check`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.app.cli.broken import BROKEN, NO_DATASET
from tests.app.cli.conftest import RANGE, Build, Run
from tests.conftest import example_rows


@pytest.mark.parametrize("breaks", NO_DATASET)
def test_check_ends_with_2_without_a_dataset(
    run: Run, dataset_folder: Build, breaks: Callable[[Path], None]
) -> None:
    data = dataset_folder()
    breaks(data)
    assert "expected a dataset folder" in run("check", data).sentence


@pytest.mark.parametrize("breaks", BROKEN)
def test_check_ends_with_1_on_problems(
    run: Run, dataset_folder: Build, breaks: Callable[[Path], None]
) -> None:
    data = dataset_folder()
    breaks(data)
    ran = run("check", data)
    assert (ran.code, ran.err) == (1, "")
    assert "expected" in ran.out


def test_check_ends_with_0_on_a_clean_dataset_and_describes_it(
    run: Run, dataset_folder: Build
) -> None:
    ran = run("check", dataset_folder(sequences=[1] * 4 + [2] * 5))
    assert (ran.code, ran.err) == (0, "")
    for shown in ("layer", "float32", "9", "3"):
        assert shown in ran.out
    deep = run("check", dataset_folder(), "--deep")
    assert (deep.code, deep.err) == (0, "")
    assert "tokens.parquet" in deep.out


def test_check_covers_every_dataset_of_a_folder_like_serve(run: Run, dataset_folder: Build) -> None:
    root = dataset_folder("one").parent
    dataset_folder("two")
    (root / "notes").mkdir()
    ran = run("check", root)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"{root} is a folder of 2 datasets.\n")
    for name in ("one", "two"):
        assert f"Ready: python -m app serve {root / name}\n" in ran.out
    assert ran.out.endswith("2 of 2 datasets can be served.\n")
    (root / "one" / "tokens.parquet").write_bytes(b"no parquet")
    ran = run("check", root)
    assert (ran.code, ran.err) == (1, "")
    assert "one/tokens.parquet" in ran.out
    assert ran.out.endswith("1 of 2 datasets can be served; there are problems in 'one'.\n")
    # If one dataset is needed, the existing ones are named.
    assert "found a folder of 2 datasets ('one', 'two')" in run("match", root, *RANGE.split()).err


def test_warnings_are_not_problems(run: Run, dataset_folder: Build) -> None:
    rows = example_rows()
    rows[:, 2] = np.nan
    rows[0, 1] = np.inf
    data = dataset_folder(sources={"layer": rows})
    ran = run("check", data)
    assert ran.code == 0
    assert "NaN" in ran.out
    answer = run("match", data, *"--start 0 --stop 1 --threshold -9 --format json".split()).answer
    assert answer["selected_states"] == [0, 1]
