"""Error messages of the server for people."""

from __future__ import annotations

import logging

from app.matching import QueryError
from loaders import DatasetError

_LOG = logging.getLogger("statebrush")


def sentence_for(error: Exception, asked: str = "an answer") -> str:
    """Return one plain sentence; unexpected errors go to the server's log with their traceback.

    `asked` names in the log what failed.
    """
    if isinstance(error, DatasetError | QueryError):
        return str(error)
    _LOG.error("%s failed", asked, exc_info=error)
    if isinstance(error, MemoryError):
        return "The server has too little memory for this; request less, or try again later."
    return f"The server could not answer ({type(error).__name__}); its log has the details."
