"""Compress what a page loads first: scripts, style sheets, the layout and the list of callbacks.

Each content is compressed once for each encoding and cached in memory. Answers to callbacks and of the
API are not compressed: most users are on the same machine or network, where compressing a window
takes longer than sending it.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable

from cachetools import LRUCache
from flask import Flask, Response, g, request
from flask_compress import Compress

#: Bytes of compressed content that are cached; a first load has about one million.
_CACHE_BYTES = 32 << 20
_ENDINGS = ("_dash-layout", "_dash-dependencies")
_YEAR = 365 * 24 * 3600


class _Cache:
    """The cache in the shape that Flask-Compress asks for, bounded in bytes. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._contents: LRUCache[str, bytes] = LRUCache(_CACHE_BYTES, getsizeof=len)

    def get(self, key: str) -> bytes | None:
        """Return a compressed content, None if it is not there."""
        with self._lock:
            return self._contents.get(key)

    def set(self, key: str, value: bytes) -> None:
        """Keep a compressed content, unless it alone is larger than the cache."""
        with self._lock, contextlib.suppress(ValueError):
            self._contents[key] = value


def static_files(app: Flask, prefix: str) -> Callable[[Response], Response]:
    """Return a function to be called after each request, which compresses static answers.

    An asset whose address has Dash's ``?m=`` (the time when the file was changed) may be cached by
    browsers for a year: other content has another address.

    Parameters
    ----------
    app
        The Flask application.
    prefix
        The path under which Dash's routes are, with slashes at both ends.
    """
    app.config.update(
        COMPRESS_REGISTER=False,
        COMPRESS_ALGORITHM=["br", "zstd", "gzip"],
        COMPRESS_BR_LEVEL=9,
        COMPRESS_LEVEL=9,
        COMPRESS_ZSTD_LEVEL=15,
        COMPRESS_CACHE_BACKEND=_Cache,
        COMPRESS_CACHE_KEY=lambda _: g.content,
    )
    compress = Compress(app)
    folders = (f"{prefix}_dash-component-suites/", f"{prefix}assets/")

    def after_request(response: Response) -> Response:
        path = request.path
        static = path.startswith(folders)
        if response.status_code != 200 or not (static or path.endswith(_ENDINGS)):
            return response
        if static and "m" in request.args:
            response.cache_control.no_cache = None
            response.cache_control.public = True
            response.cache_control.max_age = _YEAR
            response.cache_control.immutable = True
        file = response.response
        response.direct_passthrough = False
        g.content = hashlib.blake2b(response.get_data(), digest_size=16).hexdigest()
        if hasattr(file, "close"):
            file.close()
        return compress.after_request(response)

    return after_request
