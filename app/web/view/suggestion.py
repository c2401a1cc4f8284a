"""A threshold for a source whose values have a different scale than those of the previous source."""

from __future__ import annotations

from math import isfinite

import numpy as np
from numpy.typing import NDArray

from app.matching import Polarity
from app.web.view.slider import slider
from app.web.view.wire import Suggestion
from loaders import Source

#: Steps of a sample, and of its pieces of neighbouring steps: enough for a share, read in milliseconds.
SAMPLE, PIECE = 4096, 64
#: Shares of values on that differ by less than this factor need no new threshold.
ALIKE = 2.0


def suggest(
    before: Source, now: Source, was: float, threshold: float, polarity: Polarity
) -> Suggestion | None:
    """Return the threshold at which the share of values on is the same as in another source.

    Parameters
    ----------
    before, now
        The previous and the current source.
    was
        The threshold in the source before.
    threshold, polarity
        Of the view now: the same threshold, unless it is outside this source.

    Returns
    -------
    Suggestion or None
        On the slider's grid. None if the shares differ by less than `ALIKE`, if no values were on
        before, or where the grid has no such point. Both shares are those of samples.
    """
    share_before = float((_turned(before, polarity) >= was).mean())
    values = _turned(now, polarity)
    share_now = float((values >= threshold).mean())
    if not share_before or share_before / ALIKE < share_now < share_before * ALIKE:
        return None
    # NaN is never on, so the quantile includes all values.
    ordered = np.where(np.isnan(values), -np.inf, values)
    found = float(np.quantile(ordered, 1 - share_before, method="higher"))
    if not isfinite(found):
        return None
    grid = slider(now)
    on_grid = round(round(found / grid["step"]) * grid["step"], grid["decimals"]) + 0.0
    if on_grid == threshold:
        return None
    return {
        "was": threshold,
        "threshold": on_grid,
        "share_before": round(share_before, 4),
        "share_now": round(share_now, 4),
    }


def _turned(source: Source, polarity: Polarity) -> NDArray[np.float64]:
    """A sample of a source's values, with the sign such that larger is closer to on."""
    n_pieces = max(1, min(SAMPLE // PIECE, source.n_steps // PIECE))
    starts = np.linspace(0, max(0, source.n_steps - PIECE), n_pieces).astype(int)
    rows = [source.window(int(a), min(source.n_steps, int(a) + PIECE)) for a in starts]
    values = np.concatenate(rows).astype(np.float64).ravel()
    if polarity is Polarity.LOW:
        return -values
    return np.abs(values) if polarity is Polarity.MAGNITUDE else values
