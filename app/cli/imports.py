"""The command line's `import`: datasets from other formats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from app.cli.console import progress

if TYPE_CHECKING:
    from loaders.importers.arrays import Array
    from loaders.importers.joining import Imported
    from loaders.importers.steps import Steps

_Command = TypeVar("_Command", bound=Callable[..., Any])

DTYPES = ("float16", "float32", "float64")
PADDINGS = ("after", "before")
SEQUENCES = ("sentence", "document", "none")
SPLITS = ("lines", "words", "characters")

_ENCODING = click.option(
    "--encoding", default="utf-8", show_default=True, help="The encoding of text files."
)
_OVERWRITE = click.option("--overwrite", is_flag=True, help="Replace what already exists.")
_KEEP_TAGS = click.option(
    "--keep-tags",
    is_flag=True,
    help="Keep columns of tags (B-NP I-NP O) as tags instead of turning them into ranges.",
)
_DTYPE = click.option(
    "--dtype",
    type=click.Choice(DTYPES),
    help="Round the states to this type; by default their type is unchanged.",
)
_PADDING = click.option(
    "--padding",
    type=click.Choice(PADDINGS),
    default="after",
    show_default=True,
    help="Where arrays of (sequences, length, states) are padded.",
)
_LENGTHS = click.option(
    "--lengths",
    type=click.Path(path_type=Path),
    help="The number of steps of each sequence, as .npy or text.",
)
_TITLE = click.option("--name", "title", help="The name of the dataset.")


def _beside_states(command: _Command) -> _Command:
    """The shared options of the formats with tokens and annotations, in order."""
    states = click.option(
        "--states",
        multiple=True,
        metavar="[NAME=]FILE",
        help="A .npy or .npz file of states, one row per token; can be repeated.",
    )
    add = click.option(
        "--add",
        is_flag=True,
        help="OUT is an existing dataset with the same tokens; add the annotations to it.",
    )
    for option in (_TITLE, _OVERWRITE, _PADDING, _DTYPE, _KEEP_TAGS, _ENCODING, add, states):
        command = option(command)
    return command


@click.command("arrays")
@click.argument("states", nargs=-1, required=True, metavar="[NAME=]FILE...")
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--tokens",
    type=click.Path(path_type=Path),
    required=True,
    help="The tokens: text, .json, .npy, .csv, .tsv, .conll or .conllu.",
)
@click.option(
    "--split",
    type=click.Choice(SPLITS),
    default="lines",
    show_default=True,
    help="How to split a text file into tokens: by line, by word (each line is a sequence), or by character.",
)
@click.option(
    "--vocabulary",
    type=click.Path(path_type=Path),
    help="The tokens of the ids in a .npy file: text with token i in line i, or .json.",
)
@_LENGTHS
@_DTYPE
@_PADDING
@_ENCODING
@_TITLE
@_OVERWRITE
def _arrays(
    states: tuple[str, ...],
    out: Path,
    tokens: Path,
    split: str,
    vocabulary: Path | None,
    encoding: str,
    **options: Any,
) -> int:
    """Import NumPy files of states ([NAME=]FILE...) and their tokens as the dataset OUT.

    Each array of shape (steps, states) or (sequences, length, states) is a source.
    """
    from loaders.importers import conll, delimited
    from loaders.importers.plain import read_plain

    report = progress(str(tokens))
    if tokens.suffix in (".csv", ".tsv"):
        steps = delimited.read_delimited(tokens, delimited.Layout(encoding=encoding), report)
    elif tokens.suffix in (".conll", ".conllu"):
        steps = conll.read_conll(tokens, conll.Layout(encoding=encoding), report)
    else:
        steps = read_plain(
            tokens, split=split, vocabulary=vocabulary, encoding=encoding, progress=report
        )
    return _write_new(out, steps, states, **options)


@click.command("csv")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--token", default="token", show_default=True, help="The column of the tokens.")
@click.option(
    "--sequence", help="The column of the sequence ids; by default 'sequence', if present."
)
@click.option("--delimiter", help="The delimiter; by default detected from the first line.")
@click.option("--annotation", help="The name of a table of ranges; by default that of the file.")
@_beside_states
def _table(
    file: Path,
    out: Path,
    token: str,
    sequence: str | None,
    delimiter: str | None,
    annotation: str | None,
    encoding: str,
    keep_tags: bool,
    **options: Any,
) -> int:
    """Import the table FILE (CSV, TSV), one row per step, and its states as the dataset OUT.

    Every column other than tokens and sequences is an annotation. With --add, a table with the columns
    start, stop and label is an interval annotation.
    """
    from loaders.importers import delimited
    from loaders.importers.joining import add_ranges

    layout = delimited.Layout(token, sequence, delimiter, encoding, keep_tags)
    if options["add"] and delimited.is_table_of_ranges(file, layout):
        ranges, left_out = delimited.read_ranges(file, layout)
        name = annotation or file.stem
        overwrite = options["overwrite"]
        return _report(add_ranges(out, name, ranges, str(file), left_out, overwrite=overwrite))
    if annotation is not None:
        raise click.UsageError("--annotation requires --add and a table with start, stop and label")
    return _write(out, delimited.read_delimited(file, layout, progress(str(file))), **options)


@click.command("conll")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--columns",
    help="The names of the columns, separated by commas, including 'token'; - skips a column.",
)
@click.option(
    "--sequence",
    type=click.Choice(SEQUENCES),
    default="sentence",
    show_default=True,
    help="The unit over which the model's state was carried without a reset.",
)
@_beside_states
def _sentences(
    file: Path,
    out: Path,
    columns: str | None,
    sequence: str,
    encoding: str,
    keep_tags: bool,
    **options: Any,
) -> int:
    """Import the CoNLL file FILE (CoNLL-U, 2003, 2000, ...) and its states as the dataset OUT."""
    from loaders.importers import conll

    named = None if columns is None else tuple(name.strip() for name in columns.split(","))
    layout = conll.Layout(named, sequence, encoding, keep_tags)
    return _write(out, conll.read_conll(file, layout, progress(str(file))), **options)


@click.command("lstmvis")
@click.argument("dir", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--trim",
    is_flag=True,
    help="If files differ in the number of steps, use only the first steps, which all have.",
)
@_DTYPE
@_ENCODING
@_OVERWRITE
def _original(
    dir: Path,  # noqa: A002 - the name of the argument
    out: Path,
    **options: Any,
) -> int:
    """Import the LSTMVis project in DIR (lstm.yml, HDF5, .dict) as the dataset OUT.

    Needs the package h5py.
    """
    from loaders.importers.lstmvis import import_lstmvis

    return _report(import_lstmvis(dir, out, progress=progress(str(out)), **options))


@click.pass_context
def _show_help(context: click.Context) -> None:
    """Show the formats for `import` without arguments, which is not an error."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def register(group: click.Group) -> None:
    """Add the command group `import`."""
    group.add_command(
        click.Group(
            "import",
            callback=_show_help,
            invoke_without_command=True,
            commands=[_arrays, _table, _sentences, _original],
            help="""Create a dataset from another FORMAT, or add annotations to an existing one.

            Anything that could not be imported is listed at the end. docs/importing.md describes the formats.
            """,
        )
    )


