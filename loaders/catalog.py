"""The datasets that a server offers: opened on first use, and opened again when their files change."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from loaders.dataset import Dataset, open_dataset
from loaders.inspection import (
    Signature,
    dataset_signature,
    datasets_inside,
    folder_name,
    is_dataset_folder,
)
from loaders.problems import DatasetError, Problem, listed, suggestion
from loaders.sources.store import Progress


@dataclass(frozen=True, slots=True)
class Entry:
    """One dataset of a catalog; `error` is the sentence that says why it cannot be opened, or None."""

    id: str
    title: str
    path: Path
    error: str | None


@dataclass(slots=True)
class _Slot:
    """The dataset at one path, or why it cannot be opened, as of a signature."""

    lock: threading.Lock
    signature: Signature | None = None
    dataset: Dataset | None = None
    error: DatasetError | None = None


class Catalog:
    """Datasets by id. Thread-safe; a broken dataset is an entry with an error.

    Parameters
    ----------
    paths
        A dataset folder or a folder of datasets each. Folders of datasets are scanned again at
        every call of `entries`, so that new datasets show up. A path that is neither is an entry
        with an error.
    cache_dir
        The cache folder, which contains the prepared copies.
    progress
        Called with (steps done, steps in total) while a copy is built.
    """

    def __init__(
        self,
        paths: Iterable[str | os.PathLike[str]],
        cache_dir: str | os.PathLike[str],
        progress: Progress | None = None,
    ) -> None:
        self._paths = tuple(Path(path) for path in paths)
        self._cache_dir = Path(cache_dir)
        self._progress = progress
        self._lock = threading.Lock()
        self._slots: dict[tuple[str, Path], _Slot] = {}
        self._ids: dict[str, Path] = {}

    def entries(self) -> tuple[Entry, ...]:
        """All datasets, in the order of the paths and by name within a folder; opens new ones.

        Two folders of the same name get the ids `name` and `name-2`.
        """
        found: list[Entry] = []
        for dataset_id, path in self._scan().items():
            try:
                dataset = self._open(dataset_id, path)
            except DatasetError as error:
                found.append(Entry(dataset_id, folder_name(path), path, str(error)))
            else:
                found.append(Entry(dataset_id, dataset.name, path, None))
        return tuple(found)

    def get(self, dataset_id: str) -> Dataset:
        """The dataset with this id, opened again if its files have changed.

        Raises
        ------
        DatasetError
            Unknown id, or the dataset cannot be opened; contains all its problems.
        """
        path = self._path(dataset_id)
        if path is None:
            raise unknown_dataset(dataset_id)
        return self._open(dataset_id, path)

    def ids(self) -> tuple[str, ...]:
        """The ids of all datasets, in the order of `entries`; opens none."""
        return tuple(self._scan())

    def __contains__(self, dataset_id: str) -> bool:
        return self._path(dataset_id) is not None

    def _path(self, dataset_id: str) -> Path | None:
        with self._lock:
            path = self._ids.get(dataset_id)
        return self._scan().get(dataset_id) if path is None else path

    def _scan(self) -> dict[str, Path]:
        """Map ids to folders, in order. The same folders get the same ids in every process."""
        folders: dict[Path, Path] = {}
        for path in self._paths:
            for folder in datasets_at(path):
                folders.setdefault(folder.resolve(), folder)
        ids = _distinct_ids([folder_name(folder) for folder in folders.values()])
        found = dict(zip(ids, folders.values(), strict=True))
        with self._lock:
            self._ids = found
            current = set(found.items())
            for removed in [slot for slot in self._slots if slot not in current]:
                del self._slots[removed]
        return found

    def _open(self, dataset_id: str, path: Path) -> Dataset:
        with self._lock:
            slot = self._slots.setdefault((dataset_id, path), _Slot(threading.Lock()))
        with slot.lock:
            signature = dataset_signature(path)
            # The signature of a path that is not a dataset folder is empty; checking again is cheap.
            if slot.signature != signature or not signature:
                slot.dataset, slot.error = None, None
                try:
                    slot.dataset = open_dataset(
                        path, self._cache_dir, self._progress, dataset_id=dataset_id
                    )
                except DatasetError as error:
                    slot.error = error
                slot.signature = signature
            if slot.dataset is not None:
                return slot.dataset
            assert slot.error is not None
            raise DatasetError(slot.error.problems)


def unknown_dataset(dataset_id: str, ids: Sequence[str] | None = None) -> DatasetError:
    """Return the error for an id that is not there; it names the ids that there are, if given."""
    there_are = "" if ids is None else f" (there are {listed(ids)})"
    return DatasetError(
        Problem(
            "the list of datasets",
            f"a known dataset{there_are}",
            f"'{dataset_id}'",
            suggestion(dataset_id, ids or ()),
        )
    )


def datasets_at(path: Path) -> list[Path]:
    """The datasets in a folder of datasets; otherwise the path itself, dataset or not."""
    try:
        return [path] if is_dataset_folder(path) else datasets_inside(path) or [path]
    except OSError:
        return [path]


def _distinct_ids(names: list[str]) -> list[str]:
    """The names, made distinct: repeated names get the suffixes -2, -3 and so on."""
    taken = set(names)
    seen: set[str] = set()
    ids = []
    for name in names:
        chosen, number = name, 2
        if name in seen:
            while (chosen := f"{name}-{number}") in taken:
                number += 1
        seen.add(name)
        taken.add(chosen)
        ids.append(chosen)
    return ids
