"""What the lstm.yml of an LSTMVis project refers to: files, arrays, dictionaries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import yaml
from numpy.typing import NDArray

from loaders.importers.arrays import Array, first_rows
from loaders.importers.dictionary import Dictionary, read_dictionary
from loaders.importers.faults import CannotImport, reading
from loaders.importers.hdf5 import Hdf5Files
from loaders.problems import counted, listed

FILE_NAME = "lstm.yml"

_KEYS = ("name", "description", "files", "word_sequence", "states", "meta")
_NOT_NEEDED = {
    "word_embedding": "the word embeddings (one vector per word, not per step)",
    "etc": "the settings in etc: phrase search needs none",
}


class Words:
    """Word ids and the words that they stand for; records unknown ids."""

    def __init__(self, array: Array, dictionary: Dictionary | None) -> None:
        self.array = array
        self.dictionary = dictionary
        self.unknown: dict[int, int] = {}
        self.first_unknown = -1
        self.width = array.shape[1] if len(array.shape) == 2 else 1

    @property
    def n_steps(self) -> int:
        """The number of words."""
        return self.array.shape[0]

    def ids(self) -> Iterator[NDArray[Any]]:
        """Iterate over the ids (or texts), in blocks."""
        for block in self.array.blocks():
            flat = block.reshape(len(block))
            yield flat if flat.dtype.kind == "U" else whole_numbers(self.array.where, flat)

    def batches(self, n_steps: int, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Iterate over the words of the first `n_steps` steps."""
        for step, ids in first_rows(self.ids(), n_steps):
            yield pa.record_batch([self.names(ids, step)], schema=schema)

    def names(self, ids: NDArray[Any], step: int) -> pa.Array:
        """Return the words with these ids; `step` is the position of the first."""
        distinct, first, inverse, counts = np.unique(
            ids, return_index=True, return_inverse=True, return_counts=True
        )
        names = []
        for value, at, count in zip(distinct.tolist(), first, counts, strict=True):
            if self.dictionary is None or isinstance(value, str):
                names.append(str(value))
                continue
            word = self.dictionary.words.get(value)
            if word is None:
                if not self.unknown:
                    self.first_unknown = (step + int(at)) // self.width
                self.unknown[value] = self.unknown.get(value, 0) + int(count)
                word = f"[{value}]"
            names.append(word)
        return pa.array(names, pa.string()).take(pa.array(inverse))

    def remarks(self) -> Iterator[str]:
        """Remarks about the dictionary."""
        if self.dictionary is None:
            return
        yield from self.dictionary.remarks
        if self.unknown:
            steps = sum(self.unknown.values())
            yield (
                f"the words of {counted(len(self.unknown), 'id')} missing from {self.dictionary.where} "
                f"({counted(steps, 'step')} in {self.array.where}, the first in row "
                f"{self.first_unknown:,}): shown as [{next(iter(self.unknown))}]"
            )


