"""The card of a state is what its type on the wire says, whatever the values are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from app.corpus import opened
from app.matching import QueryError
from app.web.payloads.state import state_payload
from app.web.view.wire import StateCard, StateRequest
from loaders import open_dataset
from loaders.writer import write_dataset

REQUEST: StateRequest = {
    "n": 3, "dataset": "odd", "fp": "", "source": "one", "state": 0, "threshold": 0.5,
    "polarity": "magnitude",
}  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_card_fits_its_type(tmp_path: Path, dtype: Any) -> None:
    rows = np.zeros((40, 3), dtype)
    rows[:, 0] = np.linspace(-1, 1, 40)
    rows[5, 0], rows[6, 0], rows[7, 0] = np.nan, np.inf, -np.inf
    rows[:, 1] = np.nan
    write_dataset(tmp_path / "odd", tokens=["w"] * 40, states={"one": rows})
    found = opened(open_dataset(tmp_path / "odd", tmp_path / "cache"), "one")
    for state in range(3):
        card = state_payload(found, {**REQUEST, "state": state})
        TypeAdapter(StateCard).validate_python(card, strict=True)
        assert card["n"] == 3
    empty = state_payload(found, {**REQUEST, "state": 1})
    assert (empty["low"], empty["high"], empty["bins"], empty["places"]) == (None, None, [], [])
    assert empty["nan"] == 40
    with pytest.raises(QueryError, match="no state 3"):
        state_payload(found, {**REQUEST, "state": 3})
