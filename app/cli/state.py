"""The command `state`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from app.cli.console import progress, write
from app.cli.parameters import options_of, setting
from app.output import options
from app.startup import prepared_settings


@click.command("state")
@click.argument("data", type=click.Path())
@options_of(options.STATE_OPTIONS)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How the answer is written.",
)
@setting("cache_dir")
def state_command(data: str, form: str, cache_dir: str | None, **given: Any) -> int:
    """Show one state over all of DATA: its values, how often it is on, its strongest places."""
    settings = prepared_settings(cache_dir=cache_dir)
    from app.corpus import opened
    from app.output.state import state_json, state_number, state_text
    from loaders import open_dataset

    dataset = open_dataset(Path(data).expanduser(), settings.cache_dir, progress(data))
    name = options.source_name(dataset, given["source"], options.flag)
    found = opened(dataset, name)
    state = state_number(found.source, given["state"])
    answer = state_json(found, state, given["threshold"], given["polarity"])
    write((json.dumps(answer) if form == "json" else state_text(answer)) + "\n")
    return 0


def register(group: click.Group) -> None:
    """Add the command."""
    group.add_command(state_command)
