"""What a page loads first: compressed, cached by the browser, and requested before it is needed.

Scripts, style sheets, the layout and the list of callbacks are compressed, once per encoding, and cached
in memory. Answers to callbacks and of the API are not compressed: most users are on the same machine or
network, where compressing a window takes longer than sending it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Callable
from pathlib import Path

from cachetools import LRUCache
from dash import Dash
from flask import Flask, Response, g, request
from flask_compress import Compress

#: The size of the cache of compressed content in bytes; a first load has about one million.
_CACHE_BYTES = 32 << 20
_ENDINGS = ("_dash-layout", "_dash-dependencies")
_YEAR = 365 * 24 * 3600


class _Cache:
    """A cache with the interface required by Flask-Compress, bounded in bytes. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._contents: LRUCache[str, bytes] = LRUCache(_CACHE_BYTES, getsizeof=len)

    def get(self, key: str) -> bytes | None:
        """Return compressed content, or None."""
        with self._lock:
            return self._contents.get(key)

    def set(self, key: str, value: bytes) -> None:
        """Cache compressed content, unless it is larger than the cache."""
        with self._lock, contextlib.suppress(ValueError):
            self._contents[key] = value


def static_files(app: Flask, prefix: str) -> Callable[[Response], Response]:
    """Return a function to be called after each request, which compresses static answers.

    Browsers may cache an asset whose address has Dash's ``?m=`` (its modification time) for a year: changed
    content has a different address.

    Parameters
    ----------
    app
        The Flask application.
    prefix
        The path prefix of Dash's routes, with slashes at both ends.
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


def head(app: Dash, assets: Path) -> str:
    """Return the first elements of the page's ``<head>``, so that all files are requested early.

    The browser's modules import each other by plain addresses. The import map adds versions, so that they
    are cached like other assets. They, the layout and the list of callbacks are requested together with the
    scripts and not only after these have run.

    Parameters
    ----------
    app
        The dashboard.
    assets
        The folder of the assets.
    """
    files = sorted(assets.glob("*/*.mjs"))
    plain = [app.get_asset_url(file.relative_to(assets).as_posix()) for file in files]
    imports = {
        address: f"{address}?m={file.stat().st_mtime}"
        for address, file in zip(plain, files, strict=True)
    }
    prefix = app.config.requests_pathname_prefix
    return "\n    ".join(
        [
            f'<script type="importmap">{json.dumps({"imports": imports})}</script>',
            *(f'<link rel="modulepreload" href="{address}">' for address in imports.values()),
            # Dash requests these two with fetch().
            *(
                f'<link rel="preload" as="fetch" crossorigin href="{prefix}{name}">'
                for name in _ENDINGS
            ),
        ]
    )
