"""Progress and cancellation of a computation.

The computation checks its control every few milliseconds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_WAITING = "waiting"


class Cancelled(Exception):  # noqa: N818 - not an error, but requested
    """The computation was cancelled by everyone who waited for it."""

    def __init__(self) -> None:
        super().__init__("The search was cancelled; start it again to get its answer.")


class Control:
    """Progress and cancellation of one request for a computation. Thread-safe.

    `done` and `stage` are for a progress bar. `cancel` ends the computation within milliseconds,
    unless others wait for the same result; then only this request stops waiting.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = False
        self._listeners: list[Callable[[], None]] = []
        self._stage = _WAITING
        # The current stage covers the shares from `_start` to `_until` of the whole computation.
        self._start = 0.0
        self._until = 0.0
        self._share = 0.0
        self._other: Control | None = None

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._cancelled

    @property
    def done(self) -> float:
        """The share done, 0 to 1; it never decreases."""
        with self._lock:
            start, until, other = self._start, self._until, self._other
            share = self._share
        return start + (until - start) * (share if other is None else other.done)

    @property
    def stage(self) -> str:
        """The current stage, one word: waiting, packing, counting, listing or, for files, writing."""
        with self._lock:
            stage, other = self._stage, self._other
        return stage if other is None else other.stage

    def cancel(self) -> None:
        """Cancel the computation; has no effect if it is cancelled or finished already."""
        with self._lock:
            self._cancelled = True
            listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener()

    def on_cancel(self, listener: Callable[[], None]) -> None:
        """Call `listener` on cancellation, or at once if already cancelled."""
        with self._lock:
            if not self._cancelled:
                self._listeners.append(listener)
                return
        listener()

    # ------------------------------------------------------------- for the computation

    def check(self) -> None:
        """Raise `Cancelled` if the computation was cancelled."""
        if self._cancelled:
            raise Cancelled

    def begin(self, stage: str, until: float) -> None:
        """Begin a stage that ends when the share `until` (0 to 1) of the whole computation is done."""
        self.check()
        with self._lock:
            self._stage = stage
            self._cover(until)

    def begin_next(self, stage: str) -> None:
        """Begin a stage that may not be the last: it covers half of the remaining share."""
        self.begin(stage, (1 + self._until) / 2)

    def advance(self, share: float) -> None:
        """Add a share (0 to 1) of the current stage; raises if the computation was cancelled."""
        self.check()
        with self._lock:
            self._share = min(1.0, self._share + share)

    @contextmanager
    def following(self, other: Control, until: float) -> Iterator[None]:
        """Show the progress of `other`, whose result is part of this computation, up to `until`."""
        with self._lock:
            self._cover(until)
            self._other = other
        try:
            yield
        finally:
            with self._lock:
                self._other = None
                self._share = 1.0

    def _cover(self, until: float) -> None:
        self._start = self._until
        self._until = max(self._start, until)
        self._share = 0.0
