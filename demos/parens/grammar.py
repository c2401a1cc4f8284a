"""The parenthesis language: a small text whose only hidden variable is the nesting level.

After section 6.1 of the LSTMVis paper (arXiv 1606.07461). The alphabet is `()01234`. At nesting
level `l` the next character is, with probability 1/2, the digit `l`; otherwise it opens or closes
one level, with equal chance, except that at level 0 it can only open and at level 4 only close.

The level of a step is the nesting level *after* reading its character: "(" already belongs to the level
that it opens, and ")" to the level that it returns to. So `( 4` at the fourth level is two steps, both
at level 4.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

ALPHABET: Final = "()01234"
"""Character `i` has the code `i`; the digit `l` has the code `2 + l`."""

OPEN: Final = 0
CLOSE: Final = 1
FIRST_DIGIT: Final = 2
DEEPEST: Final = 4


def next_distribution(level: int) -> NDArray[np.float64]:
    """Return the exact distribution of the next character at a nesting level.

    Parameters
    ----------
    level
        The level before the character, 0 to `DEEPEST`.

    Returns
    -------
    NDArray[np.float64]
        `(7,)` probabilities in the order of `ALPHABET`, summing to 1.

    Raises
    ------
    ValueError
        The level is not 0 to `DEEPEST`.
    """
    if not 0 <= level <= DEEPEST:
        raise ValueError(f"the nesting level is 0 to {DEEPEST}, found {level}")
    chances = np.zeros(len(ALPHABET))
    chances[FIRST_DIGIT + level] = 0.5
    if level == 0:
        chances[OPEN] = 0.5
    elif level == DEEPEST:
        chances[CLOSE] = 0.5
    else:
        chances[[OPEN, CLOSE]] = 0.25
    return chances


def generate(n_steps: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Generate a text that starts at level 0 and ends at any level.

    Parameters
    ----------
    n_steps
        The length; 0 gives an empty text.
    rng
        The random generator; the same state gives the same text.

    Returns
    -------
    NDArray[np.int64]
        `(n_steps,)` character codes.
    """
    limits = [np.cumsum(next_distribution(level)) for level in range(DEEPEST + 1)]
    codes = np.empty(n_steps, np.int64)
    level = 0
    for step, chance in enumerate(rng.random(n_steps)):
        code = int(np.searchsorted(limits[level], chance, side="right"))
        codes[step] = code
        level += _change(code)
    return codes


def levels(codes: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the nesting level after each character.

    Parameters
    ----------
    codes
        `(n_steps,)` character codes of one text that starts at level 0.

    Returns
    -------
    NDArray[np.int64]
        `(n_steps,)`; empty for an empty text. The level *before* character `i` is the one after
        `i - 1`, and 0 before the first.
    """
    return np.cumsum(np.where(codes == OPEN, 1, 0) - np.where(codes == CLOSE, 1, 0))


def levels_before(codes: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the nesting level before each character, `(n_steps,)`; 0 before the first."""
    after = levels(codes)
    return np.concatenate([np.zeros(1, np.int64), after])[: len(codes)]


def true_surprisal(codes: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return -ln p of each character under the grammar itself, in nats.

    Parameters
    ----------
    codes
        `(n_steps,)` character codes of one text that starts at level 0.

    Returns
    -------
    NDArray[np.float64]
        `(n_steps,)`; infinite for a character that is not possible at its position. The mean is the loss of
        a model that knows everything about the preceding text; no model can be better on average.
    """
    table = np.array([next_distribution(level) for level in range(DEEPEST + 1)])
    chances = table[levels_before(codes), codes]
    with np.errstate(divide="ignore"):
        surprisal: NDArray[np.float64] = -np.log(chances)
    return surprisal


def stationary_levels() -> NDArray[np.float64]:
    """Return the share of steps that a very long text spends at each level, `(5,)`.

    In the long run a walk goes from `a` to `b` as often as from `b` to `a`, so the shares are
    proportional to 1, 2, 2, 2, 1: the two ends can only be left in one direction.
    """
    moves = np.zeros((DEEPEST + 1, DEEPEST + 1))
    for level in range(DEEPEST + 1):
        for code, chance in enumerate(next_distribution(level)):
            if chance > 0:
                moves[level, level + _change(code)] += chance
    # The shares that a move does not change and that sum to 1.
    equations = np.vstack([moves.T - np.eye(DEEPEST + 1), np.ones(DEEPEST + 1)])
    right_side = np.append(np.zeros(DEEPEST + 1), 1.0)
    shares: NDArray[np.float64] = np.linalg.lstsq(equations, right_side, rcond=None)[0]
    return shares


def entropy_floor() -> float:
    """Return the lowest average loss that any model can reach: 0.953 nats per character.

    It is the entropy of the next character given the level, averaged over `stationary_levels`.
    """
    total = 0.0
    for level, share in enumerate(stationary_levels()):
        chances = next_distribution(level)
        chances = chances[chances > 0]
        total -= float(share * np.sum(chances * np.log(chances)))
    return total


def text(codes: NDArray[np.integer]) -> str:
    """Return the characters of the codes as one string."""
    return "".join(ALPHABET[code] for code in codes)


def encode(characters: str) -> NDArray[np.int64]:
    """Return `(len(characters),)` codes; the inverse of `text`.

    Raises
    ------
    ValueError
        A character is not in the alphabet.
    """
    unknown = sorted(set(characters) - set(ALPHABET))
    if unknown:
        raise ValueError(f"the alphabet is {ALPHABET}, found {', '.join(unknown)}")
    return np.array([ALPHABET.index(character) for character in characters], np.int64)


def _change(code: int) -> int:
    return 1 if code == OPEN else -1 if code == CLOSE else 0
