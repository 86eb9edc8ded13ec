"""`compiled`: the decorator that compiles a function by numba, and numba's types for its arguments.

Functions are compiled for one signature, run without the GIL, and are cached on disk. Compiled code
does no bounds checks, so the functions check indices themselves.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from numba import float32, int64, njit, types, uint8

NUMBERS = types.Array(int64, 1, "C", readonly=True)
VALUES = types.Array(float32, 1, "C", readonly=True)
ROWS = types.Array(float32, 2, "C", readonly=True)
TEXT = types.Array(uint8, 1, "C", readonly=True)
PIXELS = types.Array(uint8, 3, "A", readonly=True)


def compiled(signature: Any) -> Callable[[Any], Any]:
    """Return a decorator that compiles a function, with numba's cache on disk where there is one.

    Args:
        signature: numba's types of the arguments and the result.
    """

    def decorated(function: Any) -> Any:
        if not threading.main_thread().is_alive():
            raise ImportError("the program is ending and does not wait for the compiler")
        try:
            return njit(signature, nogil=True, cache=True)(function)
        except RuntimeError:  # There is no folder for the cache.
            return njit(signature, nogil=True)(function)

    return decorated
