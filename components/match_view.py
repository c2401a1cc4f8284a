"""The Match View: what was found, row by row, with heatmaps over the same steps."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import dcc, html

from components import ids
from components.fields import control, field, hinted, step_heading
from components.figures import HISTOGRAM_HEIGHT
from components.ids import Panel

STATIC = {"displayModeBar": False, "staticPlot": True, "responsive": True}


def _number(component_id: str, label: str, name: str, hint: str) -> dmc.Tooltip:
    return field(label, control("text", component_id, name, hint="auto", width=72), hint)


def _downloads(panel: Panel) -> html.Details:
    """The menu of files that the whole result can be saved as."""
    names = {
        "csv": ("CSV", "exact, for programs"),
        "spreadsheet": (
            "CSV for spreadsheets",
            "columns named as here; text that begins with = + - @ gets an apostrophe",
        ),
        "parquet": ("Parquet", "exact, with types"),
        "json": ("JSON", "exact, with the query"),
    }
    return html.Details(
        id=panel(ids.DOWNLOAD_MENU),
        className="sb-menu",
        children=[
            html.Summary("Download"),
            html.Div(
                className="sb-menu-panel",
                children=[
                    html.Span("All matches in the list (up to 100,000 rows)"),
                    control(
                        "switch",
                        panel(ids.DOWNLOAD_BESIDE),
                        "Include the words around each match and its annotations",
                        text="With words before and after, and the annotations shown",
                    ),
                    *(
                        html.Button(
                            [names[form][0], html.Small(names[form][1])],
                            id=panel(name),
                            type="button",
                            **{"aria-label": f"Download as {names[form][0]}", "data-form": form},
                        )
                        for form, name in ids.DOWNLOAD_FORMS.items()
                    ),
                ],
            ),
        ],
    )


def match_view(panel: Panel) -> html.Section:
    """Build the Match View (paper, section 5.2); the browser fills it from the ``match`` store."""
    return html.Section(
        id=panel(ids.MATCH_VIEW),
        className="sb-match",
        **{"aria-label": "Match View"},
        children=[
            html.Div(
                className="sb-match-top",
                children=[
                    html.Div(
                        className="sb-match-left",
                        children=[
                            html.Div(
                                className="sb-toolbar",
                                children=[
                                    step_heading(
                                        3,
                                        "Match",
                                        "Every place in the corpus where the selected states are "
                                        "on together, best first. The search is exact.",
                                    ),
                                    hinted(
                                        dmc.Button(
                                            "Match",
                                            id=panel(ids.MATCH_BUTTON),
                                            size="compact-sm",
                                        ),
                                        "Search the whole corpus now (Enter).",
                                    ),
                                    hinted(
                                        control(
                                            "switch",
                                            panel(ids.AUTO),
                                            "Auto-match",
                                            text="Auto-match",
                                        ),
                                        "Match again after each change.",
                                    ),
                                    _number(
                                        panel(ids.MIN_OVERLAP),
                                        "Shared states ≥",
                                        "Minimum number of shared states; "
                                        "empty: half of the selection",
                                        "A match shares at least this many of the selected states. "
                                        "Empty: half of them.",
                                    ),
                                    _number(
                                        panel(ids.MIN_LENGTH),
                                        "Length ≥",
                                        "Minimum length of a match in steps; "
                                        "empty: 2, or 1 for a one-step selection",
                                        "A match is at least this many steps long. "
                                        "Empty: 2, or 1 for a selection of one step.",
                                    ),
                                    hinted(
                                        control(
                                            "choice",
                                            panel(ids.OVERLAPPING),
                                            "List one match per place, or all",
                                            options=(
                                                ("places", "Best per place"),
                                                ("all", "All overlapping"),
                                            ),
                                        ),
                                        "Of matches that overlap, list only the best one; or list "
                                        "every match.",
                                    ),
                                ],
                            ),
                            html.Div(
                                id=panel(ids.SENTENCE),
                                className="sb-sentence",
                                role="status",
                                **{"aria-live": "polite"},
                            ),
                            html.Div(
                                className="sb-under-sentence",
                                children=[
                                    html.Div(
                                        id=panel(ids.PAGER),
                                        className="sb-pager",
                                        role="group",
                                        **{"aria-label": "Pages of matches"},
                                    ),
                                    html.Div(id=panel(ids.FILTER), className="sb-filter"),
                                    html.Div(
                                        id=panel(ids.MATCH_CHANGED),
                                        className="sb-changed",
                                        role="status",
                                    ),
                                    _downloads(panel),
                                    field(
                                        "Words before",
                                        control(
                                            "text",
                                            panel(ids.CONTEXT),
                                            "Words before the match",
                                            hint="auto",
                                            width=52,
                                        ),
                                        "How many words are shown before each match. Leave empty to fit.",
                                    ),
                                    html.Div(className="sb-spacer"),
                                    html.Div(id=panel(ids.HEAT_LEGEND), className="sb-heat-legend"),
                                ],
                            ),
                        ],
                    ),
                    html.Div(
                        className="sb-histogram",
                        role="group",
                        **{"aria-label": "Match lengths; choose one to filter"},
                        children=[
                            html.Div(id=panel(ids.HISTOGRAM_TITLE), className="sb-histogram-title"),
                            html.Div(
                                className="sb-histogram-plot",
                                style={"height": HISTOGRAM_HEIGHT},
                                children=[
                                    dcc.Graph(
                                        id=panel(ids.HISTOGRAM), config=STATIC, responsive=True
                                    ),
                                    html.Div(
                                        id=panel(ids.HISTOGRAM_BARS), className="sb-length-bars"
                                    ),
                                ],
                            ),
                            html.Div(id=panel(ids.HISTOGRAM_TIP), className="sb-tip", hidden=True),
                        ],
                    ),
                ],
            ),
            html.Div(id=panel(ids.ROWS_HEAD), className="sb-rows-head"),
            html.Div(id=panel(ids.CELL_TIP), className="sb-tip", hidden=True, role="status"),
            html.Div(
                id=panel(ids.ROWS),
                className="sb-rows",
                role="list",
                **{"aria-label": "Listed matches"},
            ),
        ],
    )
