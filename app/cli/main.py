"""The command line: serve, check, match, state, import, demo.

Whatever goes wrong is one plain sentence on stderr and exit code 2. What a verb needs is imported
when it runs, so that --help answers at once.
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
    """Bare `python -m app` shows the help, and that is no error."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, args or ["--help"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code.

    Parameters
    ----------
    arguments
        Without the program's name; None takes those of this process.

    Returns
    -------
    int
        0 fine, 1 what `check` says, 2 anything wrong, 130 interrupted.
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
    """Brush a few words, see which hidden states are on exactly there, find every other such place.

    Each command explains itself with --help.
    """


for _command in (serve, check, demo, match, state, imports):
    _command.register(cli)


def _usage_sentence(error: click.ClickException) -> str:
    command = program()
    if isinstance(error, click.UsageError) and error.ctx is not None:
        command = error.ctx.command_path
    return f"{error.format_message().rstrip('.')}; {command} --help shows what it takes."


def _sentence(error: Exception) -> str:
    """What went wrong, in a sentence for a person."""
    if type(error).__module__.partition(".")[0] in ("app", "demos", "loaders"):
        return str(error)  # every exception class of ours is made for a person to read
    if isinstance(error, MemoryError):
        return "There is not enough memory for this; close other programs or ask for fewer matches."
    if isinstance(error, OSError) and error.strerror:
        where = f" ({error.filename})" if error.filename else ""
        return f"The system says: {error.strerror}{where}; fix that and try again."
    return (
        f"Something unexpected went wrong ({type(error).__name__}: {error}); "
        "set STATEBRUSH_DEBUG=1 to see where, and please report it."
    )
