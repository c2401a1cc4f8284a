"""What the callbacks work with: read-only services, built once in `app.web.factory`."""

from __future__ import annotations

from dataclasses import dataclass

from app.execution.local import states_of
from app.matching import MatchService, States
from app.phrases import SearchService
from app.web.payloads.window import BrushSummaries
from app.work.jobs import Jobs
from app.work.preparation import Copies
from loaders import Catalog, Dataset, Source


@dataclass(frozen=True, slots=True)
class Services:
    """The datasets, the matching service and the phrase search. Any worker with the same data answers alike.

    `jobs` runs matches, `files` prepares downloads, `copies` builds what is missing of the datasets:
    none keeps a request waiting for long. `bits_on_disk` is the setting of that name.
    """

    catalog: Catalog
    matching: MatchService
    searching: SearchService
    brushes: BrushSummaries
    jobs: Jobs
    files: Jobs
    copies: Copies
    bits_on_disk: int

    def states(self, dataset: Dataset, source: Source) -> States:
        """Return what a search reads of a source."""
        return states_of(dataset, source, self.bits_on_disk)
