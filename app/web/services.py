"""What the callbacks work with: read-only services, built once in `app.web.factory`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.corpus import Corpus
from app.matching import MatchService
from app.phrases import SearchService
from app.web.payloads.window import BrushSummaries
from app.work.jobs import Jobs
from app.work.preparation import Preparations

#: The kinds of jobs, as in the addresses of ``_jobs``.
MATCH, FILE = "match", "file"


@dataclass(frozen=True, slots=True)
class Services:
    """The datasets, the matching service and the phrase search. Any worker with the same data gives the same answers.

    `corpus` opens datasets and sources. `jobs` runs matches, `files` prepares downloads, `preparations`
    builds missing copies of sources. Requests never wait long for any of them.
    """

    corpus: Corpus
    matching: MatchService
    searching: SearchService
    brushes: BrushSummaries
    jobs: Jobs
    files: Jobs
    preparations: Preparations

    @property
    def pools(self) -> Mapping[str, Jobs]:
        """The jobs of each kind. Matches and files have separate threads."""
        return {MATCH: self.jobs, FILE: self.files}
