"""Values are preserved: writer -> Parquet -> copy -> window, for every float type and layout."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from loaders.dataset import open_dataset
from loaders.problems import DatasetError
from loaders.writer import WriteError, write_dataset

FLOATS = ("float16", "float32", "float64")


def same_bits(a: Any, b: Any) -> Any:
    """Equal values, NaN equal to NaN, -0.0 not equal to 0.0."""
    return (
        a.dtype == b.dtype
        and a.shape == b.shape
        and np.array_equal(np.isnan(a), np.isnan(b))
        and np.array_equal(a[~np.isnan(a)].tobytes(), b[~np.isnan(b)].tobytes())
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_array_comes_back_bit_by_bit(data: Any) -> None:
    dtype = data.draw(st.sampled_from(FLOATS))
    shape = data.draw(st.tuples(st.integers(1, 40), st.integers(1, 7)))
    rows = data.draw(hnp.arrays(dtype, shape, elements={"allow_nan": True, "allow_infinity": True}))
    cut = data.draw(st.integers(0, len(rows)))
    with tempfile.TemporaryDirectory() as folder:
        path = write_dataset(
            Path(folder) / "data",
            tokens=[str(i) for i in range(len(rows))],
            states={"whole": rows, "batches": iter([rows[:cut], rows[cut:]])},
        )
        dataset = open_dataset(path, Path(folder) / "cache")
        for name in ("whole", "batches"):
            source = dataset.open_source(name)
            assert source.dtype == rows.dtype
            assert same_bits(source.window(0, len(rows)), rows)
            finite = rows[np.isfinite(rows)].astype(np.float64)
            expected = (finite.min(), finite.max()) if len(finite) else (0.0, 0.0)
            assert (source.minimum, source.maximum) == expected
            assert source.summary.nan_counts.sum() == np.isnan(rows).sum()
            assert source.summary.high_counts.sum() == np.isposinf(rows).sum()
            assert source.summary.low_counts.sum() == np.isneginf(rows).sum()
            assert np.isfinite(source.suggested_threshold)
            assert source.minimum <= source.low_quantile <= source.high_quantile <= source.maximum


@pytest.fixture
def folder(tmp_path: Path) -> Any:
    """A dataset folder with 6 tokens, to which states can be added."""
    (tmp_path / "d" / "states").mkdir(parents=True)
    pq.write_table(pa.table({"token": list("abcdef")}), tmp_path / "d" / "tokens.parquet")
    return tmp_path / "d"


def opened(folder: Path, name: str = "s") -> Any:
    return open_dataset(folder, folder.parent / "cache").open_source(name)


def save(folder: Path, table: Any, name: str = "s.parquet") -> Any:
    path = folder / "states" / name
    path.parent.mkdir(exist_ok=True)
    pq.write_table(table, path)
    return path


X = np.arange(12, dtype=np.float64).reshape(6, 2)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "uint64"])
def test_integers_are_read_as_float64(folder: Path, dtype: Any) -> None:
    save(folder, pa.table({"a": np.arange(6, dtype=dtype), "b": np.arange(6, dtype=dtype)}))
    source = opened(folder)
    assert source.dtype == np.float64
    assert source.window(0, 6)[:, 1].tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("types", "widest"),
    [
        (["float16", "float32"], "float32"),
        (["float32", "float64"], "float64"),
        (["float16", "int8"], "float64"),
        (["float16", "float16"], "float16"),
    ],
)
def test_mixed_types_are_widened_to_the_widest(folder: Path, types: Any, widest: Any) -> None:
    save(folder, pa.table({str(i): np.arange(6).astype(t) for i, t in enumerate(types)}))
    source = opened(folder)
    assert source.dtype == np.dtype(widest)
    assert source.window(2, 3).tolist() == [[2, 2]]


def test_parts_of_different_types_are_widened_too(folder: Path) -> None:
    save(folder, pa.table({"a": np.array([1, 2, 3], np.float16)}), "s/0.parquet")
    save(folder, pa.table({"a": np.array([4, 5, 0.1], np.float32)}), "s/1.parquet")
    source = opened(folder)
    assert source.dtype == np.float32
    assert source.window(0, 6)[:, 0].tolist() == [1, 2, 3, 4, 5, np.float32(0.1)]


@pytest.mark.parametrize("kind", [pa.float16(), pa.float32(), pa.float64(), pa.int16()])
def test_nulls_are_nan(folder: Path, kind: pa.DataType) -> None:
    values: list[Any] = [1, None, 3, None, 5, 6]
    if kind == pa.float16():
        values = [None if v is None else np.float16(v) for v in values]
    save(folder, pa.table({"a": pa.array(values, kind)}))
    source = opened(folder)
    assert np.isnan(source.window(0, 6)[:, 0]).tolist() == [0, 1, 0, 1, 0, 0]
    assert "NaN in 1 of 1 state (2 values, the first in row 1" in source.warnings[0].sentence


def test_part_files_are_read_in_name_order_and_others_are_not_read(folder: Path) -> None:
    save(folder, pa.table({"a": [3.0, 4.0, 5.0]}), "s/b.parquet")
    save(folder, pa.table({"a": [0.0, 1.0, 2.0]}), "s/a.parquet")
    save(folder, pa.table({"a": pa.array([], pa.float64())}), "s/aa.parquet")
    (folder / "states" / "s" / "_SUCCESS").touch()
    (folder / "states" / "s" / ".hidden.parquet").touch()
    (folder / "states" / "s" / "notes.txt").touch()
    dataset = open_dataset(folder, folder.parent / "cache")
    assert dataset.open_source("s").window(0, 6)[:, 0].tolist() == [0, 1, 2, 3, 4, 5]
    assert [w.where for w in dataset.warnings] == ["d/states/s/notes.txt"]


def test_part_numbers_without_zeros_are_a_warning(folder: Path) -> None:
    for i, name in enumerate(["part.10", "part.2", "part.9"]):
        save(folder, pa.table({"a": [2.0 * i, 2.0 * i + 1]}), f"s/{name}.parquet")
    dataset = open_dataset(folder, folder.parent / "cache")
    assert dataset.open_source("s").window(0, 6)[:, 0].tolist() == [0, 1, 2, 3, 4, 5]
    (warning,) = dataset.warnings
    assert "pad the numbers with zeros" in warning.sentence


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.float32()),
        pa.list_(pa.float32(), 2),
        pa.large_list(pa.float32()),
        pa.list_(pa.float16()),
        pa.list_(pa.int32()),
    ],
    ids=str,
)
def test_one_list_column_is_a_source(folder: Path, kind: Any) -> None:
    rows = X.astype("float16") if kind.value_type == pa.float16() else X
    save(folder, pa.table({"h": pa.array([list(row) for row in rows], kind)}))
    source = opened(folder)
    assert source.state_names == ("0", "1")
    assert np.array_equal(source.window(0, 6), X)


def test_a_null_inside_a_list_is_nan(folder: Path) -> None:
    save(folder, pa.table({"h": [[1.0, None]] * 6}))
    assert np.isnan(opened(folder).window(0, 1)).tolist() == [[False, True]]


def test_pandas_index_is_left_out_with_a_warning(folder: Path) -> None:
    frame = pd.DataFrame(X, columns=["a", "b"], index=[3, 1, 4, 1, 5, 9])
    frame.to_parquet(folder / "states" / "s.parquet")
    dataset = open_dataset(folder, folder.parent / "cache")
    assert dataset.open_source("s").state_names == ("a", "b")
    assert "__index_level_0__" in dataset.warnings[0].sentence
    assert "left out" in dataset.warnings[0].sentence


def test_pandas_range_index_is_not_a_column(folder: Path) -> None:
    pd.DataFrame(X, columns=["a", "b"]).to_parquet(folder / "states" / "s.parquet")
    dataset = open_dataset(folder, folder.parent / "cache")
    assert not dataset.warnings
    assert dataset.open_source("s").n_states == 2


def test_unusual_column_names_work(folder: Path) -> None:
    names = ["a", "a.b", "ü ñ", "", "x/y", "'q'", "list", "a.list.element", "0"]
    save(folder, pa.table({name: np.full(6, i, "float32") for i, name in enumerate(names)}))
    source = opened(folder)
    assert list(source.state_names) == names
    assert source.window(0, 1).tolist() == [list(range(9))]


@pytest.mark.parametrize("dtype", FLOATS)
def test_tanh_is_applied_once_in_float64(folder: Path, dtype: Any) -> None:
    rng = np.random.default_rng(0)
    values = (rng.normal(size=6) * 3).astype(dtype)
    values[4:] = np.nan, np.inf
    save(folder, pa.table({"a": values}))
    (folder / "dataset.yaml").write_text("sources: {s: {transform: tanh}}")
    source = opened(folder)
    assert source.dtype == np.dtype(dtype)
    expected = np.tanh(values.astype(np.float64)).astype(dtype)
    assert same_bits(source.window(0, 6)[:, 0], expected)
    assert source.maximum == 1.0


def test_every_float16_goes_through_the_same_tanh(tmp_path: Path) -> None:
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    every = every[~np.isnan(every)]
    write_dataset(
        tmp_path / "d",
        tokens=["x"] * len(every),
        states={"s": every[:, None]},
        config={"sources": {"s": {"transform": "tanh"}}},
    )
    got = open_dataset(tmp_path / "d", tmp_path / "c").open_source("s").window(0, len(every))
    assert same_bits(got[:, 0], np.tanh(every.astype(np.float64)).astype(np.float16))


def test_window_is_a_copy_clipped_to_the_steps(folder: Path) -> None:
    save(folder, pa.table({"a": X[:, 0], "b": X[:, 1]}))
    source = opened(folder)
    window = source.window(-3, 2)
    window[:] = 7
    assert np.array_equal(source.window(0, 2), X[:2])
    assert source.window(4, 99).shape == (2, 2)
    assert source.window(4, 4).shape == (0, 2)
    with pytest.raises(ValueError, match="read-only"):
        source.rows[0, 0] = 1


def test_one_row_and_one_state(tmp_path: Path) -> None:
    write_dataset(tmp_path / "d", tokens=[""], states={"s": np.array([[0.25]], np.float32)})
    dataset = open_dataset(tmp_path / "d", tmp_path / "c")
    source = dataset.open_source("s")
    assert (source.n_steps, source.n_states, dataset.n_steps) == (1, 1, 1)
    assert source.suggested_threshold == 0.25
    assert not source.warnings
    assert dataset.tokens(0, 1) == [""]
    assert dataset.sequences.bounds(0) == (0, 1)
    assert dataset.sequences.id(0) is None


def test_more_rows_than_a_row_group(tmp_path: Path) -> None:
    rows = np.random.default_rng(1).normal(size=(40_000, 3)).astype("float16")
    batches = (rows[i : i + 777] for i in range(0, 40_000, 777))
    write_dataset(tmp_path / "d", tokens=["x"] * 40_000, states={"s": batches})
    file = pq.ParquetFile(tmp_path / "d" / "states" / "s.parquet")
    sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    assert sizes == [16_384, 16_384, 7_232]
    source = open_dataset(tmp_path / "d", tmp_path / "c").open_source("s")
    assert np.array_equal(source.window(0, 40_000), rows)


def test_sources_are_opened_once(folder: Path) -> None:
    save(folder, pa.table({"a": X[:, 0]}))
    dataset = open_dataset(folder, folder.parent / "cache")
    assert dataset.open_source("s") is dataset.open_source("s")
    with pytest.raises(DatasetError, match="there is 's'"):
        dataset.open_source("t")


# ---- tokens and sequences


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["a b", "", "日本", "a b", "🙂", " "]),
        pa.array(["a b", "", "日本", "a b", "🙂", " "], pa.large_string()),
        pa.array(["a b", "", "日本", "a b", "🙂", " "], pa.string_view()),
        pa.array(["a b", "", "日本", "a b", "🙂", " "]).dictionary_encode(),
        pa.chunked_array([["a b", "", "日本"], ["a b", "🙂", " "]]),
    ],
    ids=["string", "large", "view", "dictionary", "chunks"],
)
@pytest.mark.parametrize("row_group", [1, 4, 100])
def test_tokens_of_any_string_type(folder: Path, column: str, row_group: int) -> None:
    save(folder, pa.table({"a": X[:, 0]}))
    pq.write_table(pa.table({"token": column}), folder / "tokens.parquet", row_group_size=row_group)
    dataset = open_dataset(folder, folder.parent / "cache")
    assert dataset.tokens(0, 6) == ["a b", "", "日本", "a b", "🙂", " "]
    assert dataset.tokens(2, 4) == ["日本", "a b"]
    assert dataset.tokens(-5, 1) == ["a b"]
    assert dataset.tokens(5, 50) == [" "]
    assert dataset.tokens(3, 3) == []
    assert len(dataset.token_table.vocabulary) == 5


@pytest.mark.parametrize("row_group", [2, 100])
@pytest.mark.parametrize(
    ("column", "ids"),
    [
        (pa.array([7, 7, -1, 3, 3, 3]), (7, -1, 3)),
        (pa.array([7, 7, 1, 3, 3, 3], pa.uint8()), (7, 1, 3)),
        (pa.array(["x", "x", "", "y", "y", "y"]), ("x", "", "y")),
        (pa.array(["x", "x", "", "y", "y", "y"]).dictionary_encode(), ("x", "", "y")),
    ],
    ids=["int", "uint8", "string", "dictionary"],
)
def test_sequences(folder: Path, column: str, ids: Any, row_group: int) -> None:
    save(folder, pa.table({"a": X[:, 0]}))
    table = pa.table({"token": list("abcdef"), "sequence": column})
    pq.write_table(table, folder / "tokens.parquet", row_group_size=row_group)
    sequences = open_dataset(folder, folder.parent / "cache").sequences
    assert sequences.offsets.tolist() == [0, 2, 3, 6]
    assert sequences.offsets.dtype == np.int64
    assert sequences.ids == ids
    assert [sequences.ordinal(i) for i in range(6)] == [0, 0, 1, 2, 2, 2]
    assert sequences.id(2) == ids[1]
    assert sequences.bounds(4) == (3, 6)
    assert len(sequences) == 3
    for outside in (-1, 6):
        with pytest.raises(IndexError):
            sequences.ordinal(outside)


def test_sequences_saved_as_the_index_of_a_data_frame_still_count(folder: Path) -> None:
    save(folder, pa.table({"a": X[:, 0]}))
    frame = pd.DataFrame({"sequence": [1, 1, 2, 2, 2, 3], "token": list("abcdef")})
    frame.set_index("sequence").to_parquet(folder / "tokens.parquet")
    dataset = open_dataset(folder, folder.parent / "cache")
    assert dataset.sequences.ids == (1, 2, 3)
    assert not dataset.annotations


# ---- the writer


def test_the_writer_leaves_nothing_behind_when_it_fails(tmp_path: Path) -> None:
    def batches() -> Iterator[Any]:
        yield np.zeros((2, 2))
        raise RuntimeError("the model failed")

    with pytest.raises(RuntimeError, match="model failed"):
        write_dataset(tmp_path / "d", tokens=["a"] * 4, states={"s": batches()})
    assert list(tmp_path.iterdir()) == []


def test_the_old_dataset_is_restored_when_replacing_it_is_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_dataset(tmp_path / "d", tokens=["a"], states={"s": np.zeros((1, 1))})
    rename = Path.rename

    def interrupt(source: Any, target: Any) -> Any:
        if source.suffix == ".tmp":
            raise KeyboardInterrupt
        return rename(source, target)

    monkeypatch.setattr(Path, "rename", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_dataset(path, tokens=["b"], states={"s": np.zeros((1, 1))}, overwrite=True)
    assert list(tmp_path.iterdir()) == [path]
    assert open_dataset(path, tmp_path / "c").tokens(0, 1) == ["a"]


def test_the_writer_overwrites_only_on_request(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()  # an empty folder is accepted
    write_dataset(tmp_path / "d", tokens=["a"], states={"s": np.zeros((1, 1))})
    with pytest.raises(WriteError, match=r"already exists.*overwrite=True"):
        write_dataset(tmp_path / "d", tokens=["a", "b"], states={"s": np.zeros((2, 1))})
    write_dataset(tmp_path / "d", tokens=["a", "b"], states={"s": np.ones((2, 1))}, overwrite=True)
    assert open_dataset(tmp_path / "d", tmp_path / "c").n_steps == 2
    assert [p.name for p in tmp_path.iterdir()] == ["d"]


ZERO = np.zeros((2, 3))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"states": {}}, "no states"),
        ({"tokens": []}, "no tokens"),
        ({"tokens": ["a", None]}, "a token is null"),
        ({"states": {"s": np.zeros((3, 1))}}, "has 3 rows for 2 tokens"),
        ({"states": {"s": np.zeros(2)}}, "shape"),
        ({"states": {"s": ZERO > 0}}, "bool"),
        ({"states": {"s": [np.zeros((1, 2)), np.zeros((1, 3))]}}, "batches of source 's' differ"),
        ({"states": {"s": [np.zeros((1, 2)), np.zeros((1, 2), "f4")]}}, "differ"),
        ({"states": {"a/b": ZERO}}, "cannot be a file name"),
        ({"states": {".b": ZERO}}, "cannot be a file name"),
        ({"state_names": {"s": ["a"]}}, "3 states and 1 state name"),
        ({"state_names": {"s": ["a", "b", "a"]}}, "same name"),
        ({"sequences": [1]}, "'sequence' has 1 value for 2 tokens"),
        ({"sequences": [1.5, 2.5]}, "expected integers or strings, found float64"),
        ({"columns": {"token": [1, 2]}}, "cannot be called 'token'"),
        ({"annotations": {"n": [1]}}, "'n' has 1 value"),
        ({"annotations": {"n": [1, 2]}, "intervals": {"n": []}}, "given twice"),
        ({"ranked": {"r": ([["a"], ["b", "c"]], [[1.0], [1.0]])}}, "as many weights as words"),
        ({"intervals": {"i": [(0, 3, "x")]}}, "steps from 0 to 2"),
        ({"config": {"nam": "x"}}, "did you mean 'name'"),
    ],
)
def test_the_writer_refuses_in_one_sentence(tmp_path: Path, wrong: Any, words: str) -> None:
    given = {"tokens": ["a", "b"], "states": {"s": ZERO}} | wrong
    with pytest.raises(WriteError) as error:
        write_dataset(tmp_path / "d", **given)
    assert words in str(error.value)
    assert "\n" not in str(error.value)
    assert ".tmp" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_the_writer_takes_state_names_and_big_endian(tmp_path: Path) -> None:
    write_dataset(
        tmp_path / "d",
        tokens=pa.array(["a", "b"]).dictionary_encode(),
        states={"s": np.array([[1, 2], [3, 4]], ">f4")},
        state_names={"s": ["left", "right"]},
    )
    source = open_dataset(tmp_path / "d", tmp_path / "c").open_source("s")
    assert source.state_names == ("left", "right")
    assert source.window(0, 2).tolist() == [[1, 2], [3, 4]]
