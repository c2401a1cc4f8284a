"""The command `match`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from app.cli.console import progress, reporting, write
from app.cli.parameters import options_of, setting
from app.output import options
from app.startup import prepared_settings


@click.command("match")
@click.argument("data", type=click.Path())
@options_of(options.MATCH_OPTIONS)
@options_of(options.ROW_OPTIONS)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv", "spreadsheet"]),
    default="table",
    show_default=True,
    help="The output format; csv is for programs, spreadsheet is CSV for spreadsheets.",
)
@setting("cache_dir")
@setting("cache_bytes")
@setting("bits_on_disk")
@setting("workers")
def match_command(
    data: str,
    form: str,
    cache_dir: str | None,
    cache_bytes: str | None,
    bits_on_disk: str | None,
    workers: str | None,
    **given: Any,
) -> int:
    """Find every range in DATA where the states selected by a range, or given, are on together."""
    settings = prepared_settings(
        cache_dir=cache_dir, cache_bytes=cache_bytes, bits_on_disk=bits_on_disk, workers=workers
    )
    from app.corpus import opened
    from app.execution.local import processes
    from app.matching import Control, MatchService
    from loaders import open_dataset

    shown = {one.name: given.pop(one.name) for one in options.ROW_OPTIONS}
    if form == "table" and any(shown.values()):
        raise options.OptionError(
            "A table has no room for the words around matches and for annotations; give --format json, "
            "csv or spreadsheet."
        )
    query = options.query_from_options(given, options.flag)
    dataset = open_dataset(Path(data).expanduser(), settings.cache_dir, progress(data))
    name = options.source_name(dataset, given["source"], options.flag)
    beside = options.beside_of(dataset, shown, options.flag)
    found = opened(dataset, name, settings.bits_on_disk)
    executors = processes(settings.workers)
    service = MatchService(settings.cache_bytes, executors=executors)
    control = Control()
    try:
        with reporting(control, progress(data, verb="Searching")):
            result = service.match(found.key, found.states, query, control)
    finally:
        for executor in executors:
            executor.shutdown(cancel_futures=True)
    from app.output import answers, listing

    sequence_id = options.sequence_ids(dataset)
    words: dict[str, Any] = {"tokens": dataset.tokens, "sequence_id": sequence_id}
    names: dict[str, Any] = {"source": name, "state_names": found.source.state_names}
    if form == "json":
        answer = answers.answer_json(result, **names, **words, output_format=form, beside=beside.of)
        write(json.dumps(answer) + "\n")
    elif form in listing.CSV_FORMATS:
        write(listing.answer_csv(result, form, beside, sequence_id))
    else:
        write(answers.answer_text(result, **names, **words) + "\n")
    return 0


def register(group: click.Group) -> None:
    """Add the command."""
    group.add_command(match_command)
