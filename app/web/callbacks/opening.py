"""First load, the browser's back and forward, the dataset and source pickers -> the view."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast

from dash import Dash, Input, Output, no_update

from app.web.callbacks.clientside import clientside
from app.web.services import Services
from app.web.view.opening import open_view
from app.web.view.wire import Navigation, Notices, ViewStore
from app.work.failures import sentence_for
from components import ids


def register(app: Dash, services: Services) -> None:
    """Wire the opening of views."""

    @app.callback(
        Output(ids.VIEW, "data"),
        Output(ids.INFO, "data"),
        Output(ids.NOTICES, "data"),
        Input(ids.GOTO, "data"),
        prevent_initial_call=True,
    )
    def navigate(navigation: Navigation | None) -> tuple[Any, Any, Any]:
        if not navigation:
            return no_update, no_update, no_update
        return opened_payload(services, navigation)

    clientside(app, "load", Output(ids.GOTO, "data"), Input(ids.PAGE, "id"))
    clientside(app, "start", Input(ids.PAGE, "id"))
    clientside(app, "writeUrl", Input(ids.VIEW, "data"))
    clientside(app, "showNotices", Input(ids.NOTICES, "data"))
    clientside(app, "onShare", Input(ids.SHARE, "n_clicks"), at_start=False)
    clientside(app, "onHelp", Input(ids.HELP_BUTTON, "n_clicks"), at_start=False)
    clientside(app, "pickDataset", Input(ids.DATASET, "value"))
    clientside(app, "pickSource", Input(ids.SOURCE, "value"))


def opened_payload(services: Services, navigation: Navigation) -> tuple[Any, Any, Any]:
    """Return the ``view``, ``info`` and ``notices`` stores for a navigation (the ``goto`` store).

    ``restored`` numbers the openings: a view that comes from the server is matched at once, even
    when matching is not automatic, so that a link opens with its matches. If the copy of the
    source must be built first, the notices name it in ``preparing``; the browser follows that
    (app/web/callbacks/jobs.py) and then sends the same navigation again.
    """
    notices: Notices = {"n": navigation["n"], "items": [], "nothing": False}
    nothing = navigation["kind"] in {"load", "back"}
    try:
        opened = open_view(services.corpus, navigation["search"], navigation["kind"])
    except Exception as error:
        item = {"text": sentence_for(error), "level": "error"}
        return no_update, no_update, {**notices, "items": [item], "nothing": nothing}
    if opened.preparing:
        return (
            no_update,
            no_update,
            {**notices, "preparing": asdict(opened.preparing), "goto": navigation},
        )
    notices["items"] = [
        {"text": item.text, "level": item.level, "once": item.once} for item in opened.notices
    ]
    notices["nothing"] = opened.view is None and nothing
    if opened.view is None:
        return no_update, no_update, notices
    view = cast(
        ViewStore,
        {
            **opened.view.store(),
            "dragging": False,
            "history": "push" if navigation["kind"] in {"dataset", "source"} else "replace",
            "restored": navigation["n"],
        },
    )
    return view, opened.info, notices
