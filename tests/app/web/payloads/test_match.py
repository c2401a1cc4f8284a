"""The bins of the histogram: one per length up to 20, then ranges; no match is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.matching import LengthCount
from app.web.payloads.match import histogram_bins


@given(
    st.dictionaries(
        st.integers(1, 10**7),
        st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))),
        max_size=40,
    )
)
def test_bins_contain_every_match_once(counts: dict[int, tuple[int, int]]) -> None:
    given_counts = [LengthCount(k, *v) for k, v in sorted(counts.items())]
    bins = histogram_bins(given_counts)
    for item in bins:
        inside = [c for c in given_counts if item["low"] <= c.length <= item["high"]]
        assert item["matches"] == sum(c.matches for c in inside)
        assert item["full_matches"] == sum(c.full_matches for c in inside)
    assert sum(item["matches"] for item in bins) == sum(c.matches for c in given_counts)
    edges = [(item["low"], item["high"]) for item in bins]
    assert edges == sorted(edges)
    assert all(low == high for low, high in edges if high <= 20)


def test_lengths_without_a_match_have_an_empty_bin() -> None:
    bins = histogram_bins([LengthCount(2, 5, 1), LengthCount(4, 1, 0), LengthCount(64, 3, 3)])
    assert [item["low"] for item in bins] == [*range(1, 21), 51]
    assert bins[2] == {"low": 3, "high": 3, "matches": 0, "full_matches": 0}
