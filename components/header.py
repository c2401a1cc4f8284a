"""The header: what is open, where we are, light or dark."""

from __future__ import annotations

from collections.abc import Sequence

import dash_mantine_components as dmc
from dash import html

from components import ids
from components.fields import control
from components.ids import Panel


def _icon_button(component_id: str, icon: str, label: str) -> dmc.Tooltip:
    return dmc.Tooltip(
        dmc.ActionIcon(
            html.Span(className=f"sb-icon sb-icon-{icon}"),
            id=component_id,
            variant="subtle",
            color="gray",
            size=28,
            **{"aria-label": label},
        ),
        label=label,
        openDelay=400,
    )


#: How a phrase is written, one pattern a token (app/phrases.py).
_PATTERNS = (
    ("new deal", "two tokens in a row"),
    ("govern*", "a beginning"),
    ("/.*ing|.*ed/", "a regular expression"),
    ('"New York"', "one token with a blank"),
)


def _search(panel: Panel) -> html.Div:
    """The search box and, under it, the panel with the places found."""
    return html.Div(
        className="sb-search",
        role="search",
        children=[
            control("search", panel(ids.SEARCH_BOX), "Find a phrase", hint="Find a phrase  ( / )"),
            html.Div(
                id=panel(ids.SEARCH_PANEL),
                className="sb-search-panel",
                hidden=True,
                children=[
                    html.Div(
                        className="sb-search-head",
                        children=[
                            html.Span(id=panel(ids.SEARCH_COUNT), role="status"),
                            html.Span(className="sb-spacer"),
                            control(
                                "switch", panel(ids.SEARCH_EXACT), "match case", text="match case"
                            ),
                            _icon_button(
                                panel(ids.SEARCH_BACK), "step-back", "Previous (Shift Enter)"
                            ),
                            _icon_button(panel(ids.SEARCH_NEXT), "step-on", "Next (Enter)"),
                            _icon_button(panel(ids.SEARCH_CLOSE), "close", "Close (Esc)"),
                        ],
                    ),
                    html.Div(id=panel(ids.SEARCH_RESULTS)),
                    html.Dl(
                        className="sb-search-help",
                        children=[
                            part
                            for written, meaning in _PATTERNS
                            for part in (html.Dt(written), html.Dd(meaning))
                        ],
                    ),
                ],
            ),
        ],
    )


def _about(panel: Panel) -> html.Details:
    """What the dataset says of itself, behind the letter i."""
    return html.Details(
        id=panel(ids.ABOUT),
        className="sb-menu sb-about",
        children=[
            html.Summary(
                html.Span(className="sb-icon sb-icon-about"),
                title="About this dataset",
                **{"aria-label": "About this dataset"},
            ),
            html.Div(id=panel(ids.DESCRIPTION), className="sb-menu-panel"),
        ],
    )


def header(panel: Panel, dataset_options: Sequence[tuple[str, str]]) -> html.Header:
    """Build the header.

    Parameters
    ----------
    panel
        The panel that it is the header of.
    dataset_options
        (id, title) of every dataset, broken ones included and marked.
    """
    return html.Header(
        className="sb-header",
        children=[
            html.H1(["State", html.B("brush")], className="sb-wordmark"),
            control("select", panel(ids.DATASET), "Dataset", options=dataset_options, width=250),
            control("select", panel(ids.SOURCE), "Source: which states are shown", width=190),
            _about(panel),
            html.Div(
                className="sb-nav",
                role="group",
                **{"aria-label": "Position"},
                children=[
                    _icon_button(panel(ids.PAGE_BACK), "page-back", "One page back (Page Up)"),
                    _icon_button(panel(ids.STEP_BACK), "step-back", "One step back (Left arrow)"),
                    control(
                        "text",
                        panel(ids.POSITION),
                        "First visible step; type a number to go there",
                        width=84,
                    ),
                    html.Span(id=panel(ids.POSITION_OF), className="sb-muted"),
                    _icon_button(panel(ids.STEP_ON), "step-on", "One step on (Right arrow)"),
                    _icon_button(panel(ids.PAGE_ON), "page-on", "One page on (Page Down)"),
                    _icon_button(panel(ids.GO_TO_BRUSH), "target", "Show the selection (Home)"),
                    _icon_button(
                        panel(ids.ZOOM_OUT), "minus", "Narrower steps: see more of them (-)"
                    ),
                    _icon_button(panel(ids.ZOOM_IN), "plus", "Wider steps (+)"),
                ],
            ),
            html.Div(className="sb-spacer"),
            html.Div(
                id=panel(ids.BUSY),
                className="sb-busy",
                role="status",
                **{"aria-live": "off"},
            ),
            _search(panel),
            _icon_button(panel(ids.SHARE), "link", "Copy a link to what you see (c)"),
            _icon_button(panel(ids.HELP_BUTTON), "help", "Help and keys (?)"),
            dmc.ColorSchemeToggle(
                lightIcon=html.Span(className="sb-icon sb-icon-sun"),
                darkIcon=html.Span(className="sb-icon sb-icon-moon"),
                id=panel(ids.SCHEME),
                variant="subtle",
                color="gray",
                size=28,
                **{"aria-label": "Switch between light and dark"},
            ),
        ],
    )
