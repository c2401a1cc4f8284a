"""Phrases by rule: noun phrases, verb phrases and prepositions from part-of-speech tags.

The Brown corpus has no annotated phrases. These rules find base phrases in the style of the CoNLL-2000
shared task: phrases do not nest, a noun phrase ends with its head noun, a verb phrase is the verbs of
one group with the words between them, and a PP is only the preposition. The rules were checked by
hand, but their output is not corrected: it is rule-based.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

PARTS: Final = {
    "noun": "#0072b2",
    "pronoun": "#56b4e9",
    "determiner": "#9ecae1",
    "number": "#6a51a3",
    "adjective": "#e69f00",
    "verb": "#d55e00",
    "adverb": "#f0e442",
    "preposition": "#009e73",
    "conjunction": "#cc79a7",
    "other": "#8c8c8c",
    "punctuation": "#d9d9d9",
}
"""Parts of speech and their colours."""

# Tag -> one letter: d determiner, o possessive, c number, j adjective, q adverb, g -ing, v participle,
# n noun, p pronoun, V other verb, t to, i preposition, N not, k conjunction, "." punctuation, x other.
LETTERS: Final = {
    "d": "at ap ab abl abn abx dt dti dts dtx pp$ wp$ ap$ dt$",
    "c": "cd od",
    "j": "jj jjr jjs jjt",
    "q": "ql qlp rb rbr rbt rn rp wql wrb",
    "g": "vbg beg hvg",
    "v": "vbn ben hvn don",
    "n": "nn nns np nps nr nrs nnp",
    "p": "pn pp$$ ppl ppls ppo pps ppss ex wdt wpo wps",
    "V": "vb vbd vbz md be bed bedz bem ber bez do dod doz hv hvd hvz",
    "t": "to",
    "i": "in",
    "N": "*",
    "k": "cc cs",
    ".": ". , : -- ( ) '' `` '",
}
LETTER_OF: Final = {tag: letter for letter, tags in LETTERS.items() for tag in tags.split()}
PART_OF: Final = {
    "d": "determiner",
    "o": "noun",
    "c": "number",
    "j": "adjective",
    "q": "adverb",
    "g": "verb",
    "v": "verb",
    "n": "noun",
    "p": "pronoun",
    "V": "verb",
    "t": "other",
    "i": "preposition",
    "N": "adverb",
    "k": "conjunction",
    ".": "punctuation",
    "x": "other",
}

# Words allowed between determiner and head: an adverb only before an adjective, a participle only
# after a determiner or an adjective and before a noun ("the elected men", but "was elected").
_INSIDE: Final = r"(?:[ocjn]|q(?=q*[jc])|(?<=[docj])[gv](?=[jcgvno]*n))"
_VERBS: Final = r"(?:t[qN]*)?[Vgv]"
PHRASES: Final = re.compile(
    rf"(?P<NP>d*{_INSIDE}*n|d+{_INSIDE}*[jc]|d*c+|d+|p)"
    rf"|(?P<VP>{_VERBS}(?:[qN]*{_VERBS})*)"
    r"|(?P<PP>i+)"
)


def letter(tag: str) -> str:
    """Return the class of a tag as one letter; a contraction counts as its first part."""
    first = tag.partition("+")[0]
    negated = first.removesuffix("*") or first
    if negated in LETTER_OF:
        return LETTER_OF[negated]
    if negated.endswith("$") and LETTER_OF.get(negated[:-1]) in ("n", "p", "j", "c", "q"):
        return "o"
    return "x"


def part_of_speech(tag: str) -> str:
    """Return one of `PARTS`."""
    return PART_OF[letter(tag)]


def phrases(tags: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Find the phrases of one sentence.

    Parameters
    ----------
    tags
        Tags as returned by `corpus.simple_tag`.

    Yields
    ------
    start, stop : int
        Half-open, in order, not overlapping.
    label : str
        NP, VP or PP.
    """
    for found in PHRASES.finditer("".join(letter(tag) for tag in tags)):
        assert found.lastgroup is not None
        yield found.start(), found.end(), found.lastgroup
