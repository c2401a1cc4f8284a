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
    def open_goto(goto: Navigation | None) -> tuple[Any, Any, Any]:
        if not goto:
            return no_update, no_update, no_update
        return opened_payload(services, goto)

    clientside(app, "load", Output(ids.GOTO, "data"), Input(ids.PAGE, "id"))
    clientside(app, "start", Input(ids.PAGE, "id"))
    clientside(app, "writeUrl", Input(ids.VIEW, "data"))
    clientside(app, "showNotices", Input(ids.NOTICES, "data"))
    clientside(app, "onShare", Input(ids.SHARE, "n_clicks"), at_start=False)
    clientside(app, "onHelp", Input(ids.HELP_BUTTON, "n_clicks"), at_start=False)
    clientside(app, "pickDataset", Input(ids.DATASET, "value"))
    clientside(app, "pickSource", Input(ids.SOURCE, "value"))


def opened_payload(services: Services, goto: Navigation) -> tuple[Any, Any, Any]:
    """Return the ``view``, ``info`` and ``notices`` stores for a ``goto``.

    ``restored`` numbers the openings: a view that comes from the server is matched at once, even
    when matching is not automatic, so that a link opens with its matches. Where the derived copy
    must be built first, the notices name it in ``preparing``; the browser follows that
    (app/web/callbacks/jobs.py) and then sends the same ``goto`` again.
    """
    notices: Notices = {"n": goto["n"], "items": [], "nothing": False}
    nothing = goto["kind"] in {"load", "back"}
    try:
        opened = open_view(services.corpus, goto["search"], goto["kind"])
    except Exception as error:
        item = {"text": sentence_for(error), "level": "error"}
        return no_update, no_update, {**notices, "items": [item], "nothing": nothing}
    if opened.preparing:
        return (
            no_update,
            no_update,
            {**notices, "preparing": asdict(opened.preparing), "goto": goto},
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
            "history": "push" if goto["kind"] in {"dataset", "source"} else "replace",
            "restored": goto["n"],
        },
    )
    return view, opened.info, notices
