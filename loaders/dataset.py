"""A dataset folder, opened: tokens, sequences, annotations, and sources on demand."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from loaders.annotations import Annotation
from loaders.inspection import Inspection, fingerprint, folder_name, inspect_dataset, unknown_name
from loaders.problems import (
    DatasetError,
)
from loaders.sources.files import SourceFiles
from loaders.sources.source import Source, SourceInfo, opened_source
from loaders.sources.store import (
    ROWS,
    Building,
    Progress,
    find_building,
    is_stored,
    open_stored,
    source_key,
)


class Dataset:
    """An opened dataset. Thread-safe; only `open_source` reads files, everything else is in memory.

    Attributes
    ----------
    id
        The name of the folder (made unique by a `Catalog`).
    name, description
        From dataset.yaml; the name defaults to the name of the folder.
    n_steps
        The number of steps, the same in tokens, annotations and all sources.
    fingerprint
        8 hex digits from the content of tokens.parquet and the states (from their Parquet footers
        and sizes); unchanged when the folder is copied.
    default
        The view to open with, with its source set; None if dataset.yaml has none.
    warnings
        Warnings about the files; warnings about values belong to a `Source`.
    signature
        Sizes and modification times of the files when they were opened.
    progress
        Called with (steps done, steps in total) while a copy is built, unless `open_source` is
        given another callback.
    """

    def __init__(
        self, inspection: Inspection, cache_dir: Path, progress: Progress | None, dataset_id: str
    ) -> None:
        if inspection.problems or inspection.tokens is None or inspection.sequences is None:
            raise DatasetError(inspection.problems)
        config = inspection.config
        self.id = dataset_id
        self.name = config.name or folder_name(inspection.path)
        self.description = config.description
        self.direction = config.direction
        self.path = inspection.path
        self.n_steps = len(inspection.tokens)
        self.sequences = inspection.sequences
        self.annotations: Mapping[str, Annotation] = MappingProxyType(dict(inspection.annotations))
        self.sources: Mapping[str, SourceInfo] = MappingProxyType(
            {
                name: SourceInfo(name, files.title, files.n_states, files.dtype, files.transform)
                for name, files in inspection.sources.items()
            }
        )
        self.fingerprint = fingerprint(inspection)
        self.default = inspection.default
        self.warnings = inspection.warnings
        self.signature = inspection.signature
        self.token_table = inspection.tokens
        self._files = dict(inspection.sources)
        self._cache_dir = cache_dir
        self.progress = progress
        self._locks = {name: threading.Lock() for name in self._files}
        self._opened: dict[str, Source] = {}

    def tokens(self, start: int, stop: int) -> list[str]:
        """Return the tokens of the half-open range, clipped to the steps that exist."""
        return self.token_table.texts(start, stop)

    def open_source(self, name: str, progress: Progress | None = None) -> Source:
        """Open a source by name, once; builds its prepared copy if there is none.

        Parameters
        ----------
        name
            One of `sources`.
        progress
            Called with (steps done, steps in total) while a copy is built; defaults to the callback
            that the dataset was opened with.

        Raises
        ------
        DatasetError
            No such source; or see `loaders.sources.store.open_stored`.
        """
        files = self._files_of(name)
        source = self._still_there(name)
        if source is not None:
            return source
        with self._locks[name]:
            source = self._still_there(name)
            if source is None:
                stored = open_stored(files, self._cache_dir, progress or self.progress)
                source = opened_source(files, stored)
                self._opened[name] = source
            return source

    def is_ready(self, name: str) -> bool:
        """Whether `open_source` opens a source at once: it has a prepared copy, known to be complete.

        Raises
        ------
        DatasetError
            No such source.
        """
        files = self._files_of(name)
        return self._still_there(name) is not None or is_stored(files, self._cache_dir)

    def building(self, name: str) -> Building | None:
        """The progress of the copy that some process is building for a source; None if there is none.

        Raises
        ------
        DatasetError
            No such source.
        """
        return find_building(self._files_of(name), self._cache_dir)

    def source_key(self, name: str) -> str:
        """Return the key of a source's copy, equal to `Source.key`.

        Raises
        ------
        DatasetError
            No such source.
        """
        return source_key(self._files_of(name))

    def _still_there(self, name: str) -> Source | None:
        """Return the source if it was opened and its copy is still in the cache folder.

        An emptied cache folder leaves the memory map readable, but nothing can be derived from it.
        """
        source = self._opened.get(name)
        return source if source is not None and (source.home / ROWS).exists() else None

    def _files_of(self, name: str) -> SourceFiles:
        if name not in self._files:
            known = list(self._files)
            raise DatasetError(unknown_name(f"dataset '{self.id}'", "a source", name, known))
        return self._files[name]


def open_dataset(
    path: str | os.PathLike[str],
    cache_dir: str | os.PathLike[str],
    progress: Progress | None = None,
    *,
    dataset_id: str | None = None,
) -> Dataset:
    """Open a dataset folder. Sources are opened later, by `Dataset.open_source`.

    Parameters
    ----------
    path
        The folder.
    cache_dir
        The cache folder for the prepared copies of the sources; created if needed.
    progress
        Called with (steps done, steps in total) while a copy is built.
    dataset_id
        The id of the dataset; defaults to the name of the folder.

    Raises
    ------
    DatasetError
        Contains every problem of the folder. Warnings do not raise.
    """
    folder = Path(path)
    inspection = inspect_dataset(folder)
    if inspection.problems:
        raise DatasetError(inspection.problems)
    return Dataset(inspection, Path(cache_dir), progress, dataset_id or folder_name(folder))
