"""What the callbacks work with: read-only services, built once in `app.factory`."""

from __future__ import annotations

from dataclasses import dataclass

from app.matching import MatchService
from app.search import SearchService
from loaders import Catalog


@dataclass(frozen=True, slots=True)
class Services:
    """The datasets, the matching service and the phrase search. Any worker with the same data answers alike."""

    catalog: Catalog
    matching: MatchService
    searching: SearchService
