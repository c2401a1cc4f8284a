"""The priority of a thread: searching comes after answering."""

from __future__ import annotations

import contextlib
import os
import sys
import threading

_LARGEST_NICENESS = 19


def lower_priority(niceness: int) -> None:
    """Raise the niceness of this thread, and of those that it starts, above that of the process.

    Small requests then get a processor first. Does nothing where a priority is that of the whole
    process, and where the system does not allow it.
    """
    if sys.platform != "linux":
        return
    # Counted from the process: only root may raise a thread's priority, and a server
    # may itself have been started with `nice`.
    with contextlib.suppress(OSError):
        own = os.getpriority(os.PRIO_PROCESS, os.getpid())
        os.setpriority(
            os.PRIO_PROCESS, threading.get_native_id(), min(_LARGEST_NICENESS, own + niceness)
        )
