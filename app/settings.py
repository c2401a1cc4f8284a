"""All settings; environment, command line help and docs/settings.md are generated from them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs


class SettingError(ValueError):
    """An invalid setting; str(error) is one plain sentence for a person."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a process.

    Attributes
    ----------
    data
        Datasets and folders of datasets; empty for the demos.
    host, port
        The address that `serve` listens on.
    cache_dir
        The folder for everything derived from the data; can be deleted at any time.
    cache_bytes
        The limit for packed bits in memory.
    bits_on_disk
        The limit, in bytes, for packed bits in files.
    threads
        The number of requests that `serve` handles at once.
    workers
        The number of processes that make the passes of a match; 0: threads of the serving process.
    debug
        Show the traceback of an unexpected error.
    """

    data: tuple[Path, ...] = ()
    host: str = "127.0.0.1"
    port: int = 8050
    cache_dir: Path = field(
        default_factory=lambda: platformdirs.user_cache_path("statebrush", appauthor=False)
    )
    cache_bytes: int = 256 << 20
    bits_on_disk: int = 32 << 30
    threads: int = 8
    workers: int = 0
    debug: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its documentation, and how to parse it.

    Attributes
    ----------
    name
        The field of `Settings`.
    env
        The environment variable.
    flag
        The command line option or the name of the argument; None: environment variable only.
    default
        The default of `Settings`, as text.
    sentence
        A description.
    read
        Parses a text to a value; raises `SettingError`.
    """

    name: str
    env: str
    flag: str | None
    default: str
    sentence: str
    read: Callable[[str], object]


def _paths(text: str) -> tuple[Path, ...]:
    return tuple(Path(part).expanduser() for part in text.split(os.pathsep) if part)


def _path(text: str) -> Path:
    if not text:
        raise SettingError("is empty; give a folder")
    return Path(text).expanduser().absolute()


def _host(text: str) -> str:
    if not text:
        raise SettingError("is empty; give a name or an address, for example 127.0.0.1")
    return text


def _whole(text: str, least: int, most: int) -> int:
    if not re.fullmatch(r"[0-9]{1,12}", text) or not least <= int(text) <= most:
        raise SettingError(f"is {text!r}; give a whole number from {least} to {most}")
    return int(text)


def _port(text: str) -> int:
    return _whole(text, 0, 65535)


def _threads(text: str) -> int:
    return _whole(text, 1, 256)


def _workers(text: str) -> int:
    return _whole(text, 0, 256)


def _bytes(text: str) -> int:
    size = re.fullmatch(r"([0-9]{1,12})([KMGT]?)", text)
    if size is None:
        raise SettingError(f"is {text!r}; give a number of bytes, for example 512M or 2G")
    return int(size[1]) << 10 * " KMGT".index(size[2] or " ")


def _switch(text: str) -> bool:
    if text not in ("0", "1"):
        raise SettingError(f"is {text!r}; give 1 or 0")
    return text == "1"


SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="data",
        env="STATEBRUSH_DATA",
        flag="DATA",
        default="the demos",
        sentence="The datasets, and folders of datasets, to serve "
        f"(in the environment with {os.pathsep!r} between them).",
        read=_paths,
    ),
    Setting(
        name="host",
        env="STATEBRUSH_HOST",
        flag="--host",
        default="127.0.0.1",
        sentence="The name or address to listen on; 0.0.0.0 lets other machines in.",
        read=_host,
    ),
    Setting(
        name="port",
        env="STATEBRUSH_PORT",
        flag="--port",
        default="8050",
        sentence="The port to listen on; 0 picks a free one.",
        read=_port,
    ),
    Setting(
        name="cache_dir",
        env="STATEBRUSH_CACHE_DIR",
        flag="--cache-dir",
        default="statebrush in the user's cache folder",
        sentence="The folder for everything derived from the data, the demos included; "
        "it may be deleted at any time.",
        read=_path,
    ),
    Setting(
        name="cache_bytes",
        env="STATEBRUSH_CACHE_BYTES",
        flag="--cache-bytes",
        default="256M",
        sentence="How much memory the packed bits of recent thresholds may take "
        "(K, M, G and T are understood). A source that needs more stores its bits in files in the "
        "cache folder instead.",
        read=_bytes,
    ),
    Setting(
        name="bits_on_disk",
        env="STATEBRUSH_BITS_ON_DISK",
        flag="--bits-on-disk",
        default="32G",
        sentence="How much disk space the packed bits may take, over all sources together; the "
        "least recently used thresholds are removed first.",
        read=_bytes,
    ),
    Setting(
        name="threads",
        env="STATEBRUSH_THREADS",
        flag="--threads",
        default="8",
        sentence="How many requests are handled at once.",
        read=_threads,
    ),
    Setting(
        name="workers",
        env="STATEBRUSH_WORKERS",
        flag="--workers",
        default="0",
        sentence="How many processes share the passes of a match, each over its own steps; "
        "0: threads of one process, one per core.",
        read=_workers,
    ),
    Setting(
        name="debug",
        env="STATEBRUSH_DEBUG",
        flag=None,
        default="0",
        sentence="1 shows the traceback of an unexpected error.",
        read=_switch,
    ),
)


def setting(name: str) -> Setting:
    """Return the setting of that name; raises KeyError if there is none."""
    for one in SETTINGS:
        if one.name == name:
            return one
    raise KeyError(name)


def load(environ: Mapping[str, str], given: Mapping[str, str | None] | None = None) -> Settings:
    """Return the settings: options first, then environment variables, then defaults.

    Parameters
    ----------
    environ
        The environment variables. Empty ones count as not set.
    given
        Name -> text from the command line; None means not given.

    Raises
    ------
    SettingError
        The message names the option or variable, its value, and what is expected.
    """
    values: dict[str, object] = {}
    for one in SETTINGS:
        text, named = (given or {}).get(one.name), one.flag or one.env
        if text is None and environ.get(one.env):
            text, named = environ[one.env], one.env
        if text is None:
            continue
        try:
            values[one.name] = one.read(text)
        except SettingError as error:
            raise SettingError(f"{named} {error}.") from None
    return Settings(**values)  # type: ignore[arg-type]  # each `read` returns its field's type


def table() -> str:
    """Return the Markdown table of all settings, as in docs/settings.md."""
    lines = [
        "| On the command line | In the environment | Default | What it does |",
        "|---|---|---|---|",
    ]
    for one in SETTINGS:
        flag = f"`{one.flag}`" if one.flag else ""
        lines.append(f"| {flag} | `{one.env}` | {one.default} | {one.sentence} |")
    return "\n".join(lines) + "\n"


def prepare_cache(settings: Settings) -> None:
    """Create the cache folder, and make numba cache its compiled kernels there.

    Must be called before anything imports numba, which reads NUMBA_CACHE_DIR once. An existing value of
    that variable is kept.

    Raises
    ------
    SettingError
        The folder cannot be created or written.
    """
    kernels = settings.cache_dir / "numba"
    try:
        kernels.mkdir(parents=True, exist_ok=True)
        writable = os.access(kernels, os.W_OK | os.X_OK)
        why = "Permission denied"
    except OSError as error:
        writable, why = False, error.strerror or str(error)
    if not writable:
        raise SettingError(
            f"The cache folder {settings.cache_dir} cannot be written ({why}); "
            "choose another one with --cache-dir or STATEBRUSH_CACHE_DIR."
        )
    os.environ.setdefault("NUMBA_CACHE_DIR", str(kernels))
