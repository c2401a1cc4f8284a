"""First load, the browser's back and forward, the dataset and source pickers -> the view."""

from __future__ import annotations

from dataclasses import asdict
from typing import cast

from dash import Dash
from flask import Response

from app.web.requests import NAVIGATION, body, fresh
from app.web.services import Services
from app.web.view.opening import open_view
from app.web.view.wire import (
    Navigation,
    NoticeItem,
    Notices,
    OpenedView,
    PreparingSource,
    ViewStore,
)
from app.work.failures import sentence_for


def register(app: Dash, services: Services) -> None:
    """Add the address ``_view/open``."""

    @app.server.post(f"{app.config.routes_pathname_prefix}_view/open")
    def navigate() -> Response:
        return fresh(opened_payload(services, body(NAVIGATION)))


def opened_payload(services: Services, navigation: Navigation) -> OpenedView:
    """Return the ``view``, ``info`` and ``notices`` stores for a navigation; of no view, only the last.

    ``restored`` numbers the openings: a view that comes from the server is matched at once, even
    when matching is not automatic, so that a link opens with its matches. If the copy of the
    source must be built first, the notices name it in ``preparing``; the browser follows that
    (app/web/callbacks/jobs.py) and then sends the same navigation again.
    """
    notices: Notices = {"n": navigation["n"], "items": [], "nothing": False}
    nothing = navigation["kind"] in {"load", "back"}
    try:
        opened = open_view(
            services.corpus,
            navigation["search"],
            navigation["kind"],
            from_source=navigation.get("from_source"),
        )
    except Exception as error:
        item: NoticeItem = {"text": sentence_for(error), "level": "error"}
        return {"notices": {**notices, "items": [item], "nothing": nothing}}
    if opened.preparing:
        preparing = cast(PreparingSource, asdict(opened.preparing))
        return {"notices": {**notices, "preparing": preparing, "goto": navigation}}
    notices["items"] = [
        {"text": item.text, "level": item.level, "once": item.once} for item in opened.notices
    ]
    notices["nothing"] = opened.view is None and nothing
    if opened.view is None or opened.info is None:
        return {"notices": notices}
    view = cast(
        ViewStore,
        {
            **opened.view.store(),
            "dragging": False,
            "history": "push" if navigation["kind"] in {"dataset", "source"} else "replace",
            "restored": navigation["n"],
        },
    )
    return {"view": view, "info": opened.info, "notices": notices}
