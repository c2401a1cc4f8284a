"""No text on the page is cut without a sign, at any width, in either theme, at 150 % zoom."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from demos.registry import ensure
from tests.browser.conftest import Running, settled

pytestmark = [pytest.mark.browser, pytest.mark.ci]

#: Widths in CSS px: five of screens, and the same at 150 % zoom.
WIDTHS = (667, 853, 960, 1000, 1280, 1440, 1707, 1920, 2560)

#: Text that is cut by its own box or one around it, with neither an ellipsis, a bar to scroll with, nor,
#: where there is an ellipsis, a tip with the whole.
CUT = """() => {
    const bad = [];
    const clips = (style) => /hidden|clip/.test(style.overflowX);
    const walker = document.createTreeWalker(document.querySelector('#page'), NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const node = walker.currentNode, owner = node.parentElement;
        if (!node.data.trim() || owner.closest('[hidden], option, title, .sb-icon, svg, .sb-tip, .sb-job')) continue;
        const style = getComputedStyle(owner);
        if (style.visibility === 'hidden' || style.opacity === '0' || !owner.offsetParent) continue;
        const range = document.createRange();
        range.selectNodeContents(node);
        const text = range.getBoundingClientRect();
        if (text.width < 1 || text.height < 1) continue;
        for (let box = owner; box && box.id !== 'page'; box = box.parentElement) {
            const looks = getComputedStyle(box);
            if (/auto|scroll/.test(looks.overflowX + looks.overflowY)) break;
            if (!clips(looks)) continue;
            const edge = box.getBoundingClientRect();
            if (text.right <= edge.right + 1.5 && text.left >= edge.left - 1.5) continue;
            const sign = looks.textOverflow === 'ellipsis' && box.closest('[title], [data-tip]');
            if (!sign) bad.push(`${box.className || box.id}: ${node.data.trim().slice(0, 60)}`);
            break;
        }
    }
    if (document.documentElement.scrollWidth > innerWidth) bad.push('the page is wider than the window');
    return [...new Set(bad)];
}"""


@pytest.mark.parametrize("name", ["parens", "chords", "english"])
def test_no_text_is_cut_without_a_sign(
    open_page: Callable[..., Page], serve: Callable[..., Running], cache_dir: Path, name: str
) -> None:
    running = serve(ensure(name, cache_dir / "demos"))
    dataset = running.catalog.get(name)
    tracks = "".join(f"&track={track}" for track in dataset.annotations)
    page = open_page(running.url + f"?dataset={name}{tracks}", width=1440, height=900)
    page.click("#track-rows [data-legend] >> nth=0")
    found = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_function(
                "() => { const seen = window.dash_clientside.statebrush.panel().read('viewport');"
                " return seen.width === document.getElementById('words').clientWidth; }"
            )
            settled(page)
            if cut := page.evaluate(CUT):
                found[scheme, width] = cut
    assert found == {}
