"""The header: what is open, where we are, light or dark."""

from __future__ import annotations

from collections.abc import Sequence

import dash_mantine_components as dmc
from dash import dcc, html

from components import ids


def _icon_button(component_id: str, icon: str, label: str) -> dmc.Tooltip:
    return dmc.Tooltip(
        dmc.ActionIcon(
            html.Span(className=f"sb-icon sb-icon-{icon}"),
            id=component_id,
            variant="subtle",
            color="gray",
            size=28,
            n_clicks=0,
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


def _search() -> html.Div:
    """The search box and, under it, the panel with the places found."""
    return html.Div(
        className="sb-search",
        role="search",
        children=[
            dcc.Input(
                id=ids.SEARCH_BOX,
                type="search",
                placeholder="Find a phrase  ( / )",
                autoComplete="off",
                className="sb-search-box",
                # "aria-label" has no parameter of its own in dcc.Input: the label stands beside it
            ),
            html.Label("Find a phrase", htmlFor=ids.SEARCH_BOX, className="sb-hidden"),
            html.Div(
                id=ids.SEARCH_PANEL,
                className="sb-search-panel",
                hidden=True,
                children=[
                    html.Div(
                        className="sb-search-head",
                        children=[
                            html.Span(id=ids.SEARCH_COUNT, role="status"),
                            html.Span(className="sb-spacer"),
                            dmc.Checkbox(
                                id=ids.SEARCH_EXACT, label="match case", size="xs", checked=False
                            ),
                            _icon_button(ids.SEARCH_BACK, "step-back", "Previous (Shift Enter)"),
                            _icon_button(ids.SEARCH_NEXT, "step-on", "Next (Enter)"),
                            _icon_button(ids.SEARCH_CLOSE, "close", "Close (Esc)"),
                        ],
                    ),
                    html.Div(id=ids.SEARCH_RESULTS),
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


def _about() -> html.Details:
    """What the dataset says of itself, behind the letter i."""
    return html.Details(
        id=ids.ABOUT,
        className="sb-menu sb-about",
        children=[
            html.Summary(
                html.Span(className="sb-icon sb-icon-about"),
                title="About this dataset",
                **{"aria-label": "About this dataset"},
            ),
            html.Div(id=ids.DESCRIPTION, className="sb-menu-panel"),
        ],
    )


def header(dataset_options: Sequence[dict[str, object]]) -> html.Header:
    """Build the header.

    Parameters
    ----------
    dataset_options
        ``{"value": id, "label": title}`` of every dataset, broken ones included and marked.
    """
    return html.Header(
        className="sb-header",
        children=[
            html.H1(["State", html.B("brush")], className="sb-wordmark"),
            dmc.Select(
                id=ids.DATASET,
                data=list(dataset_options),
                allowDeselect=False,
                size="xs",
                w=250,
                comboboxProps={"width": 360, "position": "bottom-start"},
                **{"aria-label": "Dataset"},
            ),
            dmc.Select(
                id=ids.SOURCE,
                data=[],
                allowDeselect=False,
                size="xs",
                w=190,
                **{"aria-label": "Source: which states are shown"},
            ),
            _about(),
            html.Div(
                className="sb-nav",
                role="group",
                **{"aria-label": "Position"},
                children=[
                    _icon_button(ids.PAGE_BACK, "page-back", "One page back (Page Up)"),
                    _icon_button(ids.STEP_BACK, "step-back", "One step back (Left arrow)"),
                    dmc.TextInput(
                        id=ids.POSITION,
                        size="xs",
                        w=84,
                        debounce=True,
                        **{"aria-label": "First visible step; type a number to go there"},
                    ),
                    html.Span(id=ids.POSITION_OF, className="sb-muted"),
                    _icon_button(ids.STEP_ON, "step-on", "One step on (Right arrow)"),
                    _icon_button(ids.PAGE_ON, "page-on", "One page on (Page Down)"),
                    _icon_button(ids.GO_TO_BRUSH, "target", "Show the selection (Home)"),
                    _icon_button(ids.ZOOM_OUT, "minus", "Narrower steps: see more of them (-)"),
                    _icon_button(ids.ZOOM_IN, "plus", "Wider steps (+)"),
                ],
            ),
            html.Div(className="sb-spacer"),
            html.Div(
                id=ids.BUSY,
                className="sb-busy",
                role="status",
                **{"aria-live": "off"},
            ),
            _search(),
            _icon_button(ids.SHARE, "link", "Copy a link to what you see (c)"),
            _icon_button(ids.HELP_BUTTON, "help", "Help and keys (?)"),
            dmc.ColorSchemeToggle(
                lightIcon=html.Span(className="sb-icon sb-icon-sun"),
                darkIcon=html.Span(className="sb-icon sb-icon-moon"),
                id=ids.SCHEME,
                variant="subtle",
                color="gray",
                size=28,
                **{"aria-label": "Switch between light and dark"},
            ),
        ],
    )
