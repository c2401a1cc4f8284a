"""`python -m app check`: describe a dataset and report every problem in it, in one run."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loaders.inspection import dataset_signature, inspect_dataset
from loaders.problems import DatasetError, Problem, Severity
from loaders.report import Report, SourceReport
from loaders.sources.files import Piece, SourceFiles, over_pieces
from loaders.sources.store import Progress, find_stored
from loaders.sources.summary import Summarizer, Summary


def check(
    path: str | os.PathLike[str],
    *,
    deep: bool = False,
    cache_dir: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Read a whole dataset and report on it, without writing anything.

    Parameters
    ----------
    path
        The dataset folder.
    deep
            Also hash the content of every file, and compare the prepared copies, if there are any,
            with the files value by value.
    cache_dir
            The cache folder with the prepared copies; used by deep checks only.
    progress
            Called with (steps done, steps in total) while the sources are read.

    Returns
    -------
    Report
                Problems of the dataset are part of the report and never raised.
    """
    folder = Path(path)
    inspection = inspect_dataset(folder)
    found = list(inspection.findings)
    reports: list[SourceReport] = []
    total = sum(files.n_steps for files in inspection.sources.values())
    done = 0
    for files in inspection.sources.values():
        cache = Path(cache_dir) if deep and cache_dir is not None else None
        summarizer = Summarizer(files.n_steps, files.n_states)
        try:
            for count in _read(files, summarizer, cache, found):
                if progress is not None:
                    progress(done + count, total)
        except DatasetError as error:
            found.extend(error.problems)
        else:
            summary = summarizer.finish()
            found.extend(summary.warnings(files.where, files.n_steps, files.state_names))
            shares = tuple((at, summarizer.share_on(at)) for at in thresholds(summary))
            reports.append(SourceReport(files, summary, shares, summarizer.sampled))
        done += files.n_steps
    digests = tuple(_digests(folder, found)) if deep and inspection.is_dataset else ()
    return Report(
        path=folder,
        is_dataset=inspection.is_dataset,
        inspection=inspection,
        sources=tuple(reports),
        problems=tuple(p for p in dict.fromkeys(found) if p.severity is Severity.PROBLEM),
        warnings=tuple(p for p in dict.fromkeys(found) if p.severity is Severity.WARNING),
        digests=digests,
    )


def thresholds(summary: Summary) -> tuple[float, ...]:
    """Choose up to about eight round thresholds within the values, including the suggested one.

    They start at 0 if there are positive values, otherwise at the 0.1 % quantile.
    """
    high = summary.high_quantile
    low = max(0.0, summary.low_quantile) if high > 0 else summary.low_quantile
    chosen = {summary.suggested_threshold}
    span = high - low
    if 0 < span < math.inf:
        power = 10.0 ** math.floor(math.log10(span))
        if power * 0.1 > 0:  # false only for the smallest subnormal numbers
            step = next(f for f in (0.1, 0.2, 0.5, 1.0, 2.0) if span / (f * power) <= 8) * power
            first, last = math.ceil(low / step), math.floor(high / step)
            chosen |= {float(f"{i * step:.6g}") for i in range(first, last + 1) if i != 0}
    return tuple(sorted(chosen))


def _read(
    files: SourceFiles, summarizer: Summarizer, cache: Path | None, found: list[Problem]
) -> Iterator[int]:
    """Summarize a source, yielding the steps done, and compare it with its copy in `cache`, if any."""
    stored = find_stored(files, cache) if cache is not None else None

    def take(piece: Piece) -> tuple[int, int]:
        step, differs = piece.start, -1
        for block in piece.blocks():
            summarizer.update(step, block)
            if stored is not None and differs < 0:
                row = _first_difference(stored.rows[step : step + len(block)], block)
                differs = step + row if row >= 0 else -1
            step += len(block)
        return step, differs

    differs = -1
    for done, there in over_pieces(files, take):
        differs = there if differs < 0 else differs
        yield done
    if differs >= 0:
        found.append(
            Problem(
                f"the prepared copy of {files.where} in the cache folder {cache}",
                "the values of the file",
                f"different values, first in row {differs:,}",
                "delete the cache folder, or write the file again",
            )
        )


def _first_difference(copy: NDArray[Any], block: NDArray[Any]) -> int:
    """Return the first row that differs, or -1; NaN equals NaN."""
    unequal = ~((copy == block) | (np.isnan(copy) & np.isnan(block)))
    rows = np.flatnonzero(unequal.any(axis=1))
    return int(rows[0]) if len(rows) else -1


def _digests(folder: Path, found: list[Problem]) -> Iterator[tuple[str, str]]:
    for name, _, _ in dataset_signature(folder):
        if not (folder / name).is_file():
            continue  # already reported
        try:
            with (folder / name).open("rb") as file:
                digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16))
        except OSError as error:
            words = (error.strerror or str(error)).lower()
            remedy = "make it readable"
            found.append(Problem(f"{folder.name}/{name}", "a file that can be read", words, remedy))
        else:
            yield name, digest.hexdigest()
