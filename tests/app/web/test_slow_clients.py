"""Work within a request: it ends when the client has disconnected, on any server."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.web import slow_clients as callers
from app.web.slow_clients import SendTimeout, cancelled_with_client, has_disconnected
from tests import ROOT

LONG = 30.0
Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Both ends of a connection over loopback: the server's, the client's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    with server, client:
        yield server, client


def arrived(server: socket.socket) -> None:
    """Wait until what the client did is there."""
    assert select.select([server], [], [], LONG)[0]


@pytest.mark.parametrize("peeks", [False, True])
def test_a_connection_is_gone_when_the_other_side_has_closed_it(
    pair: Pair, peeks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if peeks:  # as on systems that cannot say so without looking at what has come
        monkeypatch.setattr(callers, "_HUNG_UP", 0)
    server, client = pair
    assert not has_disconnected(server)
    client.shutdown(socket.SHUT_WR)
    arrived(server)
    assert has_disconnected(server)
    server.close()
    assert has_disconnected(server)


def test_what_a_client_sent_on_top_does_not_hide_that_it_has_disconnected(pair: Pair) -> None:
    server, client = pair
    client.sendall(b"GET /next")
    arrived(server)
    assert not has_disconnected(server)
    client.close()
    while not has_disconnected(server):
        pass
    assert server.recv(100) == b"GET /next", "nothing was read"


def test_work_is_called_off_when_its_client_goes_or_its_time_is_up(pair: Pair) -> None:
    server, client = pair
    ended = threading.Event()
    with cancelled_with_client({"gunicorn.socket": server}, LONG) as control:
        control.on_cancel(ended.set)
        assert not control.cancelled
        client.close()
        assert ended.wait(LONG)
    late = threading.Event()
    with cancelled_with_client({}, 0) as control:
        control.on_cancel(late.set)
        assert late.wait(LONG)
    with cancelled_with_client({}, LONG) as control:
        pass
    assert not control.cancelled
    assert "caller" not in [thread.name for thread in threading.enumerate()]


def test_a_client_that_takes_nothing_is_hung_up_on(pair: Pair) -> None:
    server, client = pair
    pieces = SendTimeout(0.3).read_in_time([bytes(1 << 22)] * 16, {"gunicorn.socket": server})
    with pytest.raises(BrokenPipeError):  # once the system keeps no more for the client
        list(map(server.sendall, pieces))
    assert client.recv(1) == bytes(1), "what was sent before is there"


def test_a_client_that_takes_every_piece_may_be_slow(pair: Pair) -> None:
    server, client = pair
    sending = SendTimeout(0.5)
    for piece in sending.read_in_time([b"piece"] * 8, {"gunicorn.socket": server}):
        time.sleep(0.1)
        server.sendall(piece)
        assert client.recv(5) == b"piece"
    time.sleep(0.6)
    assert not has_disconnected(client)
    assert "sending" not in [thread.name for thread in threading.enumerate()]
    assert list(sending.read_in_time([b"a", b"b"], {})) == [b"a", b"b"], "no connection is shown"


SERVER = """
    import threading
    from app.web.slow_clients import cancelled_with_client

    def application(environ, respond):
        with cancelled_with_client(environ, 600) as control:
            ended = threading.Event()
            control.on_cancel(ended.set)
            print("started", flush=True)
            ended.wait()
        print("ended", flush=True)
        respond("200 OK", [])
        return [b""]
"""


def test_the_server_that_is_used_tells_when_a_client_goes(tmp_path: Path) -> None:
    (tmp_path / "waits.py").write_text(textwrap.dedent(SERVER))
    paths = os.pathsep.join([str(tmp_path), str(ROOT)])
    command = "-m gunicorn waits:application --worker-class gthread --bind 127.0.0.1:0"
    server = subprocess.Popen(
        [sys.executable, *command.split(), "--no-control-socket"],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert server.stdout is not None
    try:
        lines = iter(server.stdout.readline, "")
        port = next(int(found[1]) for line in lines if (found := re.search(r"at: .*:(\d+)", line)))
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
            assert "started\n" in lines
        assert "ended\n" in lines
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=LONG)
