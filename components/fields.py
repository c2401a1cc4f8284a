"""A control with its label and, in place, one sentence of help."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

import dash_mantine_components as dmc
from dash import html


def control(
    kind: Literal["text", "search", "range", "select", "switch", "choice"],
    component_id: str,
    name: str,
    *,
    text: str = "",
    hint: str = "",
    options: Sequence[tuple[str, str]] = (),
    width: int | None = None,
) -> html.Span:
    """Return the place of a native control, which ``assets/select/controls.mjs`` puts there.

    A component with a ``value`` writes back what it was given, some frames later; what a person chose on a
    slow machine would be lost among that.

    Parameters
    ----------
    kind
        ``switch`` has a `text` next to it; ``select`` and ``choice`` have `options`.
    component_id
        The id of the control.
    name
        What a screen reader calls it.
    text, hint
        The words next to it, and those in an empty box.
    options
        (value, label) of each choice.
    width
        In px.
    """
    data = {"name": name, "text": text, "hint": hint, "options": options and json.dumps(options)}
    return html.Span(
        className=f"sb-control sb-control-{kind}",
        style={"width": width} if width else None,
        **{"data-control": component_id, "data-kind": kind},
        **{f"data-{key}": value for key, value in data.items() if value},
    )


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
