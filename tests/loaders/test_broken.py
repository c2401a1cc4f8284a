"""Broken datasets: each problem is one sentence that names it, and one run finds them all."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loaders.catalog import Catalog
from loaders.check import check
from loaders.dataset import open_dataset
from loaders.problems import DatasetError, Severity
from loaders.writer import write_dataset

N = 6
FLIPS = 100
X = np.arange(N)[:, None]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A dataset without problems."""
    path = tmp_path_factory.mktemp("whole") / "d"
    return write_dataset(
        path,
        tokens=list("abcdef"),
        sequences=[1, 1, 1, 2, 2, 2],
        states={"s": np.arange(12, dtype="float32").reshape(N, 2), "t": np.ones((N, 1)) * X},
        columns={"level": [0, 1, 0, 1, 0, 1]},
        annotations={"mood": list("xyxyxy")},
        ranked={"top": ([["a", "b"]] * N, [[0.5, 0.25]] * N)},
        intervals={"chunk": [(0, 2, "NP"), (3, 5, "VP")]},
        config={"name": "Whole", "default": {"source": "s", "start": 0, "stop": 2}},
    )


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Any:
    return shutil.copytree(whole, tmp_path / "d")


def put(folder: Path, name: str, /, **columns: Any) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def yaml(folder: Path, text: str) -> None:
    (folder / "dataset.yaml").write_text(text)


def tokens(folder: Path, **columns: Any) -> None:
    put(folder, "tokens.parquet", **columns)


def two_columns_of_one_name(folder: Path, name: str, *others: Any) -> None:
    values = [pa.array(np.arange(N, dtype="float64"))] * 2
    arrays = values + [pa.array(list("abcdef")) for _ in others]
    pq.write_table(pa.Table.from_arrays(arrays, ["x", "x", *others]), folder / name)


def cut(path: Path, keep: int) -> None:
    path.write_bytes(path.read_bytes()[:keep])


def flip(path: Path) -> None:
    """Damage the pages but not the footer."""
    content = bytearray(path.read_bytes())
    content[4:60] = b"\xff" * 56
    path.write_bytes(content)


S = "states/s.parquet"
T = "tokens.parquet"
A = "annotations/a.parquet"
I = "annotations/chunk.parquet"  # noqa: E741

