"""`import lstmvis`: a project of the original, built with h5py as its documentation says."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from app.cli.main import main
from app.matching import Query, States, find_matches
from loaders.check import check
from loaders.dataset import Dataset, open_dataset
from tests import ROOT, naive
from tests.conftest import write_parquet

h5py = pytest.importorskip("h5py", reason="import lstmvis reads HDF5 (pip install h5py)")

N = 400
RNG = np.random.default_rng(7)
WORDS = ["<s>", "the", " ", "\n", "\t", "New York", "a b", "çé", "</s>"]
IDS = RNG.integers(1, 10, N)  # counted from 1, as by the original's converter
# Slow waves, so that states are on for several steps.
PHASE = np.arange(N)[:, None] / RNG.uniform(2, 9, 12) + RNG.uniform(0, 6, 12)
CELL = (2 * np.sin(PHASE)).astype(np.float32)
HIDDEN = (np.sin(PHASE[:, :7]) * 0.9).astype(np.float64)
TAGS = RNG.integers(1, 4, N)
DICT = "".join(f"{word} {number}\n" for number, word in enumerate(WORDS, 1))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project as described in README.md, config_states.md and meta.md of LSTMVis."""
    folder = tmp_path / "project"
    folder.mkdir()
    with h5py.File(folder / "states.hdf5", "w") as file:
        file["states1"] = CELL
        file.create_dataset("deep/output2", data=HIDDEN, chunks=(64, 3), compression="gzip")
    with h5py.File(folder / "train.h5", "w") as file:
        file["word_ids"] = IDS.astype(np.float64)  # Torch wrote doubles
    with h5py.File(folder / "meta.h5", "w") as file:
        file["pos"] = TAGS.astype(np.float32)
        file["mood"] = np.linspace(0, 1, N)
        file["bucket"] = np.arange(N) % 70
        file["by_word"] = np.arange(20) * 10
        file["preds"] = np.stack([IDS, IDS % 9 + 1, TAGS], axis=1)
        file["scores"] = np.tile([0.2, 0.5, 0.3], (N, 1))
        file["short"] = np.zeros(3)
        file["wide"] = np.zeros((N, 4))
    (folder / "train.dict").write_text(DICT)
    (folder / "pos.dict").write_text("NOUN 1\nVERB 2\nDET 3\n")
    put(folder, content())
    return folder


def content() -> dict[str, Any]:
    return {
        "name": "children books",
        "description": "texts from the Gutenberg project",
        "files": {
            "states": "states.hdf5",
            "train": "train.h5",
            "words": "train.dict",
            "meta": "meta.h5",
            "pos_dict": "pos.dict",
        },
        "word_sequence": {"file": "train", "path": "word_ids", "dict_file": "words"},
        "states": {
            "file": "states",
            "types": [
                {"type": "state", "layer": 1, "path": "states1"},
                {"type": "output", "layer": 2, "path": "deep/output2", "transform": "none"},
            ],
        },
        "meta": {
            "pos": {
                "file": "meta",
                "path": "pos",
                "dict": "pos_dict",
                "vis": {"type": "discrete", "range": "dict"},
            },
            "mood": {"file": "meta", "path": "mood", "vis": {"type": "scalar", "range": [0, 1]}},
            "bucket": {"file": "meta", "path": "bucket", "vis": {"type": "discrete"}},
            "length": {
                "file": "meta",
                "path": "by_word",
                "index": "word_sequence",
                "vis": {"type": "scalar"},
            },
            "next": {
                "file": "meta",
                "path": "preds",
                "weights_path": "scores",
                "type": "wordvec",
                "dict": "words",
            },
        },
    }


def put(folder: Path, new: dict[str, Any]) -> None:
    (folder / "lstm.yml").write_text(yaml.safe_dump(new, sort_keys=False))


