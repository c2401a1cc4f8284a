"""The reason why a list of matches is empty, in words and numbers."""

from __future__ import annotations

from app.matching.counts import Counts
from app.matching.query import Query
from app.matching.search import Search


def why_nothing(search: Search, query: Query, counts: Counts, places: int) -> str:
    """Return why no match is listed even though states are selected.

    Parameters
    ----------
    search
        The passes of the query; makes one or two more if there is no match at all.
    query
        With `min_overlap` and `min_length` set, `min_overlap` not above the number of states.
    counts
        The counts of `search`.
    places
        The length of the list before offset and top.
    """
    if counts.total == 0:
        return _why_no_match(search, query)
    if int(counts.by_overlap.sum()) == 0:
        return _why_no_length(query, counts)
    what = "match" if query.overlapping else "place"
    listed = f"{places:,} {plural(places, what)}"
    return f"the list has {listed}, so nothing is left after the first {query.offset:,}"


def overlap_above_selection(min_overlap: int, n_selected: int) -> str:
    """Return the reason for a min_overlap above the number of selected states."""
    states = plural(n_selected, "state")
    verb = "is" if n_selected == 1 else "are"
    return (
        f"at least {min_overlap:,} shared states are required (min_overlap), but only "
        f"{n_selected:,} {states} {verb} selected: require fewer"
    )


def _why_no_match(search: Search, query: Query) -> str:
    min_overlap, min_length = query.min_overlap, query.min_length
    assert min_overlap is not None and min_length is not None
    n = search.n_selected
    limits = _limits(query)
    if min_length > 1:
        lengths = search.count(min_overlap, 1).lengths
        if lengths.size:
            longest = int(lengths[-1])
            return (
                f"no range with at least {min_overlap:,} of the {n:,} selected "
                f"{plural(n, 'state')} on throughout{limits} is {min_length:,} steps long; "
                f"the longest has {longest:,} {plural(longest, 'step')}"
            )
    most = search.largest_overlap()
    subject = "the selected state" if n == 1 else f"none of the {n:,} selected states"
    if most == 0:
        if n == 1:
            return f"{subject} is never on{limits}"
        return f"{subject} is ever on{limits}"
    return (
        f"at least {min_overlap:,} shared states are required (min_overlap), but at most {most:,} "
        f"of the {n:,} selected {'is' if most == 1 else 'are'} on together{limits}: require fewer"
    )


def _why_no_length(query: Query, counts: Counts) -> str:
    assert query.length is not None  # only the length filter drops matches before listing
    least, most = query.length
    short, long = int(counts.lengths[0]), int(counts.lengths[-1])
    n = counts.total
    asked = f"{least:,}" if least == most else f"{least:,} to {most:,}"
    asked += f" {plural(most, 'step')} long"
    has = f"{short:,}" if short == long else f"{short:,} to {long:,}"
    has += f" {plural(long, 'step')}"
    if n == 1:
        return f"there is 1 match, but it is not {asked}: it has {has}"
    return f"there are {n:,} matches, but none is {asked}: they have {has}"


def _limits(query: Query) -> str:
    """Return the limits as words to follow "on"; empty if there are none."""
    parts = []
    if query.off_before:
        parts.append(_steps(query.off_before, "before"))
    if query.off_after:
        parts.append(_steps(query.off_after, "after"))
    return f" and off at {' and '.join(parts)}" if parts else ""


def _steps(n: int, side: str) -> str:
    return f"the step {side}" if n == 1 else f"the {n:,} steps {side}"


def plural(n: int, word: str) -> str:
    """Return `word` for one, else its plural."""
    if n == 1:
        return word
    return f"{word}es" if word.endswith("ch") else f"{word}s"