# what to break, and what the sentence must name
PROBLEMS: dict[str, tuple[Callable[[Path], Any], list[str]]] = {
    "no tokens file": (lambda d: (d / T).unlink(), ["d/tokens.parquet", "no such file"]),
    "no states folder": (lambda d: shutil.rmtree(d / "states"), ["d/states", "nothing there"]),
    "states is a file": (
        lambda d: (shutil.rmtree(d / "states"), (d / "states").touch()),
        ["d/states", "not a directory"],
    ),
    "no sources": (
        lambda d: [p.unlink() for p in (d / "states").iterdir()],
        ["d/states", "at least one source"],
    ),
    "empty part folder": (lambda d: (d / "states" / "u").mkdir(), ["d/states/u", "part files"]),
    "empty file": (lambda d: cut(d / S, 0), ["d/states/s.parquet", "an empty file"]),
    "tiny file": (lambda d: cut(d / S, 5), ["d/states/s.parquet", "truncated"]),
    "truncated file": (lambda d: cut(d / S, 300), ["d/states/s.parquet", "truncated"]),
    "truncated tokens": (lambda d: cut(d / T, 300), ["d/tokens.parquet", "truncated"]),
    "no Parquet": (
        lambda d: (d / S).write_text("a,b\n1,2\n" * 9),
        ["d/states/s.parquet", "another format"],
    ),
    "damaged footer": (
        lambda d: (d / S).write_bytes(b"PAR1" + b"x" * 40 + (30).to_bytes(4, "little") + b"PAR1"),
        ["d/states/s.parquet", "damaged"],
    ),
    "footer longer than the file": (
        lambda d: (d / S).write_bytes(b"PAR1" + (999).to_bytes(4, "little") + b"PAR1"),
        ["d/states/s.parquet", "its footer is cut"],
    ),
    "tokens is a folder": (
        lambda d: ((d / T).unlink(), (d / T).mkdir()),
        ["d/tokens.parquet", "a folder"],
    ),
    "no token column": (
        lambda d: tokens(d, tokens=list("abcdef")),
        ["d/tokens.parquet", "a column 'token'", "'tokens'"],
    ),
    "tokens are numbers": (
        lambda d: tokens(d, token=np.arange(N)),
        ["column 'token'", "strings", "int64"],
    ),
    "tokens are bytes": (
        lambda d: tokens(d, token=[b"a"] * N),
        ["column 'token'", "strings", "binary"],
    ),
    "null token": (
        lambda d: tokens(d, token=["a", "b", None, "d", None, "f"]),
        ["column 'token'", "row 2", "null (2 rows in total)"],
    ),
    "null token, dictionary": (
        lambda d: tokens(d, token=pa.array(["a", "b", "b", "d", None, "f"]).dictionary_encode()),
        ["column 'token'", "row 4", "null"],
    ),
    "tokens not UTF-8": (
        lambda d: tokens(
            d,
            token=pa.Array.from_buffers(
                pa.string(), N, pa.array([b"\xff\xfe"] * N, pa.binary()).buffers()
            ),
        ),
        ["column 'token'", "UTF8"],
    ),
    "no rows": (
        lambda d: tokens(d, token=pa.array([], pa.string())),
        ["d/tokens.parquet", "at least one row"],
    ),
    "duplicate columns in tokens": (
        lambda d: two_columns_of_one_name(d, T, "token"),
        ["d/tokens.parquet", "'x' more than once"],
    ),
    "sequence comes back": (
        lambda d: tokens(d, token=list("abcdef"), sequence=[1, 1, 2, 2, 1, 1]),
        ["column 'sequence'", "row 4", "1 again", "row 2"],
    ),
    "sequence name comes back": (
        lambda d: tokens(d, token=list("abcdef"), sequence=list("ppqqrp")),
        ["column 'sequence'", "row 5", "'p' again"],
    ),
    "null sequence": (
        lambda d: tokens(d, token=list("abcdef"), sequence=[1, 1, None, 2, 2, 2]),
        ["column 'sequence'", "row 2", "null"],
    ),
    "float sequence": (
        lambda d: tokens(d, token=list("abcdef"), sequence=[1.0] * N),
        ["column 'sequence'", "integers or strings", "float64"],
    ),
    "more states than tokens": (
        lambda d: put(d, S, a=np.zeros(8)),
        ["d/states/s.parquet", "6 rows", "8 rows"],
    ),
    "parts that do not add up": (
        lambda d: (put(d, "states/u/0.parquet", a=X[:, 0]), put(d, "states/u/1.parquet", a=[1])),
        ["d/states/u", "6 rows", "7 rows in 2 part files"],
    ),
    "parts with other columns": (
        lambda d: (
            put(d, "states/u/0.parquet", a=[1, 2, 3], b=[1, 2, 3]),
            put(d, "states/u/1.parquet", b=[1, 2, 3], a=[1, 2, 3]),
        ),
        ["d/states/u/1.parquet", "'a' as state column 0", "'b'"],
    ),
    "parts with fewer columns": (
        lambda d: (
            put(d, "states/u/0.parquet", a=[1, 2, 3], b=[1, 2, 3]),
            put(d, "states/u/1.parquet", a=[1, 2, 3]),
        ),
        ["d/states/u/1.parquet", "2 state columns", "found 1"],
    ),
    "a list part and a column part": (
        lambda d: (
            put(d, "states/u/0.parquet", a=[1, 2, 3]),
            put(d, "states/u/1.parquet", a=[[1.0]] * 3),
        ),
        ["d/states/u/1.parquet", "one list column"],
    ),
    "part lists of another length": (
        lambda d: (
            put(d, "states/u/0.parquet", a=[[1.0, 2.0]] * 3),
            put(d, "states/u/1.parquet", a=[[1.0]] * 3),
        ),
        ["d/states/u/1.parquet", "lists of 2", "lists of 1"],
    ),
    "a broken part": (
        lambda d: (
            put(d, "states/u/0.parquet", a=[1, 2, 3]),
            (d / "states/u/1.parquet").write_text("x"),
        ),
        ["d/states/u/1.parquet", "complete Parquet file"],
    ),
    "no rows in states": (
        lambda d: put(d, S, a=pa.array([], pa.float32())),
        ["d/states/s.parquet", "at least one row"],
    ),
    "no columns": (
        lambda d: pq.write_table(pa.table({}), d / S),
        ["d/states/s.parquet", "at least one column"],
    ),
    "boolean states": (
        lambda d: put(d, S, a=[True] * N, b=X[:, 0]),
        ["column 'a'", "numbers", "bool"],
    ),
    "text states": (
        lambda d: put(d, S, a=X[:, 0], b=list("abcdef"), c=list("abcdef")),
        ["columns 'b', 'c'", "numbers", "string"],
    ),
    "time states": (
        lambda d: put(d, S, a=pa.array([0] * N, pa.timestamp("us"))),
        ["column 'a'", "numbers", "timestamp"],
    ),
    "lists among columns": (
        lambda d: put(d, S, a=X[:, 0], h=[[1.0]] * N),
        ["column 'h'", "numbers", "list of float64"],
    ),
    "duplicate state names": (
        lambda d: two_columns_of_one_name(d, S),
        ["d/states/s.parquet", "state names once", "'x'"],
    ),
    "two sources of one name": (
        lambda d: put(d, "states/s/0.parquet", a=X[:, 0]),
        ["second source 's'"],
    ),
    "empty lists": (
        lambda d: put(d, S, h=pa.array([[]] * N, pa.list_(pa.float32()))),
        ["column 'h'", "row 0", "an empty list or null"],
    ),
    "annotation of another length": (
        lambda d: put(d, A, a=[1, 2]),
        ["d/annotations/a.parquet", "6 rows", "2 rows"],
    ),
    "annotation with two columns": (
        lambda d: put(d, A, a=X[:, 0], b=X[:, 0]),
        ["d/annotations/a.parquet", "one column", "'a', 'b'"],
    ),
    "annotation is no Parquet": (
        lambda d: (d / A).write_text("hello"),
        ["d/annotations/a.parquet", "complete Parquet file"],
    ),
    "annotation given twice": (
        lambda d: put(d, "annotations/level.parquet", level=X[:, 0]),
        ["d/annotations/level.parquet", "'level' here and in d/tokens.parquet"],
    ),
    "annotation of bytes": (
        lambda d: put(d, A, a=pa.array([b"a"] * N, pa.binary())),
        ["d/annotations/a.parquet", "binary"],
    ),
    "weights without words": (
        lambda d: put(d, A, a=[[1.0]] * N),
        ["d/annotations/a.parquet", "without a matching list of words"],
    ),
    "weights of another length": (
        lambda d: put(d, "annotations/top_weight.parquet", w=[[1.0, 2.0]] * 3 + [[1.0]] * 3),
        ["d/annotations/top_weight.parquet", "row 3", "(2)", "1 (3 such rows"],
    ),
    "null among ranked words": (
        lambda d: put(d, "annotations/top.parquet", w=[["a", "b"]] * 5 + [["a", None]]),
        ["d/annotations/top.parquet", "row 5", "null"],
    ),
    "interval out of range": (
        lambda d: put(d, I, start=[0, 5], stop=[2, 7], label=["x", "y"]),
        ["d/annotations/chunk.parquet", "row 1", "steps from 0 to 6", "[5, 7)"],
    ),
    "interval before the start": (
        lambda d: put(d, I, start=[-1], stop=[2], label=["x"]),
        ["row 0", "steps from 0 to 6", "[-1, 2)"],
    ),
    "empty interval": (
        lambda d: put(d, I, start=[2], stop=[2], label=["x"]),
        ["row 0", "start < stop", "[2, 2)"],
    ),
    "interval across a boundary": (
        lambda d: put(d, I, start=[0, 2], stop=[1, 4], label=["x", "y"]),
        ["row 1", "[2, 4)", "boundary at step 3"],
    ),
    "overlapping intervals": (
        lambda d: put(d, I, start=[0, 1], stop=[2, 3], label=["x", "y"]),
        ["row 1", "do not overlap", "ends at 2"],
    ),
    "unsorted intervals": (
        lambda d: put(d, I, start=[3, 0], stop=[4, 1], label=["x", "y"]),
        ["row 1", "sorted by start", "[0, 1) after [3, 4)"],
    ),
    "intervals at fractions": (
        lambda d: put(d, I, start=[0.0], stop=[1], label=["x"]),
        ["column 'start'", "integers", "float64"],
    ),
    "interval without a stop": (
        lambda d: put(d, I, start=[0, 1], stop=[1, None], label=["x", "y"]),
        ["column 'stop', row 1", "null"],
    ),
    "interval without a label": (
        lambda d: put(d, I, start=[0, 1], stop=[1, 2], label=["x", None]),
        ["column 'label', row 1", "null"],
    ),
    "intervals lack a column": (
        lambda d: put(d, I, start=[0, 1], stop=[1, 2]),
        ["d/annotations/chunk.parquet", "add 'label' for intervals"],
    ),
    "kind that does not fit": (
        lambda d: yaml(d, "annotations: {mood: {kind: scalar}}"),
        ["d/dataset.yaml, annotations.mood.kind", "scalar (numbers)", "string"],
    ),
    "categorical intervals": (
        lambda d: yaml(d, "annotations: {chunk: {kind: categorical}}"),
        ["annotations.chunk.kind", "categorical", "intervals"],
    ),
    "ranked numbers": (
        lambda d: yaml(d, "annotations: {level: {kind: ranked}}"),
        ["annotations.level.kind", "ranked", "int64"],
    ),
    "unit of words": (
        lambda d: yaml(d, "annotations: {mood: {unit: nats}}"),
        ["annotations.mood.unit", "scalar"],
    ),
    "order of numbers": (
        lambda d: yaml(d, "annotations: {level: {kind: scalar, order: [1, 0]}}"),
        ["annotations.level.order", "categorical"],
    ),
    "settings of no annotation": (
        lambda d: yaml(d, "annotations: {moot: {kind: categorical}}"),
        ["annotations.moot", "did you mean 'mood'"],
    ),
    "settings of no source": (
        lambda d: yaml(d, "sources: {z: {title: Z}}"),
        ["sources.z", "'s', 't'"],
    ),
    "unknown key": (
        lambda d: yaml(d, "descripton: hello"),
        ["d/dataset.yaml", "'descripton'", "did you mean 'description'"],
    ),
    "unknown source key": (
        lambda d: yaml(d, "sources: {s: {tranform: tanh}}"),
        ["sources.s.tranform", "title, transform", "did you mean 'transform'"],
    ),
    "unknown transform": (
        lambda d: yaml(d, "sources: {s: {transform: relu}}"),
        ["sources.s.transform", "tanh", "'relu'"],
    ),
    "broken YAML": (lambda d: yaml(d, "name: [1, 2\nx"), ["d/dataset.yaml, line 2", "YAML"]),
    "key twice": (lambda d: yaml(d, "name: a\nname: b\n"), ["line 2", "'name' twice"]),
    "YAML is a list": (lambda d: yaml(d, "- a\n- b"), ["d/dataset.yaml", "keys with values"]),
    "YAML not UTF-8": (
        lambda d: (d / "dataset.yaml").write_bytes(b"name: \xff"),
        ["d/dataset.yaml", "UTF-8"],
    ),
    "name is a number": (lambda d: yaml(d, "name: 12"), ["d/dataset.yaml, name", "text", "'12'"]),
    "color is a word": (
        lambda d: yaml(d, "annotations: {mood: {colors: {x: red}}}"),
        ["annotations.mood.colors.x", "'red'"],
    ),
    "default without its source": (
        lambda d: yaml(d, "default: {source: q}"),
        ["default.source", "'s', 't'", "'q'"],
    ),
    "default track": (
        lambda d: yaml(d, "default: {tracks: [level, mod]}"),
        ["default.tracks", "'mod'", "did you mean 'mood'"],
    ),
    "default out of range": (
        lambda d: yaml(d, "default: {start: 4, stop: 9}"),
        ["default", "stop <= 6", "[4, 9)"],
    ),
    "default reversed": (
        lambda d: yaml(d, "default: {start: 2, stop: 2}"),
        ["default", "start < stop", "[2, 2)"],
    ),
    "default across a boundary": (
        lambda d: yaml(d, "default: {start: 2, stop: 4}"),
        ["default", "one sequence", "boundary at step 3"],
    ),
    "default with one end": (
        lambda d: yaml(d, "default: {start: 2}"),
        ["default", "start and stop together", "only start"],
    ),
    "default threshold infinite": (
        lambda d: yaml(d, "default: {threshold: .inf}"),
        ["default.threshold", "a finite number"],
    ),
    "default threshold is not a number": (
        lambda d: yaml(d, "default: {threshold: true}"),
        ["default.threshold", "a finite number", "true"],
    ),
}


