"""The ranges of a match as arrays: long lists, without the overlap profile of each match."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.matching.bits import pack
from app.matching.control import Control
from app.matching.engine import _histogram, _search
from app.matching.query import Query
from app.matching.result import MatchResult
from app.matching.search import Found
from app.matching.selection import select
from app.matching.states import States

Words = NDArray[np.uint64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Ranges:
    """The listed matches, best first, a few numbers each.

    Attributes
    ----------
    result
        The answer to the query without its list and overview: `matches` is empty, whatever
        `reason` says.
    starts, stops
        int64 `(n_listed,)`: half-open ranges.
    overlaps, unions
        int64 `(n_listed,)`: see `Match`.
    sequences
        int64 `(n_listed,)`: the ordinal of the sequence of each.
    """

    result: MatchResult
    starts: Integers
    stops: Integers
    overlaps: Integers
    unions: Integers
    sequences: Integers


def find_ranges(
    states: States,
    query: Query,
    *,
    bits: Words | None = None,
    threads: int = 1,
    control: Control | None = None,
) -> Ranges:
    """Return what `find_matches` lists, as arrays: 40 bytes a match, however long it is.

    Parameters
    ----------
    states
        The source.
    query
        The query; it is checked here. Its `context` has no effect.
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
    found = Found.join([]) if search is None else listing.found
    result = MatchResult(
        query=filled,
        selected_states=selection.states,
        searched_steps=states.n_steps,
        total_matches=counts.total,
        full_matches=int(counts.full_by_length.sum()),
        places=listing.places,
        places_at_least=listing.places_at_least,
        reason=reason,
        matches=(),
        length_histogram=_histogram(counts),
        seconds=time.perf_counter() - began,
    )
    return Ranges(
        result=result,
        starts=found.starts,
        stops=found.stops,
        overlaps=found.overlaps,
        unions=found.unions,
        sequences=np.searchsorted(offsets, found.starts, side="right") - 1,
    )
