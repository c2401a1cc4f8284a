"""The command `serve`."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.console import FAILED, progress, say
from app.cli.parameters import setting
from app.startup import build_demos, prepared_settings

if TYPE_CHECKING:
    from loaders import Catalog


@click.command("serve")
@click.argument("data", nargs=-1, type=click.Path())
@setting("host")
@setting("port")
@setting("cache_dir")
@setting("cache_bytes")
@setting("bits_on_disk")
@setting("threads")
@setting("workers")
def serve_command(data: tuple[str, ...], **given: str | None) -> int:
    """Open the dashboard on DATA (datasets, and folders of datasets), or on the demos without DATA."""
    settings = prepared_settings(data, **given)
    from app.web import serving

    # Bind first: later work would be lost if the port is in use.
    with serving.bind(settings.host, settings.port) as listener:
        paths = settings.data or build_demos(settings, progress=partial(progress, always=True))
        from app.matching import warm
        from app.web.factory import create_app
        from loaders import Catalog

        catalog = Catalog(paths, settings.cache_dir, progress("the data", always=True))
        if not _open_first(catalog):
            return FAILED
        # The first match should not wait for the compiler. The first start compiles (some seconds, cached
        # in the cache folder), later ones load (under a second), and the worker inherits the kernels.
        if not any(Path(os.environ["NUMBA_CACHE_DIR"]).rglob("*.nbi")):
            click.echo("Compiling the search (only at the first start)", err=True)
        warm()
        app = create_app(catalog=catalog, settings=settings)
        address = serving.url(settings.host, listener)

        def started() -> None:
            click.echo(f"Statebrush is at {address}")

        serving.serve(app.server, listener, settings.threads, started)
    return 0


def _open_first(catalog: Catalog) -> bool:
    """Report the problems of broken datasets, open the first valid one, and return whether there is one.

    This prepares the copy that the first page shows, with progress, before the page is loaded.
    """
    from loaders import DatasetError

    is_open = False
    for entry in catalog.entries():
        try:
            dataset = catalog.get(entry.id)
            if not is_open:
                source = dataset.default.source if dataset.default else None
                dataset.open_source(source or next(iter(dataset.sources)))
                is_open = True
        except DatasetError as error:
            say(str(error))
    return is_open


def register(group: click.Group) -> None:
    """Add the command."""
    group.add_command(serve_command)