def test_nothing_is_wrong_with_the_whole_dataset(folder: Path, tmp_path: Path) -> None:
    report = check(folder)
    assert report.problems == report.warnings == ()
    assert report.exit_code == 0
    assert open_dataset(folder, tmp_path / "c").open_source("t").warnings == ()


@pytest.mark.parametrize("fault", PROBLEMS)
def test_a_problem_is_one_sentence_that_names_it(folder: Path, tmp_path: Path, fault: Any) -> None:
    damage, names = PROBLEMS[fault]
    damage(folder)
    with pytest.raises(DatasetError) as error:
        open_dataset(folder, tmp_path / "c")
    sentences = [problem.sentence for problem in error.value.problems]
    matching = [s for s in sentences if all(name in s for name in names)]
    assert len(matching) == 1, sentences
    assert len(sentences) == 1, sentences  # one problem does not cause others
    assert "\n" not in matching[0]
    assert matching[0].endswith(".")
    assert str(error.value) == matching[0]
    report = check(folder)  # the same sentences
    assert [problem.sentence for problem in report.problems] == sentences
    assert report.exit_code == 1
    (problem,) = report.problems
    assert (
        f"  1. {problem.where}\n"
        f"       expected  {problem.expected}\n"
        f"       found     {problem.found}\n"
        f"       fix       {problem.remedy}\n"
    ) in report.text()
    (entry,) = Catalog([folder], tmp_path / "c").entries()
    assert entry.error == matching[0]


