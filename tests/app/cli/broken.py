"""Ways to break the dataset of the fixture `dataset_folder`."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa

from tests.conftest import write_parquet


def no_folder(data: Path) -> None:
    shutil.rmtree(data)


def a_file(data: Path) -> None:
    no_folder(data)
    data.touch()


def an_empty_folder(data: Path) -> None:
    no_folder(data)
    data.mkdir()


def no_states(data: Path) -> None:
    shutil.rmtree(data / "states")


def no_tokens(data: Path) -> None:
    (data / "tokens.parquet").unlink()


def truncated(data: Path) -> None:
    path = data / "states" / "layer.parquet"
    path.write_bytes(path.read_bytes()[:200])


def not_parquet(data: Path) -> None:
    (data / "states" / "layer.parquet").write_text("step,s0\n0,1\n")


def too_few_rows(data: Path) -> None:
    write_parquet(data / "states" / "layer.parquet", {"s0": np.zeros(8, np.float32)})


def no_rows(data: Path) -> None:
    write_parquet(data / "tokens.parquet", {"token": pa.array([], pa.string())})
    write_parquet(data / "states" / "layer.parquet", {"s0": np.zeros(0, np.float32)})


def text_states(data: Path) -> None:
    write_parquet(data / "states" / "layer.parquet", {"s0": list("abcdefghi")})


def a_sequence_that_comes_back(data: Path) -> None:
    columns = {"token": list("abcdefghi"), "sequence": [1, 1, 1, 2, 2, 2, 1, 1, 1]}
    write_parquet(data / "tokens.parquet", columns)


def a_null_token(data: Path) -> None:
    write_parquet(data / "tokens.parquet", {"token": [*"abcdefgh", None]})


def a_bad_config(data: Path) -> None:
    (data / "dataset.yaml").write_text("nmae: small\n")


NO_DATASET = [no_folder, a_file, an_empty_folder]


BROKEN = [
    no_states,
    no_tokens,
    truncated,
    not_parquet,
    too_few_rows,
    no_rows,
    text_states,
    a_sequence_that_comes_back,
    a_null_token,
    a_bad_config,
]
