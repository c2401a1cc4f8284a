"""Which module of ``assets/`` may import which: core <- select, match, work, without circles."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests import ROOT

ASSETS = ROOT / "assets"

# Folder -> the folders that its modules may import from. Only main.mjs imports from all.
ARROWS = {
    "core": {"core"},
    "select": {"core", "select"},
    "work": {"core", "work"},
    "match": {"core", "match"},
}
MODULES = sorted(ASSETS.rglob("*.mjs"))
# Types, too, are imported: in comments.
IMPORT = re.compile(r'^(?:import|/\*\* @import) [^"]*"([^"]+\.mjs)"', re.MULTILINE)


def imports(path: Path) -> set[Path]:
    text = path.read_text(encoding="utf-8")
    return {(path.parent / name).resolve() for name in IMPORT.findall(text)}


def test_main_is_the_only_file_at_the_top_and_reaches_every_other() -> None:
    assert [path.name for path in MODULES if path.parent == ASSETS] == ["main.mjs"]
    assert {path.parent.name for path in ASSETS.rglob("*.js")} == {"vendor"}
    reached = {ASSETS / "main.mjs"}
    todo = list(reached)
    while todo:
        new = imports(todo.pop()) - reached
        reached |= new
        todo += new
    assert reached == set(MODULES)


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if path.parent != ASSETS],
    ids=lambda path: path.relative_to(ASSETS).as_posix(),
)
def test_a_module_imports_only_what_its_folder_may(path: Path) -> None:
    assert {found.parent.name for found in imports(path)} <= ARROWS[path.parent.name]


def test_there_are_no_circles() -> None:
    TopologicalSorter({path: imports(path) for path in MODULES}).prepare()