RunImport = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run_import(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> RunImport:
    def run(folder: Path, *options: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main(["import", "lstmvis", str(folder), str(tmp_path / "out"), *options])
        return (code, *capfd.readouterr())

    return run


def opened(tmp_path: Path) -> Dataset:
    report = check(tmp_path / "out")
    assert report.problems == ()
    return open_dataset(tmp_path / "out", tmp_path / "cache")


def test_a_project_is_imported_completely(
    project: Path, run_import: RunImport, tmp_path: Path
) -> None:
    code, out, err = run_import(project)
    assert (code, err) == (0, "")
    dataset = opened(tmp_path)
    assert (dataset.name, dataset.description) == ("children books", content()["description"])
    assert dataset.tokens(0, N) == [WORDS[number - 1] for number in IDS]
    assert {name: info.title for name, info in dataset.sources.items()} == {
        "states1": "layer 1, state",
        "deep_output2": "layer 2, output",
    }
    assert dataset.default is not None and dataset.default.source == "states1"
    kinds = {name: one.kind for name, one in dataset.annotations.items()}
    assert kinds == {
        "pos": "categorical",
        "bucket": "categorical",
        "mood": "scalar",
        "length": "scalar",
        "next": "ranked",
    }
    pos = dataset.annotations["pos"]
    labels = [pos.categories[code].label for code in pos.codes(0, N)]
    assert labels == [["NOUN", "VERB", "DET"][tag - 1] for tag in TAGS]
    assert dataset.annotations["length"].values(0, N).tolist() == (IDS * 10).tolist()
    best = dataset.annotations["next"]
    assert best.items(5, 6) == [
        [WORDS[number - 1] for number in (IDS[5] % 9 + 1, TAGS[5], IDS[5])]  # by weight
    ]
    weights = best.weights(5, 6)
    assert weights is not None
    assert np.allclose(weights, [[0.5, 0.3, 0.2]])
    assert "Not imported:\n- the colour range of track 'mood'" in out
    assert out.count("\n") == 3


def test_same_selection_and_matches_as_the_same_data_written_natively(
    project: Path, run_import: RunImport, tmp_path: Path
) -> None:
    assert run_import(project)[0] == 0
    native = tmp_path / "native"
    write_parquet(native / "tokens.parquet", {"token": [WORDS[number - 1] for number in IDS]})
    transformed = np.tanh(CELL.astype(np.float64)).astype(np.float32)
    states: dict[str, Any] = {"states1": transformed, "deep_output2": HIDDEN}
    for name, rows in states.items():
        columns = {str(i): rows[:, i] for i in range(rows.shape[1])}
        write_parquet(native / "states" / f"{name}.parquet", columns)
    ours, theirs = opened(tmp_path), open_dataset(native, tmp_path / "cache")
    for name in ("states1", "deep_output2"):
        a, b = ours.open_source(name).rows, theirs.open_source(name).rows
        assert a.dtype == b.dtype
        assert np.array_equal(a, b)
        for start, stop in [(10, 13), (100, 102), (250, 255)]:
            query = Query(threshold=0.4, start=start, stop=stop, min_overlap=1)
            found = [
                find_matches(States(rows=rows, offsets=ours.sequences.offsets), query)
                for rows in (a, b)
            ]
            assert found[0].selected_states == found[1].selected_states
            assert found[0].matches == found[1].matches
            assert found[0].total_matches == found[1].total_matches > 0
            expected = [
                state
                for state in range(a.shape[1])
                if all(naive.is_on(v, 0.4, "high") for v in b[start:stop, state])
            ]
            assert list(found[0].selected_states) == expected
            assert expected


def test_tanh_abs_unsigned_dtype_and_one_array_twice(
    project: Path, run_import: RunImport, tmp_path: Path
) -> None:
    new = content()
    new["states"]["types"] = [
        {"path": "states1", "transform": "tanh_abs"},
        {"path": "/states1", "transform": None, "unsigned": True, "type": "state"},
    ]
    new |= {"etc": {"regex_search": True}, "word_embedding": {"file": "x"}, "colour": "red"}
    del new["meta"], new["word_sequence"]["dict_file"]
    put(project, new)
    (project / "indexdir").mkdir()
    code, out, err = run_import(project, "--dtype", "float16")
    assert (code, err) == (0, "")
    dataset = opened(tmp_path)
    assert dataset.tokens(0, 3) == [str(number) for number in IDS[:3]]
    absolute = dataset.open_source("states_states1").rows
    assert np.array_equal(absolute, np.abs(np.tanh(CELL.astype("f8"))).astype("f4").astype("f2"))
    plain = dataset.open_source("states_states1_").rows
    assert np.array_equal(plain, CELL.astype("f2"))
    for words in ("unsigned", "before tanh_abs", "etc", "embeddings", "indexdir", "'colour'"):
        assert words in out
    assert "no dict_file, so ids are shown" in out


def test_ids_missing_or_repeated_in_the_dictionary(
    project: Path, run_import: RunImport, tmp_path: Path
) -> None:
    (project / "train.dict").write_text(DICT.replace("çé 8\n", "") + "THE 2\n")
    code, out, _ = run_import(project)
    assert code == 0
    missing = int(np.flatnonzero(IDS == 8)[0])
    dataset = opened(tmp_path)
    assert dataset.tokens(missing, missing + 1) == ["[8]"]
    assert "THE" in dataset.tokens(0, N)
    assert f"the first in row {missing}" in out
    assert "2 is 'THE' now" in out


def test_tracks_that_do_not_fit_are_listed(
    project: Path, run_import: RunImport, tmp_path: Path
) -> None:
    new = content()
    new["meta"] = {
        "short": {"file": "meta", "path": "short"},
        "wide": {"file": "meta", "path": "wide"},
        "odd": {"file": "meta", "path": "mood", "type": "hologram"},
        "fine": {"file": "meta", "path": "mood", "size": 3},
    }
    put(project, new)
    code, out, _ = run_import(project)
    assert code == 0
    assert list(opened(tmp_path).annotations) == ["fine"]
    for words in ("'short'", "3 rows for 400 steps", "'wide'", "(400, 4)", "'hologram'", "'size'"):
        assert words in out


def test_more_words_than_states_require_trim(
    project: Path, run_import: RunImport, tmp_path: Path
) -> None:
    with h5py.File(project / "states.hdf5", "a") as file:
        del file["states1"]
        file["states1"] = CELL[:390]
    code, out, err = run_import(project)
    assert (code, out) == (2, "")
    assert "expected 400 rows" in err and "found 390" in err and "--trim" in err
    code, out, err = run_import(project, "--trim")
    assert (code, err) == (0, "")
    assert opened(tmp_path).n_steps == 390
    assert "10 rows at the end of" in out


def test_the_readme_of_the_original_indents_with_tabs(project: Path, run_import: RunImport) -> None:
    (project / "lstm.yml").write_text(
        """
name: children books  # project name
files: # assign files to reference name
  states: states.hdf5
  train: train.h5
  words: train.dict
word_sequence:
  file: train
  path: word_ids
  dict_file: words
states:
  file: states
  types: [
  \t{type: state, layer: 1, path: states1},
\t{type: output, layer: 2, path: deep/output2}
  ]
"""
    )
    assert run_import(project)[0] == 0


def without(key: str, *more: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        new = part = content()
        for name in (key, *more)[:-1]:
            part = part[name]
        del part[(key, *more)[-1]]
        put(folder, new)

    return damage


def with_value(value: Any, *keys: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        new = part = content()
        for name in keys[:-1]:
            part = part[name]
        part[keys[-1]] = value
        put(folder, new)

    return damage


def in_file(name: str, path: str, values: Any) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        with h5py.File(folder / name, "a") as file:
            del file[path]
            if values is not None:
                file[path] = values

    return damage


WRONG: dict[str, tuple[Callable[[Path], Any], list[str]]] = {
    "no lstm.yml": (lambda d: (d / "lstm.yml").unlink(), ["no lstm.yml"]),
    "broken YAML": (lambda d: (d / "lstm.yml").write_text("a: [\n"), ["lstm.yml, line 2", "YAML"]),
    "a list": (lambda d: (d / "lstm.yml").write_text("- a"), ["keys with values", "a list of 1"]),
    "no files": (without("files"), ["lstm.yml, files", "nothing"]),
    "no words": (without("word_sequence"), ["lstm.yml, word_sequence", "nothing"]),
    "no types": (without("states", "types"), ["states.types", "a list of states"]),
    "no path": (with_value([{"layer": 1}], "states", "types"), ["entry 0.path", "nothing"]),
    "type is text": (with_value(["states1"], "states", "types"), ["entry 0", "'states1'"]),
    "unknown reference": (
        with_value("trian", "word_sequence", "file"),
        ["word_sequence.file", "'states', 'train', 'words'", "'trian'"],
    ),
    "no such file": (with_value("gone.h5", "files", "train"), ["gone.h5", "no such file"]),
    "file is a number": (with_value(3, "files", "train"), ["files.train", "'3'"]),
    "no HDF5": (lambda d: (d / "train.h5").write_text("hello"), ["train.h5", "another format"]),
    "cut HDF5": (
        lambda d: (d / "train.h5").write_bytes((d / "train.h5").read_bytes()[:-100]),
        ["train.h5"],
    ),
    "no such array": (
        with_value("ids", "word_sequence", "path"),
        ["train.h5", "an array 'ids'", "there is 'word_ids'"],
    ),
    "a group": (
        with_value([{"path": "deep"}], "states", "types"),
        ["an array 'deep'", "a group", "'deep/output2'"],
    ),
    "words of two axes": (
        in_file("train.h5", "word_ids", np.zeros((N, 2))),
        ["word_ids", "shape (400, 2)"],
    ),
    "fractions of words": (
        in_file("train.h5", "word_ids", np.full(N, 1.5)),
        ["whole numbers", "1.5"],
    ),
    "infinite words": (
        in_file("train.h5", "word_ids", np.full(N, np.inf)),
        ["whole numbers", "inf"],
    ),
    "states of three axes": (
        in_file("states.hdf5", "states1", np.zeros((2, 200, 3))),
        ["states1", "shape (steps, states)", "(2, 200, 3)"],
    ),
    "states of text": (in_file("states.hdf5", "states1", [["a"]] * N), ["states1", "float16"]),
    "no rows": (
        lambda d: (
            in_file("states.hdf5", "states1", np.zeros((0, 3)))(d),
            in_file("train.h5", "word_ids", np.zeros(0))(d),
        ),
        ["at least one row"],
    ),
    "unknown transform": (
        with_value([{"path": "states1", "transform": "tahn"}], "states", "types"),
        ["entry 0.transform", "tanh, tanh_abs or none", "'tahn'"],
    ),
    "dictionary without numbers": (
        lambda d: (d / "train.dict").write_text("the 1\ncat\n"),
        ["train.dict, line 2", "'cat'"],
    ),
    "empty dictionary": (lambda d: (d / "train.dict").write_text("\n"), ["train.dict", "no words"]),
    "dictionary in Latin 1": (
        lambda d: (d / "train.dict").write_bytes("é 1\n".encode("latin-1")),
        ["train.dict", "0xe9", "--encoding"],
    ),
    "no such dictionary": (
        with_value("nope", "meta", "pos", "dict"),
        ["meta.pos.dict", "'nope'"],
    ),
    "track without keys": (with_value(3, "meta", "pos"), ["meta.pos", "'3'"]),
    "index beyond the table": (
        in_file("meta.h5", "by_word", np.zeros(4)),
        ["meta.length.index", "numbers below 4"],
    ),
}


@pytest.mark.parametrize("fault", WRONG)
def test_an_error_in_a_project_is_one_sentence(
    project: Path, run_import: RunImport, tmp_path: Path, fault: str
) -> None:
    damage, names = WRONG[fault]
    damage(project)
    code, out, err = run_import(project)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert err.endswith(".\n")
    assert "Something unexpected" not in err
    assert all(name in err for name in names), err
    assert [path.name for path in tmp_path.iterdir()] == ["project"]


def broken_content(dice: random.Random) -> dict[str, Any]:
    """lstm.yml with one part missing or changed."""
    new: Any = content()
    node = new
    while True:
        key = dice.choice(list(node) if isinstance(node, dict) else range(len(node)))
        if isinstance(node[key], dict | list) and node[key] and dice.random() < 0.7:
            node = node[key]
        elif dice.random() < 0.3:
            del node[key]
            return dict(new)
        else:
            odd = [None, 1, "x", [], {}, [1], {"a": 1}, True, "", "../x", "train", -1, 1.5, "\0"]
            node[key] = dice.choice(odd)
            return dict(new)


def test_any_broken_lstm_yml_is_imported_or_gives_one_sentence(
    project: Path, run_import: RunImport, tmp_path: Path
) -> None:
    dice = random.Random(3)
    for _ in range(150):
        put(project, broken_content(dice))
        code, _, err = run_import(project, "--overwrite")
        if code == 0:
            assert check(tmp_path / "out").problems == ()
        else:
            assert err.count("\n") == 1
            assert err.endswith(".\n")
            assert "Something unexpected" not in err, err


def test_a_folder_of_projects_lists_them(project: Path, run_import: RunImport) -> None:
    code, _, err = run_import(project.parent)
    assert code == 2
    assert "1 folder with one ('project')" in err


def test_without_h5py_the_message_says_how_to_install_it(
    project: Path, run_import: RunImport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    code, _, err = run_import(project)
    assert code == 2
    assert "pip install h5py" in err


def test_nothing_else_imports_h5py() -> None:
    root = ROOT
    users = [
        str(path.relative_to(root))
        for package in ("app", "components", "demos", "loaders")
        for path in (root / package).rglob("*.py")
        if "import h5py" in path.read_text(encoding="utf-8")
    ]
    assert users == ["loaders/importers/hdf5.py"]
