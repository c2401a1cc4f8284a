"""Listen on an address and serve a WSGI application there."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import socket
import sys
from collections.abc import Callable
from typing import Any

from gunicorn.app.base import BaseApplication


class ServeError(Exception):
    """The server cannot listen on an address; str(error) is one plain sentence for a person."""


def answer_promptly() -> None:
    """Make this process switch threads ten times as often as by default.

    After each wait for the network, a small request must get the interpreter lock back from the threads
    that compute matches.
    """
    sys.setswitchinterval(0.0005)


def allow_open_files() -> None:
    """Raise the limit of open files to the maximum that the system allows.

    The process has one open file per source that was opened, and one per connection.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # a system may allow less than it reports
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def bind(host: str, port: int) -> socket.socket:
    """Return a socket bound to the first address of `host`; it does not listen yet.

    Binding comes before any other work, so that a port in use is reported at once. The server later uses
    this socket, so that no other process can take the port in between.

    Raises
    ------
    ServeError
        The name is unknown, the address belongs to another machine, or the port is in use or not allowed.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError):
        raise ServeError(
            f"The host {host!r} cannot be found; give a name or an address of this machine, "
            "for example --host 127.0.0.1."
        ) from None
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        # Without it a restart would have to wait for old connections to time out.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise ServeError(_sentence(error, host, port)) from None
    return listener


def url(host: str, listener: socket.socket) -> str:
    """Return the address to open in a browser on this machine."""
    port = listener.getsockname()[1]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - nothing is bound here
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(
    application: Any,
    listener: socket.socket,
    threads: int,
    started: Callable[[], None],
) -> None:
    """Serve until SIGINT or SIGTERM; does not return, the process exits (0 after either).

    Uses gunicorn instead of Dash's development server: the number of threads is bounded, slow clients wait
    in a queue and keep their connection, and a worker that dies is replaced. There is one worker with
    threads: matching works outside the interpreter lock, and so there is one cache. Teams that want more
    run `app.wsgi:server` with any number of workers.

    Parameters
    ----------
    application
        The WSGI application, created before the worker is forked: no threads may be running.
    listener
        A bound socket.
    threads
        The number of requests handled at once.
    started
        Called once, in the worker, when it is ready.

    Raises
    ------
    ServeError
        Another process has started to listen on the address since it was bound.
    """
    try:
        listener.listen()
    except OSError as error:
        host, port = listener.getsockname()[:2]
        raise ServeError(_sentence(error, host, port)) from None
    answer_promptly()
    allow_open_files()
    options = {
        "bind": [f"fd://{os.dup(listener.fileno())}"],  # gunicorn closes the descriptor
        "worker_class": "gthread",
        "threads": threads,
        "timeout": 120,
        "graceful_timeout": 3,
        "keepalive": 30,
        "limit_request_line": 0,  # the address contains the whole view with all exclusions
        "loglevel": "warning",
        "control_socket_disable": True,  # it would be created in the user's home folder
        "post_worker_init": lambda worker: started(),
        "worker_exit": _end,
    }
    _Gunicorn(application, options).run()


def _end(arbiter: Any, worker: Any) -> None:
    """End a worker at once, since the results of its threads are no longer needed.

    Python would wait for the threads; gunicorn would then kill the worker and report a lack of memory.
    """
    if worker.booted:
        os._exit(0)


class _Gunicorn(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    def __init__(self, application: Any, options: dict[str, Any]) -> None:
        self._application = application
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        """Set options that differ from gunicorn's defaults."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Return the application, which already exists."""
        return self._application


def _sentence(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is in use; stop the program that listens there, "
            "or choose another port with --port."
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"This user may not listen on port {port}; choose one from 1024 on with --port."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine; give one that is, or 127.0.0.1."
    return f"Cannot listen on port {port} of {host}: {error.strerror or error}."
