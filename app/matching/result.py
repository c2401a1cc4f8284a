"""The result of a match run (docs/matching.md, "What a match run returns")."""

from __future__ import annotations

from dataclasses import dataclass

from app.matching.query import Query


@dataclass(frozen=True, slots=True)
class Match:
    """One listed match, the half-open range [start, stop).

    Attributes
    ----------
    rank
        Counts from the query's offset + 1.
    start, stop
        Steps, half-open.
    overlap
        The number of selected states in the match.
    union
        The number of states that are selected or in the match.
    sequence
        The ordinal of the sequence of the range, from 0.
    profile_start
        The step of the first number of `profile`.
    profile
        The share of the selected states (0 to 1) that is on at each step from `context` steps before
        the match to `context` steps after it; steps outside the sequence are left out.
    """

    rank: int
    start: int
    stop: int
    overlap: int
    union: int
    sequence: int
    profile_start: int
    profile: tuple[float, ...]

    @property
    def length(self) -> int:
        """The number of steps."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class LengthCount:
    """One bar of the length histogram: the matches of one length, and the full ones among them."""

    length: int
    matches: int
    full_matches: int


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole corpus in at most 1,024 bins.

    Attributes
    ----------
    bin_steps
        Steps per bin, a power of two; the last bin may have fewer.
    on
        The share (0 to 1) of the selected states that is on, averaged over the steps of each bin.
    matches, full_matches
        Matches that pass the length filter, overlapping ones included, by the bin they start in;
        and the full matches among them.
    """

    bin_steps: int
    on: tuple[float, ...]
    matches: tuple[int, ...]
    full_matches: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MatchResult:
    """The answer to a query.

    Attributes
    ----------
    query
        The query with `min_overlap` and `min_length` set.
    selected_states
        S1, ascending.
    searched_steps
        Always all steps of the source: the search is exact.
    total_matches, full_matches
        Matches before the length filter, and the full matches among them.
    places
        The number of matches in the list before offset and top; None if it was not counted, which
        happens only above 100,000 matches.
    places_at_least
        `places`, or a lower bound if it is None.
    reason
        Why `matches` is empty, in words and numbers; None exactly when it is not.
    matches
        The listed matches, best first.
    length_histogram
        Ascending by length; lengths without matches are left out.
    seconds
        The duration of the computation.
    overview
        Where the selected states are on and matches start; None if nothing was searched.
    """

    query: Query
    selected_states: tuple[int, ...]
    searched_steps: int
    total_matches: int
    full_matches: int
    places: int | None
    places_at_least: int
    reason: str | None
    matches: tuple[Match, ...]
    length_histogram: tuple[LengthCount, ...]
    seconds: float
    overview: Overview | None = None
