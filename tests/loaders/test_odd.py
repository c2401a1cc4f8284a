"""Unusual but possible files: each gives a dataset or a sentence, never a traceback."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loaders.catalog import Catalog
from loaders.check import check
from loaders.dataset import Dataset, open_dataset
from loaders.problems import DatasetError, Problem, printable
from tests.conftest import write_parquet

N = 6


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "d"
    write_parquet(path / "tokens.parquet", {"token": list("abcdef")})
    write_parquet(path / "states" / "s.parquet", {"x": np.arange(6.0)})
    write_parquet(path / "annotations" / "a.parquet", {"x": np.arange(6.0)})
    (path / "dataset.yaml").write_text("name: Odd\n")
    return path


def use_everything(path: Path, cache: Path) -> Dataset:
    """Use a dataset as the program does, from check to the last value."""
    report = check(path)
    for problem in report.problems + report.warnings:
        assert problem.sentence.isprintable()
        assert len(problem.sentence) < 2500
    assert all(line.isprintable() for line in report.text().split("\n"))
    (entry,) = Catalog([path], cache).entries()
    assert (entry.error is None) == (report.exit_code == 0 or not report.problems)
    dataset = open_dataset(path, cache)
    dataset.tokens(0, dataset.n_steps)
    for one in dataset.annotations.values():
        if one.kind == "categorical":
            one.codes(0, N)
        elif one.kind == "scalar":
            one.values(0, N)
            one.texts(0, N)
            one.plain(0, N)
        elif one.kind == "ranked":
            one.items(0, N)
            one.weights(0, N)
        else:
            one.spans(0, N)
    for name in dataset.sources:
        dataset.open_source(name)
    assert report.exit_code == 0
    return dataset


# ------------------------------------------------------------------------------------ the files


def link(path: Path, name: str, to: str) -> None:
    target = path / name
    shutil.rmtree(target) if target.is_dir() else target.unlink()
    target.symlink_to(to)


FILES: dict[str, tuple[Callable[[Path], Any], list[str]]] = {
    "a source that links to itself": (
        lambda d: link(d, "states/s.parquet", "s.parquet"),
        ["d/states/s.parquet", "too many levels"],
    ),
    "tokens that link to themselves": (
        lambda d: link(d, "tokens.parquet", "tokens.parquet"),
        ["d/tokens.parquet", "too many levels"],
    ),
    "states that link to themselves": (
        lambda d: link(d, "states", "states"),
        ["d/states", "too many levels"],
    ),
    "a link to nowhere": (
        lambda d: link(d, "states/s.parquet", "/nowhere"),
        ["d/states/s.parquet", "no such file"],
    ),
    "a pipe for tokens": (
        lambda d: ((d / "tokens.parquet").unlink(), os.mkfifo(d / "tokens.parquet")),
        ["d/tokens.parquet", "a pipe or a device"],
    ),
    "a pipe for dataset.yaml": (
        lambda d: ((d / "dataset.yaml").unlink(), os.mkfifo(d / "dataset.yaml")),
        ["d/dataset.yaml", "a pipe"],
    ),
    "a folder for dataset.yaml": (
        lambda d: ((d / "dataset.yaml").unlink(), (d / "dataset.yaml").mkdir()),
        ["d/dataset.yaml", "directory"],
    ),
    "a folder that ends in .parquet among annotations": (
        lambda d: (d / "annotations" / "x.parquet").mkdir(),
        ["d/annotations/x.parquet", "a folder"],
    ),
    "a file for the annotations": (
        lambda d: (shutil.rmtree(d / "annotations"), (d / "annotations").touch()),
        ["d/annotations", "not a directory"],
    ),
    "a name that is not UTF-8": (
        lambda d: os.rename(  # noqa: PTH104 - pathlib takes no bytes
            os.fsencode(d / "states" / "s.parquet"), os.fsencode(d / "states") + b"/\xff.parquet"
        ),
        [r"d/states/\udcff.parquet", "a name in UTF-8"],
    ),
    "half of a surrogate pair in the name": (
        lambda d: (d / "dataset.yaml").write_text(r'name: "\ud800"'),
        ["d/dataset.yaml, name", r"an incomplete character in '\ud800'"],
    ),
}


@pytest.mark.parametrize("fault", FILES)
def test_odd_files_are_one_sentence(folder: Path, tmp_path: Path, fault: str) -> None:
    damage, names = FILES[fault]
    damage(folder)
    with pytest.raises(DatasetError) as error:
        use_everything(folder, tmp_path / "c")
    (problem,) = error.value.problems
    assert all(name in problem.sentence for name in names), problem.sentence
    assert check(folder, deep=True).problems == (problem,)


@pytest.mark.parametrize("part", ["states/p", "annotations"])
def test_folders_that_may_not_be_read(
    folder: Path, tmp_path: Path, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a user other than root sees them, even if the tests run as root."""
    (folder / "states" / "p").mkdir()
    real = Path.iterdir

    def forbidden(path: Path) -> Any:
        if path == folder / part:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(Path, "iterdir", forbidden)
    with pytest.raises(DatasetError) as error:
        use_everything(folder, tmp_path / "c")
    found = [p.sentence for p in error.value.problems if "permission denied" in p.sentence]
    assert [f"d/{part}" in sentence for sentence in found] == [True]


