"""docs/dataset.md: its example runs as written, and its lists match the code."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from loaders import annotations, config, palette
from loaders.check import check
from loaders.dataset import open_dataset
from tests import ROOT

PAGE = ROOT / "docs" / "dataset.md"


def block(language: str) -> Any:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("docs")
    (code,) = block("python")
    imported = set(re.findall(r"^(?:from|import) (\w+)", code, re.MULTILINE))
    assert imported == {"pathlib", "numpy", "pandas", "pyarrow"}  # no module of this project
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=folder, check=True, timeout=120)
    return folder / "mydata"


def test_the_example_is_a_clean_dataset(example: Path) -> None:
    report = check(example)
    assert report.problems == report.warnings == ()


def test_the_example_contains_what_the_page_says(example: Path) -> None:
    dataset = open_dataset(example, example.parent / "cache")
    assert dataset.name == "Two sentences"
    assert dataset.n_steps == 2000
    assert dataset.tokens(0, 3) == ["the", "cat", "sat"]
    assert dataset.sequences.bounds(8) == (7, 15)
    assert {name: a.kind for name, a in dataset.annotations.items()} == {
        "length": "scalar",
        "tag": "categorical",
        "guess": "ranked",
        "phrase": "interval",
    }
    source = dataset.open_source("cell")
    assert source.dtype == "float16"
    assert source.state_names[3] == "unit 3"
    assert dataset.default is not None
    assert (source.window(0, 1)[0] >= dataset.default.threshold)[3]


def test_the_page_shows_every_key_of_dataset_yaml() -> None:
    (text,) = block("yaml")
    content = yaml.safe_load(text)
    assert set(content) == set(config.TOP_KEYS)
    assert set(content["default"]) == set(config.DEFAULT_KEYS)
    assert {k for v in content["sources"].values() for k in v} == set(config.SOURCE_KEYS)
    assert {k for v in content["annotations"].values() for k in v} == set(config.ANNOTATION_KEYS)
    assert config.parse_config(content)[1] == []
    page = PAGE.read_text(encoding="utf-8")
    assert all(kind in page for kind in config.KINDS)
    assert f"at most {annotations.MOST_INTEGER_CATEGORIES} different values" in page
    assert f"a palette of {len(palette.COLORS)} " in page
