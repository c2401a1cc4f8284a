"""Build the parenthesis dataset: fresh text, read by the trained network, everything kept.

The network is the one in weights.npz (demos/parens/train.py); the text comes from
demos/parens/grammar.py with a seed that the training did not use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from demos import lstm, opening
from demos.opening import Opening
from demos.parens import grammar
from loaders.writer import write_dataset

WEIGHTS: Final = Path(__file__).with_name("weights.npz")

SEED: Final = 20_160_623
SEQUENCES: Final = 24
SHORTEST: Final = 400
LONGEST: Final = 1_600
N_PREDICTIONS: Final = 3

LEVEL_COLORS: Final = ("#dde318", "#5ec962", "#21918c", "#3b528b", "#5b2a86")
"""Of levels 0 to 4: from light to dark (after viridis), so that the order shows without hue."""

TOKEN_KINDS: Final = {"open": "#e69f00", "close": "#56b4e9", "digit": "#bdbdbd"}

DESCRIPTION: Final = (
    "A generated text of parentheses nested up to four levels deep, in which a digit always shows "
    "the current level, and the states of a two-layer LSTM (2 x 300) that was trained to predict "
    "its next character. The rules of the text are known, so you can check what a state follows: "
    "the level of a step is the nesting level after reading its character."
)

THRESHOLD: Final = 0.3
"""What the dataset opens on: high enough to say something, low enough for every level."""

LONGEST_PHRASE: Final = 10
MOSTLY: Final = 0.9


def texts() -> list[NDArray[np.int64]]:
    """The text of the dataset: `SEQUENCES` arrays of character codes, the same on every call.

    Lengths vary from `SHORTEST` to `LONGEST`, and each text starts at level 0.
    """
    rng = np.random.default_rng(SEED)
    lengths = rng.integers(SHORTEST, LONGEST, SEQUENCES, endpoint=True)
    return [grammar.generate(int(length), rng) for length in lengths]


def build(out: Path, progress: Callable[[float], None] | None = None) -> Path:
    """Write the dataset folder; seconds of work, and nothing appears at `out` until it is whole.

    Parameters
    ----------
    out
        The folder to make; one that is already there is replaced once the new one stands.
    progress
        Called now and then with the share done, 0 to 1.

    Returns
    -------
    Path
        `out`, holding about 24,000 steps in `SEQUENCES` sequences; the sources `layer1_hidden`,
        `layer1_cell`, `layer2_hidden` and `layer2_cell`, 300 states each, as float16; and the
        annotations `level`, `token_kind`, `surprisal` (nats, NaN where a sequence starts) and
        `prediction` (at step i about the token at i + 1).

    Raises
    ------
    OSError
        The disk. Nothing is left behind.
    """
    tell = progress or (lambda share: None)
    sequences = texts()
    codes = np.concatenate(sequences)
    lengths = [len(text) for text in sequences]
    level = np.concatenate([grammar.levels(text) for text in sequences])

    run = lstm.forward(lstm.load(WEIGHTS), sequences, progress=lambda share: tell(0.7 * share))
    states = lstm.sources(run)
    brush = telling_phrase(states, level, np.cumsum([0, *lengths]))
    tell(0.75)

    config: dict[str, Any] = {
        "name": "Parenthesis language",
        "description": DESCRIPTION,
        "sources": lstm.source_settings(states),
        "annotations": {
            "level": {
                "kind": "categorical",
                "order": [str(depth) for depth in range(grammar.DEEPEST + 1)],
                "colors": {str(depth): color for depth, color in enumerate(LEVEL_COLORS)},
            },
            "token_kind": {
                "kind": "categorical",
                "order": list(TOKEN_KINDS),
                "colors": dict(TOKEN_KINDS),
            },
            "surprisal": {"kind": "scalar", "unit": "nats"},
            "prediction": {"kind": "ranked"},
        },
    }
    if brush is not None:
        config["default"] = brush.settings(THRESHOLD, ["level"])
    kinds = np.where(
        codes == grammar.OPEN, "open", np.where(codes == grammar.CLOSE, "close", "digit")
    )
    write_dataset(
        out,
        tokens=list(grammar.text(codes)),
        sequences=np.repeat(np.arange(1, len(lengths) + 1, dtype=np.int32), lengths),
        states=states,
        annotations={
            "level": [str(depth) for depth in level],
            "token_kind": kinds.tolist(),
            "surprisal": lstm.surprisal(run, sequences).astype(np.float32),
        },
        ranked={"prediction": lstm.likeliest(run.outputs, grammar.ALPHABET, N_PREDICTIONS)},
        config=config,
        overwrite=True,
    )
    tell(1.0)
    return out


def telling_phrase(
    states: dict[str, NDArray[np.float16]], level: NDArray[np.int64], offsets: NDArray[np.int64]
) -> Opening | None:
    """The phrase that the dataset opens on: the deepest one that a handful of states follow.

    Of all phrases (stretches at one level or deeper, left at both ends within their sequence, with
    a "( 4" in them, up to `LONGEST_PHRASE` steps) near the start, this is the deepest, then earliest
    one which selects a handful of states (`opening.handfuls`) at `THRESHOLD`, such that wherever in
    the whole dataset these are on together for two steps or more, the level is as deep, too, and
    the other way round for `MOSTLY` of the steps that deep. The last layer is asked first, its
    hidden state before its cell state.

    Parameters
    ----------
    states
        Source name -> `(n_steps, n_states)`.
    level
        `(n_steps,)`, the level after each step.
    offsets
        `(n_sequences + 1,)`: where sequences start, and `n_steps`.

    Returns
    -------
    Opening | None
        None if no phrase is like that.
    """
    for name in ("layer2_hidden", "layer2_cell", "layer1_hidden", "layer1_cell"):
        on = opening.on_at(states[name], THRESHOLD)
        for depth in range(grammar.DEEPEST, 0, -1):
            deep = level >= depth
            for start, stop, selected in opening.handfuls(on, _phrases(level, offsets, depth)):
                steps = opening.steps_together(on[:, selected], offsets)
                together: NDArray[np.bool_] = np.all(on[:, selected], axis=1)
                if deep[steps].all() and together[deep].mean() >= MOSTLY:
                    return Opening(name, start, stop)
    return None


def _phrases(
    level: NDArray[np.int64], offsets: NDArray[np.int64], depth: int
) -> Iterator[tuple[int, int]]:
    for first, last in pairwise(offsets.tolist()):
        inside = np.concatenate([[0], level[first:last] >= depth, [0]]).astype(np.int8)
        change = np.diff(inside)
        starts, stops = np.flatnonzero(change == 1), np.flatnonzero(change == -1)
        for start, stop in zip((starts + first).tolist(), (stops + first).tolist(), strict=True):
            deepest = level[start:stop] == grammar.DEEPEST
            stays = bool((deepest[1:] & deepest[:-1]).any())
            if first < start and stop < last and stop - start <= LONGEST_PHRASE and stays:
                yield start, stop
