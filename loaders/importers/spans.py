"""Ranges written as tags: B-NP I-NP O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

TAG = re.compile(r"O|[BIESLUM]-.+", re.DOTALL)
"""One tag of the IOB, IOB2, IOBES, BILOU and BMES schemes."""


Tag = tuple[int, str | None]
Span = tuple[int, int, str]


class Spans:
    """The ranges that tags describe, found while the tags come in.

    A range begins at B-, S- and U-, and at a tag of another name than the one before, which reads
    IOB, IOB2, IOBES, BILOU and BMES alike.
    """

    def __init__(self) -> None:
        self._step = 0
        self._start, self._label, self._unit = 0, "", 0
        self._is_open = False

    def take(self, tags: Iterable[Tag]) -> Iterator[Span]:
        """Read on.

        Parameters
        ----------
        tags
            (unit, tag) of each step: a range ends where the unit (a sentence, a sequence) does.
            None is O.

        Yields
        ------
        tuple
            (start, stop, label) of each range that is over, half-open steps, sorted and not
            overlapping.
        """
        for here, tag in tags:
            prefix, _, name = (tag or "O").partition("-")
            goes_on = here == self._unit and name == self._label and prefix in ("I", "E", "L", "M")
            if not goes_on:
                yield from self.end()
            if prefix != "O" and not self._is_open:
                self._start, self._label, self._unit = self._step, name, here
                self._is_open = True
            self._step += 1
            if prefix in ("E", "L", "S", "U"):
                yield from self.end()

    def end(self) -> Iterator[Span]:
        """End the range that is still open, if there is one."""
        if self._is_open:
            self._is_open = False
            yield self._start, self._step, self._label
