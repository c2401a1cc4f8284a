"""The command `check`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from app import settings as settings_module
from app.cli.console import FAILED, program, progress, say, write
from app.cli.parameters import setting


@click.command("check")
@click.argument("data", type=click.Path())
@click.option("--deep", is_flag=True, help="Read every byte and show a hash of each file.")
@setting("cache_dir")
def check_command(data: str, deep: bool, cache_dir: str | None) -> int:
    """Describe the dataset DATA and report every problem in it, or in each dataset of a folder.

    Exit code: 0 no problems (warnings allowed), 1 problems, 2 not a dataset folder.
    """
    settings = settings_module.load(os.environ, {"cache_dir": cache_dir})
    from loaders.catalog import datasets_at
    from loaders.check import check as check_dataset
    from loaders.problems import counted, listed, printable

    path = Path(data).expanduser()
    folders = datasets_at(path)
    in_all = counted(len(folders), "dataset")
    code, broken = 0, []
    if folders != [path]:
        write(f"{printable(str(path))} is a folder of {in_all}.\n\n")
    for folder in folders:
        report = check_dataset(
            folder, deep=deep, cache_dir=settings.cache_dir, progress=progress(str(folder))
        )
        if not report.is_dataset:
            say(report.text())
            return FAILED
        write(report.text(program()) + "\n")
        if folders != [path]:
            write("\n")
        code = max(code, report.exit_code)
        if report.problems:
            broken.append(printable(folder.name))
    if folders != [path]:
        where = f"; there are problems in {listed(broken)}" if broken else ""
        write(f"{len(folders) - len(broken):,} of {in_all} can be served{where}.\n")
    return code


def register(group: click.Group) -> None:
    """Add the command."""
    group.add_command(check_command)
