"""Wire a function of ``assets/`` to inputs, states and at most one output."""

from __future__ import annotations

from dash import ClientsideFunction, Dash, Input, Output, State


def clientside(
    app: Dash, function: str, *parts: Input | Output | State, at_start: bool = True
) -> None:
    """Call ``window.dash_clientside.statebrush[function]`` whenever an input changes.

    Parameters
    ----------
    app
        The dashboard.
    function
        Its name in the browser.
    *parts
        Output first, if there is one. Dash distinguishes callbacks without an output by their inputs:
        two of those with the same inputs would be one.
    at_start
        Whether to call it once when the page has loaded.
    """
    app.clientside_callback(  # type: ignore[no-untyped-call]  # Dash leaves it untyped
        ClientsideFunction(namespace="statebrush", function_name=function),
        *parts,
        prevent_initial_call=not at_start,
    )
