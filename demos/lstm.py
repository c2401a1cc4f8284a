"""A forward pass through an LSTM language model in NumPy, recording the states.

Frameworks return the cell state of the last step only. This returns the hidden state, cell state and,
on request, the gates of every layer at every step, for many sequences at once.

The equations (those of torch.nn.LSTM, dropout off), with the rows of each weight in the gate order
input, forget, candidate, output:

    i, f, o = sigmoid(W x + R h + b)     g = tanh(W x + R h + b)
    c <- f * c + i * g                   h <- o * tanh(c)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

ARRAY_WORDS = "embedding, layer1_input, layer1_recurrent, layer1_bias, ..., output, output_bias"

Float = NDArray[np.float32]
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Layer:
    """The weights of one layer; `n_inputs` is the width of its input.

    `inputs` `(4 * n_states, n_inputs)`, `recurrent` `(4 * n_states, n_states)`, `bias`
    `(4 * n_states,)`: float32, rows in the gate order input, forget, candidate, output.
    """

    inputs: Float
    recurrent: Float
    bias: Float

    @property
    def n_states(self) -> int:
        """The number of states of the layer."""
        return int(self.recurrent.shape[1])


@dataclass(frozen=True, slots=True)
class Lstm:
    """A language model: embedding, any number of LSTM layers, and a linear output.

    `embedding` `(n_tokens, width)`, `layers` from the first to the last, `output`
    `(n_outputs, n_states of the last layer)`, `output_bias` `(n_outputs,)`; float32.
    """

    embedding: Float
    layers: tuple[Layer, ...]
    output: Float
    output_bias: Float


@dataclass(frozen=True, slots=True)
class Run:
    """The result of a forward pass; the rows of all sequences are concatenated, `n_steps` in total.

    Row `t` is the state after reading token `t`. `hidden[k]` and `cell[k]` are `(n_steps,
    n_states of layer k)` float32; `gates[k]` is `(n_steps, 4, n_states)` in the gate order input,
    forget, candidate, output, after their sigmoid or tanh, or `gates` is None if not requested.
    `outputs` is `(n_steps, n_outputs)` float32, before any softmax: row `t` predicts token `t + 1`.
    """

    hidden: tuple[Float, ...]
    cell: tuple[Float, ...]
    gates: tuple[Float, ...] | None
    outputs: Float


def sources(run: Run) -> dict[str, NDArray[np.float16]]:
    """Return the states as sources of a dataset: `layer1_hidden`, `layer1_cell`, `layer2_hidden` ...

    Each is `(n_steps, n_states)`, rounded to float16.
    """
    return {
        f"layer{k}_{kind}": rows.astype(np.float16)
        for k, both in enumerate(zip(run.hidden, run.cell, strict=True), 1)
        for kind, rows in zip(("hidden", "cell"), both, strict=True)
    }


def source_settings(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the titles of these sources for dataset.yaml: `layer 1, hidden state` and so on."""
    return {
        name: {"title": f"layer {name[5:].partition('_')[0]}, {name.partition('_')[2]} state"}
        for name in names
    }


def load(path: str | os.PathLike[str]) -> Lstm:
    """Read a model from an .npz file and widen it to float32.

    Parameters
    ----------
    path
        Arrays named `embedding`, then for each layer k = 1, 2, ... `layerK_input`,
        `layerK_recurrent`, `layerK_bias`, then `output` and `output_bias`.

    Raises
    ------
    KeyError
        One of these arrays is missing.
    ValueError
        There is no layer, or the shapes do not match.
    """
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name].astype(np.float32) for name in file.files}
    n_layers = sum(name.endswith("_recurrent") for name in arrays)
    model = Lstm(
        embedding=arrays["embedding"],
        layers=tuple(
            Layer(
                inputs=arrays[f"layer{k}_input"],
                recurrent=arrays[f"layer{k}_recurrent"],
                bias=arrays[f"layer{k}_bias"],
            )
            for k in range(1, n_layers + 1)
        ),
        output=arrays["output"],
        output_bias=arrays["output_bias"],
    )
    _check(model)
    return model


