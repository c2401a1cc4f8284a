"""The Select View: one shared time axis, everything below it aligned to the pixel."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import dcc, html

from components import ids
from components.fields import field, hinted, step_heading, strip_label
from components.figures import AXIS_LEFT, AXIS_RIGHT

_HINTS = {
    "Corpus": "The whole corpus: how many of the selected states are on, and above it where matches "
    "start (dark: with all states). Click or drag to go there; the wheel pans.",
    "Words": "Drag across words to select; drag the ends to resize, the middle to move. "
    "Hover for the whole word.",
    "Off beside": "Drag a grey end outwards: the selected states must then be off for so many steps "
    "before or after.",
    "Share on": "How many of the selected states are on at each step.",
    "Coverage": "A line for each selected state where it is on, the longest run first. "
    "Hover to see it in red.",
    "S1": "The selected states. Hover: red everywhere. Click: exclude it, or bring it back. "
    "The ring keeps only that state.",
}

STATIC = {"displayModeBar": False, "staticPlot": True, "responsive": True}


def _toolbar() -> html.Div:
    return html.Div(
        className="sb-toolbar",
        children=[
            step_heading(
                1,
                "Select",
                "Drag across some words, or across the plot: the states that are on at all of them "
                "are selected.",
            ),
            field(
                "Threshold ℓ",
                html.Div(
                    className="sb-field",
                    children=[
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
                            thumbLabel="Threshold slider",
                        ),
                        dmc.TextInput(
                            id=ids.THRESHOLD_TEXT,
                            size="xs",
                            w=76,
                            debounce=True,
                            **{"aria-label": "Threshold, any number"},
                        ),
                    ],
                ),
                "A state is on where its value is ℓ or more. Drag the red line in the plot, move "
                "the slider, or type any number.",
            ),
            hinted(
                dmc.SegmentedControl(
                    id=ids.POLARITY,
                    size="xs",
                    value="high",
                    data=[
                        {"value": "high", "label": "high"},
                        {"value": "low", "label": "low"},
                        {"value": "magnitude", "label": "magnitude"},
                    ],
                    **{
                        "aria-label": "Polarity: on when the value is high, low, or large either way"
                    },
                ),
                "What counts as on. High: ℓ or more. Low: −ℓ or less. Magnitude: either of them.",
            ),
            field(
                "State",
                dmc.TextInput(
                    id=ids.PINNED,
                    size="xs",
                    w=64,
                    debounce=True,
                    placeholder="none",
                    **{"aria-label": "Pin a state in red: its number or name"},
                ),
                "Show one state in red, selected or not: its number or name.",
            ),
            field(
                "On-runs ≥",
                dmc.TextInput(
                    id=ids.RUNS,
                    size="xs",
                    w=44,
                    value="1",
                    debounce=True,
                    inputProps={"inputMode": "numeric"},
                    **{
                        "aria-label": "Hide on-runs shorter than this many steps from bars and "
                        "coverage; selection and matches stay"
                    },
                ),
                "Hide on-runs shorter than so many steps from the bars and the coverage lines. "
                "Neither the selection nor the matches change.",
            ),
            html.Span(className="sb-divider"),
            html.Div(
                className="sb-align",
                children=[
                    step_heading(
                        3,
                        "Align",
                        "Put annotations beside the words and the matches: if they line up, that is what "
                        "the states may encode.",
                    ),
                    hinted(
                        dmc.MultiSelect(
                            id=ids.TRACK_PICKER,
                            size="xs",
                            data=[],
                            value=[],
                            placeholder="Annotations…",
                            className="sb-track-picker",
                            clearable=False,
                            comboboxProps={"width": 220},
                            **{"aria-label": "Annotation tracks"},
                        ),
                        "Each annotation is a track under the plot and a heatmap beside the matches.",
                    ),
                    hinted(
                        dmc.Switch(id=ids.MASK, label="mask", size="xs", checked=False),
                        "Fade annotations where few of the selected states are on.",
                    ),
                ],
            ),
        ],
    )


def _plot() -> html.Div:
    return html.Div(
        id=ids.PLOT,
        className="sb-plot",
        role="group",
        **{"aria-label": "Hidden states over time"},
        children=[
            html.Div(className="sb-inner sb-bands", id=ids.BANDS),
            dcc.Graph(id=ids.FAINT, config=STATIC, className="sb-layer", responsive=True),
            dcc.Graph(id=ids.LINES, config=STATIC, className="sb-layer", responsive=True),
            html.Div(className="sb-inner sb-pointer", id=ids.PLOT_POINTER),
            html.Div(className="sb-thresholds", id=ids.THRESHOLDS),
            html.Div(className="sb-plot-note", id=ids.PLOT_NOTE, hidden=True),
            html.Div(className="sb-tip", id=ids.PLOT_TIP, hidden=True),
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
                id=ids.PLOT_EMPTY,
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
            html.Div(
                className="sb-strip sb-overview-strip",
                children=[
                    strip_label("Corpus", _HINTS["Corpus"]),
                    html.Div(
                        id=ids.OVERVIEW_STRIP,
                        className="sb-inner sb-overview",
                        role="slider",
                        tabIndex=0,
                        **{"aria-label": "Position in the corpus"},
                        children=[
                            html.Canvas(id=ids.OVERVIEW_CANVAS),
                            html.Div(id=ids.OVERVIEW_BRUSH, className="sb-overview-brush"),
                            html.Div(id=ids.OVERVIEW_VIEW, className="sb-overview-view"),
                        ],
                    ),
                    html.Div(id=ids.OVERVIEW_TIP, className="sb-tip", hidden=True),
                ],
            ),
            _plot(),
            html.Div(
                className="sb-strip sb-words-strip",
                children=[
                    strip_label("Words", _HINTS["Words"]),
                    html.Div(
                        id=ids.WORDS,
                        className="sb-inner sb-words",
                        tabIndex=0,
                        role="group",
                        **{
                            "aria-label": "Words: arrow keys read along, with Shift they brush",
                            "aria-describedby": ids.STEP_TIP,
                        },
                        children=html.Div(id=ids.STEP_MARK, className="sb-step-mark", hidden=True),
                    ),
                    html.Div(id=ids.STEP_TIP, className="sb-tip", hidden=True, role="status"),
                ],
            ),
            html.Div(
                className="sb-strip sb-limits-strip",
                children=[
                    strip_label("Off beside", _HINTS["Off beside"]),
                    html.Div(id=ids.LIMITS, className="sb-inner sb-limits"),
                ],
            ),
            html.Div(
                className="sb-strip sb-bars-strip",
                children=[
                    strip_label("Share on", _HINTS["Share on"]),
                    html.Div(id=ids.BARS, className="sb-inner sb-bars"),
                ],
            ),
            html.Div(
                className="sb-strip sb-coverage-strip",
                children=[
                    strip_label("Coverage", _HINTS["Coverage"]),
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
                id=ids.LEGENDS,
                className="sb-legends",
                tabIndex=0,
                role="group",
                **{"aria-label": "Legends of the tracks"},
            ),
            html.Div(
                className="sb-strip sb-chips-strip",
                children=[
                    strip_label(["S", html.Sub("1")], _HINTS["S1"], id=ids.CHIPS_LABEL),
                    html.Div(
                        className="sb-inner sb-selected",
                        children=[
                            html.Div(
                                id=ids.CHIPS,
                                className="sb-chips",
                                role="group",
                                tabIndex=0,
                                **{"aria-labelledby": ids.CHIPS_LABEL},
                            ),
                            html.Div(
                                id=ids.SELECTION_TEXT, className="sb-selection-text", role="status"
                            ),
                        ],
                    ),
                ],
            ),
        ],
    )
