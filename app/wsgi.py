"""For a team: `gunicorn app.wsgi:server`; the settings come from the environment (STATEBRUSH_*)."""

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
    """Return the WSGI application over STATEBRUSH_DATA, or over the demos without it.

    Broken datasets are logged and shown in the picker; the others are served.

    Raises
    ------
    SettingError
        A setting that cannot be used.
    """
    settings = prepared_settings()
    # numba reads where to store its kernels when it is imported, so not before this line.
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
