"""Phrase search over a million steps, measured in passes over the token codes.

A pass is the fastest of several runs of NumPy summing the codes as integers. The bound is 20 passes
once the vocabulary was used. Run: `python -m tests.benchmarks.bench_search`.
"""

from __future__ import annotations

import functools
import sys

import numpy as np
import pyarrow as pa

from app.phrases import Index, find, parse
from loaders.tokens import Tokens
from tests.benchmarks.timing import fastest, one_pass

N_STEPS, N_WORDS = 1_000_000, 50_000


def generated() -> Tokens:
    """Generate words with the frequencies of a text: the n-th one about every n-th time."""
    rng = np.random.default_rng(0)
    codes = np.minimum(rng.zipf(1.15, N_STEPS) - 1, N_WORDS - 1).astype(np.int32)
    codes[:N_WORDS] = np.arange(N_WORDS)
    words = [f"{'The' if i % 7 == 0 else 'w'}{i:x}" for i in range(N_WORDS)]
    words[:6] = ["the", "of", "The", "THE", "and", "a"]
    return Tokens(codes, pa.array(words, pa.string()))


QUERIES = {
    "a rare word": "w9c41",
    "the most common word, three spellings": "the",
    "two common words": "the of",
    "ten common words": "the of the and the of a the of the",
    "common words and a rare one": "the of w9c41 the of",
    "a prefix of thousands of words": "the*",
    "two such prefixes": "w* w*",
    "50 prefixes": " ".join(["w*"] * 50),
    "a regular expression": "/(the|w)[0-9]+/",
    "any three words": "/.*/ /.*/ /.*/",
    "a word that does not occur": "nowhere",
}


def main() -> int:
    tokens = generated()
    offsets = np.arange(0, N_STEPS + 1, 20, dtype=np.int64)
    one = one_pass(tokens.codes)
    first = fastest(lambda: Index.of(tokens, offsets, match_case=False), 1)
    print(f"{N_STEPS:,} steps, {N_WORDS:,} words, sequences of 20; a pass is {1000 * one:.2f} ms")
    print(f"first search: {1000 * first:.0f} ms, {first / one:.0f} passes")
    print(f"{'query':40}  {'places':>9}  {'ms':>8}  {'passes':>7}")
    index = Index.of(tokens, offsets, match_case=False)
    for what, text in QUERIES.items():
        patterns = parse(text)
        total = find(index, patterns).total
        seconds = fastest(functools.partial(find, index, patterns))
        print(f"{what:40}  {total:9,}  {1000 * seconds:8.2f}  {seconds / one:7.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
