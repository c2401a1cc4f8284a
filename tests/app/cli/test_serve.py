"""`serve`."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.web import serving
from loaders.writer import write_dataset
from tests import ROOT
from tests.app.cli.broken import too_few_rows, truncated
from tests.app.cli.conftest import Build, Run


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_port_in_use_is_reported_before_any_work(run: Run, taken_port: int) -> None:
    says = f"Port {taken_port} on 127.0.0.1 is in use"
    assert says in run("serve", "--port", taken_port).sentence


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("nowhere.invalid", "The host 'nowhere.invalid' cannot be found"),
        ("192.0.2.1", "192.0.2.1 is not an address of this machine"),
        ("a" * 64, "cannot be found"),
    ],
)
def test_a_host_that_cannot_be_used_is_one_sentence(run: Run, host: str, says: str) -> None:
    assert says in run("serve", "--host", host, "--port", 0).sentence


def test_a_port_that_is_not_allowed_is_one_sentence(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    assert "may not listen on port 80" in run("serve", "--port", 80).sentence


def test_serve_ends_with_2_without_a_valid_dataset(
    run: Run, dataset_folder: Build, tmp_path: Path
) -> None:
    data = dataset_folder()
    too_few_rows(data)
    ran = run("serve", data, tmp_path / "nothing", "--port", 0)
    assert (ran.code, ran.out) == (2, "")
    first, second = ran.err.splitlines()
    assert "8 rows" in first
    assert "nothing" in second


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_the_address_is_valid_in_a_browser(host: str) -> None:
    with serving.bind(host, 0) as listener:
        port = listener.getsockname()[1]
        assert serving.url(host, listener) == f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_serve_answers_at_its_address_and_ends_cleanly(
    dataset_folder: Build, cache: Path, end: signal.Signals
) -> None:
    good, broken, damaged = map(dataset_folder, ("good", "broken", "and damaged"))
    truncated(broken)
    states = (
        damaged / "states" / "layer.parquet"
    )  # its footer is valid, and it would be opened first
    content = states.read_bytes()
    states.write_bytes(content[:4] + bytes([255] * 200) + content[204:])
    server = subprocess.Popen(
        [sys.executable, "-m", "app", "serve", good.parent, "--port", "0", "--cache-dir", cache],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": ""},
    )
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        assert line.startswith("Statebrush is at http://127.0.0.1:")
        address = line.split()[-1]
        with urllib.request.urlopen(address, timeout=30) as answer:
            assert answer.status == 200
            assert "Statebrush" in answer.read().decode()
        time.sleep(0.1)
        with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))) as client:
            if end == signal.SIGINT:  # a thread is still busy, but the server does not wait for it
                client.sendall(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
                time.sleep(0.1)
            server.send_signal(end)
            out, err = server.communicate(timeout=30)
    finally:
        server.kill()
        server.wait()
    assert (server.returncode, out) == (0, "")
    # On a busy machine progress may be reported.
    first, second = [line for line in err.splitlines() if not line.startswith("Preparing")]
    assert "and damaged/states/layer.parquet" in first
    assert "broken" in second


def test_stalled_clients_do_not_hold_all_threads(tmp_path: Path, cache: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(2_000, 256)).astype(np.float32)
    data = write_dataset(tmp_path / "wide", tokens=["w"] * len(rows), states={"layer": rows})
    large = (
        f"/api/v1/context?dataset=wide&start=0&stop=2000&states={','.join(map(str, range(256)))}"
    )
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "app", "serve", data, "--cache-dir", cache),
            *("--port", "0", "--threads", "2"),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    clients = [socket.socket() for _ in range(2)]
    states = []
    try:
        assert server.stdout is not None
        address = server.stdout.readline().split()[-1]
        for client in clients:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", int(address.rpartition(":")[2])))
            client.settimeout(60)
            client.sendall(f"GET {large} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
            states.append(client.recv(12))
        assert states == [b"HTTP/1.1 200", b"HTTP/1.1 503"]
        with urllib.request.urlopen(f"{address}/api/v1/datasets", timeout=60) as answer:
            assert answer.status == 200
    finally:
        for client in clients:
            client.close()
        server.kill()
        server.communicate()


def test_a_server_may_open_more_files_than_the_limit_of_a_shell() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before[0] - 1, before[1]))
        serving.allow_open_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_kernels_are_compiled_into_the_configured_folder_before_the_first_match(
    dataset_folder: Build, cache: Path, tmp_path: Path
) -> None:
    kernels = tmp_path / "kernels"
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "app",
            "serve",
            dataset_folder(),
            "--port",
            "0",
            "--cache-dir",
            cache,
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NUMBA_CACHE_DIR": str(kernels)},
    )
    try:
        assert server.stdout is not None
        assert server.stdout.readline().startswith("Statebrush is at http")
        before = {path: path.stat().st_mtime_ns for path in kernels.rglob("*.nb*")}
    finally:
        server.terminate()
        _, err = server.communicate(timeout=30)
    assert "Compiling the search" in err
    # queries that are covered by the warm-up (test_matching_service.py) add nothing
    assert len([path for path in before if path.suffix == ".nbc"]) >= 5
    assert {path: path.stat().st_mtime_ns for path in kernels.rglob("*.nb*")} == before
