"""Progress and cancelling of work that is under way.

The work checks its control between short stretches.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_WAITING = "waiting"


class Cancelled(Exception):  # noqa: N818 - no error: it was asked for
    """The work was cancelled by every caller that waited for it."""

    def __init__(self) -> None:
        super().__init__("The search was cancelled; ask again for its answer.")


class Control:
    """The progress of one answer, and a way to cancel it. Safe to use from any thread.

    `done` and `stage` are for a progress bar; `cancel` ends the work within a stretch of some
    milliseconds, unless other callers wait for the same answer: then only this one stops waiting.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = False
        self._listeners: list[Callable[[], None]] = []
        self._stage = _WAITING
        # The stage under way covers the shares from `_start` to `_until` of all the work.
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
        """The share that is done, 0 to 1; it never falls."""
        with self._lock:
            start, until, other = self._start, self._until, self._other
            share = self._share
        return start + (until - start) * (share if other is None else other.done)

    @property
    def stage(self) -> str:
        """What is being done, one word: waiting, packing, counting, listing or, of files, writing."""
        with self._lock:
            stage, other = self._stage, self._other
        return stage if other is None else other.stage

    def cancel(self) -> None:
        """Cancel the work; to do so again, or when it is over, does nothing."""
        with self._lock:
            self._cancelled = True
            listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener()

    def on_cancel(self, listener: Callable[[], None]) -> None:
        """Call `listener` when the work is cancelled, at once if it was already."""
        with self._lock:
            if not self._cancelled:
                self._listeners.append(listener)
                return
        listener()

    # ---------------------------------------------------------------- for the code that does the work

    def check(self) -> None:
        """Raise `Cancelled` if the work was cancelled."""
        if self._cancelled:
            raise Cancelled

    def begin(self, stage: str, until: float) -> None:
        """Begin a stage that ends when the share `until` (0 to 1) of all the work is done."""
        self.check()
        with self._lock:
            self._stage = stage
            self._cover(until)

    def begin_next(self, stage: str) -> None:
        """Begin a stage that may not be the last: it covers half of what is left."""
        self.begin(stage, (1 + self._until) / 2)

    def advance(self, share: float) -> None:
        """Add a share (0 to 1) of the stage under way, and raise if the work was cancelled."""
        self.check()
        with self._lock:
            self._share = min(1.0, self._share + share)

    @contextmanager
    def following(self, other: Control, until: float) -> Iterator[None]:
        """Show the progress of `other`, whose answer is a part of this work, up to `until`."""
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
