"""Words that were replaced by plain English do not come back.

The list has phrases that only occurred in the old wording, so that ordinary English is not forbidden. Terms are
defined in docs/terms.md.
"""

from __future__ import annotations

import re

import pytest

from tests import ROOT
from tests.test_structure import own_text_files

#: Not searched: third-party code, the history, the list itself.
EXCLUDED = ("assets/vendor", "CHANGELOG.md", "tests/test_words.py")
SUFFIXES = (".py", ".md", ".mjs", ".css", ".toml", ".cfg", "Makefile", ".ci/run")

#: Old words, as regular expressions -> what to write instead.
REPLACED = {
    r"anew": "again",
    r"appears? whole": "is written completely",
    r"as it stands in": "as in",
    r"as many as it is asked": "as many as requested",
    r"ask for less": "request less",
    r"asked of": "valid for",
    r"at hand": "available, cached",
    r"at the most": "at most",
    r"at work": "running",
    r"beside it": "next to it",
    r"brings? along": "includes",
    r"call(?:ed|s)? off": "cancel",
    r"carried over": "imported",
    r"comes? along": "is included",
    r"comes? back after another": "is not consecutive",
    r"commonest": "most common",
    r"derived cop(?:y|ies)": "prepared copy",
    r"does not hold the": "does not contain the",
    r"ends? by (?:itself|themselves)": "runs to its end",
    r"foresaw|unforeseen": "unexpected",
    r"half of a letter|half a sign": "an incomplete character",
    r"hold on work": "progress and cancellation of work",
    r"holds? no": "contains no",
    r"how it stands": "its status",
    r"in one piece": "consecutive, complete",
    r"in silence": "silently",
    r"(?:is|are) the most": "at most ... is allowed",
    r"(?:is|are|was|were|it is) told": "is reported, is shown",
    r"is wanted": "is requested, is needed",
    r"kept within": "bounded",
    r"likeliest": "most likely",
    r"look at": "check, inspect",
    r"looked (?:at|through again)": "checked, considered, scanned again",
    r"made as needed": "created if needed",
    r"mend(?:s|ed|ing)?": "fix",
    r"naive twin": "naive reference",
    r"no file of that name": "no such file",
    r"nobody waits": "requests do not wait",
    r"(?-i:numpy) arrays": "NumPy arrays",
    r"one (?:chord|column|file|list|name|row|song|token|value|weight|word) a "
    r"(?:beat|column|line|state|step|token|word)": "one ... per ...",
    r"one a line": "one per line",
    r"parted": "separated",
    r"runs backwards": "is reversed",
    r"so many steps": "this many steps",
    r"somebody": "another user, another process",
    r"spread_states": "distribute_states",
    r"stands? alone": "does not follow another",
    r"(?-i:step_back)": "lower_priority",
    r"stretch(?:es)?": "range of steps",
    r"takes? back": "withdraws, cancels",
    r"telling_phrase": "opening_phrase",
    r"(?:that|which) is none": "which is invalid",
    r"tells? of": "describes",
    r"told (?:apart by|as|by|of|twice|when|with)": "distinguished, reported",
    r"urgency": "priority",
    r"what comes of it": "the result",
    r"what is there": "what exists, the content",
    r"whoever": "any process, any user",
    r"whole or not at all": "completely or not at all",
    r"wish of a page": "request of a page",
    r"with nobody": "without a process",
}

FILES = [
    path
    for path in own_text_files()
    if path.as_posix().endswith(SUFFIXES)
    and not path.relative_to(ROOT).as_posix().startswith(EXCLUDED)
]


@pytest.fixture(scope="module")
def lines() -> list[tuple[str, str]]:
    """Every line of the files, with where it is."""
    return [
        (f"{path.relative_to(ROOT)}:{number}", line)
        for path in FILES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    ]


@pytest.mark.parametrize("words", REPLACED)
def test_replaced_words_do_not_come_back(words: str, lines: list[tuple[str, str]]) -> None:
    old = re.compile(rf"(?<![\w-])(?:{words})(?![\w-])", re.IGNORECASE)
    found = [f"{where}: {match[0]}" for where, line in lines for match in old.finditer(line)]
    assert found == [], f"write {REPLACED[words]!r} instead"


def test_the_list_finds_what_it_is_for() -> None:
    assert len(REPLACED) >= 40
    assert {"loaders", "app", "docs", "tests", "Makefile"} <= {
        path.relative_to(ROOT).parts[0] for path in FILES
    }
