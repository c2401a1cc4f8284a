"""What the command line and the entry for gunicorn begin with: settings, and the demos without data."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from app import settings as settings_module
from app.settings import Settings

Report = Callable[..., None]


def prepared_settings(data: Sequence[str] = (), **given: str | None) -> Settings:
    """Return the settings, with a cache folder that can be written.

    Parameters
    ----------
    data
        Datasets, and folders of datasets, instead of those of the environment.
    **given
        Settings from the command line, which come before those of the environment.

    Raises
    ------
    SettingError
        A setting that cannot be used.
    """
    settings = settings_module.load(os.environ, given)
    if data:
        settings = replace(settings, data=tuple(Path(path).expanduser() for path in data))
    settings_module.prepare_cache(settings)
    return settings


def build_demos(
    settings: Settings,
    name: str | None = None,
    source: Path | None = None,
    progress: Callable[[str], Report | None] = lambda name: None,
) -> tuple[Path, ...]:
    """Build what is missing of the demos, and return where they are.

    Parameters
    ----------
    settings
        Names the cache folder.
    name
        The demo; None for all that need nothing to be fetched.
    source
        The folder with the material of that demo, instead of fetching it.
    progress
        Gives for the name of a demo a function to be called with the share done.
    """
    from demos import registry

    root = settings.cache_dir / "demos"
    names = registry.offered(root) if name is None else (name,)
    return tuple(registry.ensure(one, root, progress(one), source) for one in names)
