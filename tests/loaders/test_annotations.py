"""Kinds of annotations, their categories, colours and values."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loaders.annotations import Annotation, Category
from loaders.check import check
from loaders.dataset import open_dataset
from loaders.palette import COLORS, OTHER, assign_colors
from loaders.problems import DatasetError

N = 60


@pytest.fixture
def folder(tmp_path: Path) -> Any:
    path = tmp_path / "d"
    (path / "states").mkdir(parents=True)
    (path / "annotations").mkdir()
    table = pa.table({"token": ["t"] * N, "sequence": [0] * 30 + [1] * 30})
    pq.write_table(table, path / "tokens.parquet")
    pq.write_table(pa.table({"a": np.arange(N, dtype="f4")}), path / "states" / "s.parquet")
    return path


def annotated(folder: Path, values: Any, config: Any = "", name: str = "x") -> Any:
    """The annotation from one column, in a file whose column has a different name."""
    pq.write_table(
        pa.table({"column": values}), folder / "annotations" / f"{name}.parquet", row_group_size=7
    )
    (folder / "dataset.yaml").write_text(config)
    return open_dataset(folder, folder.parent / "c").annotations[name]


def labels(annotation: Annotation) -> Any:
    return [category.label for category in annotation.categories]


def repeated(values: Any, kind: str | None = None) -> Any:
    return pa.array((list(values) * N)[:N], kind)


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (repeated(["b", "a", None]), "categorical", ["a", "b"]),
        (repeated(["b", "a"], pa.large_string()), "categorical", ["a", "b"]),
        (repeated(["b", "a"], pa.string_view()), "categorical", ["a", "b"]),
        (repeated([True, False]), "categorical", ["false", "true"]),
        (repeated([10, 9, -1]), "categorical", ["-1", "9", "10"]),
        (repeated([2, 1], pa.uint8()), "categorical", ["1", "2"]),
        (repeated(["z", "y"]).dictionary_encode(), "categorical", ["y", "z"]),
        (repeated([3, 1]).dictionary_encode(), "categorical", ["1", "3"]),
        (repeated([0.5, 1.5]), "scalar", None),
        (repeated([0.5, 1.5], pa.float32()), "scalar", None),
        (pa.array(range(N)), "scalar", None),
        (pa.array([i % 50 for i in range(N)]), "categorical", [str(i) for i in range(50)]),
        (pa.array([i % 51 for i in range(N)]), "scalar", None),
        (repeated([["a", "b"], []]), "ranked", None),
    ],
    ids=lambda v: str(getattr(v, "type", "")),
)
def test_kind_follows_from_the_type(folder: Path, values: Any, kind: str, expected: Any) -> None:
    annotation = annotated(folder, values)
    assert annotation.kind == kind
    if expected and len(expected) <= len(COLORS):
        assert labels(annotation) == expected
        codes = annotation.codes(0, N)
        assert codes.dtype == np.int32
        read = [None if c < 0 else labels(annotation)[c] for c in codes]
        expected_labels = [None if v is None else str(v).lower() for v in values.to_pylist()]
        assert read == expected_labels
        assert annotation.codes(-5, 2).tolist() == codes[:2].tolist()
        assert annotation.codes(N - 1, N + 9).tolist() == codes[-1:].tolist()
    elif expected:
        assert sorted(labels(annotation)) == sorted(expected)


@pytest.mark.parametrize(
    ("values", "kind", "natural"),
    [
        (pa.array(range(N)), "categorical", "scalar"),
        (repeated([0.5, None, float("nan")]), "categorical", "scalar"),
        (repeated([1, 2]), "scalar", "categorical"),
        (repeated([True, None]), "scalar", "categorical"),
        (repeated([1, 2]).dictionary_encode(), "scalar", "categorical"),
    ],
    ids=lambda v: str(getattr(v, "type", v)),
)
def test_kind_can_be_overridden(folder: Path, values: Any, kind: str, natural: Any) -> None:
    assert annotated(folder, values).kind == natural
    assert annotated(folder, values, f"annotations: {{x: {{kind: {kind}}}}}").kind == kind


def test_scalar_values_are_float64_with_nan_for_null(folder: Path) -> None:
    annotation = annotated(
        folder, repeated([0.5, None, 2.5], pa.float32()), "annotations: {x: {unit: nats}}"
    )
    assert annotation.unit == "nats"
    assert (annotation.minimum, annotation.maximum) == (0.5, 2.5)
    values = annotation.values(0, 3)
    assert values.dtype == np.float64
    np.testing.assert_array_equal(values, [0.5, np.nan, 2.5])


def test_scalar_without_a_finite_value(folder: Path) -> None:
    annotation = annotated(folder, pa.array([None] * N, pa.float64()))
    assert annotation.minimum is None
    assert annotation.maximum is None


def test_half_precision_and_large_integers_are_scalars(folder: Path) -> None:
    assert annotated(folder, pa.array(np.full(N, 0.5, "f2"))).values(0, 1).tolist() == [0.5]
    big = pa.array([2**60 + i for i in range(N)])
    assert annotated(folder, big).values(1, 2).tolist() == [float(2**60 + 1)]
    holes = pa.array([None, *range(1, N)], pa.int64())
    assert np.isnan(annotated(folder, holes).values(0, 1))[0]


def stored(values: list[int | None], kind: pa.DataType) -> pa.Array:
    """A date, time, timestamp or duration column of these stored integers."""
    whole = pa.int32() if kind.bit_width == 32 else pa.int64()
    return pa.array((values * N)[:N], whole).view(kind)


LEAST = -(2**63)
WRITTEN: dict[str, tuple[pa.Array, str, list[str | None]]] = {
    "days": (
        stored([0, -1, None, 18_262], pa.date32()),
        "date",
        ["1970-01-01", "1969-12-31", None, "2020-01-01"],
    ),
    "days in milliseconds": (
        stored([0, 86_400_000], pa.date64()),
        "date",
        ["1970-01-01", "1970-01-02"],
    ),
    "a date that Python does not have": (
        stored([3_000_000], pa.date32()),
        "date",
        ["10183-09-21"],
    ),
    "times": (
        stored([0, 86_399_050, None], pa.time32("ms")),
        "time",
        ["00:00:00", "23:59:59.05", None],
    ),
    "times in nanoseconds": (
        stored([1, 86_399_999_999_999], pa.time64("ns")),
        "time",
        ["00:00:00.000000001", "23:59:59.999999999"],
    ),
    "nanoseconds beyond 2^53, null and NaT": (
        stored([2**60 + 1, None, LEAST, -1], pa.timestamp("ns")),
        "timestamp",
        ["2006-07-14 23:58:24.606846977", None, None, "1969-12-31 23:59:59.999999999"],
    ),
    "summer and winter in Berlin": (
        stored([1_590_000_000, 1_577_836_800], pa.timestamp("s", "Europe/Berlin")),
        "timestamp",
        ["2020-05-20 20:40:00+02:00", "2020-01-01 01:00:00+01:00"],
    ),
    "an offset west of Greenwich": (
        stored([1_590_000_000_000_001], pa.timestamp("us", "-05:30")),
        "timestamp",
        ["2020-05-20 13:10:00.000001-05:30"],
    ),
    "a zone that nobody knows": (
        stored([0], pa.timestamp("ms", "Nowhere/City")),
        "timestamp",
        ["1970-01-01 00:00:00+00:00"],
    ),
    "durations": (
        stored([350, -350, 59_000, 60_000, -183_845_006, 0, None, LEAST], pa.duration("ms")),
        "duration",
        ["0.35 s", "-0.35 s", "59 s", "00:01:00", "-2 d 03:04:05.006", "0 s", None, None],
    ),
    "the longest duration": (
        stored([2**63 - 1, 1], pa.duration("ns")),
        "duration",
        ["106751 d 23:47:16.854775807", "0.000000001 s"],
    ),
    "decimals": (
        repeated([Decimal("1.50"), Decimal("-0.05"), None, Decimal("12345678901234567.89")]),
        "decimal",
        ["1.50", "-0.05", None, "12345678901234567.89"],
    ),
    "small decimals of 256 bits": (
        repeated([Decimal("1e-12")], pa.decimal256(60, 15)),
        "decimal",
        ["0.000000000001000"],
    ),
    "decimals of 32 bits": (repeated([Decimal("1.5")], pa.decimal32(5, 2)), "decimal", ["1.50"]),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_dates_times_durations_and_decimals_are_scalars_written_in_full(
    folder: Path, name: str
) -> None:
    values, of, expected = WRITTEN[name]
    annotation = annotated(folder, values)
    assert (annotation.kind, annotation.type) == ("scalar", of)
    n = len(expected)
    assert annotation.texts(0, n) == annotation.plain(0, n) == expected
    assert annotation.texts(-5, 1) == expected[:1]
    assert len(annotation.texts(N - 1, N + 9)) == 1
    numbers = annotation.values(0, n)
    assert np.isnan(numbers).tolist() == [text is None for text in expected]
    order = np.argsort(numbers, kind="stable")[: np.count_nonzero(~np.isnan(numbers))]
    assert annotation.extremes == (expected[order[0]], expected[order[-1]])
    (line,) = [line for line in check(folder).text().splitlines() if line.startswith("  x  ")]
    assert line.endswith(f"{expected[order[0]]} to {expected[order[-1]]}")


def test_integers_that_float64_does_not_hold_keep_their_digits(folder: Path) -> None:
    annotation = annotated(folder, pa.array([2**60 + i if i else None for i in range(N)]))
    assert annotation.plain(0, 2) == [None, 2**60 + 1]
    assert annotation.texts(1, 2) == [str(2**60 + 1)]
    assert annotation.extremes == (str(2**60 + 1), str(2**60 + N - 1))
    assert annotated(folder, pa.array(range(N)), name="y").texts(0, 2) is None


def test_a_column_without_one_date_is_a_scalar(folder: Path) -> None:
    annotation = annotated(folder, pa.array([None] * N, pa.timestamp("us")))
    assert (annotation.minimum, annotation.extremes, annotation.texts(0, 1)) == (None, None, [None])
    assert "no finite values" in check(folder).text()


def test_dates_and_decimals_can_be_categories(folder: Path) -> None:
    config = "annotations: {x: {kind: categorical}}"
    days = stored([1, None, 0], pa.date32())
    annotation = annotated(folder, days, config)
    assert labels(annotation) == ["1970-01-01", "1970-01-02"]
    assert annotation.codes(0, 3).tolist() == [1, -1, 0]
    moments = stored(
        [LEAST, 2**60, -(2**62)], pa.timestamp("us")
    )  # years that Python does not have
    assert annotated(folder, moments, config).codes(0, 3).tolist() == [-1, 1, 0]
    lengths = stored([60, -1], pa.duration("s"))
    assert labels(annotated(folder, lengths, config)) == ["-1 s", "00:01:00"]
    prices = repeated([Decimal("10.00"), Decimal("9.50")])
    assert labels(annotated(folder, prices, config)) == ["9.50", "10.00"]


def test_only_numbers_have_a_unit(folder: Path) -> None:
    config = "annotations: {x: {unit: EUR}}"
    assert annotated(folder, repeated([Decimal("1.50")]), config).unit == "EUR"
    with pytest.raises(DatasetError, match=r"annotations\.x\.unit.*durations"):
        annotated(folder, stored([1], pa.duration("s")), config)


def test_order_and_colors_of_dataset_yaml(folder: Path) -> None:
    config = """
