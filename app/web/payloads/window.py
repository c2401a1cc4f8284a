"""What the Select View draws: the states and words of a stretch of steps, as payloads."""

from __future__ import annotations

import base64
import threading
from typing import Any

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from app.web.view.wire import Brush, BrushSummary, Window, WindowRequest
from loaders import Dataset, Source

#: The widest window that is sent; a screen shows far less.
MOST_WINDOW_STEPS = 600
#: Values sent at most: the rest of a wide source needs a narrower window.
MOST_VALUES = 2_000_000
#: Steps beyond either edge that come along, so that limits near the edge answer at once.
MARGIN = 12


def most_steps(n_states: int) -> int:
    """Return how many steps of a source of `n_states` states a window holds at most."""
    return max(8, min(MOST_WINDOW_STEPS, MOST_VALUES // n_states))


def encode(values: NDArray[Any]) -> tuple[str, str]:
    """Return base64 of the values and the type they are sent in.

    The stored type is sent, so that the browser compares the same numbers: float16 as float32 and
    float32 as it is (both exact), float64 as float64. Little endian.
    """
    dtype = "float64" if values.dtype == np.float64 else "float32"
    raw = np.ascontiguousarray(values, dtype=np.dtype(dtype).newbyteorder("<"))
    return base64.b64encode(raw.tobytes()).decode("ascii"), dtype


def brush_summary(
    source: Source, bounds: tuple[int, int], start: int, stop: int, before: int, after: int
) -> NDArray[Any]:
    """Summarise a brushed range so that S1 follows for any threshold and polarity.

    Parameters
    ----------
    source
        The states.
    bounds
        The brush's sequence, half-open: limits end there.
    start, stop, before, after
        The brush, half-open, and its limits in steps.

    Returns
    -------
    ndarray
        Shape (6, n_states), the source's float type, float32 for float16: least value, greatest
        value and least magnitude over the brush (NaN where any value is NaN: never on); then
        greatest value, least value and greatest magnitude over the limit steps, NaN left out (it is
        off), and -inf, +inf, -inf where there is no limit step. Read in stretches, so memory stays
        bounded.
    """
    dtype = np.float32 if source.dtype == np.float16 else source.dtype
    out = np.empty((6, source.n_states), dtype=dtype)
    out[0], out[1], out[2] = np.inf, -np.inf, np.inf
    out[3], out[4], out[5] = -np.inf, np.inf, -np.inf
    for low in range(start, stop, 4096):
        block = source.window(low, min(stop, low + 4096)).astype(dtype)
        out[0] = np.minimum(out[0], block.min(axis=0))
        out[1] = np.maximum(out[1], block.max(axis=0))
        out[2] = np.minimum(out[2], np.abs(block).min(axis=0))
    first, last = bounds
    for begin, end in ((max(first, start - before), start), (stop, min(last, stop + after))):
        for low in range(begin, end, 4096):
            block = source.window(low, min(end, low + 4096)).astype(dtype)
            out[3] = np.fmax(out[3], np.fmax.reduce(block, axis=0))
            out[4] = np.fmin(out[4], np.fmin.reduce(block, axis=0))
            out[5] = np.fmax(out[5], np.fmax.reduce(np.abs(block), axis=0))
    return out


class BrushSummaries:
    """The summaries of the brushes asked for last, so that paging never reads a brush again.

    Thread-safe; two threads that ask for the same new one may both read it.

    Parameters
    ----------
    most
        How many are cached; one takes 6 x n_states numbers.
    """

    def __init__(self, most: int = 64) -> None:
        self._lock = threading.Lock()
        self._cached: LRUCache[tuple[object, ...], NDArray[Any]] = LRUCache(most)

    def get(self, source: Source, bounds: tuple[int, int], brush: Brush) -> NDArray[Any]:
        """Return `brush_summary` of a brush (``start``, ``stop``, ``before``, ``after``)."""
        key = (source.key, bounds, *sorted(brush.items()))
        with self._lock:
            if key in self._cached:
                return self._cached[key]
        summary = brush_summary(source, bounds, **brush)
        with self._lock:
            self._cached[key] = summary
        return summary


def window_payload(
    dataset: Dataset, source: Source, request: WindowRequest, summaries: BrushSummaries
) -> Window:
    """Answer a ``window-request``: the visible steps, and the brushed range wherever it is.

    Parameters
    ----------
    dataset, source
        What to read.
    request
        ``n`` (returned), ``start``, ``stop`` (clipped to the data and to `most_steps`), ``brush``
        (None or ``start``, ``stop``, ``before``, ``after``).
    summaries
        Those of the brushes asked for before.

    Returns
    -------
    dict
        The ``window`` store. ``values`` holds the rows [rows_start, rows_stop), row by row;
        ``sequences`` every sequence that they touch, with its own bounds; ``brush`` the summary of
        the brushed range (`brush_summary`), which decides S1 when the brush is not in view.
    """
    n_steps = source.n_steps
    start = min(max(request["start"], 0), n_steps - 1)
    stop = min(max(request["stop"], start + 1), n_steps, start + most_steps(source.n_states))
    rows_start, rows_stop = max(0, start - MARGIN), min(n_steps, stop + MARGIN)
    values, dtype = encode(source.window(rows_start, rows_stop))
    summary: BrushSummary | None = None
    brush = request["brush"]
    if brush and 0 <= brush["start"] < brush["stop"] <= n_steps:
        bounds = dataset.sequences.bounds(brush["start"])
        if brush["stop"] <= bounds[1]:
            summary = {**brush, "values": encode(summaries.get(source, bounds, brush))[0]}
    return {
        "n": request["n"],
        "dataset": dataset.id,
        "source": source.name,
        "start": start,
        "stop": stop,
        "rows_start": rows_start,
        "rows_stop": rows_stop,
        "n_states": source.n_states,
        "dtype": dtype,
        "values": values,
        "tokens": dataset.tokens(start, stop),
        "sequences": [
            {"start": first, "stop": last, "id": name}
            for first, last, name in dataset.sequences.touching(rows_start, rows_stop)
        ],
        "brush": summary,
    }
