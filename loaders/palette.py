"""Colours for the categories of an annotation, told apart by colour-blind readers, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

COLORS = (
    # Okabe and Ito (2008), without black, which a dark page would swallow.
    "#e69f00",
    "#56b4e9",
    "#009e73",
    "#f0e442",
    "#0072b2",
    "#d55e00",
    "#cc79a7",
    # Paul Tol's muted scheme, without its cyan, which is too near the sky blue above.
    "#332288",
    "#ddcc77",
    "#117733",
    "#882255",
    "#44aa99",
    "#999933",
    "#aa4499",
    "#cc6677",
)
OTHER = "#9e9e9e"
"""Grey, for the categories beyond the palette."""


def assign_colors(labels: Sequence[str], chosen: Mapping[str, str]) -> tuple[str, ...]:
    """A colour a label.

    Parameters
    ----------
    labels
        In the order in which they shall get colours, first come first served.
    chosen
        Colours that dataset.yaml gives; they are kept, and not given to another label.

    Returns
    -------
    tuple of str
        `#rrggbb`, one a label; grey for those beyond the palette.
    """
    taken = {color.lower() for color in chosen.values()}
    free = iter([color for color in COLORS if color not in taken])
    return tuple(chosen[label] if label in chosen else next(free, OTHER) for label in labels)
