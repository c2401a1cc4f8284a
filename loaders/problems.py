"""What is wrong with a dataset: where, what was expected and found, and how to fix it."""

from __future__ import annotations

import difflib
import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_MOST_LETTERS = 600


class Severity(enum.StrEnum):
    """A problem prevents the dataset from being served; a warning is only shown."""

    PROBLEM = "problem"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding about a dataset.

    Each part is a phrase without a full stop: `where` names the folder, file, column or row (rows
    count from 0); `remedy` says what to do or, for a warning, what follows. Text from files is
    made `printable` and shortened.
    """

    where: str
    expected: str
    found: str
    remedy: str
    severity: Severity = Severity.PROBLEM

    def __post_init__(self) -> None:
        for name in ("where", "expected", "found", "remedy"):
            part = printable(getattr(self, name))
            if len(part) > _MOST_LETTERS:
                part = f"{part[: _MOST_LETTERS // 2]} ... {part[-_MOST_LETTERS // 2 :]}"
            object.__setattr__(self, name, part)

    @property
    def sentence(self) -> str:
        """The finding as one sentence."""
        return f"{self.where}: expected {self.expected}, found {self.found}; {self.remedy}."


class DatasetError(Exception):
    """A dataset, or one of its sources, cannot be opened.

    `problems` contains everything that was found; `str(error)` is the sentence of the first, with
    the number of further problems.
    """

    problems: tuple[Problem, ...]

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        found = (problems,) if isinstance(problems, Problem) else tuple(problems)
        self.problems = found
        super().__init__(found)

    def __str__(self) -> str:
        first = self.problems[0].sentence
        more = len(self.problems) - 1
        if more == 0:
            return first
        return f"{first[:-1]} (and {more} more {plural(more, 'problem')}: see python -m app check)."

    def __reduce__(self) -> tuple[type[DatasetError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


def printable(text: str) -> str:
    """Return the text on one line, with line breaks, control characters and lone surrogates escaped."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def plural(count: int, word: str, many: str | None = None) -> str:
    """Return `word` if `count` is 1, otherwise its plural."""
    return word if count == 1 else (many or f"{word}s")


def counted(count: int, word: str, many: str | None = None) -> str:
    """Return for example `1 row` or `12,000 rows`."""
    return f"{count:,} {plural(count, word, many)}"


def listed(names: Iterable[object], limit: int = 12) -> str:
    """Return the names in quotes, separated by commas; at most `limit`, then how many more."""
    every = [f"'{name}'" for name in names]
    if not every:
        return "none"
    if len(every) > limit:
        return ", ".join(every[:limit]) + f" and {len(every) - limit:,} more"
    return ", ".join(every)


def suggestion(name: object, known: Sequence[str]) -> str:
    """Return `did you mean 'x'` if a known name is similar, otherwise generic advice."""
    close = difflib.get_close_matches(str(name), known, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'"
    return "use a known name, or remove it"


def sized(count: int) -> str:
    """Format a number of bytes: "1.3 GB", "82.0 MB", "12 bytes"."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count} bytes"
