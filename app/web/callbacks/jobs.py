"""Long work under way: how far it is, its answer, and ending it; polled by assets/work/.

Plain HTTP beside Dash's own: a browser asks only while something is under way, and whichever worker
process it asks answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import cast

from dash import Dash
from flask import Response, request

from app.web.requests import fresh
from app.web.services import Services
from app.web.view.wire import Cancellation, JobStatus, PreparationStatus
from app.work.failures import sentence_for
from app.work.jobs import JobName, Jobs, check_page
from components.ids import Panel
from loaders import Dataset

Given = Mapping[str, str]


def register(app: Dash, services: Services, panels: Sequence[Panel]) -> None:
    """Add the addresses ``_jobs/...``."""
    prefix = f"{app.config.routes_pathname_prefix}_jobs"

    @app.server.get(f"{prefix}/copy")
    def copy() -> Response:
        return fresh(copy_state(services, request.args))

    @app.server.post(f"{prefix}/copy/cancel")
    def copy_cancel() -> Response:
        return fresh(cancel_copy(services, request.args))

    @app.server.post(f"{prefix}/copy/leave")
    def copy_leave() -> Response:
        return fresh(leave_copy(services, request.args))

    pools = services.pools
    job = f"{prefix}/<any({', '.join(pools)}):kind>/<page>/<n>"

    @app.server.get(job)
    def state(kind: str, page: str, n: str) -> Response:
        return fresh(job_state(pools[kind], kind, page, n))

    @app.server.post(f"{job}/cancel")
    def cancel(kind: str, page: str, n: str) -> Response:
        return fresh(cancel_job(pools[kind], kind, page, n))


def copy_state(services: Services, given: Given) -> PreparationStatus:
    """Return how the derived copy of a source stands: the fields of `app.work.preparation.Copy`.

    `given` names the ``dataset``, the ``source`` and, if it is one that waits, the ``page``.
    """
    return _of_copy(
        services,
        given,
        lambda *which: cast(PreparationStatus, asdict(services.copies.state(*which))),
    )


def cancel_copy(services: Services, given: Given) -> PreparationStatus:
    """Take back a page's wish for a copy; `app.work.preparation.Copies.cancel` says what comes of it."""
    return _of_copy(services, given, lambda *which: {"state": services.copies.cancel(*which)})


def leave_copy(services: Services, given: Given) -> PreparationStatus:
    """Take note that a page has gone: somebody else's cancel need not heed it."""

    def leave(dataset: Dataset, source: str, page: str | None) -> PreparationStatus:
        services.copies.leave(dataset, source, page)
        return {"state": "left"}

    return _of_copy(services, given, leave)


def _of_copy(
    services: Services, given: Given, act: Callable[[Dataset, str, str | None], PreparationStatus]
) -> PreparationStatus:
    """What `act` says of the copy that is named, or why there is nothing to say."""
    try:
        page = check_page(given["page"]) if "page" in given else None
    except ValueError:
        return {"state": "unknown"}
    try:
        return act(services.corpus.dataset(given.get("dataset", "")), given.get("source", ""), page)
    except Exception as error:
        return {"state": "failed", "sentence": sentence_for(error)}


def job_state(jobs: Jobs, kind: str, page: str, n: str) -> JobStatus:
    """Return the progress of a job: the fields of `app.work.jobs.Status`."""
    try:
        return cast(JobStatus, jobs.status(JobName.of(page, kind, n)).told())
    except ValueError:
        return {"state": "unknown"}


def cancel_job(jobs: Jobs, kind: str, page: str, n: str) -> Cancellation:
    """Cancel a job, and every older one of its page and kind."""
    try:
        name = JobName.of(page, kind, n)
    except ValueError:
        return {"state": "unknown"}
    jobs.cancel(replace(name, n=name.n + 1))
    return {"state": "cancelled"}
