"""Which matches are listed: the ranking, one match per place, offset and top."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.matching import kernels
from app.matching.bits import words_for
from app.matching.counts import Counts, Found
from app.matching.query import Query
from app.matching.search import Search

Words = NDArray[np.uint64]
Integers = NDArray[np.int64]

# Up to here every match is ranked, so that the number of places is always known.
COUNT_PLACES_UP_TO = 100_000

# Matches collected at once when overlaps are walked from the top; doubled every time.
_FIRST_BATCH = 20_000
# Matches of one overlap held at once, however many it has.
_PAGE = 1_000_000
# A page is first sorted only this far: mostly the list is full by then.
_FIRST_SORTED = 4096


@dataclass(frozen=True, slots=True)
class Listing:
    """The listed matches, best first.

    Attributes
    ----------
    found
        The matches.
    places
        How long the list is before offset and top; None when that was not counted.
    places_at_least
        `places`, or how many are known when it is None.
    """

    found: Found
    places: int | None
    places_at_least: int

    @classmethod
    def nothing(cls) -> Listing:
        """Return a list that is empty and known to be."""
        return cls(Found.join([]), 0, 0)


def list_matches(search: Search, query: Query, counts: Counts) -> Listing:
    """Return the part of the ranking that `query` asks for.

    Parameters
    ----------
    search
        The query's passes.
    query
        With `min_overlap` and `min_length` filled in.
    counts
        What `search` counted.
    """
    n_listable = int(counts.by_overlap.sum())
    if n_listable == 0:
        return Listing.nothing()
    if query.overlapping:
        return _list_all(search, query, counts.by_overlap, n_listable)
    return _list_places(search, query, counts)


def _list_all(search: Search, query: Query, by_overlap: Integers, n_listable: int) -> Listing:
    first = int(query.offset)
    last = min(first + int(query.top), n_listable)
    if first >= last:
        return Listing(Found.join([]), n_listable, n_listable)
    # Overlaps that are wholly before the first listed match, or after the last, are not collected.
    highest = by_overlap.size - 1
    from_top = np.cumsum(by_overlap[::-1])
    i_high = int(np.searchsorted(from_top, first, side="right"))
    i_low = int(np.searchsorted(from_top, last, side="left"))
    skipped = int(from_top[i_high - 1]) if i_high > 0 else 0
    found, _ = search.best(highest - i_low, highest - i_high, _min_length(query), last - skipped)
    order = search.rank(found)[first - skipped :]
    return Listing(found.take(order), n_listable, n_listable)


def _list_places(search: Search, query: Query, counts: Counts) -> Listing:
    requested = int(query.offset) + int(query.top)
    count_all = counts.total <= COUNT_PLACES_UP_TO
    taken = np.zeros(words_for(search.n_steps), dtype=np.uint64)
    listed: list[Found] = []
    n_places = 0
    for low, high in _batches(counts.by_overlap, COUNT_PLACES_UP_TO if count_all else _FIRST_BATCH):
        if not count_all and n_places >= requested:
            break
        limit = None if count_all else requested - n_places
        for found in _place(search, (low, high), _min_length(query), taken, limit):
            listed.append(found)
            n_places += found.size
    # A walk that was not cut short by a full list has met every place.
    known = count_all or n_places < requested
    shown = Found.join(listed).take(slice(int(query.offset), requested))
    return Listing(shown, n_places if known else None, n_places)


def _batches(by_overlap: Integers, size: int) -> Iterator[tuple[int, int]]:
    """Yield inclusive spans of overlaps from the top down that hold about `size` matches each."""
    levels = np.flatnonzero(by_overlap)[::-1].tolist()
    i = 0
    while i < len(levels):
        high = low = levels[i]
        total = int(by_overlap[high])
        i += 1
        while i < len(levels) and total + int(by_overlap[levels[i]]) <= size:
            low = levels[i]
            total += int(by_overlap[low])
            i += 1
        yield low, high
        size *= 2


def _place(
    search: Search, overlaps: tuple[int, int], min_length: int, taken: Words, limit: int | None
) -> Iterator[Found]:
    """Walk the ranking of some overlaps; yield the matches on free steps and take those steps."""
    after: tuple[int, int] | None = None
    while True:
        found, left_out = search.best(*overlaps, min_length, _PAGE, after, taken)
        if found.size == 0:
            return
        for order in _orders(search, found):
            requested = found.size if limit is None else min(limit, found.size)
            placed = np.empty(requested, dtype=np.int64)
            n_placed = kernels.place(found.starts, found.stops, order, requested, taken, placed)
            yield found.take(placed[:n_placed])
            if limit is not None:
                limit -= n_placed
                if limit == 0:
                    return
        if not left_out:
            return
        worst = int(order[-1])
        after = (int(search.keys(found)[worst]), int(found.starts[worst]))


def _orders(search: Search, found: Found) -> Iterator[Integers]:
    """Yield the ranking of `found` in two pieces, so that the second is sorted only if needed."""
    if found.size <= 2 * _FIRST_SORTED:
        yield search.rank(found)
        return
    keys = search.keys(found)
    is_first = keys <= np.partition(keys, _FIRST_SORTED - 1)[_FIRST_SORTED - 1]
    for part in (np.flatnonzero(is_first), np.flatnonzero(~is_first)):
        if part.size:
            yield part[search.rank(found.take(part))]


def _min_length(query: Query) -> int:
    assert query.min_length is not None  # filled in
    return query.min_length