def test_links_that_may_not_be_followed_are_no_folders(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "states" / "l").touch()
    real = Path.is_dir

    def forbidden(path: Path) -> bool:
        if path.name == "l":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(Path, "is_dir", forbidden)
    report = check(folder)
    assert report.exit_code == 0
    assert "d/states/l" in report.warnings[0].sentence


def test_names_on_several_lines_are_escaped(folder: Path, tmp_path: Path) -> None:
    (folder / "states" / "s.parquet").rename(folder / "states" / "é \n\u202e.parquet")
    write_parquet(folder / "tokens.parquet", {"token": ["a\nb", "\0", *"cdef"], "x\ny": [1] * 6})
    dataset = use_everything(folder, tmp_path / "c")
    assert "x\ny" in dataset.annotations
    assert r"'a\nb' 1, '\x00' 1" in check(folder).text()


def test_almost_the_right_name_is_a_warning(folder: Path, tmp_path: Path) -> None:
    (folder / "dataset.yaml").rename(folder / "dataset.yml")
    (folder / "annotations").rename(folder / "Annotation")
    (folder / "README.md").touch()
    found = check(folder).warnings
    assert [problem.where for problem in found] == ["d/Annotation", "d/dataset.yml"]
    assert "meant to be dataset.yaml" in found[1].sentence


def test_long_texts_do_not_make_long_sentences() -> None:
    problem = Problem("a", "b", "x" * 10**6, "d")
    assert len(problem.sentence) < 1000
    assert printable("a\tb\u2028\ud800é🎉") == r"a\tb\u2028\ud800é🎉"


# ------------------------------------------------------------------------------------ the types

WORDS = [["a", "b"], ["c"], None, [], ["a", "é"], ["b"]]
LISTS = [pa.list_, pa.large_list, pa.list_view, pa.large_list_view]
TEXT = [pa.string(), pa.large_string(), pa.string_view()]


@pytest.mark.parametrize("text", TEXT, ids=str)
@pytest.mark.parametrize("kind", LISTS, ids=lambda kind: kind.__name__)
def test_every_kind_of_list_of_every_kind_of_text_is_ranked(
    folder: Path, tmp_path: Path, kind: Callable[[pa.DataType], pa.DataType], text: pa.DataType
) -> None:
    table = pa.table({"w": pa.array(WORDS, kind(text))})
    pq.write_table(table, folder / "annotations" / "a.parquet", row_group_size=2)
    ranked = use_everything(folder, tmp_path / "c").annotations["a"]
    assert ranked.items(0, N) == [["a", "b"], ["c"], [], [], ["a", "é"], ["b"]]


# -------------------------------------------------------------------------------- anything at all

GOOD = [
    *(pa.bool_(), pa.int8(), pa.int64(), pa.uint64(), pa.float16(), pa.float32(), pa.float64()),
    *TEXT,
    *(kind(text) for kind in LISTS for text in TEXT),
    *(pa.dictionary(pa.int8(), t) for t in (pa.string(), pa.int64(), pa.float64(), pa.bool_())),
    pa.list_(pa.dictionary(pa.int32(), pa.string())),
]
ODD = [
    *(
        pa.null(),
        pa.binary(),
        pa.binary(4),
        pa.binary_view(),
        pa.date32(),
        pa.timestamp("ns", "UTC"),
    ),
    *(pa.time64("us"), pa.duration("s"), pa.decimal128(10, 2), pa.struct([("a", pa.int32())])),
    *(pa.map_(pa.string(), pa.int32()), pa.list_(pa.list_(pa.float32())), pa.list_(pa.float32())),
    *(pa.list_(pa.float16(), 2), pa.list_(pa.string(), 2), pa.list_(pa.bool_())),
]
VALUES: list[Any] = [
    *(None, None, True, 0, 1, -1, 2**62, 0.5, float("nan"), float("inf"), -1e38),
    *("a", "", "x" * 3000, "é\u2028\n", "\0", "🎉", b"a", b"\xff", b"abcd"),
    *(
        ["a", "b"],
        ["a", None],
        [],
        [1.0, 2.0],
        [float("nan")],
        [[1.0]],
        [True],
        {"a": 1},
        [("a", 1)],
    ),
]
NAMES = [
    *(
        "a",
        "b",
        "start",
        "stop",
        "label",
        "token",
        "sequence",
        "a_weight",
        "",
        "é x",
        "a.b",
        "list",
    ),
    *("element", "\n", "x" * 500, "__index_level_0__", ".hid", "a/b"),
]
YAML = [
    *(
        "name: [1]",
        "name: 2020-13-45",
        "name: &a [*a]",
        "? [1,2]\n: x",
        "<<: 3",
        "name: ~",
        "\t- x",
    ),
    *("---\na: 1\n---\nb: 2", "%YAML 9.9\n---\nname: x", "name: !!python/object:os.system {}"),
    *("sources: [s]", "sources: {s: {transform: [tanh]}}", "sources: {~: {}, 1: {title: 2}}"),
    *("annotations: {a: {kind: [x]}}", "annotations: {a: {order: [1, true, null, 1.5]}}"),
    *("annotations: {a: {colors: {1: '#ffffff', true: red}}}", "annotations: {a: {unit: 3}}"),
    *("default: {start: 1e3, stop: .nan}", "default: {threshold: 1" + "0" * 400 + "}"),
    *(
        "default: {tracks: [a, [b], {c: 1}, null]}",
        "default: {start: -1, stop: 2}",
        "name: " + "[" * 999,
    ),
    *("default: {start: 99999999999999999999, stop: 999999999999999999999}", "default: x"),
]


