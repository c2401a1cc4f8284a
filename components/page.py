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
from components.match_view import match_view
from components.select_view import select_view

_STORES = (
    ids.VIEW,
    ids.GOTO,
    ids.INFO,
    ids.NOTICES,
    ids.WINDOW_REQUEST,
    ids.WINDOW,
    ids.TRACKS_REQUEST,
    ids.TRACKS,
    ids.MATCH_REQUEST,
    ids.MATCH,
    ids.OVERVIEW,
    ids.MATCH_NOW,
    ids.SEARCH_REQUEST,
    ids.SEARCH,
    ids.HOVER,
    ids.VIEWPORT,
    ids.THEME,
)

_THEME: dict[str, Any] = {
    "fontFamily": FONT,
    "primaryColor": "blue",
    "primaryShade": {"light": 8, "dark": 8},
    "defaultRadius": "sm",
    "respectReducedMotion": True,
}


def page(dataset_options: Sequence[dict[str, object]]) -> dmc.MantineProvider:
    """Build the whole page, empty: the browser asks for the first view when it has loaded.

    Parameters
    ----------
    dataset_options
        ``{"value": id, "label": title}`` of every dataset.
    """
    return dmc.MantineProvider(
        theme=_THEME,
        defaultColorScheme="auto",
        children=html.Div(
            id=ids.PAGE,
            className="sb-page",
            children=[
                *(dcc.Store(id=name) for name in _STORES),
                dcc.Store(id=ids.SKELETONS, data=skeletons()),
                dmc.NotificationContainer(
                    id=ids.NOTIFICATIONS, position="bottom-right", limit=4, sendNotifications=[]
                ),
                header(dataset_options),
                html.Div(id=ids.BANNER, className="sb-banner", role="alert", hidden=True),
                html.Main([select_view(), match_view()]),
                html.Div(id=ids.JOBS, className="sb-jobs"),
                help_window(),
            ],
        ),
    )