annotations:
  x:
    order: [c, a, never]
    colors: {a: "#ABCDEF", e: "#e69f00"}
"""
    annotation = annotated(folder, repeated("abcde"), config)
    assert labels(annotation) == ["c", "a", "never", "b", "d", "e"]
    colors = {category.label: category.color for category in annotation.categories}
    assert colors["a"] == "#abcdef"
    assert colors["e"] == COLORS[0]
    assert len(set(colors.values())) == 6  # a configured colour is not assigned again
    counts = dict(zip(labels(annotation), annotation.counts.tolist(), strict=True))
    assert counts == {"a": 12, "b": 12, "c": 12, "d": 12, "e": 12, "never": 0}
    (warning,) = open_dataset(folder, folder.parent / "c").warnings
    assert "annotations.x.order" in warning.sentence
    assert "'never', which does not" in warning.sentence


def test_british_spelling_of_colors_is_read(folder: Path) -> None:
    config = 'annotations: {x: {colours: {a: "#000001"}}}'
    assert annotated(folder, repeated("ab"), config).categories[0] == Category("a", "#000001")


def test_order_may_be_written_as_numbers_and_truth_values(folder: Path) -> None:
    config = "annotations: {x: {order: [2, 0, 1]}}"
    assert labels(annotated(folder, repeated([0, 1, 2]), config)) == ["2", "0", "1"]
    config = "annotations: {x: {order: [true, false]}}"
    assert labels(annotated(folder, repeated([False, True]), config)) == ["true", "false"]


def test_more_categories_than_colors_puts_the_frequent_first(folder: Path) -> None:
    values = [f"c{i:02}" for i in range(20)] + ["c19"] * 30 + ["c07"] * 10
    annotation = annotated(folder, pa.array(values))
    assert labels(annotation)[:3] == ["c19", "c07", "c00"]
    colors = [category.color for category in annotation.categories]
    assert colors == [*COLORS, *[OTHER] * (20 - len(COLORS))]


def test_colors_do_not_depend_on_the_order_of_appearance(folder: Path) -> None:
    first = annotated(folder, repeated("abc")).categories
    assert annotated(folder, repeated("cab")).categories == first
    assert annotated(folder, repeated("cba").dictionary_encode()).categories == first


def test_the_palette() -> None:
    assert len(set(COLORS)) == len(COLORS) == 15
    assert assign_colors(["a"] * 0, {}) == ()
    assert assign_colors(["a", "b"], {"b": COLORS[0]}) == (COLORS[1], COLORS[0])
    assert assign_colors([str(i) for i in range(17)], {})[-2:] == (OTHER, OTHER)


def test_a_dictionary_that_lists_unused_values_shows_the_used_ones(folder: Path) -> None:
    frame = pd.DataFrame({"x": pd.Categorical(["b"] * N, categories=["a", "b", "c"], ordered=True)})
    frame.to_parquet(folder / "annotations" / "x.parquet")
    dataset = open_dataset(folder, folder.parent / "c")
    assert labels(dataset.annotations["x"]) == ["b"]


def ranked_rows() -> Any:
    return [["a", "b"], [], None, ["ü", ""]] * 15, [[0.5, 0.25], None, [], [1.0, None]] * 15


@pytest.mark.parametrize("place", ["tokens", "two files", "one file"])
@pytest.mark.parametrize("coded", [False, True])
def test_ranked_lists_and_their_weights(folder: Path, place: Any, coded: Any) -> None:
    rows, weights = ranked_rows()
    words = pa.array(rows)
    if coded:
        words = words.cast(pa.list_(pa.dictionary(pa.int32(), pa.string())))
    both = {"top": words, "top_weight": pa.array(weights, pa.list_(pa.float32()))}
    if place == "tokens":
        table = pa.table({"token": ["t"] * N, "sequence": [0] * 30 + [1] * 30, **both})
        pq.write_table(table, folder / "tokens.parquet", row_group_size=9)
    elif place == "one file":
        pq.write_table(pa.table(both), folder / "annotations" / "top.parquet", row_group_size=9)
    else:
        for name, column in both.items():
            path = folder / "annotations" / f"{name}.parquet"
            pq.write_table(pa.table({"x": column}), path, row_group_size=9)
    dataset = open_dataset(folder, folder.parent / "c")
    assert list(dataset.annotations) == ["top"]
    ranked = dataset.annotations["top"]
    assert ranked.has_weights
    assert ranked.items(0, 5) == [["a", "b"], [], [], ["ü", ""], ["a", "b"]]
    assert ranked.items(3, 4) == [["ü", ""]]
    assert ranked.weights(0, 3) == [[0.5, 0.25], [], []]
    weights = ranked.weights(3, 4)
    assert weights is not None
    assert np.isnan(weights[0][1])
    assert len(ranked.items(-4, N + 5)) == N
    assert ranked.items(N, N + 1) == ranked.items(5, 5) == []


def test_ranked_without_weights(folder: Path) -> None:
    ranked = annotated(folder, repeated([["a"]]))
    assert not ranked.has_weights
    assert ranked.weights(0, 5) is None


def test_a_number_called_weight_is_a_separate_annotation(folder: Path) -> None:
    annotated(folder, repeated([["a"]]), name="top")
    assert annotated(folder, repeated([0.5]), name="top_weight").kind == "scalar"
    assert set(open_dataset(folder, folder.parent / "c").annotations) == {"top", "top_weight"}


def test_intervals(folder: Path) -> None:
    frame = pd.DataFrame({"start": [0, 5, 30], "stop": [3, 30, 60], "label": ["NP", "VP", "NP"]})
    frame.to_parquet(folder / "annotations" / "chunk.parquet")
    (folder / "dataset.yaml").write_text(
        'annotations: {chunk: {order: [VP, NP], colors: {NP: "#123456"}}}'
    )
    chunk = open_dataset(folder, folder.parent / "c").annotations["chunk"]
    assert chunk.kind == "interval"
    assert len(chunk) == 3
    assert chunk.categories[1] == Category("NP", "#123456")
    assert chunk.counts.tolist() == [1, 2]
    assert chunk.spans(0, 60) == [(0, 3, "NP"), (5, 30, "VP"), (30, 60, "NP")]
    assert chunk.spans(2, 6) == [(0, 3, "NP"), (5, 30, "VP")]
    assert chunk.spans(3, 5) == []
    assert chunk.spans(29, 31) == [(5, 30, "VP"), (30, 60, "NP")]
    assert chunk.spans(4, 4) == []
    np_, vp = ([c.label for c in chunk.categories].index(label) for label in ("NP", "VP"))
    assert chunk.coded_spans(2, 6) == [(0, 3, np_), (5, 30, vp)]
    assert chunk.codes(2, 7).tolist() == [np_, -1, -1, vp, vp]
    assert chunk.codes(28, 32).tolist() == [vp, vp, np_, np_]
    assert chunk.codes(4, 4).tolist() == []


def test_no_intervals_at_all(folder: Path) -> None:
    table = pa.table(
        {
            "start": pa.array([], pa.int64()),
            "stop": pa.array([], pa.int64()),
            "label": pa.array([], pa.string()),
        }
    )
    pq.write_table(table, folder / "annotations" / "chunk.parquet")
    chunk = open_dataset(folder, folder.parent / "c").annotations["chunk"]
    assert chunk.spans(0, N) == []
    assert chunk.categories == ()


def test_annotation_index_columns_are_left_out(folder: Path) -> None:
    pd.Series([0.5] * N, index=range(5, 5 + N), name="x").to_frame().set_index(
        pd.Index([f"r{i}" for i in range(N)])
    ).to_parquet(folder / "annotations" / "x.parquet")
    dataset = open_dataset(folder, folder.parent / "c")
    assert dataset.annotations["x"].kind == "scalar"
    assert "index" in dataset.warnings[0].sentence


def test_columns_of_tokens_come_first_and_dots_are_not_paths(folder: Path) -> None:
    table = pa.table({"token": ["t"] * N, "a": repeated([1, 2]), "a.b": repeated([0.5])})
    pq.write_table(table, folder / "tokens.parquet")
    pq.write_table(pa.table({"z": repeated("q")}), folder / "annotations" / "0.parquet")
    annotations = open_dataset(folder, folder.parent / "c").annotations
    assert list(annotations) == ["a", "a.b", "0"]
    assert [annotation.kind for annotation in annotations.values()] == [
        "categorical",
        "scalar",
        "categorical",
    ]
