"""Slow and obvious counterparts of the matching service, written directly from docs/matching.md.

Nothing is imported from `app`, and nothing is optimized. Sets are Python sets, every range of every
sequence is considered, and "on" compares fractions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any


@dataclass(frozen=True)
class NaiveQuery:
    threshold: float
    start: int | None = None
    stop: int | None = None
    polarity: str = "high"
    off_before: int = 0
    off_after: int = 0
    exclude: tuple[int, ...] = ()
    states: tuple[int, ...] | None = None
    min_overlap: int | None = None
    min_length: int | None = None
    length: tuple[int, int] | None = None
    overlapping: bool = False
    top: int = 50
    offset: int = 0
    context: int = 5


def is_on(value: Any, threshold: float, polarity: str) -> bool:
    """Both read as real numbers; NaN is never on, infinities compare as numbers."""
    number = float(value)  # float16 and float32 widen to a Python float exactly
    if math.isnan(number):
        return False
    if polarity == "low":
        number = -number
    if polarity == "magnitude":
        number = abs(number)
    if math.isinf(number):
        return number > 0
    return Fraction(number) >= Fraction(threshold)


def on_table(rows: Any, threshold: float, polarity: str) -> list[list[bool]]:
    return [[is_on(value, threshold, polarity) for value in row] for row in rows]


def strongest(
    values: Sequence[Any], offsets: Sequence[int], threshold: float, polarity: str, most: int
) -> list[tuple[int, int, int]]:
    """(step, start, stop) of the strongest places of a state: its steps, sorted, one a run.

    A step that is off is no place beside one that was walked before, in its sequence.
    """
    numbers = [float(value) for value in values]
    turned = {"high": lambda x: x, "low": lambda x: -x, "magnitude": abs}[polarity]
    on = [is_on(number, threshold, polarity) for number in numbers]
    sequence = {t: k for k, pair in enumerate(pairwise(offsets)) for t in range(*pair)}
    steps = [t for t, number in enumerate(numbers) if not math.isnan(number)]
    places: list[tuple[int, int, int]] = []
    walked: set[int] = set()
    for t in sorted(steps, key=lambda t: (-turned(numbers[t]), t)):
        start = stop = t
        if on[t]:
            while on[start - 1] and sequence.get(start - 1) == sequence[t]:
                start -= 1
            while stop in sequence and on[stop] and sequence[stop] == sequence[t]:
                stop += 1
            known = not walked.isdisjoint(range(start, stop))
        else:
            known = any(u in walked and sequence[u] == sequence[t] for u in (t - 1, t + 1))
        walked.add(t)
        if not known:
            places.append((t, start, stop))
    return places[:most]


class Naive:
    """One source and one query."""

    def __init__(self, rows: Any, offsets: Sequence[int], query: NaiveQuery) -> None:
        self.on = on_table(rows, query.threshold, query.polarity)
        self.n_steps = len(self.on)
        self.n_states = len(self.on[0])
        self.sequences = [range(int(a), int(b)) for a, b in pairwise(offsets)]
        self.query = query

    def sequence_of(self, step: int) -> int:
        for ordinal, steps in enumerate(self.sequences):
            if step in steps:
                return ordinal
        raise AssertionError(step)

    def is_off(self, step: int, state: int, sequence: range) -> bool:
        """Steps outside the sequence count as off."""
        return step not in sequence or not self.on[step][state]

    def states_of(self, start: int, stop: int) -> set[int]:
        """On at every step of [start, stop), off at the n steps before and the m steps after."""
        sequence = self.sequences[self.sequence_of(start)]
        before = range(start - self.query.off_before, start)
        after = range(stop, stop + self.query.off_after)
        # Steps outside the sequence are off; skipping them keeps a limit of 10**9 fast.
        before = range(max(before.start, sequence.start), start)
        after = range(stop, min(after.stop, sequence.stop))
        return {
            state
            for state in range(self.n_states)
            if all(self.on[step][state] for step in range(start, stop))
            and all(self.is_off(step, state, sequence) for step in before)
            and all(self.is_off(step, state, sequence) for step in after)
        }

    def raw_selection(self) -> set[int]:
        if self.query.states is not None:
            return set(self.query.states)
        assert self.query.start is not None and self.query.stop is not None
        return self.states_of(self.query.start, self.query.stop)

    def selection(self) -> set[int]:
        return self.raw_selection() - set(self.query.exclude)

    def min_overlap(self) -> int:
        if self.query.min_overlap is not None:
            return self.query.min_overlap
        return max(1, math.ceil(Fraction(len(self.selection()), 2)))

    def min_length(self) -> int:
        if self.query.min_length is not None:
            return self.query.min_length
        if self.query.states is not None:
            return 2
        assert self.query.start is not None and self.query.stop is not None
        return 1 if self.query.stop - self.query.start == 1 else 2

    def matches(self) -> list[tuple[int, int, int, int]]:
        """Conditions 1 to 3, as (start, stop, overlap, union), in the order of the ranking."""
        s1 = self.selection()
        if not s1:
            return []
        min_overlap, min_length = self.min_overlap(), self.min_length()
        found = []
        for sequence in self.sequences:
            sets = {
                (a, b): self.states_of(a, b)
                for a in sequence
                for b in range(a + 1, sequence.stop + 1)
            }
            for (a, b), s2 in sets.items():
                same = s1 & s2
                if len(same) < min_overlap or b - a < min_length:
                    continue
                wider = [(a - 1, b), (a, b + 1)]
                if any(w in sets and s1 & sets[w] == same for w in wider):
                    continue
                found.append((a, b, len(same), len(s1 | s2)))
        return sorted(found, key=lambda m: (-m[2], m[3], -(m[1] - m[0]), m[0]))

    def whole_list(self) -> list[tuple[int, int, int, int]]:
        """The list after the length filter and one per place, before offset and top."""
        chosen = self.matches()
        if self.query.length is not None:
            least, most = self.query.length
            chosen = [m for m in chosen if least <= m[1] - m[0] <= most]
        if self.query.overlapping:
            return chosen
        listed: list[tuple[int, int, int, int]] = []
        for match in chosen:
            steps = set(range(match[0], match[1]))
            if all(steps.isdisjoint(range(other[0], other[1])) for other in listed):
                listed.append(match)
        return listed

    def profile(self, start: int, stop: int) -> tuple[int, tuple[float, ...]]:
        s1 = self.selection()
        sequence = self.sequences[self.sequence_of(start)]
        context = min(self.query.context, self.n_steps)
        steps = [s for s in range(start - context, stop + context) if s in sequence]
        shares = tuple(sum(self.on[s][c] for c in s1) / len(s1) for s in steps)
        return steps[0], shares

    def overview(self, bin_steps: int) -> list[tuple[float, int, int]]:
        """Per bin: share of the selected states on, matches and full ones that start there."""
        s1 = self.selection()
        matches = self.matches()
        if self.query.length is not None:
            least, most = self.query.length
            matches = [m for m in matches if least <= m[1] - m[0] <= most]
        bins = []
        for first in range(0, self.n_steps, bin_steps):
            steps = range(first, min(first + bin_steps, self.n_steps))
            on = sum(self.on[step][state] for step in steps for state in s1)
            here = [m for m in matches if m[0] in steps]
            full = sum(m[2] == len(s1) for m in here)
            bins.append((on / (len(steps) * len(s1)), len(here), full))
        return bins

    def answer(self) -> dict[str, Any]:
        s1 = self.selection()
        matches = self.matches()
        whole = self.whole_list()
        offset = self.query.offset
        listed = []
        for rank, match in enumerate(whole[offset : offset + self.query.top], offset + 1):
            listed.append((rank, *match, self.sequence_of(match[0]), *self.profile(*match[:2])))
        lengths = sorted({b - a for a, b, _, _ in matches})
        return {
            "selected_states": tuple(sorted(s1)),
            "searched_steps": self.n_steps,
            "total_matches": len(matches),
            "full_matches": sum(overlap == len(s1) for _, _, overlap, _ in matches),
            "places": len(whole),
            "matches": listed,
            "length_histogram": [
                (
                    length,
                    sum(b - a == length for a, b, _, _ in matches),
                    sum(b - a == length and k == len(s1) for a, b, k, _ in matches),
                )
                for length in lengths
            ],
        }
