"""The ranges of a match as arrays: long lists, without the overlap profile of each match."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.matching.control import Control
from app.matching.engine import answer_query
from app.matching.query import Query
from app.matching.result import MatchResult
from app.matching.search import Bits
from app.matching.states import States

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
    bits: Bits | None = None,
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
        The on-bits of the whole source at the query's threshold and polarity; packed here, in
        memory, when not given.
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
    began = time.perf_counter()
    answer = answer_query(states, query, bits, threads, control or Control())
    found = answer.listing.found
    sequences = np.searchsorted(np.asarray(states.offsets), found.starts, side="right") - 1
    return Ranges(
        result=answer.result((), None, began),
        starts=found.starts,
        stops=found.stops,
        overlaps=found.overlaps,
        unions=found.unions,
        sequences=sequences,
    )
