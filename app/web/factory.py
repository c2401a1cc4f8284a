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
from app.web.callbacks import download, jobs, match, opening, search, select, state
from app.web.payloads.window import BrushSummaries
from app.web.services import Services
from app.web.slow_clients import Sending
from app.web.static import head, static_files
from app.work.jobs import Jobs
from app.work.preparation import Copies
from components.ids import Panel
from components.page import page
from loaders import Catalog

#: The page around the dashboard. The colour scheme that Mantine remembers is set before anything is
#: drawn, so that a dark page does not flash white.
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

#: The largest request, in bytes: a page's own have some thousands, with every state excluded.
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
        The datasets; broken ones are shown in the picker with what is wrong with them.
    settings
        The cache folder and bounds, and how many threads there are, are taken from here.
    matching
        The matching service; by default a new one.
    patience
        Seconds that a request waits for long work before the browser is told to ask again.
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
    app.server.after_request(Sending().in_time)
    # Flask calls these in reverse order: compressed first, then sent in pieces.
    app.server.after_request(static_files(app.server, app.config.routes_pathname_prefix))
    for callbacks in (opening, select, state, match, search, download, jobs):
        callbacks.register(app, services, panels)
    requests.register(app)
    # Dash sets itself up at the first request while others go on: of the files that a page asks a
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
    """Return what the callbacks work with; the parameters are those of `create_app`."""
    notes = settings.cache_dir / "jobs"
    matching = matching or MatchService(
        cache_bytes=settings.cache_bytes, executors=processes(settings.workers)
    )
    copies = Copies(notes, patience)
    return Services(
        corpus=Corpus(catalog, copies, settings.bits_on_disk),
        matching=matching,
        searching=SearchService(),
        brushes=BrushSummaries(),
        jobs=Jobs(
            notes,
            # A match takes all cores; beside a long one there is room for the short ones.
            at_once=2,
            places=settings.threads // 2,
            patience=patience,
        ),
        # Threads of their own: a match is not behind two long files.
        files=Jobs(notes, at_once=2, places=1, patience=patience, niceness=10),
        copies=copies,
    )


def dataset_options(corpus: Corpus) -> list[tuple[str, str]]:
    """Return (id, title) of each dataset; a broken one is there too, and says so when it is chosen."""
    return [
        (entry.id, entry.title + (" (cannot be opened)" if entry.error else ""))
        for entry in corpus.entries()
    ]
