"""Read LSTMVis dictionaries: a word and its id per line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loaders.importers.faults import CannotImport, codec
from loaders.importers.plain import text_lines
from loaders.problems import counted

_LINE = re.compile(r"(.*)[ \t](-?[0-9]{1,18})[ \t]*", re.DOTALL)
_EXPECTED = "a dictionary with a word and its id in each line"


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Words by id, and remarks about their file."""

    where: str
    words: Mapping[int, str]
    remarks: tuple[str, ...] = ()


def read_dictionary(path: Path, encoding: str) -> Dictionary:
    """Read a .dict file.

    A word can be white space: the last blank of a line separates word and id, and spaces around a
    word with other characters are stripped. A line break as a word takes two lines, the first of
    them empty. If an id occurs twice, the last word is used, as in LSTMVis.

    Raises
    ------
    CannotImport
                The file does not exist, a line has no id, or the encoding is wrong.
    """
    words: dict[int, str] = {}
    twice: dict[int, str] = {}
    after_empty = False
    for number, line in enumerate(text_lines(path, codec(encoding), _EXPECTED), 1):
        if line == "":
            after_empty = True
            continue
        parts = _LINE.fullmatch(line)
        if parts is None:
            raise CannotImport(
                f"{path}, line {number:,}",
                "a word, a space and its id",
                f"'{line[:40]}'",
                "fix that line",
            )
        word, key = parts[1], int(parts[2])
        if word.strip(" \t"):
            word = word.strip(" \t")
        elif word == "":
            word = "\n" if after_empty else " "
        if words.get(key, word) != word:
            twice[key] = word
        words[key] = word
        after_empty = False
    if not words:
        raise CannotImport(str(path), _EXPECTED, "no words", "check that this is the right file")
    remarks: tuple[str, ...] = ()
    if twice:
        key, word = next(iter(twice.items()))
        remarks = (
            f"the earlier words with the same id in {path} "
            f"({counted(len(twice), 'id')}; {key} is '{word}' now)",
        )
    return Dictionary(str(path), words, remarks)
