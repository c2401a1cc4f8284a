"""The command line, run in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.cli.main import main

Build = Callable[..., Path]


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """Return stderr, which must be one line, with nothing on stdout."""
        assert self.code == 2
        assert self.out == ""
        assert self.err.count("\n") == 1, self.err
        assert self.err.rstrip().endswith("."), self.err
        assert "Traceback" not in self.err
        assert "Something unexpected" not in self.err
        return self.err.rstrip("\n")

    @property
    def answer(self) -> dict[str, Any]:
        assert (self.code, self.err) == (0, "")
        answer: dict[str, Any] = json.loads(self.out)
        return answer


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def run(
    capfd: pytest.CaptureFixture[str], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Ran]:
    """Run the command line in this process."""
    monkeypatch.setenv("STATEBRUSH_CACHE_DIR", str(cache))

    def run_it(*arguments: object) -> Ran:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        return Ran(code, *capfd.readouterr())

    return run_it


Run = Callable[..., Ran]


RANGE = "--start 3 --stop 6 --threshold 0.5"
