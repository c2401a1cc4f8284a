"""The adaptive softmax of a language model with many words, in NumPy (equal to torch's own).

The most common words have separate outputs in the head. The others are grouped into clusters, each with
one output in the head and a narrower product inside the cluster (Grave et al., arXiv 1609.04309). So
probabilities are cheap unless a word is rare, and a cluster is computed only for the steps that need
it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from demos.lstm import log_softmax

Float = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Tail:
    """A cluster of rarer words: the codes `[first, first + n_words)`.

    `narrow` `(n_narrow, n_states)` and `output` `(n_words, n_narrow)`, float32.
    """

    first: int
    narrow: Float
    output: Float

    def outputs(self, hidden: Float) -> Float:
        """Return the outputs `(n_steps, n_words)`, before the softmax within the cluster."""
        with threadpool_limits(1, user_api="blas"):
            narrow = hidden @ self.narrow.T
            result: Float = np.asarray(narrow @ self.output.T, np.float32)
        return result


def load_tails(path: str | os.PathLike[str], n_head: int) -> tuple[Tail, ...]:
    """Read the clusters from an .npz file, which also contains the model of demos/lstm.py.

    Parameters
    ----------
    path
        Arrays named `tail1_narrow`, `tail1_output`, `tail2_narrow`, ...
    n_head
        The number of outputs of the head: one per word and one per cluster.
    """
    with np.load(path, allow_pickle=False) as file:
        count = sum(name.startswith("tail") and name.endswith("_narrow") for name in file.files)
        first, tails = n_head - count, []
        for number in range(1, count + 1):
            narrow = file[f"tail{number}_narrow"].astype(np.float32)
            output = file[f"tail{number}_output"].astype(np.float32)
            tails.append(Tail(first, narrow, output))
            first += len(output)
    return tuple(tails)


def surprisal(
    head: Float, hidden: Float, tails: Sequence[Tail], sequences: Sequence[NDArray[np.integer]]
) -> NDArray[np.float64]:
    """Return -ln p(token i | preceding tokens), in nats.

    Parameters
    ----------
    head
        `(n_steps, n_head)`: the outputs of `lstm.forward`, before any softmax.
    hidden
        `(n_steps, n_states)`: the hidden states of the last layer, from which the outputs were computed.
    tails
        The clusters.
    sequences
        Token codes, as passed to `lstm.forward`.

    Returns
    -------
    NDArray[np.float64]
        `(n_steps,)`; NaN at the first step of every sequence, which has no preceding token.
    """
    logs = log_softmax(head)
    values = np.full(len(head), np.nan)
    starts = np.cumsum([0, *map(len, sequences)])
    # The preceding steps, and the codes that followed them.
    before = np.concatenate(
        [np.zeros(0, np.int64)]
        + [np.arange(s, s + len(c) - 1) for s, c in zip(starts, sequences, strict=False) if len(c)]
    )
    following = np.concatenate([np.zeros(0, np.int64), *(codes[1:] for codes in sequences)])
    n_words = head.shape[1] - len(tails)
    common = following < n_words
    values[before[common] + 1] = -logs[before[common], following[common]]
    for number, tail in enumerate(tails):
        inside = (following >= tail.first) & (following < tail.first + len(tail.output))
        steps, codes = before[inside], following[inside] - tail.first
        within = log_softmax(tail.outputs(hidden[steps]))[np.arange(len(steps)), codes]
        values[steps + 1] = -(logs[steps, n_words + number] + within)
    return values


def most_likely(
    head: Float, hidden: Float, tails: Sequence[Tail], count: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the most likely next tokens of each step, in order, and their probabilities.

    Parameters
    ----------
    head, hidden, tails
        As for `surprisal`.
    count
        The number per step; at most the number of words in the head.

    Returns
    -------
    codes : NDArray[np.int64]
        `(n_steps, count)`.
    chances : NDArray[np.float64]
        The same shape.
    """
    logs = log_softmax(head)
    n_words = head.shape[1] - len(tails)
    codes, best = _top(logs[:, :n_words], count)
    for number, tail in enumerate(tails):
        # No word in a cluster can be more likely than the whole cluster.
        cluster = logs[:, n_words + number]
        steps = np.flatnonzero(cluster > best[:, -1])
        outputs = tail.outputs(hidden[steps])
        inside, values = _top(outputs, min(count, len(tail.output)))
        values = values + (cluster[steps] - _log_sum(outputs))[:, None]
        names = np.concatenate([codes[steps], inside + tail.first], axis=1)
        both = np.concatenate([best[steps], values], axis=1)
        order, best[steps] = _top(both, count)
        codes[steps] = np.take_along_axis(names, order, axis=1)
    return codes, np.exp(best)


def _top(
    values: NDArray[np.floating], count: int
) -> tuple[NDArray[np.int64], NDArray[np.floating]]:
    """Return the columns of the `count` largest values of each row, largest first, and the values."""
    some = np.argpartition(-values, count - 1, axis=1)[:, :count]
    found = np.take_along_axis(values, some, axis=1)
    order = np.argsort(-found, axis=1, kind="stable")
    return np.take_along_axis(some, order, axis=1), np.take_along_axis(found, order, axis=1)


def _log_sum(outputs: Float) -> NDArray[np.float64]:
    """Return the logarithm of the sum of the exponentials of each row."""
    largest = outputs.max(axis=1, keepdims=True)
    total = np.exp(outputs - largest).sum(axis=1, dtype=np.float64)
    result: NDArray[np.float64] = np.log(total) + largest[:, 0]
    return result