def forward(
    model: Lstm,
    sequences: Sequence[NDArray[np.integer]],
    *,
    gates: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Read every sequence from a zero state, all of them in parallel, on one thread.

    Parameters
    ----------
    model
        The weights.
    sequences
        Token codes, one array `(length,)` per sequence; lengths may differ and may be 0.
    gates
        Also return the gates, which take four times the memory of the hidden states.
    progress
        Called regularly with the share done, 0 to 1.

    Returns
    -------
    Run
        `n_steps` is the sum of the lengths; row 0 belongs to the first token of the first sequence.

    Raises
    ------
    IndexError
        A code is not a row of the embedding.
    """
    # Each step is a product of small matrices, and on a busy machine several threads wait for each
    # other at every step: 24,688 steps took 32 s with two threads and 1.8 s with one.
    with threadpool_limits(1, user_api="blas"):
        return _forward(model, sequences, gates, progress)


def _forward(
    model: Lstm,
    sequences: Sequence[NDArray[np.integer]],
    gates: bool,
    progress: Progress | None,
) -> Run:
    lengths = np.array([len(codes) for codes in sequences], np.int64)
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    n_steps, longest = int(starts[-1]), int(lengths.max(initial=0))
    # Longest first, so that the unfinished sequences are always the first rows of the state.
    order = np.argsort(-lengths, kind="stable")
    firsts = starts[:-1][order]
    running = [int(np.count_nonzero(lengths > time)) for time in range(longest)]

    hidden = tuple(np.zeros((n_steps, layer.n_states), np.float32) for layer in model.layers)
    cell = tuple(np.zeros((n_steps, layer.n_states), np.float32) for layer in model.layers)
    kept = (
        tuple(np.zeros((n_steps, 4, layer.n_states), np.float32) for layer in model.layers)
        if gates
        else None
    )
    # A negative code would silently index from the end of the embedding.
    if any(len(codes) and int(codes.min()) < 0 for codes in sequences):
        raise IndexError("a token code is negative")
    codes_of_step = np.concatenate([np.zeros(0, np.int64), *sequences]).astype(np.int64)

    h = [np.zeros((len(lengths), layer.n_states), np.float32) for layer in model.layers]
    c = [np.zeros((len(lengths), layer.n_states), np.float32) for layer in model.layers]
    for time in range(longest):
        n_running = running[time]
        rows = firsts[:n_running] + time
        x: Float = model.embedding[codes_of_step[rows]]
        for k, layer in enumerate(model.layers):
            sums = x @ layer.inputs.T + h[k][:n_running] @ layer.recurrent.T + layer.bias
            i, f, g, o = np.split(sums, 4, axis=1)
            i, f, g, o = _sigmoid(i), _sigmoid(f), np.tanh(g), _sigmoid(o)
            c[k] = f * c[k][:n_running] + i * g
            h[k] = o * np.tanh(c[k])
            hidden[k][rows] = x = h[k]
            cell[k][rows] = c[k]
            if kept is not None:
                kept[k][rows] = np.stack([i, f, g, o], axis=1)
        if progress is not None and time % 50 == 49:
            progress(float(np.minimum(lengths, time + 1).sum()) / n_steps)
    last = hidden[-1] if hidden else model.embedding[codes_of_step]
    outputs: Float = last @ model.output.T + model.output_bias
    if progress is not None:
        progress(1.0)
    return Run(hidden=hidden, cell=cell, gates=kept, outputs=outputs)


def log_softmax(outputs: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the natural logarithms of the probabilities given by outputs.

    Parameters
    ----------
    outputs
        `(..., n_outputs)`.

    Returns
    -------
    NDArray[np.float64]
        The same shape; the exponentials along the last axis sum to 1.
    """
    wide = np.asarray(outputs, np.float64)
    wide = wide - wide.max(axis=-1, keepdims=True)
    result: NDArray[np.float64] = wide - np.log(np.exp(wide).sum(axis=-1, keepdims=True))
    return result


def most_likely(
    outputs: NDArray[np.floating], names: Sequence[str], count: int
) -> tuple[list[list[str]], list[list[float]]]:
    """Return the most likely next tokens of each step, in order, and their probabilities.

    Parameters
    ----------
    outputs
        `(n_steps, n_outputs)`, as returned by `forward`.
    names
        The tokens of the outputs, `n_outputs` of them.
    count
        The number of tokens per step.
    """
    chances = np.exp(log_softmax(outputs))
    best = np.argsort(-chances, axis=1, kind="stable")[:, :count]
    words: list[list[str]] = np.array(list(names))[best].tolist()
    weights: list[list[float]] = np.take_along_axis(chances, best, axis=1).tolist()
    return words, weights


def surprisal(run: Run, sequences: Sequence[NDArray[np.integer]]) -> NDArray[np.float64]:
    """Return -ln p(token i | preceding tokens), in nats.

    Parameters
    ----------
    run
        The result of `forward` for the same `sequences`.

    Returns
    -------
    NDArray[np.float64]
        `(n_steps,)`; NaN at the first step of every sequence, which has no preceding token.
    """
    logs = log_softmax(run.outputs)
    values = np.full(len(logs), np.nan)
    start = 0
    for codes in sequences:
        steps = np.arange(start + 1, start + len(codes))
        values[steps] = -logs[steps - 1, codes[1:]]
        start += len(codes)
    return values


def _sigmoid(x: Float) -> Float:
    # Computed with tanh, which does not overflow, and in float32 throughout.
    half = np.float32(0.5)
    result: Float = half * np.tanh(half * x) + half
    return result


def _check(model: Lstm) -> None:
    width = model.embedding.shape[1]
    if not model.layers:
        raise ValueError(f"a model needs at least one layer; the arrays are named {ARRAY_WORDS}")
    for number, layer in enumerate(model.layers, 1):
        n_states = layer.n_states
        expected = ((4 * n_states, width), (4 * n_states, n_states), (4 * n_states,))
        found = (layer.inputs.shape, layer.recurrent.shape, layer.bias.shape)
        if expected != found:
            raise ValueError(f"layer {number} should have the shapes {expected}, found {found}")
        width = n_states
    n_outputs = len(model.output_bias)
    if model.output.shape != (n_outputs, width):
        raise ValueError(f"the output should be {(n_outputs, width)}, found {model.output.shape}")
