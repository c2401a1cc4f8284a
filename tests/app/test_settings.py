from __future__ import annotations

import os
import re
from dataclasses import fields
from pathlib import Path

import click
import pytest

from app.cli.main import cli
from app.settings import SETTINGS, SettingError, Settings, load, prepare_cache, setting, table
from tests import ROOT


def test_every_setting_is_described_once_and_every_description_is_a_setting() -> None:
    assert [one.name for one in SETTINGS] == [one.name for one in fields(Settings)]


def test_the_documented_defaults_are_the_real_ones() -> None:
    defaults = Settings()
    for one in SETTINGS:
        if one.name not in ("data", "cache_dir"):  # these are described in words
            assert one.read(one.default) == getattr(defaults, one.name)


def test_docs_contain_the_table_of_settings() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert table() in page, "put what app.settings.table() returns into docs/settings.md"


def test_every_setting_has_a_sentence() -> None:
    for one in SETTINGS:
        assert one.env == f"STATEBRUSH_{one.name.upper()}"
        assert re.fullmatch(r"[A-Z0-9].*\.", one.sentence), one.name


def test_every_flag_is_an_option_of_serve_and_every_option_of_serve_is_a_setting() -> None:
    serve = cli.commands["serve"]
    flags = {one.flag for one in SETTINGS if one.flag is not None}
    assert {flag for option in serve.params for flag in option.opts} - {"data"} == flags - {"DATA"}


def test_every_command_and_every_option_is_documented() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, command in cli.commands.items():
        assert f"python -m app {name}" in readme, f"README.md does not mention {name}"
        assert command.help
        for parameter in command.params:
            text = getattr(parameter, "help", None)
            if parameter.param_type_name == "option":
                assert text
                assert text.endswith("."), f"{name} {parameter.name}"
            else:
                assert str(parameter.human_readable_name) in command.help


def test_every_format_of_import_and_every_option_is_documented() -> None:
    page = (ROOT / "docs" / "importing.md").read_text(encoding="utf-8")
    group = cli.commands["import"]
    assert isinstance(group, click.Group)
    for name, command in group.commands.items():
        assert f"\n## {name}\n" in page
        assert f"python -m app import {name} " in page
        assert command.help
        for parameter in command.params:
            text = getattr(parameter, "help", None)
            if parameter.param_type_name == "option":
                assert text and text.endswith("."), f"import {name} {parameter.name}"
                assert parameter.opts[0] in page, f"docs/importing.md lacks {parameter.opts[0]}"
            else:
                assert str(parameter.human_readable_name) in command.help


def test_every_reader_of_a_format_is_a_format_of_import() -> None:
    """A module of the importers that the command line does not use would not be documented."""
    modules = {path.stem for path in (ROOT / "loaders" / "importers").glob("*.py")}
    shared = {
        "__init__",
        "dictionary",
        "faults",
        "hdf5",
        "joining",
        "lstmvis_project",
        "lstmvis_tracks",
        "plain",
        "spans",
        "steps",
    }
    formats = {"delimited": "csv"}
    group = cli.commands["import"]
    assert isinstance(group, click.Group)
    assert {formats.get(name, name) for name in modules - shared} == set(group.commands)


def test_command_line_wins_over_environment_wins_over_default() -> None:
    environ = {"STATEBRUSH_PORT": "9000", "STATEBRUSH_HOST": "", "STATEBRUSH_CACHE_BYTES": "2G"}
    assert load(environ).port == 9000
    assert load(environ, {"port": "9001"}).port == 9001
    assert load(environ, {"port": None}).port == 9000
    assert load(environ).host == "127.0.0.1"
    assert load(environ).cache_bytes == 2 << 30
    assert load({"STATEBRUSH_DATA": "a:b"}).data == (Path("a"), Path("b"))


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("port", "x", "--port is 'x'; give a whole number from 0 to 65535."),
        ("port", "65536", "--port is '65536'; give a whole number from 0 to 65535."),
        ("port", "-1", "--port is '-1'; give a whole number from 0 to 65535."),
        ("threads", "0", "--threads is '0'; give a whole number from 1 to 256."),
        ("cache_bytes", "much", "--cache-bytes is 'much'; give a number of bytes"),
        ("host", "", "--host is empty; give a name"),
        ("cache_dir", "", "--cache-dir is empty; give a folder."),
    ],
)
def test_a_bad_value_is_named_with_its_option(name: str, text: str, says: str) -> None:
    with pytest.raises(SettingError, match=re.escape(says)):
        load({}, {name: text})


def test_a_bad_value_in_the_environment_is_named_with_its_variable() -> None:
    with pytest.raises(SettingError, match=r"^STATEBRUSH_DEBUG is 'yes'; give 1 or 0\.$"):
        load({"STATEBRUSH_DEBUG": "yes"})


def test_a_cache_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingError, match=r"cannot be written .* --cache-dir"):
        prepare_cache(load({}, {"cache_dir": str(tmp_path / "file" / "cache")}))


def test_kernels_are_cached_in_the_cache_folder_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    prepare_cache(Settings(cache_dir=tmp_path))
    assert os.environ["NUMBA_CACHE_DIR"] == str(tmp_path / "numba")
    monkeypatch.setenv("NUMBA_CACHE_DIR", "elsewhere")
    prepare_cache(Settings(cache_dir=tmp_path))
    assert os.environ["NUMBA_CACHE_DIR"] == "elsewhere"


def test_an_unknown_setting_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        setting("colour")
