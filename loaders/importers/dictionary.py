"""LSTMVis's dictionaries: a word and its number in each line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loaders.importers.faults import CannotImport, codec
from loaders.importers.plain import text_lines
from loaders.problems import counted

_LINE = re.compile(r"(.*)[ \t](-?[0-9]{1,18})[ \t]*", re.DOTALL)
_EXPECTED = "a dictionary with a word and its number in each line"


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Words by number, and what was odd about their file."""

    where: str
    words: Mapping[int, str]
    remarks: tuple[str, ...] = ()


def read_dictionary(path: Path, encoding: str) -> Dictionary:
    """Read a .dict file.

    White space can be a word: the last blank of a line stands before the number, and what is in
    front of it is the word; spaces around a word that has other letters are no part of it. A line
    break as a word takes two lines, the first of them empty. A number that occurs twice means its
    last word, as it does in LSTMVis.

    Raises
    ------
    CannotImport
        No such file, a line without a number, text in another encoding.
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
                "a word, a space and its number",
                f"'{line[:40]}'",
                "mend that line",
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
        raise CannotImport(str(path), _EXPECTED, "no words", "check that it is the right file")
    remarks: tuple[str, ...] = ()
    if twice:
        key, word = next(iter(twice.items()))
        remarks = (
            f"the first of the words with the same number in {path} "
            f"({counted(len(twice), 'number')}; {key} is '{word}' now)",
        )
    return Dictionary(str(path), words, remarks)
