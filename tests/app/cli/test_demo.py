"""`demo`."""

from __future__ import annotations

from pathlib import Path

from tests.app.cli.conftest import Run


def test_own_songs_become_a_dataset(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("One\tC major\t| C F G7 | C^\nTwo\t| Am Xyz F\n")
    arguments = ["--from", tmp_path / "mine.txt", "--out", tmp_path / "mine"]
    ran = run("demo", "chords", *arguments)
    assert (ran.code, ran.out.strip()) == (0, str(tmp_path / "mine"))
    assert "2 songs read; 1 token is not a chord that the model knows" in ran.err
    assert "Xyz (1)" in ran.err
    assert "Problems: none" in run("check", tmp_path / "mine").out
    # Files of the user are never replaced.
    assert "mine" in run("demo", "chords", *arguments).sentence
