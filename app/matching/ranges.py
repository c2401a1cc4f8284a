"""The ranges of matches as arrays, for long lists without overlap profiles."""

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
    """The listed matches, best first, as a few numbers each.

    Attributes
    ----------
    result
        The answer to the query without its list and overview; its `matches` is empty, whatever its
        `reason` says.
    starts, stops
        int64 `(n_listed,)`: half-open ranges.
    overlaps, unions
        int64 `(n_listed,)`: as in `Match`.
    sequences
        int64 `(n_listed,)`: the ordinals of their sequences.
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
    """Return the list of `find_matches` as arrays: 40 bytes per match of any length.

    Parameters
    ----------
    states
        The source.
    query
        The query; it is validated here. Its `context` has no effect.
    bits
        The packed bits of the whole source at the query's threshold and polarity; packed in memory
        if not given.
    threads
        The number of threads per pass. The answer does not depend on it.
    control
        Receives the progress, and can cancel the search.

    Raises
    ------
    QueryError
        If the query is not valid for this source.
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
