"""Compiled code, as soon as there is any.

Importing `_machine` compiles it, which takes seconds when it is done for the first time on a
machine. It is done in the background, and only once there is so much to do that it is worth it;
nobody waits.
"""

from __future__ import annotations

import importlib
import threading
from concurrent.futures import Future
from functools import cache
from types import ModuleType

_WORTH_IT = 1 << 22


def machine(size: int) -> ModuleType | None:
    """The compiled functions, if they are there; a text of some size makes sure that they will be.

    Args:
        size: how many bytes are to be read.
    """
    if size < _WORTH_IT and not _coming.cache_info().currsize:
        return None
    coming = _coming()
    return coming.result() if coming.done() and not coming.exception() else None


@cache
def _coming() -> Future[ModuleType]:
    coming: Future[ModuleType] = Future()

    def prepare() -> None:
        try:
            coming.set_result(importlib.import_module("cntk.io._native.compiled"))
        except (
            Exception
        ) as error:  # Without numba, or with one that does not fit, all is read another way.
            coming.set_exception(error)

    # No daemon: a program that ends waits until the function under way is done, rather than have a
    # compiler torn down.
    threading.Thread(target=prepare, name="cntk-compiler").start()
    return coming
