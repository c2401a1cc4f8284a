"""The matching service: exact answers to where else the selected states are on together.

Works on arrays only, without files, Dash or Plotly. docs/matching.md is the specification.
"""

from app.matching.bits import Polarity, is_on, pack
from app.matching.column import Described, Place, describe
from app.matching.control import Cancelled, Control
from app.matching.distributed import DistributedBits, distribute_states
from app.matching.engine import find_matches
from app.matching.packed import Packed, pack_states
from app.matching.query import Query, QueryError
from app.matching.result import LengthCount, Match, MatchResult, Overview
from app.matching.selection import Selection, select
from app.matching.service import MatchService, warm
from app.matching.states import Opener, States

__all__ = [
    "Cancelled",
    "Control",
    "Described",
    "DistributedBits",
    "LengthCount",
    "Match",
    "MatchResult",
    "MatchService",
    "Opener",
    "Overview",
    "Packed",
    "Place",
    "Polarity",
    "Query",
    "QueryError",
    "Selection",
    "States",
    "describe",
    "distribute_states",
    "find_matches",
    "is_on",
    "pack",
    "pack_states",
    "select",
    "warm",
]