def column(dice: random.Random, kind: pa.DataType, rows: int) -> pa.Array:
    """Values that fit the type, drawn from unusual ones."""
    fitting: list[Any] = [None]
    for value in VALUES:
        try:
            plain = kind.value_type if pa.types.is_dictionary(kind) else kind
            pa.array([value], plain)
        except (pa.ArrowException, OverflowError, TypeError, ValueError):
            continue
        fitting.append(value)
    fitting = fitting if dice.random() < 0.2 else [v for v in fitting if v is not None] or [None]
    values = [dice.choice(fitting) for _ in range(rows)]
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    try:
        array = pa.array(values, plain)
    except pa.ArrowException:  # each fits, but not all together
        array = pa.array(values[:1] * rows, plain)
    return array.dictionary_encode() if pa.types.is_dictionary(kind) else array


def odd_file(
    dice: random.Random, path: Path, rows: int, kinds: list[pa.DataType], *names: str
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = [column(dice, dice.choice(kinds), rows) for _ in names]
    table = pa.Table.from_arrays(columns, names=list(names))
    if dice.random() < 0.1:
        about = dice.choice(["{", "[]", "null", '{"index_columns": 3}', '{"index_columns": ["a"]}'])
        table = table.replace_schema_metadata({"pandas": about})
    options: dict[str, Any] = {"row_group_size": dice.choice([1, 3, 1000])}
    options["store_schema"] = dice.random() < 0.8
    try:
        pq.write_table(table, path, **options)
    except (pa.ArrowException, NotImplementedError):  # not supported by Parquet
        write_parquet(path, {"x": np.zeros(rows)})


@pytest.mark.parametrize("seed", range(40))
def test_any_parquet_content_is_a_dataset_or_sentences(tmp_path: Path, seed: int) -> None:
    for turn in range(4):
        dice = random.Random(seed * 4 + turn)
        path = tmp_path / str(turn)
        rows = dice.choice([0, 1, 5, 5, 5, 60])
        kinds = GOOD * 6 + ODD
        odd_file(dice, path / "tokens.parquet", rows, kinds, *dice.sample(NAMES, 2))
        if dice.random() < 0.9:
            columns = {name: column(dice, dice.choice(kinds), rows) for name in ("a", "b")}
            columns["token"] = pa.array([dice.choice("ab") for _ in range(rows)], pa.string())
            write_parquet(path / "tokens.parquet", columns)
        numbers = GOOD[1:7] if dice.random() < 0.8 else GOOD + ODD
        odd_file(dice, path / "states" / "s.parquet", rows, numbers, *dice.sample(NAMES, 2))
        if dice.random() < 0.5:
            odd_file(dice, path / "states" / "t" / "0.parquet", rows, numbers, "p", "q")
            odd_file(dice, path / "states" / "t" / "1.parquet", 0, numbers, "p", "q")
        for name in dice.sample(["a", "a_weight", "chunk", "list"], 2):
            is_span = dice.random() < 0.3
            names_of = ["start", "stop", "label"] if is_span else [dice.choice(NAMES)]
            odd_file(dice, path / "annotations" / f"{name}.parquet", rows, kinds, *names_of)
        if dice.random() < 0.25:
            (path / "dataset.yaml").write_text(dice.choice(YAML))
        try:
            use_everything(path, tmp_path / "c")
        except DatasetError as error:
            for problem in error.problems:
                assert "damaged" not in problem.found, problem.sentence
