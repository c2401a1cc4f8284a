"""Several datasets at once: broken ones are entries, changed ones are opened again."""

import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loaders.catalog import Catalog, unknown_dataset
from loaders.problems import DatasetError
from loaders.writer import write_dataset


def make(path: Path, n: int = 4, **more: Any) -> Any:
    return write_dataset(
        path, tokens=["t"] * n, states={"s": np.arange(n, dtype="f4")[:, None]}, **more
    )


def test_datasets_and_folders_of_datasets(tmp_path: Path) -> None:
    make(tmp_path / "many" / "b", config={"name": "Bee"})
    make(tmp_path / "many" / "a")
    (tmp_path / "many" / "notes").mkdir()
    make(tmp_path / "single")
    catalog = Catalog([tmp_path / "single", tmp_path / "many"], tmp_path / "c")
    entries = catalog.entries()
    assert [(e.id, e.title, e.error) for e in entries] == [
        ("single", "single", None),
        ("a", "a", None),
        ("b", "Bee", None),
    ]
    assert catalog.get("b").name == "Bee"
    assert catalog.get("b") is catalog.get("b")


def test_a_broken_dataset_is_an_entry_and_the_others_open(tmp_path: Path) -> None:
    make(tmp_path / "many" / "good")
    bad = make(tmp_path / "many" / "bad")
    (bad / "states" / "s.parquet").write_text("x")
    catalog = Catalog([tmp_path / "many"], tmp_path / "c")
    first, second = catalog.entries()
    assert first.id == "bad"
    assert first.error is not None
    assert first.error.startswith("bad/states/s.parquet: expected a complete Parquet file")
    assert second.error is None
    with pytest.raises(DatasetError, match=r"bad/states/s\.parquet"):
        catalog.get("bad")
    assert catalog.get("good").n_steps == 4


@pytest.mark.parametrize("name", ["missing", "file", "empty"])
def test_a_path_without_a_dataset_is_an_entry_with_a_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    (entry,) = Catalog([tmp_path / name], tmp_path / "c").entries()
    assert entry.id == name
    assert entry.error is not None
    assert "expected a dataset folder" in entry.error


def test_folders_of_the_same_name_get_distinct_ids(tmp_path: Path) -> None:
    for parent in ("x", "y", "z"):
        make(tmp_path / parent / "data", config={"name": parent})
    make(tmp_path / "z" / "data-2", config={"name": "taken"})
    paths = [tmp_path / "x" / "data", tmp_path / "y" / "data", tmp_path / "z"]
    catalog = Catalog([*paths, paths[0]], tmp_path / "c")  # a path given twice is one dataset
    assert [(e.id, e.title) for e in catalog.entries()] == [
        ("data", "x"),
        ("data-3", "y"),
        ("data-4", "z"),
        ("data-2", "taken"),
    ]
    assert catalog.get("data-3").name == "y"
    assert catalog.get("data-3").id == "data-3"


def test_an_unknown_id_is_a_sentence_that_names_only_what_the_caller_lists(tmp_path: Path) -> None:
    make(tmp_path / "alpha")
    catalog = Catalog([tmp_path / "alpha"], tmp_path / "c")
    assert catalog.ids() == ("alpha",)
    assert "alpha" in catalog
    assert "alpah" not in catalog
    with pytest.raises(DatasetError, match="known dataset, found 'alpah'") as error:
        catalog.get("alpah")
    assert "'alpha'" not in str(error.value)
    assert "did you mean 'alpha'" in str(unknown_dataset("alpah", catalog.ids()))
    assert "there are none" in str(unknown_dataset("x", ()))


def test_changed_files_are_opened_again(tmp_path: Path) -> None:
    path = make(tmp_path / "d")
    catalog = Catalog([path], tmp_path / "c")
    before = catalog.get("d")
    old = before.open_source("s")
    make(path, n=6, overwrite=True)
    after = catalog.get("d")
    assert (before.n_steps, after.n_steps) == (4, 6)
    assert after.open_source("s").n_steps == 6
    assert old.window(0, 4).shape == (4, 1)
    (path / "dataset.yaml").write_text("nme: x")
    with pytest.raises(DatasetError, match="did you mean 'name'"):
        catalog.get("d")
    (path / "dataset.yaml").write_text("name: fixed")
    assert catalog.get("d").name == "fixed"
    write_annotation = path / "annotations"
    write_annotation.mkdir()
    (write_annotation / "a.parquet").write_text("x")
    assert catalog.entries()[0].error is not None


def test_new_and_removed_datasets_are_noticed(tmp_path: Path) -> None:
    make(tmp_path / "many" / "a")
    catalog = Catalog([tmp_path / "many"], tmp_path / "c")
    assert [e.id for e in catalog.entries()] == ["a"]
    make(tmp_path / "many" / "b")
    assert catalog.get("b").n_steps == 4  # before entries() was called again
    assert [e.id for e in catalog.entries()] == ["a", "b"]
    shutil.rmtree(tmp_path / "many" / "a")
    assert [e.id for e in catalog.entries()] == ["b"]
    with pytest.raises(DatasetError):
        catalog.get("a")


def test_threads_share_one_dataset(tmp_path: Path) -> None:
    make(tmp_path / "d")
    catalog = Catalog([tmp_path / "d"], tmp_path / "c")
    found = []
    threads = [threading.Thread(target=lambda: found.append(catalog.get("d"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert len({id(dataset) for dataset in found}) == 1
