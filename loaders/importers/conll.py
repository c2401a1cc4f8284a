"""Read tokens and annotations from CoNLL formats: one token per line, empty lines between sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from loaders.importers.faults import CannotImport, codec, count_lines
from loaders.importers.plain import text_lines
from loaders.importers.steps import Row, RowFile, Steps, survey
from loaders.parquet import repeated
from loaders.problems import counted, listed
from loaders.sources.store import Progress

SEQUENCES = ("sentence", "document", "none")

_CONLL_U = ("id", "token", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
_U_LEFT_OUT = ("id", "head", "deps", "misc")
_USUAL = {
    1: ("token",),
    2: ("token", "tag"),
    3: ("token", "pos", "chunk"),  # CoNLL-2000
    4: ("token", "pos", "chunk", "ner"),  # CoNLL-2003
}
_EXPECTED = "a CoNLL file, one token per line"
_WORD_ID = re.compile(r"[0-9]+")
_OTHER_ID = re.compile(r"[0-9]+[-.][0-9]+")
_DOCUMENT = re.compile(r"-DOCSTART-|# ?newdoc\b|#begin document")
# A line that begins with # may be a token, so that only unmistakable comments are skipped.
_COMMENT = re.compile(
    r"# ?(?:newdoc|newpar|sent_id|text|text_[a-z]+|global\.columns)\b|#(?:begin|end) document"
)


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is read.

    Attributes
    ----------
    columns
            The names of the columns, including `token`, with `-` for columns to skip; further columns
            are skipped. None: the columns of CoNLL-U (ten columns), CoNLL-2003 (four) or CoNLL-2000
            (three), or token and tag (two).
    sequence
            What makes a sequence: each sentence, each document, or nothing.
    keep_tags
            Keep columns of tags (B-NP) instead of turning them into ranges.
    """

    columns: tuple[str, ...] | None = None
    sequence: str = "sentence"
    encoding: str = "utf-8"
    keep_tags: bool = False


def read_conll(path: Path, layout: Layout, progress: Progress | None = None) -> Steps:
    """Read tokens and annotations from a CoNLL file; for `progress` see `loaders.importers.steps.survey`.

    Raises
    ------
    CannotImport
                The message is one sentence.
    """
    encoding = codec(layout.encoding)
    delimiter, width, is_u = _detect_format(path, encoding)
    named = layout.columns or (_CONLL_U if is_u else _USUAL.get(width))
    if named is None:
        raise CannotImport(
            str(path),
            "CoNLL-U, CoNLL-2003, CoNLL-2000, or two columns",
            counted(width, "column"),
            "name them with --columns, for example token,-,pos",
        )
    _check_columns(path, named, width)
    skipped = _U_LEFT_OUT if is_u and layout.columns is None else ()
    kept = [i for i, name in enumerate(named) if name not in ("-", "token", *skipped)]
    token_at = named.index("token")

    def rows() -> Iterator[Row]:
        sentence, document, open_sentence = 0, 0, False
        for number, line in enumerate(text_lines(path, encoding, _EXPECTED), 1):
            if not line.strip():
                sentence += open_sentence
                open_sentence = False
                continue
            if _DOCUMENT.match(line):
                sentence += open_sentence
                document += 1
                open_sentence = False
                continue
            fields = line.split(delimiter)
            if _is_not_token(line, fields, is_u):
                continue
            if len(fields) < width if layout.columns is None else len(fields) < len(named):
                raise CannotImport(
                    f"{path}, line {number:,}",
                    f"{counted(width, 'column')}, as before",
                    str(len(fields)),
                    "fix that line",
                )
            open_sentence = True
            sequence = {"sentence": sentence, "document": document, "none": None}[layout.sequence]
            empty = ("_", "") if is_u else ("",)
            cells = [None if fields[i] in empty else fields[i] for i in kept]
            yield Row(number, fields[token_at], sequence, sentence, cells)

    names = tuple(named[i] for i in kept)
    left_out = [
        *(f"column '{name}'; name it with --columns to keep it" for name in skipped[1:]),
        *_skipped_lines(path, encoding, is_u),
    ]
    file = RowFile(str(path), names, rows, lambda: count_lines(path))
    return survey(file, keep_tags=layout.keep_tags, left_out=left_out, progress=progress)


def _detect_format(path: Path, encoding: str) -> tuple[str | None, int, bool]:
    """Detect delimiter, number of columns and whether it is CoNLL-U from the first line with a token."""
    for line in text_lines(path, encoding, _EXPECTED):
        if not line.strip() or _DOCUMENT.match(line) or _COMMENT.match(line):
            continue
        delimiter = "\t" if "\t" in line else None
        fields = line.split(delimiter)
        numbered = _WORD_ID.fullmatch(fields[0]) or _OTHER_ID.fullmatch(fields[0])
        if line.startswith("# ") and delimiter is None:
            continue  # most likely a comment in CoNLL-U
        return delimiter, len(fields), len(fields) == len(_CONLL_U) and bool(numbered)
    raise CannotImport(str(path), _EXPECTED, "no token", "check that this is the right file")


def _is_not_token(line: str, fields: Sequence[str], is_u: bool) -> bool:
    if is_u:
        return line.startswith("#") or _OTHER_ID.fullmatch(fields[0]) is not None
    return _COMMENT.match(line) is not None


def _skipped_lines(path: Path, encoding: str, is_u: bool) -> Iterator[str]:
    """Describe what CoNLL-U contains besides words."""
    if not is_u:
        return
    ranges = nodes = 0
    for line in text_lines(path, encoding, _EXPECTED):
        number = line.partition("\t")[0]
        if _OTHER_ID.fullmatch(number):
            ranges += "-" in number
            nodes += "." in number
    if ranges:
        yield f"{counted(ranges, 'multiword token')} (their words are the steps)"
    if nodes:
        yield counted(nodes, "empty node")


def _check_columns(path: Path, named: Sequence[str], width: int) -> None:
    names = [name for name in named if name != "-"]
    again = repeated(names)
    if again or "" in names or names.count("token") != 1 or "sequence" in names:
        raise CannotImport(
            "--columns",
            "the names of the columns separated by commas, including token but not sequence",
            f"'{','.join(named)}'",
            f"name {listed(again)} once" if again else "correct the list",
        )
    if len(named) > width:
        raise CannotImport(
            "--columns",
            f"at most {counted(width, 'name')}, one for each column of {path}",
            str(len(named)),
            "shorten the list",
        )
