"""Ranges written as tags: B-NP I-NP O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

TAG = re.compile(r"O|[BIESLUM]-.+", re.DOTALL)
"""One tag of the IOB, IOB2, IOBES, BILOU and BMES schemes."""


def spans(tags: Iterable[tuple[int, str | None]]) -> Iterator[tuple[int, int, str]]:
    """The ranges that tags describe.

    Parameters
    ----------
    tags
        (unit, tag) of each step: a range ends where the unit (a sentence, a sequence) does. None
        is O. A range begins at B-, S- and U-, and at a tag of another name than the one before,
        which reads IOB, IOB2, IOBES, BILOU and BMES alike.

    Yields
    ------
    tuple
        (start, stop, label), half-open steps, sorted and not overlapping.
    """
    start, label, unit, step = 0, None, 0, -1
    for step, (here, tag) in enumerate(tags):
        prefix, _, name = (tag or "O").partition("-")
        goes_on = here == unit and name == label and prefix in ("I", "E", "L", "M")
        if label is not None and not goes_on:
            yield start, step, label
            label = None
        if prefix != "O" and label is None:
            start, label, unit = step, name, here
        if label is not None and prefix in ("E", "L", "S", "U"):
            yield start, step + 1, label
            label = None
    if label is not None:
        yield start, step + 1, label
