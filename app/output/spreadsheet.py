"""CSV for spreadsheets: it opens with the right letters, runs no formula, and is named as on the page.

Programs read the other CSV, which holds every token as it is. Here the text is marked as UTF-8 by a byte order
mark, lines end as in RFC 4180, and a text that a spreadsheet would take for a formula begins with an
apostrophe (https://owasp.org/www-community/attacks/CSV_Injection). Numbers stay numbers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

#: Marks the text as UTF-8 for Excel.
BYTE_ORDER_MARK = "\ufeff"
#: The first characters of formulas; some spreadsheets treat the full-width signs alike.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
#: The maximum length of a cell; the rest would run over into other cells.
MOST_CHARACTERS = 32_767
_NAMES = ("rank", "states", "other states on", "length", "step", "last step", "sequence")


def safe(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula, cut with ``…`` to what a cell holds."""
    kept = f"'{text}" if text.startswith(_FORMULA) else text
    return kept if len(kept) <= MOST_CHARACTERS else f"{kept[: MOST_CHARACTERS - 1]}…"


def heading(words: int, annotations: Sequence[str]) -> list[str]:
    """Return the names of the columns, in the page's words; `words` before and after a match add two."""
    around = ["words before", "words", "words after"] if words else ["words"]
    taken = {*_NAMES, *around, "query"}
    return [
        *_NAMES,
        *around,
        *(f"{name} (annotation)" if name in taken else name for name in annotations),
    ]


def row(match: Mapping[str, Any], n_selected: int) -> list[int | float | str]:
    """Return the cells of a match, in the order of `heading`.

    Parameters
    ----------
    match
        As in the JSON of an answer, with what `Beside.of` adds.
    n_selected
        The size of S1; the rest of the union are the other states on.
    """
    sequence = match["sequence"]
    around = ["before", "tokens", "after"] if "before" in match else ["tokens"]
    return [
        match["rank"],
        match["overlap"],
        match["union"] - n_selected,
        match["stop"] - match["start"],
        match["start"],
        match["stop"] - 1,
        "" if sequence is None else sequence,
        *(" ".join(match[name]) for name in around),
        *(_values(one) for one in match.get("annotations", {}).values()),
    ]


def lines(rows: Iterable[Sequence[int | float | str]]) -> str:
    """Return rows as lines of the file; every text in them is made `safe`."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows(
        [safe(cell) if isinstance(cell, str) else cell for cell in one] for one in rows
    )
    return out.getvalue()


def _values(values: Sequence[Any]) -> int | float | str:
    """One value per step, separated by bars; the value itself if there is only one."""
    if len(values) == 1 and isinstance(values[0], int | float):
        return values[0]
    return " | ".join(_text(value) for value in values)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return ", ".join(value) if isinstance(value, list) else str(value)
