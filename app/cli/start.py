"""The first steps of commands: their settings, and the demos if no data is given."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from app import settings as settings_module
from app.cli.console import progress
from app.settings import Settings


class RequestError(Exception):
    """A request that cannot be answered; str(error) is one plain sentence for a person."""


def prepared_settings(data: Sequence[str] = (), **given: str | None) -> Settings:
    """Return the settings, with options before environment variables, and the cache folder created."""
    settings = settings_module.load(os.environ, given)
    if data:
        settings = replace(settings, data=tuple(Path(path).expanduser() for path in data))
    settings_module.prepare_cache(settings)
    return settings


def build_demos(
    settings: Settings, name: str | None = None, source: str | None = None
) -> tuple[Path, ...]:
    """Build one demo, or all included ones, and return their paths.

    `source` is a folder with the data of the demo.
    """
    from demos import registry

    if name is None and source is not None:
        raise RequestError("--from needs the NAME of a demo: demo brown --from FOLDER.")
    root = settings.cache_dir / "demos"
    names = registry.offered(root) if name is None else (name,)
    folder = None if source is None else Path(source).expanduser()
    return tuple(registry.ensure(one, root, progress(one, always=True), folder) for one in names)
