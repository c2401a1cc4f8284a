"""A search: passes over all shards, and their results combined.

A pass either counts all matches without storing any, or collects the matches of some overlaps. The
union is computed only for collected matches, from the bits of all states.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from app.matching.bits import words_for
from app.matching.control import Control
from app.matching.counts import Counts, Found
from app.matching.dense import plan_moves
from app.matching.query import Query
from app.matching.selection import mask_of
from app.matching.shard import NO_WORDS, Span, Terms

Words = NDArray[np.uint64]
Integers = NDArray[np.int64]

# At most 2 ** this many bins in the overview of a corpus.
_OVERVIEW_BITS = 10


class Passes(Protocol):
    """Makes the passes over the shards of one search."""

    def run(self, method: str, arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Call a method of each `Shard` with its arguments, and return the results in order."""
        ...


class Bits(Protocol):
    """The packed bits of a source at one threshold and polarity, wherever they are."""

    @property
    def shards(self) -> Sequence[Span]:
        """The shards, in order. The result does not depend on the division."""
        ...

    @property
    def in_memory(self) -> Words | None:
        """The (n_steps, n_words) bits, if this process has them all in memory."""
        ...

    def passes(self, terms: Terms, threads: int, control: Control) -> Passes:
        """Return an object that makes the passes of one search."""
        ...


def terms_of(query: Query, selected: tuple[int, ...], n_steps: int, n_words: int) -> Terms:
    """Return the parameters of a query for every shard."""
    selected_mask = mask_of(selected, n_words * 64)
    least, most = query.length or (1, n_steps)
    return Terms(
        n_steps=n_steps,
        selected=selected,
        selected_mask=selected_mask,
        moves=plan_moves(selected_mask, words_for(len(selected))),
        off_before=min(int(query.off_before), n_steps),
        off_after=min(int(query.off_after), n_steps),
        least=max(1, min(int(least), n_steps + 1)),
        most=min(int(most), n_steps),
        bin_shift=max(0, (max(1, n_steps) - 1).bit_length() - _OVERVIEW_BITS),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """One query on one source.

    Attributes
    ----------
    terms
        The parameters for every shard.
    offsets
        int64 (n_sequences + 1,).
    shards
        The shards, in order.
    passes
        Makes the passes.
    control
        Receives the progress of the passes.
    """

    terms: Terms
    offsets: Integers
    shards: Sequence[Span]
    passes: Passes
    control: Control

    @property
    def n_steps(self) -> int:
        """The number of steps of the source."""
        return self.terms.n_steps

    @property
    def n_selected(self) -> int:
        """The number of selected states."""
        return self.terms.n_selected

    def sequences_of(self, steps: Integers) -> Integers:
        """Return the ordinals of the sequences that `steps` belong to."""
        return np.searchsorted(self.offsets, steps, side="right").astype(np.int64) - 1

    def count(self, min_overlap: int, min_length: int) -> Counts:
        """Count all matches (conditions 1 to 3 of the definition)."""
        self.control.begin("counting", 0.9)
        return Counts.sum(self._all("count", min_overlap, min_length))

    def on_by_bin(self) -> Integers:
        """Return the number of (step, selected state) pairs that are on in each bin of the overview."""
        on = np.zeros(self.terms.n_bins, dtype=np.int64)
        for first_bin, part in self._all("on_by_bin"):
            on[first_bin : first_bin + part.size] += part
        return on

    def largest_overlap(self) -> int:
        """Return the largest overlap of any range; 0 if there is none."""
        self.control.begin_next("listing")
        return max(map(int, self._all("largest_overlap")))

    def best(
        self,
        low: int,
        high: int,
        min_length: int,
        limit: int,
        after: tuple[int, int] | None = None,
        taken: Words = NO_WORDS,
    ) -> tuple[Found, bool]:
        """Return the best matches over all shards, and whether `limit` left any out.

        See `Shard.best` for the parameters; `taken` has one bit per step of the source.
        """
        self.control.begin_next("listing")
        asked = []
        selected = list(self.terms.selected)
        for shard in self.shards:
            # A match may begin before its shard; `taken` matters from here.
            word = int(shard.edges.since[selected].min(initial=shard.first)) // 64
            part = taken[word : -(-shard.last // 64)]
            asked.append((low, high, min_length, limit, after, part, word * 64))
        parts = self.passes.run("best", asked)
        found = Found.join([part for part, _ in parts])
        left_out = any(out for _, out in parts) or found.size > limit
        return self.terms.best(found, limit), left_out

    def on_counts(self, lows: Integers, highs: Integers) -> list[NDArray[np.uint16]]:
        """Return the number of selected states on at each step of each range [low, high)."""
        pieces: list[list[NDArray[np.uint16]]] = [[] for _ in range(lows.size)]
        for part in self._all("on_counts", lows, highs):
            for i, counts in part:
                pieces[i].append(counts)
        return [np.concatenate(parts) for parts in pieces]

    def keys(self, found: Found) -> Integers:
        """Return the ranking keys of the matches; see `Terms.keys`."""
        return self.terms.keys(found)

    def rank(self, found: Found) -> Integers:
        """Return the order that ranks `found`, best first. `found` must be in the order found."""
        # For equal lengths the order found is by start: a stable sort needs no second key.
        return np.argsort(self.keys(found), kind="stable").astype(np.int64)

    def _all(self, method: str, *arguments: Any) -> list[Any]:
        return self.passes.run(method, [arguments] * len(self.shards))
