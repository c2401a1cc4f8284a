"""Building demos on first use."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from demos import registry
from demos.registry import Demo, DemoError, Progress, ensure
from tests import ROOT


def write(out: Path) -> Path:
    """Write a folder like a real builder, completely or not at all."""
    temporary = out.parent / f".{out.name}.1.abc.tmp"
    (temporary / "states").mkdir(parents=True)
    (temporary / "tokens.parquet").touch()
    (temporary / "dataset.yaml").touch()
    temporary.rename(out)
    return out


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Make `small` the only demo; return where it was built, in order."""
    made: list[Path] = []

    def build(out: Path, progress: Progress | None) -> Path:
        made.append(out)
        time.sleep(0.05)
        if progress is not None:
            progress(1.0)
        return write(out)

    monkeypatch.setattr(registry, "DEMOS", (Demo("small", "A small one", build, 3),))
    return made


def test_parens_is_a_demo() -> None:
    assert "parens" in registry.names()
    assert registry.get("parens").title


def test_three_are_included_and_the_corpus_is_downloaded_on_request() -> None:
    assert registry.starters() == ("parens", "chords", "english")
    assert set(registry.names()) - set(registry.starters()) == {"brown"}


def test_data_is_downloaded_once_and_passed_to_the_builder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[Path] = []
    given: list[Path] = []

    def fetch(downloads: Path) -> Path:
        fetched.append(downloads)
        return downloads / "corpus"

    def build(out: Path, folder: Path, progress: Progress | None) -> Path:
        given.append(folder)
        return write(out)

    monkeypatch.setattr(registry, "DEMOS", (Demo("large", "A large one", build, 1, fetch),))
    assert registry.starters() == registry.built(tmp_path) == registry.offered(tmp_path) == ()
    ensure("large", tmp_path)
    ensure("large", tmp_path)
    assert fetched == [tmp_path / "downloads"]
    assert given == [tmp_path / "downloads" / "corpus"]
    assert registry.built(tmp_path) == registry.offered(tmp_path) == ("large",)


def test_a_given_folder_is_used_instead_of_a_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Path] = []

    def fetch(downloads: Path) -> Path:
        raise AssertionError("nothing has to be downloaded")

    def build(out: Path, folder: Path, progress: Progress | None) -> Path:
        given.append(folder)
        return write(out)

    monkeypatch.setattr(registry, "DEMOS", (Demo("large", "A large one", build, 1, fetch),))
    ensure("large", tmp_path / "cache", source=tmp_path / "mine")
    assert given == [tmp_path / "mine"]


def test_an_included_demo_takes_no_folder(builds: list[Path], tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="leave out --from"):
        ensure("small", tmp_path, source=tmp_path)
    assert builds == []


def test_names_are_dataset_ids_and_versions_count_from_one() -> None:
    assert len(set(registry.names())) == len(registry.DEMOS)
    for demo in registry.DEMOS:
        assert demo.name.isidentifier()
        assert demo.version >= 1


def test_a_demo_is_built_once(builds: list[Path], tmp_path: Path) -> None:
    first = ensure("small", tmp_path / "not" / "there")
    assert first == tmp_path / "not" / "there" / "v3" / "small"
    assert ensure("small", tmp_path / "not" / "there") == first
    assert builds == [first]


def test_progress_is_reported_only_while_building(builds: list[Path], tmp_path: Path) -> None:
    reported: list[float] = []
    ensure("small", tmp_path, reported.append)
    assert reported == [1.0]
    ensure("small", tmp_path, reported.append)
    assert reported == [1.0]
    assert len(builds) == 1


