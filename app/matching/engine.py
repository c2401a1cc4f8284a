"""The exact search: from packed on-bits and a query to the answer (section 5.2 of the paper).

First a pass that counts every match by length and by overlap and stores none; then, overlap by
overlap from the top, passes that collect the matches that the list can still need.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from app.matching import reasons
from app.matching.bits import words_for
from app.matching.control import Control
from app.matching.counts import Counts
from app.matching.listing import Listing, list_matches
from app.matching.packed import pack_states
from app.matching.query import Query
from app.matching.result import LengthCount, Match, MatchResult, Overview
from app.matching.search import Bits, Search, terms_of
from app.matching.selection import Selection, select
from app.matching.states import States


def find_matches(
    states: States,
    query: Query,
    *,
    bits: Bits | None = None,
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
        The on-bits of the whole source at the query's threshold and polarity (`pack_states`,
        `Distributed`); packed here, in memory, when not given.
    threads
        How many threads share a pass. The answer does not depend on it.
    control
        Shows the progress and can cancel the search.

    Raises
    ------
    QueryError
        If the query cannot be asked of this source.
    Cancelled
        If `control` was cancelled.
    """
    began = time.perf_counter()
    answer = answer_query(states, query, bits, threads, control or Control())
    search = answer.search
    matches = () if search is None else _describe(search, answer.query, answer.listing)
    overview = None if search is None else _overview(search, answer.counts)
    return answer.result(matches, overview, began)


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a search found, before it is put in words.

    Attributes
    ----------
    query
        With the defaults filled in.
    selection, counts, listing
        What was selected, counted and listed.
    reason
        Why the list is empty; None when it is not.
    search
        The search itself; None when there was nothing to search for.
    n_steps
        Steps of the source.
    """

    query: Query
    selection: Selection
    counts: Counts
    listing: Listing
    reason: str | None
    search: Search | None
    n_steps: int

    def result(
        self, matches: tuple[Match, ...], overview: Overview | None, began: float
    ) -> MatchResult:
        """Return the answer as it is given away; `began` is when the work did."""
        counts = self.counts
        return MatchResult(
            query=self.query,
            selected_states=self.selection.states,
            searched_steps=self.n_steps,
            total_matches=counts.total,
            full_matches=int(counts.full_by_length.sum()),
            places=self.listing.places,
            places_at_least=self.listing.places_at_least,
            reason=self.reason,
            matches=matches,
            length_histogram=_histogram(counts),
            seconds=time.perf_counter() - began,
            overview=overview,
        )


def answer_query(
    states: States, query: Query, bits: Bits | None, threads: int, control: Control
) -> Answer:
    """Search; the parameters are those of `find_matches`."""
    offsets = np.array(states.offsets, dtype=np.int64)
    query.check(states.n_steps, states.n_states, offsets)
    if bits is None:
        control.begin("packing", 0.6)
        bits = pack_states(
            states, query.threshold, query.polarity, threads=threads, control=control
        )
    selection = select(states, query, bits.in_memory)
    filled = query.filled(len(selection.states))
    min_overlap, min_length = filled.min_overlap, filled.min_length
    assert min_overlap is not None and min_length is not None  # filled in
    n_selected = len(selection.states)
    nothing = Answer(
        filled, selection, Counts.none(), Listing.nothing(), None, None, states.n_steps
    )
    if n_selected == 0:
        return replace(nothing, reason=selection.reason)
    if min_overlap > n_selected:
        return replace(nothing, reason=reasons.overlap_above_selection(min_overlap, n_selected))
    terms = terms_of(filled, selection.states, states.n_steps, words_for(states.n_states))
    passes = bits.passes(terms, max(1, threads), control)
    search = Search(terms, offsets, bits.shards, passes, control)
    counts = search.count(min_overlap, min_length)
    listing = list_matches(search, filled, counts)
    reason: str | None = None
    if listing.found.size == 0:
        reason = reasons.why_nothing(search, filled, counts, listing.places_at_least)
    return replace(nothing, counts=counts, listing=listing, reason=reason, search=search)


def _overview(search: Search, counts: Counts) -> Overview:
    terms = search.terms
    width = 1 << terms.bin_shift
    edges = np.minimum(np.arange(terms.n_bins + 1) * width, terms.n_steps)
    on = search.on_by_bin() / (np.diff(edges) * terms.n_selected)
    return Overview(
        bin_steps=width,
        on=tuple(on.tolist()),
        matches=tuple(counts.by_bin.tolist()),
        full_matches=tuple(counts.full_by_bin.tolist()),
    )


def _histogram(counts: Counts) -> tuple[LengthCount, ...]:
    return tuple(
        LengthCount(length, matches, full)
        for length, matches, full in zip(
            counts.lengths.tolist(),
            counts.by_length.tolist(),
            counts.full_by_length.tolist(),
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
    on = search.on_counts(lows, highs)
    return tuple(
        Match(
            rank=int(query.offset) + i + 1,
            start=int(found.starts[i]),
            stop=int(found.stops[i]),
            overlap=int(found.overlaps[i]),
            union=int(found.unions[i]),
            sequence=int(sequences[i]),
            profile_start=int(lows[i]),
            profile=tuple([shares[count] for count in on[i].tolist()]),
        )
        for i in range(found.size)
    )
