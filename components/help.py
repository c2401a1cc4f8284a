"""The help behind ``?``: the three steps of the paper, and a key for everything the mouse does."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import html

from components import ids

#: Key -> what it does. tests/browser/test_help.py presses every one of them.
KEYS: tuple[tuple[str, str], ...] = (
    ("← →", "one step back, one step on"),
    ("Page Up, Page Down", "one page back, one page on"),
    ("Home", "show the selection"),
    ("+ -", "wider steps, narrower steps"),
    ("b", "brush the word in the middle of the view"),
    (
        "Esc",
        "cancel a search that is under way; otherwise clear the selection "
        "(the back button brings it back)",
    ),
    ("Enter", "match now"),
    (
        "/",
        "find a phrase: places are listed while you type; Enter: the next, Shift Enter: the one before",
    ),
    ("c", "copy a link to what you see"),
    ("?", "this help"),
    (
        "Tab",
        "to every control; the ends of the brush, its limits and the threshold line are sliders",
    ),
    ("← → on the words", "read along: the word, the share on, the value of every track"),
    ("Shift ← →, Enter on the words", "brush from word to word; brush this word"),
    ("← → on an end of the brush", "move that end by one word"),
    ("← → on a grey end", "off for one more or one fewer step"),
    ("↑ ↓ on the threshold line", "raise or lower it; Page Up and Page Down by ten steps"),
    (
        "Enter on a chip",
        "open the state: its values and strongest places; the ring keeps only it, the cross excludes it",
    ),
    ("↑ ↓, Enter on the plot or the coverage", "from line to line; open the state"),
    ("Enter on a bar of the histogram", "only matches of that length; again: all"),
    ("Enter on a row", "open that place with the match brushed"),
    ("↑ ↓ ← → on a row", "to the next row; along its words, with their values"),
    ("← → on the corpus strip", "one page; Page Up and Page Down: a tenth; Home, End"),
    (
        "Shift + wheel, Ctrl + wheel",
        "on the plot: pan, zoom; the plain wheel pans on the corpus strip",
    ),
)

_STEPS = (
    (
        "1 Select.",
        "Drag across a few words. A state is on where its line is at the dashed threshold or above; "
        "the states that are on at every brushed word are the selection, blue in the plot and listed "
        "as chips. The grey ends under the brush demand that they are off just before or after.",
    ),
    (
        "2 Align.",
        "Choose annotations to see beside the words: a track under the plot is a heatmap beside the "
        "matches. If the matches line up with one, that is what the states may encode.",
    ),
    (
        "3 Match.",
        "Every place in the corpus where many of the same states are on together is found, exactly, "
        "and ranked: most shared states first, then fewest others, then the longest. Refine the "
        "selection and match again.",
    ),
)


def help_window() -> dmc.Modal:
    """Build the help window, closed."""
    return dmc.Modal(
        id=ids.HELP,
        title="How to use Statebrush",
        size=1340,
        opened=False,
        closeButtonProps={"aria-label": "Close"},
        children=html.Div(
            className="sb-help",
            children=[
                *(html.P([html.B(name), " ", text]) for name, text in _STEPS),
                html.Table(
                    [
                        html.Caption("Keys"),
                        html.Tbody(
                            [
                                html.Tr([html.Th(key, scope="row"), html.Td(what)])
                                for key, what in KEYS
                            ]
                        ),
                    ]
                ),
            ],
        ),
    )
