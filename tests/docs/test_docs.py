"""Every test and file that a page of the documentation names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_pictures_exist(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), f"{page.name} points to {target}"


def test_every_test_in_the_table_of_interactions_exists() -> None:
    text = (ROOT / "docs" / "interactions.md").read_text()
    folder = ROOT / "tests" / "browser"
    rows = [line for line in text.splitlines() if re.match(r"\| \d+ \|", line)]
    assert [int(line.split("|")[1]) for line in rows] == list(range(1, 25))
    for row in rows:
        last = row.split("|")[4]
        files = re.findall(r"`(?:tests/)?(test_\w+\.py)", last)
        known = "".join(
            path.read_text()
            for name in files
            for path in (folder / name, ROOT / "tests" / name)
            if path.exists()
        )
        for name in re.findall(r"(test_\w+)`", last):
            if not name.endswith("py"):
                assert (
                    files == [] or f"def {name}(" in known or f"def {name}(" in text_of(folder)
                ), row


def text_of(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.glob("test_*.py"))


def test_the_page_on_architecture_copies_no_signature() -> None:
    """Copies go stale; arrows and invariants are under test themselves."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    assert "```" not in text
    for signature in (r"\b(?:def|class) \w+", r"\w+\([^)]*\b\w+: \w+", r"\) ->", r"@\w+"):
        assert not re.findall(signature, text), signature


def test_the_page_on_architecture_names_rooms_and_files_that_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    ours = r"(?:app|loaders|components|demos|assets|tests)"
    for name in re.findall(rf"`({ours}(?:\.\w+)*)`", text):
        path = ROOT / name.replace(".", "/")
        assert path.is_dir() or path.with_suffix(".py").exists(), name
    for name in re.findall(rf"`({ours}/[\w/.]+)`", text):
        assert (ROOT / name).exists(), name
