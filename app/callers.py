"""Whether a program still waits for what it asked: long work within a request ends when it does not."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from app.matching import Control

# Between two looks.
_SECONDS = 0.2
# Where Linux's server keeps the connection: gunicorn's and, in tests and while developing, Werkzeug's.
_CONNECTIONS = ("gunicorn.socket", "werkzeug.socket")
_HUNG_UP = getattr(select, "POLLRDHUP", 0)


@contextmanager
def while_waited_for(environ: Mapping[str, Any], most_seconds: float) -> Iterator[Control]:
    """Yield a control that is cancelled when the client has gone, and at the latest when time is up.

    Parameters
    ----------
    environ
        The WSGI environment of the request. Servers that do not show its connection there leave the
        time.
    most_seconds
        How long the work may take.
    """
    control, over = Control(), threading.Event()
    connection = next((environ[name] for name in _CONNECTIONS if name in environ), None)
    until = time.monotonic() + most_seconds

    def watch() -> None:
        while not over.wait(_SECONDS):
            if time.monotonic() >= until or (connection is not None and has_gone(connection)):
                control.cancel()
                return

    watcher = threading.Thread(target=watch, name="caller", daemon=True)
    watcher.start()
    try:
        yield control
    finally:
        over.set()
        watcher.join()  # the server may close the connection, and reuse its number, from here on


def has_gone(connection: socket.socket) -> bool:
    """Whether the other side has closed a connection, or its half of it; reads nothing."""
    try:
        if _HUNG_UP:
            poll = select.poll()
            poll.register(connection, _HUNG_UP)
            return bool(poll.poll(0))
        # Not the method of a TLS connection, which cannot peek.
        flags = socket.MSG_PEEK | socket.MSG_DONTWAIT
        return socket.socket.recv(connection, 1, flags) == b""
    except BlockingIOError:
        return False
    except (OSError, ValueError):
        return True
