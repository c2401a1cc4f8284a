"""Section 6.1 of the paper: single states follow the nesting level (docs/tutorial/levels.md)."""

from __future__ import annotations

from collections.abc import Callable

from tests.findings import levels
from tests.findings.corpus import Corpus


def test_a_single_state_is_on_exactly_at_each_level_and_deeper(
    demo_corpus: Callable[[str], Corpus],
) -> None:
    found = levels.followers(demo_corpus("parens"))
    assert [one.level for one in found] == [1, 2, 3, 4]
    assert min(one.f1 for one in found) >= 0.99
    assert len({(one.source, one.state) for one in found}) == 4
