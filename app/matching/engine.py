"""The exact search: from packed on-bits and a query to the answer (section 5.2 of the paper).

First a pass that counts every match by length and by overlap and stores none; then, overlap by
overlap from the top, passes that collect the matches that the list can still need.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from app.matching import reasons
from app.matching.bits import pack
from app.matching.control import Control
from app.matching.listing import Listing, list_matches
from app.matching.query import Query
from app.matching.result import LengthCount, Match, MatchResult, Overview
from app.matching.search import Counts, Search
from app.matching.selection import Selection, select
from app.matching.states import States

Words = NDArray[np.uint64]


def find_matches(
    states: States,
    query: Query,
    *,
    bits: Words | None = None,
    threads: int = 1,
    control: Control | None = None,
) -> MatchResult:
    """Return the answer to `query`.

    Parameters
    ----------
    states
        The source.
    query
        The query; it is checked here.
    bits
        The packed on-bits of the whole source at the query's threshold and polarity; packed here
        when not given.
    threads
        How many threads share a pass. The answer does not depend on it.
    control
        Shows the progress and can call the search off.

    Raises
    ------
    QueryError
        If the query cannot be asked of this source.
    Cancelled
        If `control` was cancelled.
    """
    control = control or Control()
    began = time.perf_counter()
    offsets = np.array(states.offsets, dtype=np.int64)
    query.check(states.n_steps, states.n_states, offsets)
    if bits is None:
        control.begin("packing", 0.6)
        bits = pack(states.rows, query.threshold, query.polarity, control)
    selection = select(states, query, bits)
    filled = query.filled(len(selection.states))
    search, counts, listing, reason = _search(bits, offsets, filled, selection, threads, control)
    return MatchResult(
        query=filled,
        selected_states=selection.states,
        searched_steps=states.n_steps,
        total_matches=counts.total,
        full_matches=int(counts.full_by_length.sum()),
        places=listing.places,
        places_at_least=listing.places_at_least,
        reason=reason,
        matches=() if search is None else _describe(search, filled, listing),
        length_histogram=_histogram(counts),
        seconds=time.perf_counter() - began,
        overview=None if search is None else _overview(search, counts),
    )


def _overview(search: Search, counts: Counts) -> Overview:
    width = 1 << search.bin_shift
    edges = np.minimum(np.arange(search.n_bins + 1) * width, search.n_steps)
    on = search.on_by_bin() / (np.diff(edges) * search.n_selected)
    return Overview(
        bin_steps=width,
        on=tuple(on.tolist()),
        matches=tuple(counts.by_bin.tolist()),
        full_matches=tuple(counts.full_by_bin.tolist()),
    )


def _search(
    bits: Words,
    offsets: NDArray[np.int64],
    query: Query,
    selection: Selection,
    threads: int,
    control: Control,
) -> tuple[Search | None, Counts, Listing, str | None]:
    """Return the passes made (None for none), what they found, and why the list is empty."""
    min_overlap, min_length = query.min_overlap, query.min_length
    assert min_overlap is not None and min_length is not None  # filled in
    n_selected = len(selection.states)
    if n_selected == 0:
        return None, Counts.none(), Listing.nothing(), selection.reason
    if min_overlap > n_selected:
        reason = reasons.overlap_above_selection(min_overlap, n_selected)
        return None, Counts.none(), Listing.nothing(), reason
    search = Search.prepare(bits, offsets, query, selection.states, max(1, threads), control)
    counts = search.count(min_overlap, min_length)
    listing = list_matches(search, query, counts)
    if listing.found.size:
        return search, counts, listing, None
    reason = reasons.why_nothing(search, query, counts, listing.places_at_least)
    return search, counts, listing, reason


def _histogram(counts: Counts) -> tuple[LengthCount, ...]:
    lengths = np.flatnonzero(counts.by_length)
    return tuple(
        LengthCount(length, matches, full)
        for length, matches, full in zip(
            lengths.tolist(),
            counts.by_length[lengths].tolist(),
            counts.full_by_length[lengths].tolist(),
            strict=True,
        )
    )


def _describe(search: Search, query: Query, listing: Listing) -> tuple[Match, ...]:
    """Return the listed matches with their ranks, sequences and overlap profiles."""
    found = listing.found
    sequences = search.sequences_of(found.starts)
    context = min(int(query.context), search.n_steps)
    lows = np.maximum(search.offsets[sequences], found.starts - context)
    highs = np.minimum(search.offsets[sequences + 1], found.stops + context)
    # One number object per share, however many steps are shown.
    shares = [count / search.n_selected for count in range(search.n_selected + 1)]
    matches = []
    for i in range(found.size):
        low, high = int(lows[i]), int(highs[i])
        on = np.bitwise_count(search.dense[low:high]).sum(axis=1, dtype=np.int64)
        matches.append(
            Match(
                rank=int(query.offset) + i + 1,
                start=int(found.starts[i]),
                stop=int(found.stops[i]),
                overlap=int(found.overlaps[i]),
                union=int(found.unions[i]),
                sequence=int(sequences[i]),
                profile_start=low,
                profile=tuple([shares[count] for count in on.tolist()]),
            )
        )
    return tuple(matches)
