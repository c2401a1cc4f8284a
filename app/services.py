"""What the callbacks work with: read-only services, built once in `app.factory`."""

from __future__ import annotations

from dataclasses import dataclass

from app.matching import MatchService
from loaders import Catalog


@dataclass(frozen=True, slots=True)
class Services:
    """The datasets and the matching service. Any worker with the same data answers alike."""

    catalog: Catalog
    matching: MatchService
