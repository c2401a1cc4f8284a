"""The data of the Select View: the states and words of a range of steps, as payloads."""

from __future__ import annotations

import base64
import threading
from typing import Any

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from app.web.view.wire import Brush, BrushSummary, Window, WindowRequest
from loaders import Dataset, Source

#: The maximum number of steps sent; a screen shows far fewer.
MOST_WINDOW_STEPS = 600
#: The maximum number of values sent: sources with many states get narrower windows.
MOST_VALUES = 2_000_000
#: Extra steps sent at both edges, so that limits near the edge can be evaluated at once.
MARGIN = 12


def most_steps(n_states: int) -> int:
    """Return the maximum number of steps in a window of a source with `n_states` states."""
    return max(8, min(MOST_WINDOW_STEPS, MOST_VALUES // n_states))


def encode(values: NDArray[Any]) -> tuple[str, str]:
    """Return the values in base64, and the type in which they are sent.

    The stored type is sent, so that the browser compares the same numbers: float16 as float32 and
    float32 unchanged (both exact), float64 as float64. Little endian.
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
        The sequence of the brush, half-open: limits end there.
    start, stop, before, after
        The brush, half-open, and its limits in steps.

    Returns
    -------
    ndarray
        Shape (6, n_states), in the source's float type, float32 for float16: least value, greatest value
        and least magnitude over the brush (NaN if any value is NaN: never on); then greatest value, least
        value and greatest magnitude over the limit steps, ignoring NaN (which is off), or -inf, +inf, -inf
        without limit steps. Read in blocks, to bound the memory.
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
    """A cache of summaries of the latest brushes, so that paging never reads a brush again.

    Thread-safe; two threads that request the same new one may both read it.

    Parameters
    ----------
    most
        The number of summaries; each has 6 x n_states numbers.
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
    """Answer a ``window-request``: the visible steps, and the brushed range even if it is not visible.

    Parameters
    ----------
    dataset, source
        The data.
    request
        ``n`` (returned), ``start``, ``stop`` (clipped to the data and to `most_steps`), ``brush``
        (None or ``start``, ``stop``, ``before``, ``after``).
    summaries
        The cache of summaries.

    Returns
    -------
    dict
        The ``window`` store. ``values`` has the rows [rows_start, rows_stop), row by row; ``sequences`` has
        every sequence that overlaps them, with its full bounds; ``brush`` has the summary of the brushed
        range (`brush_summary`), which determines S1 when the brush is not visible.
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
