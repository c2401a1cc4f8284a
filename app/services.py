"""What the callbacks work with: read-only services, built once in `app.factory`."""

from __future__ import annotations

from dataclasses import dataclass

from app.copies import Copies
from app.jobs import Jobs
from app.matching import MatchService
from app.search import SearchService
from app.windows import BrushSummaries
from loaders import Catalog


@dataclass(frozen=True, slots=True)
class Services:
    """The datasets, the matching service and the phrase search. Any worker with the same data answers alike.

    `jobs` runs matches, `files` prepares downloads, `copies` builds what is missing of the datasets:
    none keeps a request waiting for long.
    """

    catalog: Catalog
    matching: MatchService
    searching: SearchService
    brushes: BrushSummaries
    jobs: Jobs
    files: Jobs
    copies: Copies