def _write(
    out: Path,
    steps: Steps,
    *,
    states: tuple[str, ...],
    add: bool,
    overwrite: bool,
    **options: Any,
) -> int:
    """Write a new dataset, or add annotations to an existing one."""
    from loaders.importers.joining import add_annotations

    if add and states:
        raise click.UsageError("--add and --states cannot be combined: OUT already has states")
    if not add and not states:
        raise click.UsageError("the states are missing; give them with --states, or use --add")
    if add:
        return _report(add_annotations(out, steps, overwrite=overwrite))
    return _write_new(out, steps, states, overwrite=overwrite, **options)


def _write_new(
    out: Path,
    steps: Steps,
    states: tuple[str, ...],
    *,
    dtype: str | None,
    padding: str,
    title: str | None,
    overwrite: bool,
    lengths: Path | None = None,
) -> int:
    from loaders.importers.arrays import open_arrays
    from loaders.importers.joining import import_arrays
    from loaders.importers.plain import read_lengths

    arrays: list[Array] = []
    for text in states:
        name, equals, file = text.partition("=")
        named = bool(equals) and not Path(text).exists()
        path = Path(file if named else text).expanduser()
        arrays.extend(open_arrays(path, name if named else None))
    return _report(
        import_arrays(
            out,
            steps,
            arrays,
            lengths=None if lengths is None else read_lengths(lengths),
            lengths_where=str(lengths),
            dtype=dtype,
            padding=padding,
            config={"name": title} if title else None,
            overwrite=overwrite,
            progress=progress(str(out)),
        )
    )


def _report(done: Imported) -> int:
    """Report what was written and what was left out."""
    from loaders.problems import plural

    parts = [f"{done.n_steps:,} steps"]
    for word, names in (("source", done.sources), ("annotation", done.annotations)):
        if names:
            parts.append(f"{plural(len(names), word)} {', '.join(names)}")
    lines = [f"{done.path}: {'; '.join(parts)}."]
    if done.left_out:
        lines.append("Not imported:")
        lines.extend(f"- {line}" for line in done.left_out)
    click.echo("\n".join(lines).encode())
    return 0
