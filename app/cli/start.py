"""What commands begin with: their settings, and the demos where no data is named."""

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
    """Return the settings, given ones before those of the environment, with a cache folder ready."""
    settings = settings_module.load(os.environ, given)
    if data:
        settings = replace(settings, data=tuple(Path(path).expanduser() for path in data))
    settings_module.prepare_cache(settings)
    return settings


def build_demos(
    settings: Settings, name: str | None = None, source: str | None = None
) -> tuple[Path, ...]:
    """Build one demo, or all that come along, and return where they are.

    `source` is the folder with the material of that demo.
    """
    from demos import registry

    if name is None and source is not None:
        raise RequestError("--from goes with the NAME of a demo: demo brown --from FOLDER.")
    root = settings.cache_dir / "demos"
    names = registry.offered(root) if name is None else (name,)
    folder = None if source is None else Path(source).expanduser()
    return tuple(registry.ensure(one, root, progress(one, always=True), folder) for one in names)
