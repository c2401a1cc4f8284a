"""The on-bits of the selected states alone, in as few words as they fit.

The sweep counts bits and never asks which state one is, so their order does not matter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.matching import kernels

Words = NDArray[np.uint64]
Integers = NDArray[np.int64]

# Rows gathered between two checks whether the work was cancelled.
_STRETCH = 1 << 17


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """How to gather: dense word d is the union over k in [targets[d], targets[d + 1]) of moves.

    Move k takes the bits `masks[k]` of word `sources[k]` and rotates them left by `turns[k]`.
    """

    sources: Integers
    masks: Words
    turns: Words
    targets: Integers

    def gather(self, bits: Words, pause: Callable[[], None] = lambda: None) -> Words:
        """Return the (n_rows, n_dense) bits of the selected states; `pause` is called now and then."""
        dense = np.empty((bits.shape[0], self.targets.size - 1), dtype=np.uint64)
        for first in range(0, bits.shape[0], _STRETCH):
            last = min(first + _STRETCH, bits.shape[0])
            kernels.gather(
                bits, self.sources, self.masks, self.turns, self.targets, first, last, dense
            )
            pause()
        return dense

    def places(self, selected: tuple[int, ...], n_words: int) -> Integers:
        """Return which dense bit each selected state has: word times 64, and the bit in it."""
        rows = np.zeros((len(selected), n_words), dtype=np.uint64)
        for i, state in enumerate(selected):
            rows[i, state // 64] = np.uint64(1 << (state % 64))
        single = np.ascontiguousarray(self.gather(rows), dtype="<u8").view(np.uint8)
        return np.flatnonzero(np.unpackbits(single, axis=1, bitorder="little")) % (
            64 * (self.targets.size - 1)
        )


def plan_moves(selected_mask: Words, n_dense: int) -> Moves:
    """Plan how to fit the selected bits of a row into `n_dense` words with few rotations.

    Greedy: each source word is rotated so that as many of its selected bits as possible fall on
    free bits; a few scattered states mostly need one rotation a word, not one a state.
    """
    full = (1 << 64) - 1
    free = [full] * n_dense
    moves: list[list[tuple[int, int, int]]] = [[] for _ in range(n_dense)]
    masks = selected_mask.tolist()
    # Full words first: what is left of the free bits suits the sparse ones.
    for source in sorted(range(len(masks)), key=lambda w: -masks[w].bit_count()):
        left = masks[source]
        while left:
            fit = _best_fit(left, free)
            back = ((fit.placed >> fit.turn) | (fit.placed << (64 - fit.turn))) & full
            moves[fit.target].append((source, back, fit.turn))
            free[fit.target] &= ~fit.placed
            left &= ~back
    flat = [move for target in moves for move in target]
    return Moves(
        np.array([source for source, _, _ in flat], dtype=np.int64),
        np.array([mask for _, mask, _ in flat], dtype=np.uint64),
        np.array([turn for _, _, turn in flat], dtype=np.uint64),
        np.cumsum([0, *(len(target) for target in moves)]).astype(np.int64),
    )


@dataclass(frozen=True, slots=True)
class _Fit:
    target: int
    turn: int
    placed: int


def _best_fit(mask: int, free: list[int]) -> _Fit:
    requested = mask.bit_count()
    best = _Fit(0, 0, 0)
    tried = 0
    for target, room in enumerate(free):
        if room == 0:
            continue
        for turn in range(64):
            turned = ((mask << turn) | (mask >> (64 - turn))) & ((1 << 64) - 1)
            placed = turned & room
            if placed.bit_count() > best.placed.bit_count():
                best = _Fit(target, turn, placed)
                if placed.bit_count() == requested:
                    return best
        tried += 1
        # A few words with room are enough to choose from; wide sources have hundreds.
        if tried == 4:
            break
    return best
