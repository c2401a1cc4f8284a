"""Clients that occupy a thread of the server: while they wait for an answer, and while they receive it.

Long work within a request ends when its client has disconnected; the sending of a large answer ends
when the client does not read it, and that of a program occupies a slot like long work.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import Response, request

from app.matching import Control
from app.work.jobs import Jobs

#: Bytes of one piece of an answer.
PIECE = 1 << 18

# The interval of checks.
_SECONDS = 0.2
# Where Linux's server keeps the connection: gunicorn's and, in tests and while developing, Werkzeug's.
_CONNECTIONS = ("gunicorn.socket", "werkzeug.socket")
_HUNG_UP = getattr(select, "POLLRDHUP", 0)


@contextmanager
def cancelled_with_client(environ: Mapping[str, Any], most_seconds: float) -> Iterator[Control]:
    """Yield a control that is cancelled when the client disconnects, and when time is up.

    Parameters
    ----------
    environ
        The WSGI environment of the request. If the server does not provide its connection there, only the time
        counts.
    most_seconds
        How long the work may take.
    """
    control, over = Control(), threading.Event()
    connection = _connection(environ)
    until = time.monotonic() + most_seconds

    def watch() -> None:
        while not over.wait(_SECONDS):
            if time.monotonic() >= until or (
                connection is not None and has_disconnected(connection)
            ):
                control.cancel()
                return

    watcher = threading.Thread(target=watch, name="client", daemon=True)
    watcher.start()
    try:
        yield control
    finally:
        over.set()
        watcher.join()  # the server may close the connection, and reuse its number, from here on


def has_disconnected(connection: socket.socket) -> bool:
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


def held_until_sent(response: Response, jobs: Jobs) -> bool:
    """Make an answer occupy a slot until it is sent; returns False, without effect, if none is free.

    A client may read slowly while a thread of the server waits for it; the slots bound how many do.
    """
    with contextlib.ExitStack() as slot:
        if not slot.enter_context(jobs.slot()):
            return False
        response.call_on_close(slot.pop_all().close)
        return True


class SendTimeout:
    """Disconnects clients that do not read what is sent to them. Thread-safe.

    Parameters
    ----------
    seconds
        The time in which a client must read a `PIECE`: with a minute, 4 kB per second are enough.
    """

    def __init__(self, seconds: float = 60.0) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._late: dict[socket.socket, float] = {}  # from when on
        self._watching = False

    def limit(self, response: Response) -> Response:
        """Send an answer of more than a `PIECE` in pieces, and only while the client reads them.

        To be called after each request, within it.
        """
        if (response.content_length or 0) > PIECE and not response.direct_passthrough:
            parts = response.iter_encoded()
            response.response = self.read_in_time(_pieces(parts), request.environ)
        return response

    def read_in_time(self, content: Iterable[bytes], environ: Mapping[str, Any]) -> Iterator[bytes]:
        """Pass on the pieces of an answer; disconnect a client that does not read one in time."""
        connection = _connection(environ)
        if connection is None:
            yield from content
            return
        try:
            for piece in content:
                self._expect(connection)
                yield piece
        finally:
            with self._lock:
                self._late.pop(connection, None)

    def _expect(self, connection: socket.socket) -> None:
        with self._lock:
            self._late[connection] = time.monotonic() + self._seconds
            if self._watching:
                return
            self._watching = True
        # One thread for all, and only while needed: a thread per piece would cost
        # more than sending a window does.
        try:
            threading.Thread(target=self._watch, name="sending", daemon=True).start()
        except RuntimeError:  # no thread can begin now: the next piece tries again
            with self._lock:
                self._watching = False

    def _watch(self) -> None:
        while True:
            time.sleep(self._seconds / 60)
            with self._lock:
                now = time.monotonic()
                late = [connection for connection, at in self._late.items() if at < now]
                for connection in late:
                    del self._late[connection]
                    _disconnect(connection)
                if not self._late:
                    self._watching = False
                    return


def _pieces(content: Iterable[bytes]) -> Iterator[bytes]:
    for part in content:
        for first in range(0, len(part), PIECE):
            yield part[first : first + PIECE]


def _disconnect(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # closed meanwhile
        # Not the method of a TLS connection, which would first send a closing message.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _connection(environ: Mapping[str, Any]) -> socket.socket | None:
    return next((environ[name] for name in _CONNECTIONS if name in environ), None)
