"""The command line: serve, check, match, state, import, demo.

Every error is one plain sentence on stderr and exit code 2. The modules of a command are imported
when it runs, so that --help is fast.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

import click

from app.cli import check, demo, imports, match, serve, state
from app.cli.console import FAILED, program, say


class _Group(click.Group):
    """Shows the help for `python -m app` without arguments, which is not an error."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, args or ["--help"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code.

    Parameters
    ----------
    arguments
        Without the name of the program; None means those of this process.

    Returns
    -------
    int
        0 success, 1 problems found by `check`, 2 any error, 130 interrupted.
    """
    try:
        code = cli.main(
            args=None if arguments is None else list(arguments),
            prog_name=program(),
            standalone_mode=False,
        )
        sys.stdout.flush()
    except click.Abort:
        return 130
    except click.ClickException as error:
        say(_usage_sentence(error))
        return FAILED
    except Exception as error:
        if os.environ.get("STATEBRUSH_DEBUG") == "1":
            traceback.print_exc()
        say(_sentence(error))
        return FAILED
    return code if isinstance(code, int) else 0


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Brush a few words, see which hidden states are on exactly there, find every other range where they are.

    Each command has --help.
    """


for _command in (serve, check, demo, match, state, imports):
    _command.register(cli)


def _usage_sentence(error: click.ClickException) -> str:
    command = program()
    if isinstance(error, click.UsageError) and error.ctx is not None:
        command = error.ctx.command_path
    return f"{error.format_message().rstrip('.')}; {command} --help shows what it takes."


def _sentence(error: Exception) -> str:
    """Return a sentence about an error for a person."""
    if type(error).__module__.partition(".")[0] in ("app", "demos", "loaders"):
        return str(error)  # the exceptions of this project are sentences already
    if isinstance(error, MemoryError):
        return "There is not enough memory for this; close other programs or ask for fewer matches."
    if isinstance(error, OSError) and error.strerror:
        where = f" ({error.filename})" if error.filename else ""
        return f"The system reports: {error.strerror}{where}; fix that and try again."
    return (
        f"Something unexpected went wrong ({type(error).__name__}: {error}); "
        "set STATEBRUSH_DEBUG=1 to see where, and please report it."
    )
