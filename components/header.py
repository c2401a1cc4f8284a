"""The header: what is open, where we are, light or dark."""

from __future__ import annotations

from collections.abc import Sequence

import dash_mantine_components as dmc
from dash import html

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
                w=230,
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
                    html.Span(id="position-of", className="sb-muted"),
                    _icon_button(ids.STEP_ON, "step-on", "One step on (Right arrow)"),
                    _icon_button(ids.PAGE_ON, "page-on", "One page on (Page Down)"),
                    _icon_button(ids.GO_TO_BRUSH, "target", "Show the selection (Home)"),
                ],
            ),
            html.Div(id="description", className="sb-description"),
            html.Div(
                id="busy",
                className="sb-busy",
                role="status",
                **{"aria-live": "off"},
            ),
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
