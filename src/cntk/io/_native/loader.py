"""Loads the compiled functions in the background.

Importing `cntk.io._native.compiled` compiles them, which takes seconds the first time on a machine.
It is done in a thread, once a file is large enough to be worth it. Until then, and without numba
(the extra `fast`), the readers use NumPy.
"""

from __future__ import annotations

import importlib
import logging
import threading
from concurrent.futures import Future
from functools import cache
from types import ModuleType

_LOGGER = logging.getLogger("cntk")
_WORTH_IT = 1 << 22


def compiled_module(size: int) -> ModuleType | None:
    """Return the compiled functions if they are ready, else None.

    A large ``size`` starts the compilation.

    Args:
        size: how many bytes are to be read.
    """
    if size < _WORTH_IT and not _compilation.cache_info().currsize:
        return None
    module = _compilation()
    return module.result() if module.done() and not module.exception() else None


def state_text() -> str:
    """Return in words whether there are compiled functions, and why not."""
    if not _compilation.cache_info().currsize:
        return f"not loaded: nothing as large as {_WORTH_IT >> 20} MiB has been read yet"
    module = _compilation()
    if not module.done():
        return "being loaded in the background"
    error = module.exception()
    return f"not there: {_reason(error)}" if isinstance(error, Exception) else "loaded"


@cache
def _compilation() -> Future[ModuleType]:
    """Start to compile, once in a process."""
    module: Future[ModuleType] = Future()

    def compile_all() -> None:
        try:
            module.set_result(importlib.import_module("cntk.io._native.compiled"))
        except Exception as error:  # Without numba, or with an unfit version, NumPy reads.
            _LOGGER.info(_reason(error))
            module.set_exception(error)

    # Not a daemon: at exit Python waits until the function under way is compiled, rather than
    # tear the compiler down.
    threading.Thread(target=compile_all, name="cntk-compiler").start()
    return module


def _reason(error: Exception) -> str:
    """Say why there is no compiled code, and what to do about it."""
    if isinstance(error, ModuleNotFoundError) and error.name in ("numba", "llvmlite"):
        return "large files are read faster with numba: pip install 'cntk-torch[fast]'"
    return f"files are read without compiled code: {type(error).__name__}: {error}"
