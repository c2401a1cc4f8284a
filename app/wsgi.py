"""For production: `gunicorn app.wsgi:server`; settings come from the environment (STATEBRUSH_*)."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from app.startup import build_demos, prepared_settings
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
    settings = prepared_settings()
    # numba reads its cache folder on import, so import it only from here on.
    from app.matching import warm
    from app.web.factory import create_app
    from loaders import Catalog

    catalog = Catalog(settings.data or build_demos(settings), settings.cache_dir)
    for entry in catalog.entries():
        if entry.error:
            _LOG.error("%s: %s", entry.id, entry.error)
    serving.answer_promptly()
    serving.allow_open_files()
    threading.Thread(target=warm, name="warm", daemon=True).start()
    application: Flask = create_app(catalog=catalog, settings=settings).server
    return application


server = make_server()
