"""Make excerpt.txt: the beginnings of one held-out text of each genre of the Brown corpus.

    python -m demos.english.excerpt FOLDER

Fewer than 10,000 words, with their tags, in the original form of the corpus, with a line `# ca05 news`
before each text. The notice of the corpus is in NOTICE.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from demos.english import corpus
from demos.english.corpus import CorpusError, Text

EXCERPT: Final = Path(__file__).with_name("excerpt.txt")
WORDS_A_TEXT: Final = 600
"""The number of words per text, extended to the end of the sentence."""


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=EXCERPT,
    help="The file to write.  [default: excerpt.txt next to this script]",
)
def main(folder: Path, out: Path) -> None:
    """Take the excerpt from the Brown corpus in FOLDER."""
    lines, n_words, seen = [], 0, set()
    for text in corpus.read(folder, "held_out"):
        if text.genre in seen:
            continue
        seen.add(text.genre)
        lines.append(f"# {text.name} {text.genre}")
        taken = 0
        for sentence in text.sentences:
            lines.append(" ".join(f"{word}/{tag}" for word, tag in sentence))
            taken += len(sentence)
            if taken >= WORDS_A_TEXT:
                break
        n_words += taken
    out.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    click.echo(f"{out}: {len(seen)} texts, {n_words} words")


def read(path: Path = EXCERPT) -> Iterator[Text]:
    """Read the texts of an excerpt, in order."""
    for block in f"\n{path.read_text(encoding='utf-8')}".split("\n# ")[1:]:
        title, _, body = block.partition("\n")
        name, _, genre = title.partition(" ")
        if not genre:
            raise CorpusError(f"{path.name}: expected '# name genre', found {title!r}.")
        yield corpus.parse(body, name, genre)


if __name__ == "__main__":
    main()
