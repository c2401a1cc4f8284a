"""Thread priorities: small requests go before searches."""

from __future__ import annotations

import contextlib
import os
import sys
import threading

_LEAST_URGENT = 19


def lower_priority(by: int) -> None:
    """Lower the priority of this thread, and of threads that it starts, by some niceness.

    Small requests then get a processor first. Has no effect if priorities apply to the whole process or
    the system does not allow it.
    """
    if sys.platform != "linux":
        return
    # Relative to the process: only root may raise a priority, and a server may itself have been
    # started with `nice`.
    with contextlib.suppress(OSError):
        niceness = os.getpriority(os.PRIO_PROCESS, os.getpid()) + by
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), min(_LEAST_URGENT, niceness))
