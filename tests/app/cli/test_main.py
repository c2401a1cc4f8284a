"""What all commands have in common: help, sentences on stderr, exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT
from tests.app.cli.conftest import RANGE, Build, Run


@pytest.mark.parametrize(
    ("started", "program"),
    [
        ([".venv/bin/python", "-m", "app", "check"], ".venv/bin/python -m app"),
        (["/a b/python", "-m", "app", "check"], "'/a b/python' -m app"),
        (["python", "-m", "pytest"], "python -m app"),
    ],
)
def test_printed_commands_start_the_program_in_the_same_way(
    run: Run,
    dataset_folder: Build,
    monkeypatch: pytest.MonkeyPatch,
    started: list[str],
    program: str,
) -> None:
    monkeypatch.setattr(sys, "orig_argv", started)
    data = dataset_folder()
    assert f"Ready: {program} serve {data}\n" in run("check", data).out
    assert f"{program} match --help" in run("match", data, "--start", "x").sentence


@pytest.mark.parametrize("verb", ["", "serve", "check", "match", "state", "demo"])
def test_every_command_has_help(run: Run, verb: str) -> None:
    ran = run(*verb.split(), "--help")
    assert (ran.code, ran.err) == (0, "")
    assert "--help" in ran.out


def test_without_a_command_the_help_is_shown(run: Run) -> None:
    assert run().out == run("--help").out


@pytest.mark.parametrize("verb", ["match", "state"])
def test_help_imports_nothing_slow(verb: str) -> None:
    code = (
        "import sys; from app.cli.main import main; "
        f"main([{verb!r}, '--help']); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert not {"numpy", "numba", "pyarrow", "dash", "gunicorn"} & set(done.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("paint", "No such command 'paint'"),
        ("check", "Missing argument 'DATA'"),
        ("check a b", "b"),
        ("demo nothing", "There is no demo 'nothing'; the demos are"),
        ("demo --from here", "--from needs the NAME of a demo"),
        ("demo parens --from here", "needs no other data; leave out --from"),
        ("demo chords --from songs.txt", "demo chords --from FILE --out FOLDER"),
        ("demo brown --out there", "demo chords --from FILE --out FOLDER"),
        ("demo brown --from nowhere", "nowhere does not contain the Brown corpus"),
        ("serve --port x", "--port is 'x'"),
        ("serve --threads 0", "--threads is '0'"),
        ("serve --cache-bytes lots", "--cache-bytes is 'lots'"),
    ],
)
def test_a_bad_command_is_one_sentence(run: Run, arguments: str, says: str) -> None:
    assert says in run(*arguments.split()).sentence


def test_a_cache_folder_that_cannot_be_written_is_one_sentence(
    run: Run, dataset_folder: Build, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    arguments = [*RANGE.split(), "--cache-dir", tmp_path / "file"]
    assert "cannot be written" in run("match", dataset_folder(), *arguments).sentence


def test_an_error_that_nobody_foresaw_is_a_sentence_and_a_traceback_on_request(
    run: Run, monkeypatch: pytest.MonkeyPatch, dataset_folder: Build
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr("loaders.open_dataset", fails)
    ran = run("match", dataset_folder(), *RANGE.split())
    assert ran.code == 2
    assert ran.err.startswith("Something unexpected went wrong (ZeroDivisionError: division by")
    assert ran.err.count("\n") == 1
    monkeypatch.setenv("STATEBRUSH_DEBUG", "1")
    assert "Traceback" in run("match", dataset_folder(), *RANGE.split()).err