# Problems of the values: found by check, and when the source is opened.
LATE: dict[str, tuple[Callable[[Path], Any], list[str]]] = {
    "damaged pages": (lambda d: flip(d / S), ["d/states/s.parquet"]),
    "ragged lists": (
        lambda d: put(d, S, h=[[1.0, 2.0]] * 3 + [[1.0]] + [[1.0, 2.0]] * 2),
        ["d/states/s.parquet, row 3", "a list of 2 numbers", "a list of 1"],
    ),
    "a null list": (
        lambda d: put(d, S, h=[[1.0, 2.0]] * 4 + [None, [1.0, 2.0]]),
        ["d/states/s.parquet, row 4", "null"],
    ),
    "a null fixed-size list": (
        lambda d: put(
            d, S, h=pa.array([[1.0, 2.0]] * 4 + [None, [1.0, 2.0]], pa.list_(pa.float32(), 2))
        ),
        ["d/states/s.parquet, row 4", "null"],
    ),
    "ragged lists in the second part": (
        lambda d: (
            put(d, "states/u/0.parquet", a=[[1.0, 2.0]] * 3),
            put(d, "states/u/1.parquet", a=[[1.0, 2.0], [1.0], [1.0, 2.0]]),
        ),
        ["d/states/u/1.parquet, row 1", "a list of 1"],
    ),
}


