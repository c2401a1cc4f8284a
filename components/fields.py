"""A control with its label and, in place, one sentence of help."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import html


def hinted(control: Any, sentence: str, **options: Any) -> dmc.Tooltip:
    """Return the control with a sentence that appears when it is pointed at or has the focus.

    Parameters
    ----------
    control
        Any component.
    sentence
        What it does, in one or two short sentences.
    **options
        Further properties of the tooltip.
    """
    return dmc.Tooltip(
        control,
        label=sentence,
        multiline=True,
        w=260,
        openDelay=500,
        position="bottom-start",
        events={"hover": True, "focus": True, "touch": False},
        **options,
    )


def field(label: str, control: Any, hint: str, component_id: str | None = None) -> dmc.Tooltip:
    """Return a labelled control with its help; `component_id` ties the label to the control."""
    head = html.Label(label, htmlFor=component_id) if component_id else html.Span(label)
    return hinted(html.Div([head, control], className="sb-field"), hint)


def step_heading(number: int, name: str, hint: str) -> dmc.Tooltip:
    """Return the heading of one of the paper's three steps: select, match, align."""
    return hinted(
        html.H2([html.Span(str(number), className="sb-step-number"), name], className="sb-step"),
        hint,
    )


def strip_label(name: Any, hint: str, **options: Any) -> dmc.Tooltip:
    """Return the label left of a strip of the time axis, with its help."""
    return hinted(
        html.Div(html.Span(name), className="sb-axis-label", **options),
        hint,
    )
