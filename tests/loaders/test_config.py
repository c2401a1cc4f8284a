"""dataset.yaml: what is accepted."""

from pathlib import Path
from typing import Any

import pytest

from loaders.config import Default, parse_config, read_config


def test_everything_at_once(tmp_path: Path) -> None:
    path = tmp_path / "dataset.yaml"
    path.write_text(
        """
name: Parenthesis language
description: |
  Nesting up to four levels deep.
sources:
  layer2_cell: {title: "layer 2, cell state", transform: tanh}
  layer1_cell:
annotations:
  level: {kind: categorical, order: ["0", "1"], colors: {"0": "#0072B2"}}
  surprisal: {kind: scalar, unit: nats}
default: {source: layer2_cell, start: 120, stop: 124, off_before: 1, off_after: 2,
          threshold: 0.3, tracks: [level, level]}
""",
        encoding="utf-8",
    )
    config, problems = read_config(path, "d/dataset.yaml")
    assert problems == []
    assert config.name == "Parenthesis language"
    assert config.description == "Nesting up to four levels deep."
    assert config.sources["layer2_cell"].transform == "tanh"
    assert config.sources["layer1_cell"].title is None
    assert config.annotations["level"].order == ("0", "1")
    assert config.annotations["level"].colors == {"0": "#0072b2"}
    assert config.annotations["surprisal"].unit == "nats"
    assert config.default == Default("layer2_cell", 120, 124, 0.3, ("level",), 1, 2)


@pytest.mark.parametrize("text", ["", "# nothing\n", "default:\nsources:\nannotations:\n"])
def test_empty_and_missing_files_are_accepted(tmp_path: Path, text: str) -> None:
    path = tmp_path / "dataset.yaml"
    assert read_config(path, "x")[1] == []
    path.write_text(text)
    config, problems = read_config(path, "x")
    assert problems == []
    assert config.default is None
    assert config.name is None


@pytest.mark.parametrize(
    ("written", "number"),
    [("1e-3", 1e-3), ("-1e-3", -1e-3), ("0", 0.0), ("'0.5'", 0.5), ("-2", -2)],
)
def test_thresholds_in_common_notations(tmp_path: Path, written: Any, number: int) -> None:
    path = tmp_path / "dataset.yaml"
    path.write_text(f"default: {{threshold: {written}}}")
    config, problems = read_config(path, "x")
    assert problems == []
    assert config.default is not None
    assert config.default.threshold == number


@pytest.mark.parametrize("written", ["1_0", "010", "0x1F", "1:30", "+3", "\uff13"])
def test_a_number_that_is_not_plain_decimal_is_not_a_step(tmp_path: Path, written: Any) -> None:
    path = tmp_path / "dataset.yaml"
    path.write_text(f"default: {{start: {written}, stop: 100}}", encoding="utf-8")
    (problem,) = read_config(path, "x")[1]
    assert (problem.where, problem.found) == ("x, default.start", f"'{written}'")


@pytest.mark.parametrize("written", ["1_0.5", "1_0", "\uff10.5", "1:30.5", ".inf", ".nan", "nan"])
def test_a_number_that_is_not_finite_and_decimal_is_not_a_threshold(
    tmp_path: Path, written: Any
) -> None:
    path = tmp_path / "dataset.yaml"
    path.write_text(f"default: {{threshold: {written}}}", encoding="utf-8")
    (problem,) = read_config(path, "x")[1]
    assert (problem.where, problem.found) == ("x, default.threshold", f"'{written}'")


def test_labels_that_look_like_numbers_are_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "dataset.yaml"
    path.write_text(
        "annotations: {a: {order: [010, 1_0, 0x1F, 1:30, 7], colors: {010: '#000000'}}}"
    )
    config, problems = read_config(path, "x")
    assert problems == []
    assert config.annotations["a"].order == ("010", "1_0", "0x1F", "1:30", "7")
    assert list(config.annotations["a"].colors) == ["010"]


@pytest.mark.parametrize(
    "content",
    [
        {"default": {"threshold": 10**400}},
        {"default": {"threshold": "nan"}},
        {"default": {"threshold": [1]}},
        {"default": {"start": 1.0, "stop": 3}},
        {"default": {"start": True, "stop": 3}},
        {"default": {"tracks": "level"}},
        {"default": {"start": 1, "stop": 3, "off_before": -1}},
        {"default": {"start": 1, "stop": 3, "off_after": 0.5}},
        {"default": [1]},
        {"sources": ["a"]},
        {"sources": {"a": "title"}},
        {"sources": {"a": {"title": 1}}},
        {"annotations": {"a": {"order": "abc"}}},
        {"annotations": {"a": {"order": [1, "1"]}}},
        {"annotations": {"a": {"kind": ["x"]}}},
        {"annotations": {"a": {"colors": ["#000000"]}}},
        {"annotations": {"a": {"colors": {"x": "#00"}}}},
        {1: 2},
        "text",
        7,
    ],
    ids=str,
)
def test_wrong_forms_are_one_problem_each_and_never_an_exception(content: str) -> None:
    _, problems = parse_config(content)
    assert len(problems) == 1
    assert problems[0].sentence.endswith(".")


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object:os.system x",
        "a: 2024-13-45",
        "? [a]\n: b",
        "a: &x [*x]\nb: *x",
        "a: *nowhere",
        "\t",
        "a: b: c",
        "%YAML 9",
        "[" * 5000,
        "{a: 1, a: 2}",
        "\x00",
        "a: {? {b: 1} : 2}",
    ],
)
def test_odd_yaml_is_a_problem_and_never_an_exception(tmp_path: Path, text: str) -> None:
    path = tmp_path / "dataset.yaml"
    path.write_text(text)
    _, problems = read_config(path, "d/dataset.yaml")
    assert problems
    assert all("\n" not in problem.sentence for problem in problems)
