"""Recognition of the exceptions that torch, NumPy and Python raise for lack of memory."""

from __future__ import annotations

import re

from cntk.errors import NotEnoughMemoryError

_MARKS = (
    "can't allocate memory",
    "not enough memory",
    "calculation overflowed",
    "multiplication overflow",
)


def is_shortage(error: Exception) -> bool:
    """Return whether an error of torch, NumPy or Python says that there is not enough CPU
    memory.
    """
    if isinstance(error, NotEnoughMemoryError):
        return False
    if isinstance(error, MemoryError):
        return True
    return type(error) is RuntimeError and any(mark in str(error) for mark in _MARKS)


def shortage_text(error: Exception) -> str:
    """Return the message for such an error.

    Example:
        >>> shortage_text(
        ...     RuntimeError("can't allocate memory: you tried to allocate 4398046511104 bytes.")
        ... )
        'there is not enough memory for 4398046511104 bytes; use smaller minibatches or shapes'
    """
    size = re.search(r"allocate (\d+) bytes", str(error))
    return (
        f"there is not enough memory{f' for {size[1]} bytes' if size else ''}; use smaller "
        f"minibatches or shapes"
    )
