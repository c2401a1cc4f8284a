"""Files and folders are written completely or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from loaders.atomic import temporary_folder, temporary_name, whole_file


def test_a_file_appears_when_it_is_whole_and_replaces_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "note"
    path.write_bytes(b"before")
    with whole_file(path) as file:
        file.write(b"after")
        assert path.read_bytes() == b"before"
    assert path.read_bytes() == b"after"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "note"
    path.write_bytes(b"before")
    with pytest.raises(ZeroDivisionError), whole_file(path) as file:
        file.write(b"%d" % (1 // file.write(b"")))
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_temporary_folder_is_renamed_or_deleted(tmp_path: Path) -> None:
    with temporary_folder(tmp_path, "data") as folder:
        (folder / "part").touch()
        folder.rename(tmp_path / "data")
    assert [path.name for path in tmp_path.rglob("*")] == ["data", "part"]
    with pytest.raises(IsADirectoryError), temporary_folder(tmp_path, "data") as folder:
        folder.write_bytes(b"")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_no_two_temporary_names_are_equal() -> None:
    assert len({temporary_name("x") for _ in range(1000)}) == 1000
