"""Hand every change of a panel's stores to its view in the browser."""

from __future__ import annotations

from collections.abc import Sequence

from dash import ClientsideFunction, Dash, Input, State

from components import ids
from components.ids import Panel


def register(app: Dash, panels: Sequence[Panel]) -> None:
    """Call ``window.dash_clientside.statebrush.follow`` at the start and when a store changes.

    One callback a panel: each run of a callback has Dash compare the properties of every component of
    the page several times. ``assets/core/reactions.mjs`` calls what uses the stores that changed.
    """
    for panel in panels:
        app.clientside_callback(  # type: ignore[no-untyped-call]  # Dash leaves it untyped
            ClientsideFunction(namespace="statebrush", function_name="follow"),
            Input(ids.THEME, "data"),
            *(Input(panel(name), "data") for name in ids.STORES),
            State(panel(ids.PAGE), "id"),
        )
