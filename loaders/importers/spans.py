"""Read ranges from tags: B-NP I-NP O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

TAG = re.compile(r"O|[BIESLUM]-.+", re.DOTALL)
"""A tag of the IOB, IOB2, IOBES, BILOU and BMES schemes."""


Tag = tuple[int, str | None]
Span = tuple[int, int, str]


class Spans:
    """Finds the ranges that a stream of tags describes.

    A range begins at B-, S- and U-, and where the name of the tag changes. This reads IOB, IOB2,
    IOBES, BILOU and BMES alike.
    """

    def __init__(self) -> None:
        self._step = 0
        self._start, self._label, self._unit = 0, "", 0
        self._is_open = False

    def take(self, tags: Iterable[Tag]) -> Iterator[Span]:
        """Process more tags.

        Parameters
        ----------
        tags
                (unit, tag) of each step: a range ends at the end of its unit (a sentence or a sequence).
                None means O.

        Yields
        ------
        tuple
                (start, stop, label) of each completed range: half-open steps, sorted, not
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
        """End the open range, if there is one."""
        if self._is_open:
            self._is_open = False
            yield self._start, self._step, self._label
