"""The first load of a page: compressed, small, cached by the browser, and correct for every client."""

from __future__ import annotations

import gzip
import json
import re
from contextlib import closing
from pathlib import Path

import plotly.offline
import pytest
from werkzeug.test import Client

from app.settings import load
from app.web.factory import create_app
from loaders import Catalog
from tests import ROOT

ASSETS = ROOT / "assets"
VENDORED = ASSETS / "vendor" / "plotly-basic.min.js"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    cache = tmp_path_factory.mktemp("cache")
    app = create_app(Catalog([], cache), load({}, {"cache_dir": str(cache)}))
    return app.server.test_client()


def scripts(client: Client) -> list[str]:
    found = re.findall(r'<(?:script|link)[^>]* (?:src|href)="(/[^"]+)"', client.get("/").text)
    return [address for address in found if address not in ("/_dash-layout", "/_dash-dependencies")]


def test_every_script_and_style_sheet_is_compressed_without_loss(client: Client) -> None:
    found = scripts(client)
    assert len(found) > 10
    for address in found:
        plain = client.get(address)
        packed = client.get(address, headers={"Accept-Encoding": "gzip"})
        assert plain.status_code == packed.status_code == 200
        assert "Content-Encoding" not in plain.headers
        assert "Accept-Encoding" in packed.headers["Vary"]
        if len(plain.data) > 500:
            assert packed.headers["Content-Encoding"] == "gzip", address
            assert int(packed.headers["Content-Length"]) == len(packed.data)
            assert gzip.decompress(packed.data) == plain.data


def test_the_layout_and_the_list_of_callbacks_are_compressed(client: Client) -> None:
    for address in ("/_dash-layout", "/_dash-dependencies"):
        plain = client.get(address)
        packed = client.get(address, headers={"Accept-Encoding": "gzip"})
        assert gzip.decompress(packed.data) == plain.data
        assert len(packed.data) < max(len(plain.data) / 3, 500)


def test_answers_to_callbacks_are_not_compressed(client: Client) -> None:
    answer = client.get("/api/v1/datasets", headers={"Accept-Encoding": "gzip, br"})
    assert "Content-Encoding" not in answer.headers


def test_browsers_cache_files_with_a_version_in_their_address(client: Client) -> None:
    for address in scripts(client):
        cached = client.get(address).headers["Cache-Control"]
        assert "max-age=31536000" in cached, address
        assert "no-cache" not in cached, address


def test_an_asset_without_a_version_is_revalidated(client: Client) -> None:
    address = next(one for one in scripts(client) if "/assets/" in one).partition("?")[0]
    first = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert "max-age" not in first.headers["Cache-Control"]
    again = client.get(
        address, headers={"Accept-Encoding": "gzip", "If-None-Match": first.headers["ETag"]}
    )
    assert again.status_code == 304
    assert again.data == b""


def test_every_module_is_requested_at_once_and_with_its_version(client: Client) -> None:
    page = client.get("/").text
    found = re.search(r'<script type="importmap">(.*?)</script>', page)
    assert found is not None
    imports = json.loads(found.group(1))["imports"]
    modules = {f"/assets/{one.relative_to(ASSETS).as_posix()}" for one in ASSETS.glob("*/*.mjs")}
    assert modules == imports.keys()
    for plain, address in imports.items():
        assert address.startswith(f"{plain}?m=")
        assert f'<link rel="modulepreload" href="{address}">' in page
    # A browser ignores an import map that comes after the first module.
    assert page.index("importmap") < page.index("modulepreload") < page.index('type="module"')


def test_the_layout_and_the_list_of_callbacks_are_requested_at_once(client: Client) -> None:
    page = client.get("/").text
    for name in ("_dash-layout", "_dash-dependencies"):
        assert f'<link rel="preload" as="fetch" crossorigin href="/{name}">' in page


def test_head_and_ranges_are_answered(client: Client) -> None:
    address = next(one for one in scripts(client) if "/assets/" in one)
    head = client.head(address)
    assert head.status_code == 200
    assert int(head.headers["Content-Length"]) == len(client.get(address).data)
    headers = {"Range": "bytes=0-9", "Accept-Encoding": "gzip"}
    with closing(client.get(address, headers=headers)) as part:
        assert part.status_code == 206
        assert part.data == client.get(address).data[:10]


def test_the_first_load_is_under_two_megabytes(client: Client) -> None:
    addresses = ["/", "/_dash-layout", "/_dash-dependencies", *scripts(client)]
    sizes = {
        address: len(client.get(address, headers={"Accept-Encoding": "gzip"}).data)
        for address in addresses
    }
    # Dash fetches the figure component of dcc only if the page has a figure.
    assert sum(sizes.values()) < 1_900_000, sizes


def test_the_parts_of_plotly_that_are_not_used_are_not_sent(client: Client) -> None:
    assert any("plotly-basic" in address for address in scripts(client))
    assert not any("package_data/plotly" in address for address in scripts(client))


def test_plotly_in_the_browser_is_the_version_that_python_draws_for() -> None:
    found = re.search(r"v(\d+\.\d+\.\d+)", VENDORED.read_text(encoding="utf-8")[:200])
    assert found is not None
    assert found.group(1) == plotly.offline.get_plotlyjs_version(), (
        "docs/decisions/0006-first-load.md says how to update the file"
    )


def test_no_figure_carries_the_default_template(client: Client) -> None:
    assert "colorway" not in client.get("/_dash-layout").text


def test_the_licence_of_vendored_files_is_included() -> None:
    assert "MIT License" in (Path(VENDORED).parent / "plotly-LICENSE").read_text(encoding="utf-8")
