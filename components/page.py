"""The one page: header, Select View, Match View, and the stores between browser and server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from components import ids
from components.figures import FONT, skeletons
from components.header import header
from components.help import help_window
from components.ids import Panel
from components.match_view import match_view
from components.select_view import select_view
from components.state_card import state_card

_THEME: dict[str, Any] = {
    "fontFamily": FONT,
    "primaryColor": "blue",
    "primaryShade": {"light": 8, "dark": 8},
    "defaultRadius": "sm",
    "respectReducedMotion": True,
}


def page(
    dataset_options: Sequence[tuple[str, str]], panels: Sequence[Panel] = (Panel(),)
) -> dmc.MantineProvider:
    """Build the whole page, empty: the browser asks for the first view when it has loaded.

    Parameters
    ----------
    dataset_options
        (id, title) of every dataset.
    panels
        The panels, one below the other.
    """
    return dmc.MantineProvider(
        theme=_THEME,
        defaultColorScheme="auto",
        children=[
            dcc.Store(id=ids.THEME),
            dcc.Store(id=ids.SKELETONS, data=skeletons()),
            dmc.NotificationContainer(
                id=ids.NOTIFICATIONS, position="bottom-right", limit=4, sendNotifications=[]
            ),
            *(_panel(panel, dataset_options) for panel in panels),
            help_window(),
        ],
    )


def _panel(panel: Panel, dataset_options: Sequence[tuple[str, str]]) -> html.Div:
    address = {} if panel.search is None else {"data-search": panel.search}
    return html.Div(
        id=panel(ids.PAGE),
        className="sb-page",
        **{"data-panel": panel.prefix},
        **address,
        children=[
            *(dcc.Store(id=panel(name)) for name in ids.STORES),
            header(panel, dataset_options),
            html.Div(id=panel(ids.BANNER), className="sb-banner", role="alert", hidden=True),
            html.Main([select_view(panel), match_view(panel), state_card(panel)]),
            html.Div(id=panel(ids.JOBS), className="sb-jobs"),
        ],
    )
