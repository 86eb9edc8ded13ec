"""How functions are compiled: by numba, for given types, without Python's lock, and kept on disk.

Compiled code checks no index by itself, so that the functions do.
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
    """A decorator that compiles a function; what comes is kept where numba finds a place for it.

    Args:
        signature: numba's types of what is given and comes back.
    """

    def decorated(function: Any) -> Any:
        if not threading.main_thread().is_alive():
            raise ImportError("the program ends: it does not wait for what is not compiled yet")
        try:
            return njit(signature, nogil=True, cache=True)(function)
        except RuntimeError:  # There is no folder to keep it in.
            return njit(signature, nogil=True)(function)

    return decorated