class Project:
    """lstm.yml, read one section at a time; `left_out` collects what a dataset cannot contain."""

    def __init__(
        self, path: Path, content: Mapping[str, Any], files: Hdf5Files, encoding: str
    ) -> None:
        self.path = path
        self.content = content
        self.files = files
        self.encoding = encoding
        self.left_out: list[str] = []
        self.dictionaries: dict[Path, Dictionary] = {}
        for key in content:
            if key in _NOT_NEEDED:
                self.left_out.append(_NOT_NEEDED[key])
            elif key not in _KEYS:
                self.left_out.append(f"'{key}' in {path}, which is not part of the format")
        if (path.parent / "indexdir").exists():
            self.left_out.append("the search index (indexdir): phrase search needs none")

    def text(self, key: str) -> str | None:
        """Return the value of a key as text."""
        value = self.content.get(key)
        return None if value is None else str(value)

    def fault(self, key: str, expected: str, found: object, remedy: str) -> CannotImport:
        """Return the error for a key."""
        return CannotImport(f"{self.path}, {key}", expected, str(found), remedy)

    def section(self, key: str) -> Mapping[str, Any]:
        """Return a section, which is a mapping."""
        value = self.content.get(key)
        if not isinstance(value, Mapping):
            found = "nothing" if value is None else shown(value)
            raise self.fault(key, "keys with values", found, "see LSTMVis's README")
        return value

    def file(self, key: str, name: object) -> Path:
        """Return the file with a name from the section `files`."""
        known = self.section("files")
        if not isinstance(name, str) or name not in known:
            names = [str(one) for one in known]
            raise self.fault(
                key,
                f"a name from files (there {'is' if len(names) == 1 else 'are'} {listed(names)})",
                "nothing" if name is None else f"'{name}'",
                "use one of them",
            )
        file = known[name]
        if not isinstance(file, str):
            raise self.fault(f"files.{name}", "the name of a file", shown(file), "correct it")
        return self.path.parent / file

    def array(self, key: str, part: Mapping[str, Any], path_key: str = "path") -> Array:
        """Return the array given by `file` and `path` in a section."""
        inside = part.get(path_key)
        if not isinstance(inside, str) or not inside.strip("/"):
            found = "nothing" if inside is None else shown(inside)
            raise self.fault(f"{key}.{path_key}", "a path in the HDF5 file", found, "add it")
        return self.files.array(self.file(f"{key}.file", part.get("file")), inside)

    def dictionary(self, key: str, name: object) -> Dictionary:
        """Return the dictionary with a name from the section `files`."""
        path = self.file(key, name)
        if path not in self.dictionaries:
            self.dictionaries[path] = read_dictionary(path, self.encoding)
        return self.dictionaries[path]

    def words(self, key: str) -> Words:
        """Return the words of a section: word_sequence, or a similar one."""
        part = self.section(key)
        array = self.array(key, part)
        check_column(array, "word ids", "iufU")
        if array.dtype.kind == "U":
            return Words(array, None)
        if part.get("dict_file") is None:
            self.left_out.append(
                f"the words: {self.path}, {key} has no dict_file, so ids are shown"
            )
            return Words(array, None)
        return Words(array, self.dictionary(f"{key}.dict_file", part["dict_file"]))


def find_project(folder: Path) -> Path:
    """Find the lstm.yml of a project."""
    if folder.is_file():
        return folder
    if (folder / FILE_NAME).is_file():
        return folder / FILE_NAME
    below = sorted(path.parent for path in folder.glob(f"*/{FILE_NAME}")) if folder.is_dir() else []
    if not folder.exists():
        found, remedy = "nothing there", "check the path"
    elif below:
        found = f"{counted(len(below), 'folder')} with one ({listed(path.name for path in below)})"
        remedy = "import one of them at a time"
    else:
        found, remedy = f"no {FILE_NAME}", "give the folder that contains it"
    raise CannotImport(str(folder), f"an LSTMVis project, a folder with {FILE_NAME}", found, remedy)


def read_project(path: Path) -> Mapping[str, Any]:
    """Read lstm.yml."""
    with reading(path, "YAML"):
        # The README of LSTMVis indents with tabs, which YAML forbids.
        text = path.read_bytes().decode("utf-8-sig").replace("\t", "  ")
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}, line {mark.line + 1}" if mark is not None else str(path)
        found = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise CannotImport(where, "YAML", found, "fix that line") from error
    except (ValueError, RecursionError) as error:
        raise CannotImport(str(path), "YAML", str(error), "quote that value") from error
    if not isinstance(content, Mapping):
        raise CannotImport(str(path), "keys with values", shown(content), "see LSTMVis's README")
    return content


def check_column(array: Array, expected: str, kinds: str) -> None:
    """Check that an array has one value per row, of one of these kinds of types."""
    one_column = len(array.shape) == 1 or array.shape[1:] == (1,)
    if not one_column or array.dtype.kind not in kinds:
        raise CannotImport(array.where, expected, array.words, "write one value per step")


def whole_numbers(where: str, values: NDArray[Any]) -> NDArray[np.int64]:
    """Return word ids as integers; Torch wrote them as floats."""
    if values.dtype.kind == "f":
        odd = values[~(np.isfinite(values) & (values == np.floor(values)))]
        if odd.size:
            raise CannotImport(where, "whole numbers", str(odd[0]), "write the word ids")
    return values.astype(np.int64)


def shown(value: object) -> str:
    """Describe a value from the file in a few words."""
    if isinstance(value, list | Mapping):
        return f"a {'list' if isinstance(value, list) else 'mapping'} of {len(value)}"
    return f"'{str(value)[:40]}'"
