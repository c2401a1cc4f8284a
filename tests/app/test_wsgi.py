"""The entry for gunicorn."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests import ROOT
from tests.app.cli.conftest import Build


def test_the_production_entry_takes_its_settings_from_the_environment(
    dataset_folder: Build, tmp_path: Path
) -> None:
    code = "from app.wsgi import server; print(server.test_client().get('/').status)"
    environ = {"STATEBRUSH_DATA": str(dataset_folder()), "STATEBRUSH_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, **environ},
    )
    assert (done.returncode, done.stdout) == (0, "200 OK\n"), done.stderr


def test_the_production_entry_starts_on_the_demos_without_a_download(tmp_path: Path) -> None:
    code = """
from demos import registry
registry.DEMOS = (registry.get("parens"), registry.get("brown"))
from app.wsgi import server
print(server.test_client().get("/api/v1/datasets").json["datasets"][0]["id"])
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        # Where there is no npm.
        env={
            **os.environ,
            "STATEBRUSH_CACHE_DIR": str(tmp_path),
            "STATEBRUSH_DATA": "",
            "PATH": "",
        },
    )
    assert (done.returncode, done.stdout) == (0, "parens\n"), done.stderr
