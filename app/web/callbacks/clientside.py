"""Wire a function of ``assets/`` to inputs, states and outputs of a panel."""

from __future__ import annotations

from dash import ClientsideFunction, Dash, Input, Output, State

from components import ids
from components.ids import Panel


def clientside(
    app: Dash, panel: Panel, function: str, *parts: Input | Output | State, at_start: bool = True
) -> None:
    """Call ``window.dash_clientside.statebrush[function]`` whenever an input changes.

    Parameters
    ----------
    app
        The dashboard.
    panel
        The panel: the id of its element is the function's last argument.
    function
        Its name in the browser; ``assets/main.mjs`` lists them.
    *parts
        Outputs first, if there are any. Dash tells callbacks without an output apart by their inputs:
        two of those with the same inputs would be one.
    at_start
        Whether to call it once when the page has loaded.
    """
    app.clientside_callback(  # type: ignore[no-untyped-call]  # Dash leaves it untyped
        ClientsideFunction(namespace="statebrush", function_name=function),
        *parts,
        State(panel(ids.PAGE), "id"),
        prevent_initial_call=not at_start,
    )
