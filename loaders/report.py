"""The report of `check`, and its layout as text."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from loaders.annotations import Annotation, Categorical, Category, Interval, Ranked, Scalar
from loaders.inspection import Inspection, fingerprint
from loaders.problems import Problem, Severity, counted, printable
from loaders.sources.files import SourceFiles
from loaders.sources.summary import Summary

EXIT_CLEAN, EXIT_PROBLEMS, EXIT_NO_DATASET = 0, 1, 2

_MOST_LISTED = 8
_MOST_LETTERS = 24


@dataclass(frozen=True, slots=True)
class SourceReport:
    """One source whose values could be read.

    `shares` are pairs (threshold, share of values >= it) from a sample of `sampled` values.
    """

    files: SourceFiles
    summary: Summary
    shares: tuple[tuple[float, float], ...]
    sampled: int


@dataclass(frozen=True, slots=True)
class Report:
    """What `check` found.

    Attributes
    ----------
    is_dataset
        False if the path is not a dataset folder.
    problems, warnings
        All findings; a dataset with a problem is not served.
    digests
        (file, hexadecimal hash) of the content; only from a deep check.
    """

    path: Path
    is_dataset: bool
    inspection: Inspection
    sources: tuple[SourceReport, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    digests: tuple[tuple[str, str], ...] = ()

    @property
    def exit_code(self) -> int:
        """0 without problems (warnings allowed), 1 with problems, 2 if not a dataset folder."""
        if not self.is_dataset:
            return EXIT_NO_DATASET
        return EXIT_PROBLEMS if self.problems else EXIT_CLEAN

    def text(self, program: str = "python -m app") -> str:
        """Return the report as text, without a final newline; `program` is the command that serves it."""
        if not self.is_dataset:
            return self.problems[0].sentence
        return "\n".join(_lines(self, program))


def _lines(report: Report, program: str) -> Iterator[str]:
    """The lines of the report, with problems and warnings last, where they are seen first."""
    seen = report.inspection
    yield printable(seen.config.name or report.path.resolve().name)
    yield f"  {printable(str(report.path))}"
    for line in seen.config.description.splitlines():
        yield f"  {printable(line)}".rstrip()
    yield ""
    yield "Tokens"
    yield from _token_lines(seen, fine=not report.problems)
    yield ""
    yield "Sources"
    read = {source.files.name: source for source in report.sources}
    if not seen.sources:
        yield "  none that could be read"
    for name, files in seen.sources.items():
        yield from _source_lines(files, read.get(name))
    if seen.annotations:
        yield ""
        yield "Annotations"
        width = max(len(printable(name)) for name in seen.annotations)
        for name, annotation in seen.annotations.items():
            words = _annotation_words(annotation)
            yield f"  {printable(name):<{width}}  {annotation.kind:<11}  {words}"
    if report.digests:
        yield ""
        yield "Content (BLAKE2b)"
        for name, digest in report.digests:
            yield f"  {digest}  {printable(name)}"
    yield ""
    yield from _findings("Problems", report.problems)
    if report.warnings:
        yield ""
        yield from _findings("Warnings", report.warnings)
    if report.problems or report.warnings:
        yield ""
        yield "Rows are counted from 0."
    yield ""
    if report.problems:
        one = len(report.problems) == 1
        yield f"Not served until {'this problem is' if one else 'these problems are'} fixed."
    else:
        yield f"Ready: {program} serve {shlex.quote(printable(str(report.path)))}"


def _annotation_words(annotation: Annotation) -> str:
    """Describe an annotation in a few words; its kind is printed before them."""
    match annotation:
        case Categorical():
            words = counted(len(annotation.categories), "category", "categories")
            return f"{words}{_counts(annotation.categories, annotation.counts)}"
        case Scalar():
            if annotation.minimum is None:
                return "no finite values"
            unit = f" {printable(annotation.unit)}" if annotation.unit else ""
            low, high = annotation.extremes or (
                f"{annotation.minimum:.6g}",
                f"{annotation.maximum:.6g}",
            )
            return f"{low} to {high}{unit}"
        case Ranked():
            return f"lists of words {'with' if annotation.has_weights else 'without'} weights"
        case Interval():
            words = counted(len(annotation), "range")
            return f"{words}{_counts(annotation.categories, annotation.counts)}"


def _token_lines(seen: Inspection, *, fine: bool) -> Iterator[str]:
    if seen.n_steps is None:
        yield "  could not be read"
        return
    yield f"  steps        {seen.n_steps:,}"
    if seen.sequences is not None:
        lengths = np.diff(seen.sequences.offsets)
        if seen.sequences.ids is None:
            words = "one, all steps (there is no column 'sequence')"
        elif len(lengths) == 1:
            words = "one, all steps"
        elif lengths.min() == lengths.max():
            words = f"{len(lengths):,}, of {counted(int(lengths[0]), 'step')} each"
        else:
            middle = f"{np.median(lengths):,.0f}"
            words = f"{len(lengths):,}, of {lengths.min():,} to {lengths.max():,} steps (median {middle})"
        yield f"  sequences    {words}"
    if seen.tokens is not None:
        counts = np.bincount(seen.tokens.codes, minlength=len(seen.tokens.vocabulary))
        often = np.argsort(-counts, kind="stable")[:_MOST_LISTED]
        listed = ", ".join(
            f"{_quoted(seen.tokens.vocabulary[int(i)].as_py())} {counts[i]:,}"
            for i in often
            if counts[i]
        )
        kinds = int((counts > 0).sum())
        more = ", ..." if kinds > len(often) else ""
        yield f"  vocabulary   {counted(kinds, 'different token')}: {listed}{more}"
    if fine:
        yield f"  fingerprint  {fingerprint(seen)}"


def _source_lines(files: SourceFiles, report: SourceReport | None) -> Iterator[str]:
    title = f', "{printable(files.title)}"' if files.title != files.name else ""
    yield f"  {printable(files.name)}{title}"
    facts = [
        f"{counted(files.n_steps, 'step')} x {counted(files.n_states, 'state')}",
        files.dtype.name,
    ]
    if len(files.parts) > 1:
        facts.append(f"{len(files.parts):,} part files")
    if files.is_list:
        facts.append("one list column (slower to read than one column per state)")
    if files.transform:
        facts.append(f"{files.transform} applied")
    yield f"    shape      {', '.join(facts)}"
    if report is None:
        yield "    values     could not be read"
        return
    summary = report.summary
    if np.isfinite(summary.minima).any():
        yield (
            f"    values     {summary.minimum:.6g} to {summary.maximum:.6g}; 99.8 % of them are from "
            f"{summary.low_quantile:.6g} to {summary.high_quantile:.6g}"
        )
    else:
        yield "    values     no finite values"
    shares = "   ".join(f"{at:g}: {100 * share:.1f} %" for at, share in report.shares)
    yield f"    on at      {shares}"
    suggested = summary.suggested_threshold
    share = dict(report.shares).get(suggested)
    on = "" if share is None else f", where {100 * share:.1f} % of the values are on"
    whole = report.sampled == files.n_steps * files.n_states
    basis = "" if whole else f" (shares of a sample of {report.sampled:,} values)"
    yield f"    suggested  threshold {suggested:g}{on}{basis}"


def _findings(title: str, found: tuple[Problem, ...]) -> Iterator[str]:
    yield f"{title}: {len(found):,}" if found else f"{title}: none"
    for number, problem in enumerate(found, 1):
        yield f"  {number}. {problem.where}"
        yield f"       expected  {problem.expected}"
        yield f"       found     {problem.found}"
        is_problem = problem.severity is Severity.PROBLEM
        yield f"       {'fix       ' if is_problem else 'note      '}{problem.remedy}"


def _counts(categories: tuple[Category, ...], counts: NDArray[np.int64]) -> str:
    if not categories:
        return ""
    listed = [
        f"{_quoted(category.label)} {count:,}"
        for category, count in zip(categories[:_MOST_LISTED], counts[:_MOST_LISTED], strict=True)
    ]
    left = len(categories) - _MOST_LISTED
    more = f" and {left:,} more" if left > 0 else ""
    return f": {', '.join(listed)}{more}"


def _quoted(text: str) -> str:
    cut = text if len(text) <= _MOST_LETTERS else text[: _MOST_LETTERS - 3] + "..."
    return f"'{printable(cut)}'"
