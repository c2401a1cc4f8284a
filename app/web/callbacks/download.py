"""The download menu: all matches of a query as a file, prepared as a job and fetched when it is ready.

Plain HTTP beside Dash's own, as in app/web/callbacks/jobs.py, which reports the progress of a file and cancels it: a
file may take minutes and many megabytes, so no request waits for it and no answer holds it in memory.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from dash import Dash
from flask import Response, abort

from app.corpus import BeingPrepared
from app.matching import Cancelled, Control
from app.output.beside import Beside
from app.output.export import TYPES, export_matches
from app.web.payloads.match import query_from_key
from app.web.payloads.tracks import chosen
from app.web.requests import FILE_REQUEST, body, fresh
from app.web.services import FILE, Services
from app.web.slow_clients import PIECE, held_until_sent
from app.web.view.wire import Failure, FileAnswer, FileRequest, JobStatus, MatchKey
from app.work.failures import sentence_for
from app.work.jobs import JobName
from loaders.atomic import whole_file


def register(app: Dash, services: Services) -> None:
    """Add the addresses ``_jobs/file/PAGE/N...``."""
    prefix = f"{app.config.routes_pathname_prefix}_jobs/{FILE}/<page>/<n>"

    @app.server.post(prefix)
    def prepare(page: str, n: str) -> Response:
        return fresh(start_download(services, page, n, body(FILE_REQUEST)))

    @app.server.get(f"{prefix}/<name>")
    def content(page: str, n: str, name: str) -> Response:
        return send_download(services, page, n, name)


def start_download(services: Services, page: str, n: str, request: FileRequest) -> JobStatus:
    """Begin to prepare a file; return its progress: the fields of `app.work.jobs.Status`.

    `request` has the ``form`` of the file and the ``key`` of a match request, whose page and sorting have no
    effect: the list is complete and in ranking order.
    """
    try:
        name = JobName.of(page, FILE, n)
    except ValueError:
        return {"state": "unknown"}
    answer = services.files.run(
        name,
        lambda control: answer_download(services, request, services.files.file(name), control),
    )
    if answer is None:
        return cast(JobStatus, services.files.status(name).as_dict())
    return {"state": "done", "answer": cast(FileAnswer | Failure, answer)}


def answer_download(
    services: Services, request: FileRequest, path: Path, control: Control
) -> FileAnswer | Failure:
    """Write the file to `path`; return its ``name`` and ``caps``, or ``error`` with one sentence.

    Raises
    ------
    Cancelled
        The control was cancelled; then there is no file.
    """
    try:
        key: MatchKey = {**request["key"], "sort": "rank", "page": 0}
        opened = services.corpus.open(key["dataset"], key["source"])
        if isinstance(opened, BeingPrepared):
            name = opened.dataset.name
            return {"error": f"“{name}” is being prepared; try again when it is open."}
        asked = (opened, query_from_key(key), request["form"])
        shown = chosen(opened.dataset, key["tracks"]) if request.get("annotations") else []
        beside = Beside(opened.dataset, request.get("words", 0), tuple(shown))
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as out:
            made = export_matches(*asked, out, services.matching, control, beside=beside)
            control.check()
    except Cancelled:
        raise
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        return {
            "error": f"The server cannot write the file to its cache folder ({why}); free some space, "
            "or give it another folder with --cache-dir."
        }
    except Exception as error:
        return {"error": sentence_for(error)}
    return {"name": made.name, "caps": list(made.caps)}


def send_download(services: Services, page: str, n: str, name: str) -> Response:
    """Return a file that was prepared, to be saved as `name`; it is deleted once it was sent completely.

    Status 503, with one sentence, while too many large answers are being sent.
    """
    if {"\r", "\n"} & set(name):  # the name is part of a header
        abort(404)
    try:
        path = services.files.file(JobName.of(page, FILE, n))
        file = path.open("rb")
    except (ValueError, OSError):
        abort(404)
    kinds = {f".{form}": kind for form, kind in TYPES.items()}
    response = Response(_pieces(file, path), mimetype=kinds.get(Path(name).suffix))
    response.call_on_close(file.close)  # a HEAD request takes no piece
    if not held_until_sent(response, services.jobs):
        response.close()
        return Response(services.jobs.BUSY, 503, mimetype="text/plain")
    response.content_length = os.fstat(file.fileno()).st_size
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.headers["Cache-Control"] = "no-store"
    return response


def _pieces(file: BinaryIO, path: Path) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece
    path.unlink(missing_ok=True)
