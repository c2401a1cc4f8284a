"""Keep numpy's matrix products on one thread for a while.

A step of an LSTM is a product of small matrices. Shared between threads on a machine that is busy
with something else, the threads wait for each other's turn at every step: measured on two busy
cores, a forward pass of 24,688 steps took 32 s with two threads and 1.8 s with one.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np


@contextmanager
def one_blas_thread() -> Iterator[bool]:
    """Limit the OpenBLAS that numpy's own wheels bring along to one thread, then undo it.

    It holds for the whole process. Yields True when in effect; False when numpy uses another
    library (a Mac's Accelerate, a distribution's own), whose threads are left as they are.
    """
    found = _openblas()
    if found is None:
        yield False
        return
    get, put = found
    before = get()
    put(1)
    try:
        yield True
    finally:
        put(before)


def _openblas() -> tuple[Callable[[], Any], Callable[[int], Any]] | None:
    package = Path(np.__file__).parent
    for folder in (package.parent / "numpy.libs", package / ".dylibs"):
        for path in sorted(folder.glob("*openblas*")):
            try:
                # Already loaded by numpy: this is another handle to the same library.
                library = ctypes.CDLL(str(path))
            except OSError:
                continue
            for name in ("scipy_openblas_{}_num_threads64_", "scipy_openblas_{}_num_threads"):
                try:
                    return library[name.format("get")], library[name.format("set")]
                except AttributeError:
                    continue
    return None
