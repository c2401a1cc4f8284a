"""Callers that keep a thread of the server: while they wait for an answer, and while they take it.

Long work within a request ends when nobody waits for it any more; the sending of a large answer ends
when the client does not take it, and a program's holds a place as long work does.
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

#: Answers are sent in pieces of so many bytes.
PIECE = 1 << 18

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
    connection = _connection(environ)
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


def held_until_sent(response: Response, jobs: Jobs) -> bool:
    """Have an answer hold a place until it is sent; False, and nothing was done, where none is free.

    A client may read slowly, and a thread of the server waits for it: only so many do.
    """
    with contextlib.ExitStack() as place:
        if not place.enter_context(jobs.place()):
            return False
        response.call_on_close(place.pop_all().close)
        return True


class Sending:
    """Hangs up on clients that do not take what is sent to them. Thread-safe.

    Parameters
    ----------
    seconds
        In which a client must have taken a `PIECE`: in a minute, 4 kB a second are enough.
    """

    def __init__(self, seconds: float = 60.0) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._late: dict[socket.socket, float] = {}  # from when on
        self._watching = False

    def in_time(self, response: Response) -> Response:
        """Send an answer of more than a `PIECE` in pieces, and to nobody who does not take them.

        To be called after each request, within it.
        """
        if (response.content_length or 0) > PIECE and not response.direct_passthrough:
            parts = response.iter_encoded()
            response.response = self.taken_in_time(_pieces(parts), request.environ)
        return response

    def taken_in_time(
        self, content: Iterable[bytes], environ: Mapping[str, Any]
    ) -> Iterator[bytes]:
        """Pass on the pieces of an answer; hang up on a client that does not take one in time."""
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
        # One for all, and only while there is something to watch: a thread a piece costs more than
        # the sending of a window.
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
                    _hang_up(connection)
                if not self._late:
                    self._watching = False
                    return


def _pieces(content: Iterable[bytes]) -> Iterator[bytes]:
    for part in content:
        for first in range(0, len(part), PIECE):
            yield part[first : first + PIECE]


def _hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # closed meanwhile
        # Not the method of a TLS connection, which would say goodbye first.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _connection(environ: Mapping[str, Any]) -> socket.socket | None:
    return next((environ[name] for name in _CONNECTIONS if name in environ), None)
