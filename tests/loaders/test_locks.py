"""Locks between processes."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from loaders.locks import hold, hold_for_life, is_held
from tests import ROOT


def test_a_lock_is_held_for_its_block_and_asking_does_not_take_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert is_held(path) is False
    assert not path.exists(), "asking does not make it"
    with hold(path) as held:
        assert held
        assert is_held(path)
        assert is_held(path), "the one who asked does not hold it"
    assert is_held(path) is False


def test_waiting_can_be_ended(tmp_path: Path) -> None:
    class EnoughError(Exception):
        pass

    def waiting() -> None:
        raise EnoughError

    path = tmp_path / "lock"
    with hold(path), pytest.raises(EnoughError), hold(path, waiting):
        raise AssertionError("two hold it")
    with hold(path, waiting) as held:
        assert held


def test_one_holds_it_after_the_other(tmp_path: Path) -> None:
    path, waits, got = tmp_path / "lock", threading.Event(), threading.Event()

    def second() -> None:
        with hold(path, waits.set):
            got.set()

    thread = threading.Thread(target=second, daemon=True)
    with hold(path):
        thread.start()
        assert waits.wait(30)
        assert not got.is_set()
    assert got.wait(30)
    thread.join(30)


def test_a_lock_for_life_ends_with_its_process_however_that_ends(tmp_path: Path) -> None:
    path = tmp_path / "alive"
    code = (
        "import sys, threading; from pathlib import Path; from loaders.locks import hold_for_life\n"
        "hold_for_life(Path(sys.argv[1])); print('held', flush=True); threading.Event().wait()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "held\n"
        assert is_held(path)
        process.kill()
        process.wait()
    assert is_held(path) is False


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        hold_for_life(tmp_path / "nowhere" / "alive")
