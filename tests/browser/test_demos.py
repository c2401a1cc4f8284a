"""Each demo opens on its telling selection, with matches and nothing to complain about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from demos.registry import ensure
from tests.browser import tutorial
from tests.browser.conftest import Running


@pytest.mark.browser
@pytest.mark.parametrize("name", ["chords", "english"])
def test_a_demo_opens_on_its_selection_with_its_matches(
    open_page: Callable[..., Page], serve: Callable[..., Running], cache_dir: Path, name: str
) -> None:
    running = serve(ensure(name, cache_dir / "demos"))
    default = running.catalog.get(name).default
    assert default is not None
    page = open_page(running.url)
    view = page.evaluate("() => window.dash_clientside.statebrush.panel().read('view')")
    brush = (view["start"], view["stop"], view["before"], view["after"], view["threshold"])
    assert brush == (
        default.start,
        default.stop,
        default.off_before,
        default.off_after,
        default.threshold,
    )
    assert tuple(view["tracks"]) == default.tracks
    assert 3 <= page.locator("#chips .sb-chip").count() <= 15
    assert page.locator("#match-rows a.sb-row").count() >= 20


def test_every_picture_of_the_docs_is_one_that_the_script_takes() -> None:
    pictures = Path(__file__).parents[2] / "docs" / "pictures"
    taken = {*tutorial.SHOTS, "tutorial-phrase-types"}
    assert {path.stem for path in pictures.iterdir()} == taken