@pytest.mark.parametrize("fault", LATE)
def test_a_problem_of_the_values_is_named_too(folder: Path, tmp_path: Path, fault: Any) -> None:
    damage, names = LATE[fault]
    damage(folder)
    report = check(folder)
    assert len(report.problems) == 1
    assert all(name in report.problems[0].sentence for name in names), report.problems
    assert "could not be read" in report.text()
    dataset = open_dataset(folder, tmp_path / "c")
    with pytest.raises(DatasetError) as error:
        dataset.open_source(report.problems[0].where.split("/")[2].split(".")[0])
    assert error.value.problems == report.problems
    assert not [p for p in (tmp_path / "c" / "sources").iterdir() if p.is_dir()]


def test_all_problems_in_one_run(folder: Path) -> None:
    spoiled = [
        "null sequence",
        "truncated file",
        "two sources of one name",
        "annotation of bytes",
        "overlapping intervals",
        "unknown key",
        "parts with other columns",
    ]
    for fault in spoiled:
        PROBLEMS[fault][0](folder)
    report = check(folder)
    text = report.text()
    for fault in spoiled:
        assert any(
            all(name in problem.sentence for name in PROBLEMS[fault][1])
            for problem in report.problems
        ), fault
    assert f"Problems: {len(report.problems)}" in text
    with pytest.raises(DatasetError, match=r"and \d+ more problems"):
        open_dataset(folder, folder.parent / "c")


