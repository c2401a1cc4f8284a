"""The trained parenthesis model and its dataset (section 6.1 of the paper)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner
from numpy.typing import NDArray

from app.matching.query import Query
from app.matching.result import Match, MatchResult
from app.matching.service import MatchService
from app.matching.states import States
from demos import lstm
from demos.parens import build as parens
from demos.parens import grammar, train
from loaders import open_dataset

SOURCES = ("layer1_hidden", "layer1_cell", "layer2_hidden", "layer2_cell")
TOLERANCE = 0.004
"""Nats per character above the floor; one standard error of the mean loss is about 0.003."""


# ------------------------------------------------------------------------------- the network


@dataclass(frozen=True)
class Reading:
    """Unseen text and the model's output for it."""

    sequences: list[NDArray[np.int64]]
    run: lstm.Run

    def levels(self, before: bool = False) -> NDArray[np.int64]:
        of = grammar.levels_before if before else grammar.levels
        return np.concatenate([of(codes) for codes in self.sequences])

    def sources(self) -> dict[str, NDArray[np.float32]]:
        kinds = {"hidden": self.run.hidden, "cell": self.run.cell}
        return {f"layer{k + 1}_{kind}": rows[k] for kind, rows in kinds.items() for k in range(2)}

    def loss(self) -> float:
        return float(np.nanmean(lstm.surprisal(self.run, self.sequences)))

    def floor(self) -> float:
        surprisal = [grammar.true_surprisal(codes)[1:] for codes in self.sequences]
        return float(np.concatenate(surprisal).mean())


def read(seed: int, model: lstm.Lstm | None = None) -> Reading:
    """Read 10,000 characters from a seed used neither in training nor in the dataset."""
    rng = np.random.default_rng([990, seed])
    sequences = [grammar.generate(500, rng) for _ in range(20)]
    return Reading(sequences, lstm.forward(model or lstm.load(parens.WEIGHTS), sequences))


@pytest.fixture(scope="module")
def chosen_on() -> Reading:
    return read(1)


@pytest.fixture(scope="module")
def held_out() -> Reading:
    return read(2)


def test_the_loss_on_unseen_text_is_at_the_entropy_floor(held_out: Reading) -> None:
    # Compared with the entropy of this text first, which has almost no noise.
    assert held_out.loss() == pytest.approx(held_out.floor(), abs=TOLERANCE)
    assert held_out.loss() == pytest.approx(grammar.entropy_floor(), abs=3 * TOLERANCE)


def test_the_same_weights_in_another_order_are_far_above_the_floor() -> None:
    rng = np.random.default_rng(3)
    model = lstm.load(parens.WEIGHTS)
    layers = tuple(
        lstm.Layer(
            rng.permuted(layer.inputs), rng.permuted(layer.recurrent), rng.permuted(layer.bias)
        )
        for layer in model.layers
    )
    shuffled = read(2, lstm.Lstm(model.embedding, layers, model.output, model.output_bias))
    assert shuffled.loss() > shuffled.floor() + 0.3


def test_the_loss_without_the_level_is_far_above_the_floor(held_out: Reading) -> None:
    """A low loss needs the state: the same model loses the level if reset every two characters."""
    pieces = [codes[i : i + 2] for codes in held_out.sequences[:4] for i in range(0, 500, 2)]
    run = lstm.forward(lstm.load(parens.WEIGHTS), pieces)
    assert np.nanmean(lstm.surprisal(run, pieces)) > held_out.floor() + 0.3


