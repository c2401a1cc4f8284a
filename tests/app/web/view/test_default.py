"""The view on which a dataset opens."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.corpus import Corpus
from app.matching import Query, States, select
from app.web.view.default import opening_range, step_width
from app.web.view.opening import open_view
from app.web.view.url import ZOOM, ZOOM_RANGE
from loaders import Catalog
from loaders.writer import write_dataset
from tests.app.web.view.conftest import waves


def test_the_opening_range_selects_three_to_fifteen_states_if_possible(
    catalog: Catalog,
) -> None:
    dataset = catalog.get("waves")
    source = dataset.open_source("one")
    offsets = dataset.sequences.offsets
    start, stop = opening_range(source, offsets, 0.3)
    assert stop - start == 3
    states = States(source.rows, offsets)
    counts = []
    for first in range(source.n_steps - 2):
        if dataset.sequences.bounds(first)[1] >= first + 3:
            query = Query(threshold=0.3, start=first, stop=first + 3)
            counts.append((first, len(select(states, query).states)))
    good = [first for first, count in counts if 3 <= count <= 15]
    assert start == good[0]


@pytest.mark.parametrize("n_steps", [1, 2, 3, 5])
def test_the_opening_range_of_short_data_stays_inside(tmp_path: Path, n_steps: int) -> None:
    write_dataset(
        tmp_path / "tiny",
        tokens=["w"] * n_steps,
        sequences=["a"] * (n_steps - n_steps // 2) + ["b"] * (n_steps // 2),
        states={"h": waves(n_steps, 2)},
    )
    catalog = Catalog([tmp_path / "tiny"], tmp_path / "cache")
    dataset = catalog.get("tiny")
    view = open_view(Corpus(catalog), "", "load").view
    assert view is not None
    assert view.start is not None
    assert view.stop is not None
    first, last = dataset.sequences.bounds(view.start)
    assert first <= view.start < view.stop <= last


def test_a_default_without_tracks_shows_the_usual_ones(tmp_path: Path) -> None:
    write_dataset(
        tmp_path / "odd",
        tokens=["a", "b"],
        states={"s": waves(2, 2)},
        columns={"tag": ["x", "y"]},
        config={"default": {"threshold": 0.3}},
    )
    view = open_view(Corpus(Catalog([tmp_path / "odd"], tmp_path / "cache")), "", "load").view
    assert view is not None
    assert (view.threshold, view.tracks) == (0.3, ("tag",))


def test_words_open_with_wider_steps_than_characters() -> None:
    assert step_width(["(", ")", "4"] * 5) == ZOOM
    assert step_width(["the", "of", "a", "government", "said", "reporters"]) > ZOOM
    assert step_width(["x"]) == ZOOM
    short, long = ["Am", "F#m7", "G"] * 5, ["government", "reporters"] * 5
    assert ZOOM == step_width(short) < step_width([*short, *long]) < step_width(long)
    assert step_width(["x" * 400]) <= ZOOM_RANGE[1], "a link must be able to contain it"
