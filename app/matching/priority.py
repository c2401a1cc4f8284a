"""How urgent a thread is: searching goes after answering."""

from __future__ import annotations

import contextlib
import os
import sys
import threading

_LEAST_URGENT = 19


def step_back(by: int) -> None:
    """Make this thread, and those that it starts, less urgent than the process by some niceness.

    Small requests then get a processor first. Does nothing where a priority is that of the whole
    process, and where the system does not allow it.
    """
    if sys.platform != "linux":
        return
    # Counted from the process: only root may make a thread more urgent than it is, and a server
    # may itself have been started with `nice`.
    with contextlib.suppress(OSError):
        niceness = os.getpriority(os.PRIO_PROCESS, os.getpid()) + by
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), min(_LEAST_URGENT, niceness))
