"""No request causes a server error: thousands of mutated requests, from fixed seeds."""

from __future__ import annotations

import http.client
import logging
import os
import socket
import sys
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from app.settings import load
from app.web.factory import create_app
from loaders import Catalog
from loaders.writer import write_dataset
from tests.app.web.hostile import DASH, RECORDED, Sent, hostile
from tests.app.web.load import serving

SEEDS, EACH = range(1, 21), 1000
ROOMS = ("/_view", "/_jobs/file", "/_jobs/match", "/_jobs", "/api/v1", "/_dash")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    steps = np.arange(600)[:, None]
    write_dataset(
        tmp_path / "data" / "waves",
        tokens=[f"w{i % 50}" for i in range(600)],
        sequences=(np.arange(600) // 200).tolist(),
        states={"one": np.sin(steps / (3 + np.arange(12)) + np.arange(12)).astype(np.float32)},
        columns={"half": ["a" if i % 200 < 100 else "b" for i in range(600)]},
    )
    return tmp_path / "data"


def files(folder: Path) -> set[tuple[str, int]]:
    return {(str(path), path.stat().st_size) for path in folder.rglob("*") if path.is_file()}


def memory() -> int:
    """Return the memory of this process in bytes, 0 if the system does not report it."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_twenty_thousand_requests_leave_no_fault(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = tmp_path / "cache"
    app = create_app(Catalog([data], cache), load({}, {"cache_dir": str(cache)}))
    client = app.server.test_client()
    for method, path, body, query in RECORDED:
        answer = client.open(Sent(method, path, query).url, method=method, json=body, buffered=True)
        assert answer.status_code in ({400} if body is DASH else {200, 404}), (path, answer.text)
    before = files(data)
    statuses: dict[str, Counter[int]] = {}
    held = 0
    caplog.set_level(logging.WARNING)
    for seed in SEEDS:
        for sent in hostile(seed, EACH):
            started = time.monotonic()
            answer = client.open(
                sent.url,
                method=sent.method,
                data=sent.body,
                content_type=sent.content_type,
                buffered=True,
            )
            where = next((one for one in ROOMS if sent.path.startswith(one)), "elsewhere")
            statuses.setdefault(where, Counter())[answer.status_code] += 1
            assert answer.status_code < 500 or answer.status_code == 503, (seed, sent, answer.text)
            # Detects hanging only; this is not a bound on speed.
            assert time.monotonic() - started < 60, (seed, sent)
        if seed == SEEDS[len(SEEDS) // 2]:
            held = memory()
    for where, found in sorted(statuses.items()):
        print(f"{where:24}", dict(sorted(found.items())))
    faults = [r for r in caplog.records if r.levelno >= logging.ERROR or r.exc_info]
    assert faults == [], faults[0].getMessage()
    assert len(caplog.records) < 500, "a few lines a minute"
    assert memory() - held < 64 << 20
    assert files(data) == before
    assert {path.name for path in tmp_path.iterdir()} == {"data", "cache"}


def test_hundreds_of_requests_over_a_socket_leave_the_server_answering(
    data: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    found: Counter[int] = Counter()
    with serving(data, tmp_path / "cache", log=log) as url:
        address = urlsplit(url)
        for sent in hostile(99, 400):
            connection = http.client.HTTPConnection(address.netloc, timeout=60)
            headers = {"Content-Type": sent.content_type}
            connection.request(sent.method, sent.url, sent.body, headers)
            answer = connection.getresponse()
            answer.read()
            connection.close()
            found[answer.status] += 1
            assert answer.status < 500 or answer.status == 503, sent
        for raw in (
            b"\r\n\r\n",
            b"GET\r\n\r\n",
            b"POST /_dash-update-component HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{",
            b"POST /_dash-update-component HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{}",
            b"\x00" * 200,
        ):
            with socket.create_connection((address.hostname or "", address.port or 0), 60) as cut:
                cut.sendall(raw)
        connection = http.client.HTTPConnection(address.netloc, timeout=60)
        connection.request("GET", "/api/v1/datasets")
        assert connection.getresponse().status == 200
        connection.close()
    print(dict(sorted(found.items())))
    assert "Traceback" not in log.read_text(), log.read_text()[-3000:]


def test_the_requests_are_the_same_each_time() -> None:
    assert list(hostile(3, 50)) == list(hostile(3, 50))
    assert sys.getrecursionlimit() < 100_000, (
        "one of them is nested deeper than Python's recursion limit"
    )
