"""For production: `gunicorn app.wsgi:server`; settings come from the environment (STATEBRUSH_*)."""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING

from app import settings as settings_module
from app.web import serving

if TYPE_CHECKING:
    from flask import Flask

_LOG = logging.getLogger("statebrush")


def make_server() -> Flask:
    """Return the WSGI application for STATEBRUSH_DATA, or for the demos if it is not set.

    Broken datasets are logged and shown in the picker; the others are served.

    Raises
    ------
    SettingError
        A setting is invalid.
    """
    settings = settings_module.load(os.environ)
    settings_module.prepare_cache(settings)
    # numba reads its cache folder on import, so import it only from here on.
    from app.matching import warm
    from app.web.factory import create_app
    from demos import registry
    from loaders import Catalog

    root = settings.cache_dir / "demos"
    paths = settings.data or tuple(registry.ensure(name, root) for name in registry.offered(root))
    catalog = Catalog(paths, settings.cache_dir)
    for entry in catalog.entries():
        if entry.error:
            _LOG.error("%s: %s", entry.id, entry.error)
    serving.answer_promptly()
    serving.allow_open_files()
    threading.Thread(target=warm, name="warm", daemon=True).start()
    application: Flask = create_app(catalog=catalog, settings=settings).server
    return application


server = make_server()
