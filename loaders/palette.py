"""Colours for the categories of an annotation, distinguishable with colour blindness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

COLORS = (
    # Okabe and Ito (2008), without black, which is invisible on a dark page. Their blues are last of all:
    # they are similar to the blue of the selection.
    "#e69f00",
    "#009e73",
    "#f0e442",
    "#d55e00",
    "#cc79a7",
    # Paul Tol's muted scheme, without its cyan, which is too similar to the sky blue.
    "#332288",
    "#ddcc77",
    "#117733",
    "#882255",
    "#44aa99",
    "#999933",
    "#aa4499",
    "#cc6677",
    "#56b4e9",
    "#0072b2",
)
OTHER = "#9e9e9e"
"""Grey, for categories after the end of the palette."""


def assign_colors(labels: Sequence[str], chosen: Mapping[str, str]) -> tuple[str, ...]:
    """Assign a colour to each label.

    Parameters
    ----------
    labels
        In order of priority for the colours of the palette.
    chosen
        Colours from dataset.yaml; used as given, and not given to another label.

    Returns
    -------
    tuple of str
        `#rrggbb`, one per label; grey after the end of the palette.
    """
    taken = {color.lower() for color in chosen.values()}
    free = iter([color for color in COLORS if color not in taken])
    return tuple(chosen[label] if label in chosen else next(free, OTHER) for label in labels)
