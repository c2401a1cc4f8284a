"""Running jobs: progress, answers and cancelling; polled by assets/work/.

Plain HTTP in addition to Dash's own: a browser polls only while a job is running, and any worker process
can answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import cast

from dash import Dash
from flask import Response, request

from app.web.requests import fresh
from app.web.services import Services
from app.web.view.wire import Cancellation, JobStatus, PreparationStatus
from app.work.failures import sentence_for
from app.work.jobs import JobName, Jobs, check_page
from loaders import Dataset

Given = Mapping[str, str]


def register(app: Dash, services: Services) -> None:
    """Add the addresses ``_jobs/...``."""
    prefix = f"{app.config.routes_pathname_prefix}_jobs"

    @app.server.get(f"{prefix}/copy")
    def preparation() -> Response:
        return fresh(preparation_state(services, request.args))

    @app.server.post(f"{prefix}/copy/cancel")
    def preparation_cancel() -> Response:
        return fresh(cancel_preparation(services, request.args))

    @app.server.post(f"{prefix}/copy/leave")
    def preparation_leave() -> Response:
        return fresh(leave_preparation(services, request.args))

    pools = services.pools
    job = f"{prefix}/<any({', '.join(pools)}):kind>/<page>/<n>"

    @app.server.get(job)
    def state(kind: str, page: str, n: str) -> Response:
        return fresh(job_state(pools[kind], kind, page, n))

    @app.server.post(f"{job}/cancel")
    def cancel(kind: str, page: str, n: str) -> Response:
        return fresh(cancel_job(pools[kind], kind, page, n))


def preparation_state(services: Services, given: Given) -> PreparationStatus:
    """Return the progress of a prepared copy: the fields of `app.work.preparation.Preparation`.

    `given` names the ``dataset``, the ``source`` and, if one waits for it, the ``page``.
    """
    return _of_preparation(
        services,
        given,
        lambda *which: cast(PreparationStatus, asdict(services.preparations.state(*which))),
    )


def cancel_preparation(services: Services, given: Given) -> PreparationStatus:
    """Withdraw a page's request for a copy; see `app.work.preparation.Preparations.cancel`."""
    return _of_preparation(
        services, given, lambda *which: {"state": services.preparations.cancel(*which)}
    )


def leave_preparation(services: Services, given: Given) -> PreparationStatus:
    """Note that a page no longer waits, so that the cancel of another page ends the preparation."""

    def leave(dataset: Dataset, source: str, page: str | None) -> PreparationStatus:
        services.preparations.leave(dataset, source, page)
        return {"state": "left"}

    return _of_preparation(services, given, leave)


def _of_preparation(
    services: Services, given: Given, act: Callable[[Dataset, str, str | None], PreparationStatus]
) -> PreparationStatus:
    """Return the answer of `act` for the given copy, or the error."""
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
        return cast(JobStatus, jobs.status(JobName.of(page, kind, n)).as_dict())
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