@pytest.mark.parametrize("path", ["missing", "file.txt", "empty", "other"])
def test_check_of_anything_but_a_dataset_folder_exits_2(tmp_path: Path, path: Path) -> None:
    (tmp_path / "file.txt").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "readme.md").touch()
    report = check(tmp_path / path)
    assert report.exit_code == 2
    assert not report.is_dataset
    assert str(tmp_path / path) in report.text()
    assert "\n" not in report.text()
    with pytest.raises(DatasetError, match="expected a dataset folder"):
        open_dataset(tmp_path / path, tmp_path / "c")


def test_a_dataset_with_warnings_opens(folder: Path, tmp_path: Path) -> None:
    values = np.zeros((N, 4))
    values[:, 0] = range(N)
    values[2, 1:3] = np.nan, np.inf
    values[4, 1] = np.nan
    values[:, 2] += range(N)
    pd.DataFrame(values, columns=list("pqrz"), index=list("uvwxyz")).to_parquet(folder / S)
    put(folder, "states/more.parquet", a=X[:, 0])
    (folder / "states" / "readme.txt").touch()
    (folder / "annotations" / "old").mkdir()
    report = check(folder)
    assert report.exit_code == 0
    words = " ".join(w.sentence for w in report.warnings)
    assert all(w.severity is Severity.WARNING for w in report.warnings)
    for expected in (
        "NaN in 1 of 4 states (2 values, the first in row 2 of column 'q')",
        "infinities in 1 of 4 states (1 value, the first in row 2 of column 'r')",
        "2 of 4 states with a single value (column 'q' is always 0)",
        "saved by pandas as the index",
        "d/states/readme.txt",
        "d/annotations/old",
    ):
        assert expected in words, words
    dataset = open_dataset(folder, tmp_path / "c")
    source = dataset.open_source("s")
    assert {*dataset.warnings, *source.warnings} <= {*report.warnings}
    assert len(source.warnings) == 3


def test_damaged_bytes_are_problems_and_never_exceptions(folder: Path, tmp_path: Path) -> None:
    """Byte flips, most of them in the footers, where pyarrow's messages are of little help."""
    rng = np.random.default_rng(2)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    refused = 0
    for _ in range(FLIPS):
        path = files[rng.integers(len(files))]
        content = path.read_bytes()
        damaged = bytearray(content)
        first = max(0, len(damaged) - 1500) if rng.random() < 0.7 else 0
        for at in rng.integers(first, len(damaged), size=rng.choice([1, 1, 2, 8])):
            damaged[at] = rng.integers(256)
        path.write_bytes(damaged)
        refused += check(folder).exit_code == 1
        try:
            open_dataset(folder, tmp_path / "c").open_source("s")
        except DatasetError as error:
            assert "\n" not in str(error)  # noqa: PT017 - it may open as well
        path.write_bytes(content)
    assert refused > FLIPS / 2
