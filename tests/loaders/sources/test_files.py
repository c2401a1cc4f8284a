"""A source divided into pieces: no row lost or repeated, the same in any order of reading."""

from __future__ import annotations

import random
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.check import check
from loaders.config import SourceSettings
from loaders.problems import DatasetError
from loaders.sources import files as source
from loaders.sources import store
from loaders.sources.files import SourceFiles, inspect_source, over_pieces, pieces
from loaders.sources.summary import Summarizer
from loaders.writer import write_dataset

N_STEPS, N_STATES = 4_321, 5


@pytest.fixture
def rows() -> Any:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(N_STEPS, N_STATES)).astype("float16")
    values[rng.random(values.shape) < 0.001] = np.nan
    values[rng.random(values.shape) < 0.001] = np.inf
    return values


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Divide files of a few thousand rows like large ones: 512 rows per batch, 128 per block."""
    width = N_STATES * 2
    monkeypatch.setattr(source, "_BATCH_BYTES", 512 * width)
    monkeypatch.setattr(source, "_GROUP_BYTES", 1_024 * width)
    monkeypatch.setattr(source, "_BLOCK_BYTES", 128 * width)


def inspected(path: Path) -> SourceFiles:
    files, problems = inspect_source("s", path, "states/s", SourceSettings())
    assert files is not None
    assert not problems
    return files


def table(rows: Any, as_list: bool) -> Any:
    if as_list:
        flat = pa.array(rows.ravel())
        return pa.table({"s": pa.FixedSizeListArray.from_arrays(flat, rows.shape[1])})
    return pa.table({f"s{i}": column for i, column in enumerate(rows.T.copy())})


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("as_list", [False, True], ids=["columns", "lists"])
@pytest.mark.parametrize("n_parts", [1, 3])
@pytest.mark.parametrize("group", [60, 500, 700, 2_000, N_STEPS])
def test_pieces_have_every_row_once_whichever_is_read_first(
    tmp_path: Path, rows: Any, as_list: bool, n_parts: int, group: int
) -> None:
    (tmp_path / "s").mkdir()
    for i, part in enumerate(np.array_split(rows, n_parts)):
        pq.write_table(table(part, as_list), tmp_path / "s" / f"{i}.parquet", row_group_size=group)
    found = list(pieces(inspected(tmp_path / "s")))
    assert len(found) > 3
    ends = [0, *(piece.start + piece.n_steps for piece in found)]
    assert [piece.start for piece in found] == ends[:-1]
    assert ends[-1] == N_STEPS
    random.Random(group).shuffle(found)
    read = np.full_like(rows, -1)
    for piece in found:
        blocks = list(piece.blocks())
        assert max(len(block) for block in blocks) <= 128
        read[piece.start : piece.start + piece.n_steps] = np.concatenate(blocks)
    np.testing.assert_array_equal(read, rows)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("group", [60, 700, N_STEPS])
def test_the_copy_equals_the_file_however_it_is_divided(
    tmp_path: Path, rows: Any, group: int
) -> None:
    pq.write_table(table(rows, False), tmp_path / "s.parquet", row_group_size=group)
    reported: list[int] = []
    files = inspected(tmp_path / "s.parquet")
    stored = store.open_stored(files, tmp_path / "cache", lambda done, _: reported.append(done))
    np.testing.assert_array_equal(np.asarray(stored.rows), rows)
    assert reported == sorted(reported)
    assert reported[0] == 0
    assert reported[-1] == N_STEPS
    assert len(reported) > N_STEPS // 128


@given(st.integers(1, 20_000), st.sampled_from(["float16", "float32", "float64"]))
def test_columns_to_transpose_take_an_odd_number_of_cache_lines(n_states: int, dtype: Any) -> None:
    files = SourceFiles(
        "s", "s", "s", (), 10**6, tuple(map(str, range(n_states))), np.dtype(dtype), False, None
    )
    column = source._block_rows(files) * files.dtype.itemsize
    assert column > 0
    assert column % 64 == 0
    assert column // 64 % 2 == 1
    assert column * n_states <= max(1 << 23, 64 * n_states * files.dtype.itemsize)


@pytest.mark.usefixtures("small")
def test_the_first_problem_in_the_file_is_reported_whichever_is_found_first(
    tmp_path: Path, rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second piece has a list too short, and so has the third, which is read before it."""
    monkeypatch.setattr(source.pa, "cpu_count", lambda: 4)
    lists = rows.tolist()
    lists[600], lists[1_100] = lists[600][:-1], lists[1_100][:-2]
    column = pa.array(lists, pa.list_(pa.float16()))
    pq.write_table(pa.table({"s": column}), tmp_path / "s.parquet", row_group_size=500)
    later = threading.Event()

    def work(piece: Any) -> Any:
        if piece.start == 500:
            assert later.wait(30)
        try:
            return list(piece.blocks())
        finally:
            if piece.start == 1_000:
                later.set()

    with pytest.raises(DatasetError, match="row 600: expected a list of 5 numbers"):
        list(over_pieces(inspected(tmp_path / "s.parquet"), work))


