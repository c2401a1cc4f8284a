"""Read tokens from a file of tokens only: text, JSON or NumPy."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from loaders.importers.arrays import open_array
from loaders.importers.faults import CannotImport, codec, count_lines, reading
from loaders.importers.steps import BATCH, Row, RowFile, Steps, survey, with_lengths
from loaders.sources.store import Progress

SPLITS = ("lines", "words", "characters")
_TOKENS = "a file of tokens"


def read_plain(
    path: Path,
    *,
    split: str = "lines",
    vocabulary: Path | None = None,
    encoding: str = "utf-8",
    progress: Progress | None = None,
) -> Steps:
    """Read tokens from a text file, a .json list or a .npy array.

    Parameters
    ----------
    path
            `.json` contains a list of tokens, or a list of lists, which become sequences. `.npy`
            contains `(n_steps,)` or `(n_sequences, length)` tokens or token ids. Anything else is text.
    split
            How to split text: each line is a token; or each line is a sequence of words separated by
            white space (lines without words are skipped); or each character is a token, including line
            ends.
    vocabulary
            The meaning of the ids in a .npy file: a text file with token i in line i, counted from 0,
            or a .json file with a list of tokens or an object that maps tokens to ids. Without it, the
            ids are used as tokens.
    encoding
            The encoding of text files.
    progress
        See `loaders.importers.steps.survey`.

    Raises
    ------
    CannotImport
                The message is one sentence.
    """
    encoding = codec(encoding)
    where = str(path)
    if path.suffix == ".npy":
        return _numpy_steps(path, vocabulary, encoding, progress)
    if vocabulary is not None:
        raise CannotImport(
            "--vocabulary",
            "token ids in a .npy file",
            where,
            "leave it out, or give a file of ids",
        )
    if path.suffix == ".json":
        return survey(RowFile(where, (), lambda: _json_rows(path, where), lambda: 1))
    cut = {"lines": _lines, "words": _words, "characters": _characters}[split]
    file = RowFile(where, (), lambda: cut(path, encoding), lambda: count_lines(path))
    return survey(file, progress=progress)


def text_lines(path: Path, encoding: str, expected: str) -> Iterator[str]:
    """Iterate over the lines of a text file without line ends (LF or CRLF; nothing else ends a line)."""
    with reading(path, expected), path.open(encoding=encoding, newline="\n") as file:
        for line in file:
            yield line.removesuffix("\n").removesuffix("\r")


def read_lengths(path: Path) -> NDArray[np.int64]:
    """Read the lengths of sequences from a .npy array, or from whole numbers in a text file."""
    expected = "whole numbers, the length of each sequence"
    if path.suffix == ".npy":
        array = open_array(path)
        if len(array.shape) != 1 or array.dtype.kind not in "iu":
            raise CannotImport(str(path), expected, array.words, "write the lengths as integers")
        numbers = [n for block in array.blocks() for n in block.astype(np.int64).tolist()]
    else:
        numbers = list(_numbers(path, expected))
    if not numbers:
        raise CannotImport(
            str(path), expected, "none", "write the number of steps of each sequence"
        )
    return np.array(numbers, np.int64)


def _numbers(path: Path, expected: str) -> Iterator[int]:
    for number, line in enumerate(text_lines(path, "utf-8", expected), 1):
        for word in line.replace(",", " ").split():
            if not (word.isascii() and word.isdigit() and len(word) < 19):
                where = f"{path}, line {number:,}"
                raise CannotImport(where, expected, f"'{word}'", "fix that line")
            yield int(word)


def _lines(path: Path, encoding: str) -> Iterator[Row]:
    for number, line in enumerate(text_lines(path, encoding, _TOKENS), 1):
        yield Row(number, line, None, 0, ())


def _words(path: Path, encoding: str) -> Iterator[Row]:
    sequence = 0
    for number, line in enumerate(text_lines(path, encoding, _TOKENS), 1):
        words = line.split()
        for word in words:
            yield Row(number, word, sequence, sequence, ())
        sequence += bool(words)


def _characters(path: Path, encoding: str) -> Iterator[Row]:
    with reading(path, _TOKENS), path.open(encoding=encoding, newline="") as file:
        number = 1
        while text := file.read(BATCH):
            for letter in text:
                yield Row(number, letter, None, 0, ())
                number += letter == "\n"


def _json_rows(path: Path, where: str) -> Iterator[Row]:
    expected = "a list of tokens, or a list of sequences of tokens"
    with reading(path, expected):
        content = json.loads(path.read_bytes())
    if not isinstance(content, list):
        found = f"another value ({type(content).__name__})"
        raise CannotImport(where, expected, found, "write it as a list")
    nested = any(isinstance(item, list) for item in content)
    for sequence, item in enumerate(content if nested else [content]):
        at = f"{where}, item {sequence:,}" if nested else where
        if not isinstance(item, list):
            raise CannotImport(
                at, "a list of tokens, like the other items", repr(item), "make it a list"
            )
        for position, token in enumerate(item):
            if not isinstance(token, str):
                raise CannotImport(
                    f"{at}, token {position:,}",
                    "text in quotes",
                    json.dumps(token)[:40],
                    "write every token as text",
                )
            yield Row(1, token, sequence if nested else None, sequence, ())


def _numpy_steps(
    path: Path, vocabulary: Path | None, encoding: str, progress: Progress | None
) -> Steps:
    array = open_array(path)
    where = str(path)
    expected = "text or whole numbers of shape (steps,) or (sequences, length)"
    if len(array.shape) not in (1, 2) or array.dtype.kind not in "USiu":
        raise CannotImport(where, expected, array.words, "write the tokens as such an array")
    if vocabulary is not None and array.dtype.kind not in "iu":
        raise CannotImport(where, "token ids", array.words, "leave out --vocabulary")
    names = None if vocabulary is None else _vocabulary(vocabulary, encoding)
    name_of: Callable[[int], str | None] | None = None
    if names is not None:
        name_of = names.get if isinstance(names, Mapping) else dict(enumerate(names)).get

    def rows() -> Iterator[Row]:
        step = 0
        for block in array.blocks():
            values = block.reshape(-1)
            if values.dtype.kind == "S":
                with reading(path, expected):
                    texts = [value.decode(encoding) for value in values.tolist()]
            else:
                try:
                    texts = [str(value) for value in values.tolist()]
                except (SystemError, ValueError) as error:  # beyond the last character of Unicode
                    raise CannotImport(
                        where, "text", "codes that are not characters", "write the file again"
                    ) from error
            for text in texts:
                token = text
                if name_of is not None:
                    known = name_of(int(text))
                    if known is None:
                        raise CannotImport(
                            f"{where}, step {step:,}",
                            f"the id of a token in {vocabulary}",
                            text,
                            "add it to the vocabulary",
                        )
                    token = known
                yield Row(step, token, None, 0, ())
                step += 1

    steps = survey(RowFile(where, (), rows, lambda: math.prod(array.shape)), progress=progress)
    if len(array.shape) == 2:
        lengths = np.full(array.shape[0], array.shape[1], np.int64)
        steps = with_lengths(steps, lengths, where)
    return steps


def _vocabulary(path: Path, encoding: str) -> Mapping[int, str] | Sequence[str]:
    expected = "a list of tokens, or an object with the id of each token"
    if path.suffix != ".json":
        return list(text_lines(path, encoding, "a vocabulary, one token per line"))
    with reading(path, expected):
        content = json.loads(path.read_bytes())
    if isinstance(content, list) and all(isinstance(token, str) for token in content):
        return content
    if isinstance(content, dict) and all(type(number) is int for number in content.values()):
        return {number: token for token, number in content.items()}
    raise CannotImport(str(path), expected, "another value", "write it as one of these")