def test_another_version_is_built_next_to_the_old_one(
    builds: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = ensure("small", tmp_path)
    (demo,) = registry.DEMOS
    newer = Demo(demo.name, demo.title, demo.builder, demo.version + 1)
    monkeypatch.setattr(registry, "DEMOS", (newer,))
    new = ensure("small", tmp_path)
    assert old.name == new.name == "small"
    assert old != new
    assert len(builds) == 2


def test_concurrent_requests_build_once(builds: list[Path], tmp_path: Path) -> None:
    got: list[Path] = []
    threads = [
        threading.Thread(target=lambda: got.append(ensure("small", tmp_path))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(got)) == 1
    assert len(got) == 6
    assert len(builds) == 1


def test_a_failed_build_is_tried_again(
    builds: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(out: Path, progress: Progress | None) -> Path:
        raise OSError("no space left")

    good = registry.DEMOS
    monkeypatch.setattr(registry, "DEMOS", (Demo("small", "A small one", fail, 3),))
    with pytest.raises(OSError, match="no space"):
        ensure("small", tmp_path)
    monkeypatch.setattr(registry, "DEMOS", good)
    assert ensure("small", tmp_path).is_dir()
    assert len(builds) == 1


def test_leftovers_of_a_killed_build_are_removed(builds: list[Path], tmp_path: Path) -> None:
    leftover = tmp_path / "v3" / ".small.4711.0123abcd.tmp"
    other = tmp_path / "v3" / ".other.4711.0123abcd.tmp"
    for folder in (leftover, other):
        (folder / "states").mkdir(parents=True)
    ensure("small", tmp_path)
    assert len(builds) == 1
    assert not leftover.exists()
    assert other.exists()


def test_it_builds_without_locks(
    builds: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(handle: int, operation: int) -> None:
        raise OSError("locks are not supported here")

    monkeypatch.setattr("fcntl.flock", refuse)
    at_work = tmp_path / "v3" / ".small.4711.0123abcd.tmp"
    at_work.mkdir(parents=True)
    assert ensure("small", tmp_path).is_dir()
    assert len(builds) == 1
    assert at_work.exists()  # it may belong to a running process


def test_an_unknown_demo_is_refused_with_a_plain_sentence(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match=r"^There is no demo 'nothing'; the demos are .*parens"):
        ensure("nothing", tmp_path)
    assert list(tmp_path.iterdir()) == []


def start(code: str, root: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, str(root)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


ENSURE = """
import sys
from pathlib import Path
from demos.registry import ensure
reported = []
print(ensure("parens", Path(sys.argv[1]), reported.append), len(reported) > 0)
"""

KILLED = """
import os, signal, sys
from pathlib import Path
from demos.registry import ensure
def kill(share):
    if share > 0.5:
        os.kill(os.getpid(), signal.SIGKILL)
ensure("parens", Path(sys.argv[1]), kill)
"""


def finish(process: subprocess.Popen[str]) -> tuple[str, str]:
    out, err = process.communicate(timeout=300)
    return out.strip(), err


def test_two_processes_share_one_build_of_the_real_demo_after_one_was_killed(
    tmp_path: Path,
) -> None:
    killed = start(KILLED, tmp_path)
    finish(killed)
    assert killed.returncode == -signal.SIGKILL
    assert not list(tmp_path.rglob("parens"))

    both = [start(ENSURE, tmp_path) for _ in range(2)]
    answers = [finish(process) for process in both]
    assert [process.returncode for process in both] == [0, 0], answers
    folder = tmp_path / f"v{registry.get('parens').version}" / "parens"
    assert sorted(out for out, _ in answers) == [f"{folder} False", f"{folder} True"]
    assert sorted(path.name for path in folder.parent.iterdir()) == [".parens.lock", "parens"]


def test_a_folder_half_deleted_is_built_again(tmp_path: Path, builds: list[Path]) -> None:
    def replace(out: Path, progress: Progress | None) -> Path:
        (out / "tokens.parquet").touch()
        return out

    folder = ensure("small", tmp_path)
    (folder / "tokens.parquet").unlink()
    rebuild: Callable[[Path, Progress | None], Path] = replace
    (demo,) = registry.DEMOS
    registry_demo = Demo(demo.name, demo.title, rebuild, demo.version)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "DEMOS", (registry_demo,))
        assert ensure("small", tmp_path) == folder
    assert (folder / "tokens.parquet").exists()
