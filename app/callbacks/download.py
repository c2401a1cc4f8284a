"""The download menu: the whole result of a match as a file."""

from __future__ import annotations

import base64
from typing import Any

from dash import Dash, Input, Output, no_update

from app.callbacks.clientside import clientside
from app.export import export_matches
from app.failures import sentence_for
from app.match_payload import query_of
from app.services import Services
from components import ids


def register(app: Dash, services: Services) -> None:
    """Wire the download menu."""

    @app.callback(
        Output(ids.DOWNLOAD, "data"),
        Output(ids.NOTICES, "data", allow_duplicate=True),
        Input(ids.DOWNLOAD_REQUEST, "data"),
        prevent_initial_call=True,
    )
    def send(request: dict[str, Any] | None) -> tuple[Any, Any]:
        return answer_download(services, request) if request else (no_update, no_update)

    clientside(
        app,
        "onDownload",
        *(Input(name, "n_clicks") for name in ids.DOWNLOAD_FORMS.values()),
        at_start=False,
    )


def answer_download(services: Services, request: dict[str, Any]) -> tuple[Any, Any]:
    """Return the file for a ``download-request``, and what to tell; one of them may be missing.

    The list is whole and in the order of the ranking: page and sorting of the request do not count.
    """
    key = {**request["key"], "sort": "rank", "page": 0}
    try:
        dataset = services.catalog.get(key["dataset"])
        if not services.copies.ready(dataset, key["source"]):
            text = f"“{dataset.name}” is being prepared; try again when it is open."
            return no_update, {"n": request["n"], "items": [{"text": text, "level": "warning"}]}
        source = dataset.open_source(key["source"])
        with services.jobs.place() as held:
            if not held:
                items = [{"text": services.jobs.BUSY, "level": "warning"}]
                return no_update, {"n": request["n"], "items": items}
            query, form = query_of(key), request["form"]
            file = export_matches(dataset, source, query, form, services.matching)
    except Exception as error:
        items = [{"text": sentence_for(error), "level": "error"}]
        return no_update, {"n": request["n"], "items": items}
    sent = {
        "content": base64.b64encode(file.content).decode("ascii"),
        "filename": file.name,
        "type": file.type,
        "base64": True,
    }
    items = [{"text": sentence, "level": "info"} for sentence in file.caps]
    return sent, {"n": request["n"], "items": items}
