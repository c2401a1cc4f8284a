"""The card of a state."""

from __future__ import annotations

from typing import cast

from app.corpus import Opened
from app.output.state import state_json
from app.web.view.wire import StateCard, StateRequest


def state_payload(opened: Opened, request: StateRequest) -> StateCard:
    """Return the card of a state, with ``n`` of the request.

    Raises
    ------
    QueryError
        There is no such state.
    """
    known = state_json(opened, request["state"], request["threshold"], request["polarity"])
    return cast(StateCard, {"n": request["n"], **known})
