"""The grid of the threshold slider."""

from __future__ import annotations

import sys
from math import ceil, floor, isfinite, log10

from app.web.view.wire import Slider
from loaders import Source

#: The browser formats numbers with at most 100 decimals.
_LEAST_STEP, _LARGEST = 1e-100, sys.float_info.max


def slider(source: Source) -> Slider:
    """Return the threshold slider's ``min``, ``max``, ``step`` and ``decimals``.

    The step is a thousandth of the source's range, rounded to 1, 2 or 5 times a power of ten, and at least
    1e-100. The ends are those of the range, rounded outwards to whole steps and to `decimals` digits, so
    that every value of the slider has a short decimal text.
    """
    low, high = finite_range(source.minimum, source.maximum)
    raw = max(high / 1000 - low / 1000, _LEAST_STEP)  # high - low may not be finite
    power = floor(log10(raw))
    lead = raw / 10.0**power
    nice = 1 if lead < 1.5 else 2 if lead < 3.5 else 5 if lead < 7.5 else 10
    step = nice * 10.0**power
    decimals = max(0, -(power + (1 if nice == 10 else 0)))
    return {
        "min": max(-_LARGEST, round(floor(low / step) * step, decimals)),
        "max": min(_LARGEST, round(ceil(high / step) * step, decimals)),
        "step": round(step, decimals),
        "decimals": decimals,
    }


def finite_range(low: float, high: float) -> tuple[float, float]:
    """Return a range that can be drawn: finite ends that differ."""
    low = float(low) if isfinite(low) else -1.0
    high = float(high) if isfinite(high) else 1.0
    if low > high:
        low, high = high, low
    if low == high:
        reach = abs(low) / 2 or 1.0
        low, high = max(-_LARGEST, low - reach), min(_LARGEST, high + reach)
    return low, high
