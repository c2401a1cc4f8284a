"""The Select View: one shared time axis, everything below it aligned to the pixel."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import dcc, html

from components import ids
from components.fields import control, field, hinted, step_heading, strip_label
from components.figures import AXIS_LEFT, AXIS_RIGHT
from components.ids import Panel

_HINTS = {
    "Corpus": "The whole corpus: how many of the selected states are on, and above it where matches "
    "start (dark: with all states). Click or drag to go there; the wheel pans.",
    "Words": "Drag across words to select; drag the ends to resize. In the plot, drag inside the "
    "selection to move it. Hover for the whole word.",
    "Off before/after": "Drag a grey end outwards: the selected states must then be off for this many steps "
    "before or after.",
    "Selected states on": "How many of the selected states are on at each step.",
    "Coverage": "A line for each selected state where it is on, the longest run first. "
    "Hover to see it in red, click for its values and strongest places.",
    "S1": "The selected states. Hover: red everywhere. Click: its values and strongest places. "
    "The cross excludes it. The ring keeps only that state.",
}

STATIC = {"displayModeBar": False, "staticPlot": True, "responsive": True}


def _toolbar(panel: Panel) -> html.Div:
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
                        control(
                            "range", panel(ids.THRESHOLD_SLIDER), "Threshold slider", width=150
                        ),
                        control(
                            "text", panel(ids.THRESHOLD_TEXT), "Threshold, any number", width=76
                        ),
                    ],
                ),
                "A state is on where its value is ℓ or more. Drag the red line in the plot, move "
                "the slider, or type any number.",
            ),
            hinted(
                control(
                    "choice",
                    panel(ids.POLARITY),
                    "Polarity: on when the value is high, low, or large either way",
                    options=(("high", "high"), ("low", "low"), ("magnitude", "magnitude")),
                ),
                "What counts as on. High: ℓ or more. Low: −ℓ or less. Magnitude: either of them.",
            ),
            field(
                "Highlight state",
                control(
                    "text",
                    panel(ids.PINNED),
                    "State to highlight: its number or name",
                    hint="none",
                    width=64,
                ),
                "Show one state in red, selected or not: its number or name.",
            ),
            field(
                "Hide runs shorter than",
                control(
                    "text",
                    panel(ids.RUNS),
                    "Hide runs shorter than this many steps from bars and coverage; "
                    "selection and matches stay",
                    width=44,
                ),
                "Runs of fewer steps are hidden from the bars and the coverage lines. "
                "Neither the selection nor the matches change.",
            ),
            html.Span(className="sb-divider"),
            html.Div(
                className="sb-align",
                children=[
                    step_heading(
                        2,
                        "Align",
                        "Put annotations beside the words and the matches: if they line up, that is what "
                        "the states may encode.",
                    ),
                    hinted(
                        html.Details(
                            className="sb-menu",
                            children=[
                                html.Summary(["Annotations", html.Span(id=panel(ids.TRACK_COUNT))]),
                                html.Div(
                                    className="sb-menu-panel",
                                    children=[
                                        html.Div(
                                            id=panel(ids.TRACK_PICKER),
                                            className="sb-checks",
                                            role="group",
                                            **{"aria-label": "Annotation tracks"},
                                        ),
                                        control(
                                            "switch",
                                            panel(ids.MASK),
                                            "Fade where few selected states are on",
                                            text="Fade where few selected states are on",
                                        ),
                                    ],
                                ),
                            ],
                        ),
                        "Each annotation is a track under the plot and a heatmap beside the matches.",
                    ),
                ],
            ),
        ],
    )


def _plot(panel: Panel) -> html.Div:
    return html.Div(
        id=panel(ids.PLOT),
        className="sb-plot",
        role="group",
        **{"aria-label": "Hidden states over time"},
        children=[
            html.Div(className="sb-inner sb-bands", id=panel(ids.BANDS)),
            dcc.Graph(id=panel(ids.FAINT), config=STATIC, className="sb-layer", responsive=True),
            dcc.Graph(id=panel(ids.LINES), config=STATIC, className="sb-layer", responsive=True),
            html.Div(
                className="sb-inner sb-pointer",
                id=panel(ids.PLOT_POINTER),
                tabIndex=0,
                role="group",
                **{
                    "aria-label": "Lines of the selected states: up and down arrow go from line to line, "
                    "Enter opens the state"
                },
            ),
            html.Div(className="sb-thresholds", id=panel(ids.THRESHOLDS)),
            html.Div(className="sb-plot-note", id=panel(ids.PLOT_NOTE), hidden=True),
            html.Div(className="sb-tip", id=panel(ids.PLOT_TIP), hidden=True),
            dmc.Tooltip(
                dmc.ActionIcon(
                    html.Span(className="sb-icon sb-icon-range"),
                    id=panel(ids.FULL_RANGE),
                    variant="subtle",
                    color="gray",
                    size=22,
                    className="sb-full-range",
                    **{"aria-label": "Value axis: middle 99.8 % or all values"},
                ),
                label="Value axis: middle 99.8 % or all values",
                openDelay=400,
            ),
            html.Div(
                id=panel(ids.PLOT_EMPTY),
                className="sb-empty",
                hidden=False,
                children="Reading the states…",
            ),
        ],
    )


def select_view(panel: Panel) -> html.Section:
    """Build the Select View (paper, section 5.1); the browser fills it from the stores."""
    return html.Section(
        className="sb-select",
        **{"aria-label": "Select View"},
        style={"--axis-left": f"{AXIS_LEFT}px", "--axis-right": f"{AXIS_RIGHT}px"},
        children=[
            html.Div(
                id=panel(ids.INTRO),
                className="sb-intro",
                hidden=True,
                children=[
                    "What you see is an example. Drag across other words: the states that are on at all of "
                    "them are selected, and every other place where they are on together is listed below.",
                    html.Button(
                        "✕",
                        type="button",
                        className="sb-text-button",
                        **{"data-intro": "1", "aria-label": "Do not show this again"},
                    ),
                ],
            ),
            _toolbar(panel),
            html.Div(
                id=panel(ids.SUGGESTION), className="sb-suggestion", role="status", hidden=True
            ),
            html.Div(
                className="sb-strip sb-overview-strip",
                children=[
                    strip_label("Corpus", _HINTS["Corpus"]),
                    html.Div(
                        id=panel(ids.OVERVIEW_STRIP),
                        className="sb-inner sb-overview",
                        role="slider",
                        tabIndex=0,
                        **{"aria-label": "Position in the corpus"},
                        children=[
                            html.Canvas(id=panel(ids.OVERVIEW_CANVAS)),
                            html.Div(id=panel(ids.OVERVIEW_BRUSH), className="sb-overview-brush"),
                            html.Div(id=panel(ids.OVERVIEW_VIEW), className="sb-overview-view"),
                        ],
                    ),
                    html.Div(id=panel(ids.OVERVIEW_TIP), className="sb-tip", hidden=True),
                ],
            ),
            _plot(panel),
            html.Div(
                className="sb-strip sb-words-strip",
                children=[
                    strip_label("Words", _HINTS["Words"]),
                    html.Div(
                        id=panel(ids.WORDS),
                        className="sb-inner sb-words",
                        tabIndex=0,
                        role="group",
                        **{
                            "aria-label": "Words: arrow keys read along, with Shift they brush",
                            "aria-describedby": panel(ids.STEP_TIP),
                        },
                        children=html.Div(
                            id=panel(ids.STEP_MARK), className="sb-step-mark", hidden=True
                        ),
                    ),
                    html.Div(
                        id=panel(ids.STEP_TIP), className="sb-tip", hidden=True, role="status"
                    ),
                ],
            ),
            html.Div(
                className="sb-strip sb-limits-strip",
                children=[
                    strip_label("Off before/after", _HINTS["Off before/after"]),
                    html.Div(id=panel(ids.LIMITS), className="sb-inner sb-limits"),
                ],
            ),
            html.Div(
                className="sb-strip sb-bars-strip",
                children=[
                    strip_label("Selected states on", _HINTS["Selected states on"]),
                    html.Div(
                        className="sb-bars-axis", children=[html.Span("100 %"), html.Span("0")]
                    ),
                    html.Div(id=panel(ids.BARS), className="sb-inner sb-bars"),
                ],
            ),
            html.Div(
                className="sb-strip sb-coverage-strip",
                children=[
                    strip_label("Coverage", _HINTS["Coverage"]),
                    html.Div(
                        id=panel(ids.COVERAGE),
                        className="sb-inner sb-coverage",
                        tabIndex=0,
                        role="group",
                        **{
                            "aria-label": "Coverage of the selected states: up and down arrow go from "
                            "line to line, Enter opens the state"
                        },
                    ),
                ],
            ),
            html.Div(id=panel(ids.TRACK_ROWS), className="sb-tracks"),
            html.Div(
                className="sb-strip sb-chips-strip",
                children=[
                    strip_label("Selected states", _HINTS["S1"], id=panel(ids.CHIPS_LABEL)),
                    html.Div(
                        className="sb-inner sb-selected",
                        children=[
                            html.Div(
                                id=panel(ids.CHIPS),
                                className="sb-chips",
                                role="group",
                                tabIndex=0,
                                **{"aria-labelledby": panel(ids.CHIPS_LABEL)},
                            ),
                            html.Button(
                                id=panel(ids.CHIPS_MORE),
                                type="button",
                                className="sb-text-button sb-chips-more",
                                hidden=True,
                                **{"aria-expanded": "false"},
                            ),
                            html.Div(
                                id=panel(ids.SELECTION_TEXT),
                                className="sb-selection-text",
                                role="status",
                            ),
                        ],
                    ),
                ],
            ),
            html.Div(
                className="sb-divide-row",
                children=[
                    html.Div(
                        id=panel(ids.DIVIDER),
                        className="sb-divide",
                        role="separator",
                        tabIndex=0,
                        title="Drag: the height of the plot. Double click: as it was.",
                        **{
                            "aria-label": "Height of the plot in pixels",
                            "aria-orientation": "horizontal",
                            "aria-valuemin": 0,
                            "aria-valuemax": 700,
                            "aria-valuenow": 200,
                        },
                    ),
                    *(
                        html.Button(
                            name,
                            type="button",
                            title=f"Show or hide {what}",
                            **{"data-fold": name, "aria-expanded": "true"},
                        )
                        for name, what in (
                            ("plot", "the plot"),
                            ("coverage", "the coverage of each state"),
                            ("tracks", "the annotations"),
                        )
                    ),
                ],
            ),
        ],
    )
