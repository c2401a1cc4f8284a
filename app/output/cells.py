"""The numbers and annotations of some steps as JSON values, for the API and the browser."""

from __future__ import annotations

from math import isfinite

from loaders.annotations import Ranked, Scalar


def json_number(value: float, digits: int | None = None) -> float | None:
    """Return a number for JSON; None for NaN and the infinities, which JSON does not have.

    `digits` rounds to that many significant digits.
    """
    if not isfinite(value):
        return None
    return value if digits is None else float(f"{value:.{digits}g}")


def scalar_cells(
    track: Scalar, start: int, stop: int, digits: int | None = None
) -> list[float | None]:
    """Return one number for each step of [start, stop), None where it is missing or not finite."""
    return [json_number(value, digits) for value in track.values(start, stop).tolist()]


def ranked_cells(
    track: Ranked, start: int, stop: int, most: int, digits: int | None = None
) -> tuple[list[list[str]], list[list[float | None]] | None]:
    """Return the words of each step of [start, stop), best first, and their weights if there are any.

    At most `most` words a step.
    """
    words = [row[:most] for row in track.items(start, stop)]
    weights = track.weights(start, stop)
    if weights is None:
        return words, None
    return words, [[json_number(weight, digits) for weight in row[:most]] for row in weights]
