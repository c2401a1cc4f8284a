"""What a match run returns (docs/matching.md, "What a match run returns")."""

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
        Number of selected states in the match.
    union
        Number of states that are selected or in the match.
    sequence
        Ordinal of the sequence that holds the range, from 0.
    profile_start
        The step of the first number of `profile`.
    profile
        Share of the selected states (0 to 1) that is on at each step from `context` steps before
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
        """Number of steps."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class LengthCount:
    """One bar of the length histogram: matches of one length, and how many of them are full."""

    length: int
    matches: int
    full_matches: int


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole corpus in at most 1,024 bins.

    Attributes
    ----------
    bin_steps
        Steps a bin, a power of two; the last bin may hold fewer.
    on
        Share (0 to 1) of the selected states that is on, over the steps of each bin.
    matches, full_matches
        Matches that pass the length filter, overlapping ones included, by the bin they start in,
        and how many of them have every selected state.
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
        The query with `min_overlap` and `min_length` filled in.
    selected_states
        S1, ascending.
    searched_steps
        Always every step of the source: the search is exact.
    total_matches, full_matches
        Matches before the length filter, and those of them with every selected state.
    places
        How many matches the list holds before offset and top; None when that was not counted,
        which happens only above 100,000 matches.
    places_at_least
        `places`, or how many are known when `places` is None.
    reason
        Why `matches` is empty, in words and numbers; None exactly when it is not.
    matches
        The listed matches, best first.
    length_histogram
        Ascending by length; lengths without a match are left out.
    seconds
        How long the computation took.
    overview
        Where the selected states are on and matches start; None when nothing was searched.
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
