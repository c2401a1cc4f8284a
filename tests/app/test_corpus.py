"""Access to the data: opened, being prepared, or an error; and where access rights are checked."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from app.corpus import ANYONE, BeingPrepared, Client, Corpus, Opened, opened
from app.work.preparation import Preparations
from loaders import Catalog, DatasetError, open_dataset
from loaders.writer import write_dataset


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("public", "secret"):
        states = {"h": np.arange(12, dtype=np.float32).reshape(6, 2)}
        write_dataset(tmp_path / "data" / name, tokens=list("abcdef"), states=states)
    return tmp_path / "data"


def test_a_source_is_opened_with_its_states_and_key(folder: Path, tmp_path: Path) -> None:
    found = Corpus(Catalog([folder], tmp_path / "cache")).open("public", "h")
    assert isinstance(found, Opened)
    assert (found.dataset.id, found.source.name) == ("public", "h")
    assert found.states.rows.tolist() == found.source.rows.tolist()
    # The command line opens a folder without a catalog; it gets the same key.
    alone = opened(open_dataset(folder / "public", tmp_path / "cache"), "h")
    assert alone.key == found.key
    other = Corpus(Catalog([folder], tmp_path / "cache")).open("secret", "h")
    assert isinstance(other, Opened)
    assert other.key != found.key


def test_a_source_whose_copy_is_missing_is_being_prepared(folder: Path, tmp_path: Path) -> None:
    go = threading.Event()

    def progress(done: int, total: int) -> None:
        go.wait(30)

    catalog = Catalog([folder], tmp_path / "cache", progress)
    preparations = Preparations(tmp_path / "notes", patience=0)
    corpus = Corpus(catalog, preparations)
    found = corpus.open("public", "h", Client("a" * 32))
    assert isinstance(found, BeingPrepared)
    assert (found.dataset.id, found.source) == ("public", "h")
    assert preparations.cancel(found.dataset, "h") == "wanted", "the client that asked waits for it"
    go.set()
    while isinstance(corpus.open("public", "h"), BeingPrepared):
        threading.Event().wait(0.01)


@pytest.mark.parametrize(("dataset", "source"), [("nothing", "h"), ("public", "nothing")])
def test_an_unknown_name_is_a_sentence(
    folder: Path, tmp_path: Path, dataset: str, source: str
) -> None:
    with pytest.raises(DatasetError, match="nothing"):
        Corpus(Catalog([folder], tmp_path / "cache")).open(dataset, source)


def sentence(corpus: Corpus, dataset: str, client: Client) -> str:
    with pytest.raises(DatasetError) as error:
        corpus.dataset(dataset, client)
    return str(error.value)


def test_access_is_checked_by_every_method(folder: Path, tmp_path: Path) -> None:
    def allowed(client: Client, dataset_id: str) -> bool:
        return dataset_id != "secret" or client.page == "owner"

    corpus = Corpus(Catalog([folder], tmp_path / "cache"), allowed=allowed)
    assert [entry.id for entry in corpus.entries()] == ["public"]
    for client in (ANYONE, Client("other")):
        with pytest.raises(DatasetError, match="secret"):
            corpus.dataset("secret", client)
        with pytest.raises(DatasetError, match="secret"):
            corpus.open("secret", "h", client)
    owner = Client("owner")
    # A dataset that a client may not see and a missing one give the same error.
    hidden, missing = (sentence(corpus, name, ANYONE) for name in ("secret", "nowhere"))
    assert hidden == missing.replace("nowhere", "secret")
    assert "there are 'public')" in missing
    assert "did you mean 'public'" in sentence(corpus, "publik", ANYONE)
    assert "secret" not in sentence(corpus, "secreet", ANYONE)
    assert "did you mean 'secret'" in sentence(corpus, "secreet", owner)
    assert [entry.id for entry in corpus.entries(owner)] == ["public", "secret"]
    assert isinstance(corpus.open("secret", "h", owner), Opened)
