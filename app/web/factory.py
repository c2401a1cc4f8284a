"""Build the dashboard: services are made here and passed in."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from urllib.parse import quote

from dash import Dash

from app.corpus import Corpus
from app.execution.local import processes
from app.matching import MatchService
from app.phrases import SearchService
from app.settings import Settings
from app.web import requests
from app.web.api.blueprint import blueprint
from app.web.callbacks import (
    clientside,
    download,
    jobs,
    match,
    opening,
    search,
    select,
    state,
)
from app.web.payloads.window import BrushSummaries
from app.web.services import Services
from app.web.slow_clients import SendTimeout
from app.web.static import head, static_files
from app.work.jobs import Jobs
from app.work.preparation import Preparations
from components.ids import Panel
from components.page import page
from loaders import Catalog

#: The page around the dashboard. The colour scheme that Mantine remembers is set before anything is
#: drawn, so that a dark page does not flash.
INDEX = """<!DOCTYPE html>
<html lang="en">
  <head>
    {%metas%}
    <title>{%title%}</title>
    {head}
    <link rel="icon" href="data:image/svg+xml,{icon}">
    {%css%}
    <script>
      (function () {
        let scheme = null;
        try { scheme = localStorage.getItem("mantine-color-scheme-value"); } catch { /* private */ }
        if (scheme !== "light" && scheme !== "dark") {
          scheme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
        }
        document.documentElement.setAttribute("data-mantine-color-scheme", scheme);
      })();
    </script>
  </head>
  <body>
    {%app_entry%}
    <footer>{%config%}{%scripts%}{%renderer%}</footer>
  </body>
</html>
"""

#: Inline: Chromium asks for an icon's file again whenever the address changes, so with every view.
ICON = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16' fill='none' stroke-width='1.6'>"
    "<rect x='5' width='6' height='16' fill='#d3e3f2'/>"
    "<path d='M0 12 5 5h6l5 7' stroke='#1864ab'/><path d='M0 4 5 11h6l5-8' stroke='#aab2bd'/>"
    "<path d='M0 8h16' stroke='#d6232f' stroke-dasharray='2 1.5' stroke-width='1'/></svg>"
)

#: The maximum size of a request in bytes; those of a page have some thousands with every state excluded.
MOST_REQUEST_BYTES = 4 << 20


def create_app(
    catalog: Catalog,
    settings: Settings,
    *,
    matching: MatchService | None = None,
    patience: float = 1.0,
    panels: Sequence[Panel] = (Panel(),),
) -> Dash:
    """Return the dashboard over some datasets.

    Parameters
    ----------
    catalog
        The datasets; broken ones are shown in the picker with their error.
    settings
        Provides the cache folder, the limits and the number of threads.
    matching
        The matching service; by default a new one.
    patience
        Seconds that a request waits for long work before the browser has to poll.
    panels
        The panels of the page.

    Returns
    -------
    Dash
        ``.server`` is the WSGI application. It holds read-only services and bounded caches; what a
        person does stays in that person's browser.
    """
    services = make_services(catalog, settings, matching=matching, patience=patience)
    assets = Path(str(resources.files("app"))).parent / "assets"
    app = Dash(
        __name__,
        assets_folder=str(assets),
        # The page loads assets/main.mjs; the modules in these folders are reached by its imports.
        assets_path_ignore=["^core$", "^select$", "^match$", "^work$"],
        title="Statebrush",
        update_title="",
        serve_locally=True,
        compress=False,
    )
    app.server.config["MAX_CONTENT_LENGTH"] = MOST_REQUEST_BYTES
    # Modules have run when this event is raised: Dash finds their functions.
    app.renderer = 'addEventListener("DOMContentLoaded", () => new DashRenderer());'
    app.index_string = INDEX.replace("{icon}", quote(ICON, safe=" '/=:")).replace(
        "{head}", head(app, assets)
    )
    app.layout = lambda: page(dataset_options(services.corpus), panels)
    app.server.register_blueprint(blueprint(services))
    app.server.after_request(SendTimeout().limit)
    # Flask calls these in reverse order: compressed first, then sent in pieces.
    app.server.after_request(static_files(app.server, app.config.routes_pathname_prefix))
    for callbacks in (opening, select, state, match, search, download, jobs):
        callbacks.register(app, services)
    clientside.register(app, panels)
    requests.register(app)
    # Dash sets itself up during the first request while others run: of the files that a page requests from a
    # new worker for all at once, some would be refused. So the first request is made here.
    app.server.test_client().get(f"{app.config.routes_pathname_prefix}_dash-dependencies")
    return app


def make_services(
    catalog: Catalog,
    settings: Settings,
    *,
    matching: MatchService | None = None,
    patience: float = 1.0,
) -> Services:
    """Return the services of the callbacks; parameters are those of `create_app`."""
    notes = settings.cache_dir / "jobs"
    matching = matching or MatchService(
        cache_bytes=settings.cache_bytes, executors=processes(settings.workers)
    )
    preparations = Preparations(notes, patience)
    return Services(
        corpus=Corpus(catalog, preparations, settings.bits_on_disk),
        matching=matching,
        searching=SearchService(),
        brushes=BrushSummaries(),
        jobs=Jobs(
            notes,
            # A match uses all cores; short ones can still run next to a long one.
            at_once=2,
            slots=settings.threads // 2,
            patience=patience,
        ),
        # Separate threads, so that a match does not wait for long downloads.
        files=Jobs(notes, at_once=2, slots=1, patience=patience, niceness=10),
        preparations=preparations,
    )


def dataset_options(corpus: Corpus) -> list[tuple[str, str]]:
    """Return (id, title) of each dataset; broken ones are included, and show their error when chosen."""
    return [
        (entry.id, entry.title + (" (cannot be opened)" if entry.error else ""))
        for entry in corpus.entries()
    ]
