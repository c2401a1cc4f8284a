"""What a person is told when something goes wrong while the server answers."""

from __future__ import annotations

import logging

from app.matching import QueryError
from loaders import DatasetError

_LOG = logging.getLogger("statebrush")


def sentence_for(error: Exception) -> str:
    """Return one plain sentence; what nobody foresaw goes to the server's log with its traceback."""
    if isinstance(error, DatasetError | QueryError):
        return str(error)
    _LOG.error("an answer failed", exc_info=error)
    if isinstance(error, MemoryError):
        return "The server has too little memory for this; ask for less, or try again later."
    return f"The server could not answer ({type(error).__name__}); its log has the details."