@pytest.mark.usefixtures("small")
def test_no_piece_is_started_after_an_error(tmp_path: Path, rows: Any) -> None:
    pq.write_table(table(rows, False), tmp_path / "s.parquet", row_group_size=100)
    begun: list[int] = []

    def work(piece: Any) -> None:
        begun.append(piece.start)
        raise KeyError(piece.start)

    with pytest.raises(KeyError, match="0"):
        list(over_pieces(inspected(tmp_path / "s.parquet"), work))
    assert len(begun) <= 6  # of nine: at most four threads, one waiting, one handed out


@pytest.mark.usefixtures("small")
def test_rows_that_disagree_with_the_footer(
    tmp_path: Path, rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pq.write_table(table(rows, False), tmp_path / "s.parquet", row_group_size=500)
    read = source._read_groups

    def short(part: Any, metadata: Any, groups: Any) -> Any:
        return (batch.slice(7) for batch in read(part, metadata, groups))

    monkeypatch.setattr(source, "_read_groups", short)
    with pytest.raises(DatasetError) as error:
        store.open_stored(inspected(tmp_path / "s.parquet"), tmp_path / "cache")
    assert str(error.value) == (
        "states/s: expected the 500 rows given in its footer after row 0, found 493; "
        "write the file again."
    )
    assert not [p for p in (tmp_path / "cache" / "sources").iterdir() if p.is_dir()]


def test_a_summary_does_not_depend_on_the_order(rows: Any) -> None:
    starts = list(range(0, N_STEPS, 77))
    arrays = []
    for seed in range(3):
        summarizer = Summarizer(N_STEPS, N_STATES)
        random.Random(seed).shuffle(starts)
        for start in starts:
            summarizer.update(start, rows[start : start + 77])
        arrays.append(summarizer.finish().arrays())
    for other in arrays[1:]:
        for name, array in arrays[0].items():
            np.testing.assert_array_equal(array, other[name], name)


@pytest.mark.usefixtures("small")
def test_the_first_difference_of_a_copy_is_found(tmp_path: Path, rows: Any) -> None:
    path = write_dataset(tmp_path / "d", tokens=["t"] * N_STEPS, states={"s": rows})
    cache = tmp_path / "cache"
    files = inspected(path / "states" / "s.parquet")
    store.open_stored(files, cache)
    home = cache / "sources" / store.source_key(files)
    copy = np.load(home / store.ROWS, mmap_mode="r+")
    copy[[4_000, 1_777, 1_500], 2] = 9
    copy.flush()
    reported = [one.sentence for one in check(path, cache_dir=cache, deep=True).problems]
    assert len([words for words in reported if "first in row 1,500" in words]) == 1
