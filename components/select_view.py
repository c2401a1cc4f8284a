"""The Select View: one shared time axis, everything below it aligned to the pixel."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from components import ids
from components.figures import AXIS_LEFT, AXIS_RIGHT, PLOT_HEIGHT

STATIC = {"displayModeBar": False, "staticPlot": True, "responsive": True}


def _field(label: str, *controls: Any, component_id: str | None = None) -> html.Div:
    head = html.Label(label, htmlFor=component_id) if component_id else html.Span(label)
    return html.Div([head, *controls], className="sb-field")


def _toolbar() -> html.Div:
    return html.Div(
        className="sb-toolbar",
        children=[
            html.H2("Select"),
            _field(
                "Threshold ℓ",
                dmc.Slider(
                    id=ids.THRESHOLD_SLIDER,
                    min=-1,
                    max=1,
                    step=0.01,
                    precision=6,
                    value=0,
                    label=None,
                    size=4,
                    thumbSize=14,
                    w=150,
                    color="red",
                    updatemode="drag",
                    thumbLabel="Threshold",
                ),
                dmc.TextInput(
                    id=ids.THRESHOLD_TEXT,
                    size="xs",
                    w=76,
                    debounce=True,
                    **{"aria-label": "Threshold, any number"},
                ),
            ),
            dmc.SegmentedControl(
                id=ids.POLARITY,
                size="xs",
                value="high",
                data=[
                    {"value": "high", "label": "high"},
                    {"value": "low", "label": "low"},
                    {"value": "magnitude", "label": "magnitude"},
                ],
                **{"aria-label": "Polarity: on when the value is high, low, or large either way"},
            ),
            _field(
                "State",
                dmc.TextInput(
                    id=ids.PINNED,
                    size="xs",
                    w=64,
                    debounce=True,
                    placeholder="none",
                    **{"aria-label": "Pin a state in red: its number or name"},
                ),
            ),
            dmc.MultiSelect(
                id=ids.TRACK_PICKER,
                size="xs",
                data=[],
                value=[],
                placeholder="Add a track…",
                className="sb-track-picker",
                clearable=False,
                comboboxProps={"width": 220},
                **{"aria-label": "Annotation tracks"},
            ),
            dmc.Tooltip(
                dmc.Switch(id=ids.MASK, label="mask", size="xs", checked=False),
                label="Fade annotations where few selected states are on",
                openDelay=400,
            ),
            _field(
                "On-runs ≥",
                dmc.NumberInput(
                    id=ids.RUNS,
                    size="xs",
                    w=58,
                    min=1,
                    max=999,
                    value=1,
                    allowDecimal=False,
                    allowNegative=False,
                    debounce=300,
                    **{
                        "aria-label": "Hide on-runs shorter than this many steps from bars and "
                        "coverage; selection and matches stay"
                    },
                ),
            ),
        ],
    )


def _plot() -> html.Div:
    return html.Div(
        id=ids.PLOT,
        className="sb-plot",
        style={"height": PLOT_HEIGHT},
        role="group",
        **{"aria-label": "Hidden states over time"},
        children=[
            html.Div(className="sb-inner sb-bands", id="bands"),
            dcc.Graph(id=ids.FAINT, config=STATIC, className="sb-layer", responsive=True),
            dcc.Graph(id=ids.LINES, config=STATIC, className="sb-layer", responsive=True),
            html.Div(className="sb-inner sb-pointer", id="plot-pointer"),
            html.Div(className="sb-thresholds", id="thresholds"),
            html.Div(className="sb-tip", id="plot-tip", hidden=True),
            dmc.Tooltip(
                dmc.ActionIcon(
                    html.Span(className="sb-icon sb-icon-range"),
                    id=ids.FULL_RANGE,
                    variant="subtle",
                    color="gray",
                    size=22,
                    n_clicks=0,
                    className="sb-full-range",
                    **{"aria-label": "Value axis: middle 99.8 % or all values"},
                ),
                label="Value axis: middle 99.8 % or all values",
                openDelay=400,
            ),
            html.Div(
                id="plot-empty",
                className="sb-empty",
                hidden=False,
                children="Reading the states…",
            ),
        ],
    )


def select_view() -> html.Section:
    """Build the Select View (paper, section 5.1); the browser fills it from the stores."""
    return html.Section(
        className="sb-select",
        **{"aria-label": "Select View"},
        style={"--axis-left": f"{AXIS_LEFT}px", "--axis-right": f"{AXIS_RIGHT}px"},
        children=[
            _toolbar(),
            _plot(),
            html.Div(
                className="sb-strip sb-words-strip",
                children=[
                    html.Div("Words", className="sb-axis-label"),
                    html.Div(id=ids.WORDS, className="sb-inner sb-words"),
                ],
            ),
            html.Div(
                className="sb-strip sb-limits-strip",
                children=[
                    html.Div("Off beside", className="sb-axis-label"),
                    html.Div(id=ids.LIMITS, className="sb-inner sb-limits"),
                ],
            ),
            html.Div(
                className="sb-strip sb-bars-strip",
                children=[
                    html.Div("Share on", className="sb-axis-label"),
                    html.Div(id=ids.BARS, className="sb-inner sb-bars"),
                ],
            ),
            html.Div(
                className="sb-strip sb-coverage-strip",
                children=[
                    html.Div("Coverage", className="sb-axis-label"),
                    html.Div(
                        id=ids.COVERAGE,
                        className="sb-inner sb-coverage",
                        tabIndex=0,
                        role="group",
                        **{"aria-label": "Coverage of the selected states"},
                    ),
                ],
            ),
            html.Div(id=ids.TRACK_ROWS, className="sb-tracks"),
            html.Div(
                className="sb-under-tracks",
                children=[
                    html.Div(id=ids.LEGENDS, className="sb-legends"),
                    html.Div(id=ids.SELECTION_TEXT, className="sb-selection-text", role="status"),
                ],
            ),
            html.Div(
                className="sb-strip sb-chips-strip",
                children=[
                    html.Div(["S", html.Sub("1")], className="sb-axis-label", id="chips-label"),
                    html.Div(
                        id=ids.CHIPS,
                        className="sb-chips",
                        role="group",
                        tabIndex=0,
                        **{"aria-labelledby": "chips-label"},
                    ),
                ],
            ),
        ],
    )
