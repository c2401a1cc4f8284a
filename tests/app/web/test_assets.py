"""The page loads one module; the others are imported by it and never served stale."""

from __future__ import annotations

from pathlib import Path

from app.settings import Settings
from app.web.factory import create_app
from loaders import Catalog


def test_one_module_and_the_renderer_after_it(tmp_path: Path) -> None:
    client = create_app(Catalog([], tmp_path), Settings(cache_dir=tmp_path)).server.test_client()
    page = client.get("/").get_data(as_text=True)
    assert page.count('type="module"') == 1
    assert 'src="/assets/main.mjs?m=' in page
    assert 'addEventListener("DOMContentLoaded", () => new DashRenderer())' in page


def test_a_module_without_its_version_is_checked_at_every_load(tmp_path: Path) -> None:
    client = create_app(Catalog([], tmp_path), Settings(cache_dir=tmp_path)).server.test_client()
    answer = client.get("/assets/core/panel.mjs", buffered=True)
    assert answer.status_code == 200
    assert answer.mimetype in {"text/javascript", "application/javascript"}
    assert answer.headers["Cache-Control"] == "no-cache"
    etag = {"If-None-Match": answer.headers["ETag"]}
    again = client.get("/assets/core/panel.mjs", headers=etag, buffered=True)
    assert again.status_code == 304