def f1(values: NDArray[np.float32], truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the F1 score of each state as a predictor of `truth`: `(n_states,)`."""
    on = values.astype(np.float64) >= parens.THRESHOLD
    both = (on & truth[:, None]).sum(axis=0)
    return np.asarray(2 * both / (on.sum(axis=0) + truth.sum()))


def best_f1(chosen_on: Reading, held_out: Reading, depth: int, before: bool = False) -> float:
    """Return the F1 score on one text of the state that is best on another, over all sources."""
    scores = []
    for name, values in chosen_on.sources().items():
        on_this = f1(values, chosen_on.levels(before) >= depth)
        state = int(on_this.argmax())
        on_that = f1(held_out.sources()[name][:, [state]], held_out.levels(before) >= depth)
        scores.append((float(on_this[state]), float(on_that[0])))
    return max(scores)[1]


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_a_single_state_follows_each_level(
    chosen_on: Reading, held_out: Reading, depth: int
) -> None:
    assert best_f1(chosen_on, held_out, depth) >= 0.99


def test_states_follow_the_level_after_reading_better_than_the_one_before(
    chosen_on: Reading, held_out: Reading
) -> None:
    after = [best_f1(chosen_on, held_out, depth) for depth in (1, 2, 3, 4)]
    before = [best_f1(chosen_on, held_out, depth, before=True) for depth in (1, 2, 3, 4)]
    assert min(after) >= 0.99
    assert min(before) < 0.8
    assert sum(after) > sum(before) + 0.2


def test_the_weights_are_float16_and_small() -> None:
    with np.load(parens.WEIGHTS) as file:
        assert {file[name].dtype for name in file.files} == {np.dtype(np.float16)}
    assert parens.WEIGHTS.stat().st_size < 2.5e6


def test_training_explains_itself_without_torch() -> None:
    answer = CliRunner().invoke(train.main, ["--help"])
    assert answer.exit_code == 0
    for word in ("--out", "--seed", "--max-windows", "--tolerance", "float16", "Adam"):
        assert word in answer.output


@pytest.mark.torch
def test_training_writes_what_the_forward_pass_reads(tmp_path: Path) -> None:
    out = tmp_path / "weights.npz"
    answer = CliRunner().invoke(train.main, ["--out", str(out), "--max-windows", "20"])
    assert answer.exit_code == 0, answer.output
    assert read(2, lstm.load(out)).loss() < np.log(len(grammar.ALPHABET))


# ------------------------------------------------------------------------------- the dataset


@dataclass(frozen=True)
class Built:
    """The dataset folder, read with pyarrow and yaml only."""

    path: Path
    config: dict[str, Any]
    tokens: list[str]
    levels: NDArray[np.int64]
    offsets: NDArray[np.int64]

    def column(self, file: str) -> list[Any]:
        table = pq.read_table(self.path / f"{file}.parquet")
        assert table.num_columns == 1
        return list(table.column(0).to_pylist())

    def states(self, source: str) -> States:
        table = pq.read_table(self.path / "states" / f"{source}.parquet")
        rows = np.column_stack([column.to_numpy() for column in table.columns])
        return States(np.ascontiguousarray(rows), self.offsets)


@pytest.fixture(scope="module")
def reported() -> list[float]:
    return []


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, reported: list[float]) -> Built:
    path = parens.build(tmp_path_factory.mktemp("demos") / "parens", reported.append)
    tokens = pq.read_table(path / "tokens.parquet")
    sequence = tokens["sequence"].to_numpy()
    starts = np.flatnonzero(np.diff(sequence)) + 1
    level = pq.read_table(path / "annotations" / "level.parquet")["level"].to_pylist()
    return Built(
        path,
        yaml.safe_load((path / "dataset.yaml").read_text(encoding="utf-8")),
        tokens["token"].to_pylist(),
        np.array([int(depth) for depth in level]),
        np.concatenate([[0], starts, [len(sequence)]]).astype(np.int64),
    )


def texts_of(built: Built) -> Iterator[str]:
    for first, last in zip(built.offsets[:-1], built.offsets[1:], strict=True):
        yield "".join(built.tokens[first:last])


def test_there_are_enough_steps_in_sequences_of_varying_length(built: Built) -> None:
    lengths = np.diff(built.offsets)
    assert len(built.tokens) >= 20_000
    assert len(lengths) == 24
    assert lengths.min() >= 400
    assert lengths.max() <= 1600
    assert len(set(lengths.tolist())) > 12


def test_sources_are_float16_with_one_column_per_state(built: Built) -> None:
    files = sorted(path.stem for path in (built.path / "states").iterdir())
    assert files == ["layer1_cell", "layer1_hidden", "layer2_cell", "layer2_hidden"]
    for name in files:
        rows = built.states(name).rows
        assert rows.dtype == np.float16
        assert rows.shape == (len(built.tokens), 300)
        assert np.isfinite(rows).all()
        assert built.config["sources"][name]["title"]


def test_the_level_is_the_nesting_after_the_token(built: Built) -> None:
    expected = [grammar.levels(grammar.encode(text)) for text in texts_of(built)]
    assert np.array_equal(built.levels, np.concatenate(expected))


def test_the_kind_of_a_token_is_correct(built: Built) -> None:
    kinds = built.column("annotations/token_kind")
    assert set(zip(built.tokens, kinds, strict=True)) == {
        ("(", "open"),
        (")", "close"),
        *((digit, "digit") for digit in "01234"),
    }


def test_surprisal_is_near_the_floor_and_unknown_where_a_sequence_starts(built: Built) -> None:
    surprisal = np.array(built.column("annotations/surprisal"), np.float64)
    assert np.array_equal(np.flatnonzero(np.isnan(surprisal)), built.offsets[:-1])
    floor = [grammar.true_surprisal(grammar.encode(text))[1:] for text in texts_of(built)]
    assert np.nanmean(surprisal) == pytest.approx(np.concatenate(floor).mean(), abs=TOLERANCE)
    assert np.nanmean(surprisal) == pytest.approx(grammar.entropy_floor(), abs=3 * TOLERANCE)


def test_the_prediction_of_a_step_is_about_the_next_token(built: Built) -> None:
    predictions = built.column("annotations/prediction")
    weights = np.array(built.column("annotations/prediction_weight"))
    surprisal = np.array(built.column("annotations/surprisal"), np.float64)
    assert weights.shape == (len(built.tokens), 3)
    assert (np.diff(weights, axis=1) <= 0).all()
    assert (weights.sum(axis=1) <= 1 + 1e-6).all()
    found = 0
    for step in range(len(built.tokens) - 1):
        # At most three characters can follow, so the next one is practically always listed.
        following = built.tokens[step + 1]
        if step + 1 not in built.offsets and following in predictions[step]:
            weight = weights[step, predictions[step].index(following)]
            assert weight == pytest.approx(np.exp(-surprisal[step + 1]), abs=1e-5)
            found += 1
    assert found > 0.99 * len(built.tokens)


def test_the_dataset_has_no_problems(built: Built, tmp_path: Path) -> None:
    dataset = open_dataset(built.path, tmp_path)
    assert dataset.warnings == ()
    assert dataset.id == "parens"
    assert dataset.name == "Parenthesis language"
    assert dict.fromkeys(dataset.sources) == dict.fromkeys(sorted(SOURCES))
    kinds = {name: str(annotation.kind) for name, annotation in dataset.annotations.items()}
    assert kinds == {
        "level": "categorical",
        "token_kind": "categorical",
        "surprisal": "scalar",
        "prediction": "ranked",
    }
    level = dataset.annotations["level"]
    assert [category.label for category in level.categories] == ["0", "1", "2", "3", "4"]
    assert dataset.default is not None


def test_the_colours_of_the_levels_go_from_light_to_dark() -> None:
    def luminance(color: str) -> float:
        parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return float(np.dot([0.2126, 0.7152, 0.0722], linear))

    shades = [luminance(color) for color in parens.LEVEL_COLORS]
    for lighter, darker in pairwise(shades):
        assert lighter > 1.3 * darker


def test_progress_ends_at_one_and_never_decreases(built: Built, reported: list[float]) -> None:
    assert built.path.exists()
    assert reported == sorted(reported)
    assert reported[-1] == 1
    assert len(reported) > 10


def test_building_again_gives_the_same_dataset(built: Built, tmp_path: Path) -> None:
    again = parens.build(tmp_path / "parens")
    files = [path.relative_to(built.path) for path in built.path.rglob("*") if path.is_file()]
    assert len(files) == 11
    for file in files:
        if file.suffix == ".parquet":
            assert pq.read_table(again / file).equals(pq.read_table(built.path / file)) or (
                file.stem == "surprisal"  # NaN is not equal to NaN in Arrow
            )
        assert (again / file).read_bytes() == (built.path / file).read_bytes(), file


def test_a_build_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    def stop(share: float) -> None:
        if share > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        parens.build(tmp_path / "parens", stop)
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------------- what it shows


def places(built: Built) -> list[int]:
    """The occurrences of `( 4` at the fourth level: the steps of their "("."""
    pairs = zip(built.tokens, built.tokens[1:], strict=False)
    found = [step for step, pair in enumerate(pairs) if pair == ("(", "4")]
    inside = [step for step in found if step + 1 not in built.offsets]
    assert (built.levels[inside] == 4).all()
    assert len(inside) > 300
    return inside


def match(states: States, **options: Any) -> MatchResult:
    return MatchService(threads=1).match("demo", states, Query(**options))


def shallowest(built: Built, matches: tuple[Match, ...]) -> int:
    return min(int(built.levels[match.start : match.stop].min()) for match in matches)


@pytest.mark.parametrize("nth", [0, 1, 100, 200, -1])
def test_open_four_finds_fourth_level_places_only(built: Built, nth: int) -> None:
    """The paper's example, on the default source at its threshold, with the default options."""
    default = built.config["default"]
    states = built.states(default["source"])
    start = places(built)[nth]
    brush = {"threshold": default["threshold"], "start": start, "stop": start + 2}

    listed = match(states, **brush)
    assert len(listed.matches) == 50
    assert shallowest(built, listed.matches) == 4

    full = match(
        states,
        **brush,
        min_overlap=len(listed.selected_states),
        overlapping=True,
        top=listed.total_matches,
    )
    assert len(full.matches) == listed.full_matches > 20
    assert shallowest(built, full.matches) == 4


def test_the_dataset_opens_with_a_few_states_selected(built: Built) -> None:
    default = built.config["default"]
    result = match(
        built.states(default["source"]),
        threshold=default["threshold"],
        start=default["start"],
        stop=default["stop"],
    )
    assert default["threshold"] == 0.3
    assert 3 <= len(result.selected_states) <= 15
    assert "level" in default["tracks"]
    text = "".join(built.tokens[default["start"] : default["stop"]])
    assert "(4" in text
    assert default["stop"] <= 10_000


def test_the_opening_finds_only_phrases_of_its_depth(built: Built) -> None:
    default = built.config["default"]
    states = built.states(default["source"])
    brush = {key: default[key] for key in ("threshold", "start", "stop")}
    depth = int(built.levels[default["start"] : default["stop"]].min())
    # The brush is a whole phrase: its neighbouring steps are less deep.
    assert depth >= 2
    assert built.levels[default["start"] - 1] < depth
    assert built.levels[default["stop"]] < depth

    listed = match(states, **brush)
    assert len(listed.matches) == 50
    assert shallowest(built, listed.matches) == depth

    everything = match(
        states, **brush, min_overlap=len(listed.selected_states), overlapping=True, top=10**6
    )
    found = {(match.start, match.stop) for match in everything.matches}
    phrases = set()
    for first, last in zip(built.offsets[:-1], built.offsets[1:], strict=True):
        inside = np.concatenate([[0], built.levels[first:last] >= depth, [0]]).astype(int)
        starts = np.flatnonzero(np.diff(inside) == 1) + first
        stops = np.flatnonzero(np.diff(inside) == -1) + first
        phrases |= {(int(a), int(b)) for a, b in zip(starts, stops, strict=True) if b - a >= 2}
    assert shallowest(built, everything.matches) == depth
    assert len(found & phrases) >= 0.99 * len(phrases)


def test_states_without_meaning_give_no_opening() -> None:
    rng = np.random.default_rng(1)
    codes = grammar.generate(2000, rng)
    noise = {name: rng.normal(size=(2000, 40)).astype(np.float16) for name in SOURCES}
    offsets = np.array([0, 2000])
    assert parens.opening_phrase(noise, grammar.levels(codes), offsets) is None


def test_the_phrase_to_open_with_is_found_by_search() -> None:
    """Four states follow level 3 in one source only: that source and such a phrase are returned."""
    level = grammar.levels(grammar.generate(2000, np.random.default_rng(2)))
    states = {name: np.zeros((2000, 20), np.float16) for name in SOURCES}
    states["layer1_cell"][:, 5:9] = (level >= 3)[:, None]
    phrase = parens.opening_phrase(states, level, np.array([0, 2000]))
    assert phrase is not None
    # A "( 4" selects them, too, but they are also on at level 3: it would match too much.
    assert phrase.source == "layer1_cell"
    assert (level[phrase.start : phrase.stop] >= 3).all()
    assert level[phrase.start - 1] == level[phrase.stop] == 2
