"""Import errors, each one plain sentence."""

from __future__ import annotations

import codecs
import contextlib
import csv
import json
from collections.abc import Iterator
from pathlib import Path

from loaders.problems import Problem


class CannotImport(Exception):  # noqa: N818 - named for what it says
    """The input cannot be imported; `str(error)` is one plain sentence.

    The parameters are the phrases of a `Problem`: the thing, what was expected, what was found,
    and what to do.
    """

    def __init__(self, where: str, expected: str, found: str, remedy: str) -> None:
        self.problem = Problem(where, expected, found, remedy)
        super().__init__(where, expected, found, remedy)

    def __str__(self) -> str:
        return self.problem.sentence


@contextlib.contextmanager
def reading(path: Path, expected: str) -> Iterator[None]:
    """Turn file system and decoding errors while `path` is read into CannotImport."""
    try:
        yield
    except FileNotFoundError as error:
        raise CannotImport(str(path), expected, "no such file", "check the path") from error
    except IsADirectoryError as error:
        raise CannotImport(str(path), expected, "a folder", "name a file in it") from error
    except UnicodeDecodeError as error:
        byte = error.object[error.start : error.start + 1].hex()
        raise CannotImport(
            str(path),
            f"text in {error.encoding}",
            f"the byte 0x{byte}, which is invalid",
            "give its encoding with --encoding, for example latin-1",
        ) from error
    except csv.Error as error:
        raise CannotImport(str(path), expected, str(error), "fix the quotes there") from error
    except json.JSONDecodeError as error:
        where = f"{path}, line {error.lineno}"
        raise CannotImport(where, expected, error.msg.lower(), "fix that line") from error
    except OSError as error:
        found = (error.strerror or str(error)).lower()
        raise CannotImport(str(path), expected, found, "make it readable") from error


def count_lines(path: Path) -> int:
    """Count the line ends in a file, read as bytes and so about as fast as the disk allows."""
    with reading(path, "a file that can be read"), path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def codec(name: str) -> str:
    """Return the codec of an encoding; for UTF-8, one that skips a byte order mark."""
    try:
        plain = codecs.lookup(name).name
        "".encode(plain)
    except (LookupError, ValueError) as error:
        raise CannotImport(
            "--encoding", "an encoding such as utf-8 or latin-1", f"'{name}'", "use a known one"
        ) from error
    return "utf-8-sig" if plain == "utf-8" else plain
