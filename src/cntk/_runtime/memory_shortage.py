"""What torch, NumPy and Python raise where memory does not suffice, told apart from all else."""

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
    """Whether an error says that there is not enough memory on the CPU, in other words than
    ours.
    """
    if isinstance(error, NotEnoughMemoryError):
        return False
    if isinstance(error, MemoryError):
        return True
    return type(error) is RuntimeError and any(mark in str(error) for mark in _MARKS)


def shortage_text(error: Exception) -> str:
    """What to tell of it.

    Example:
        >>> shortage_text(
        ...     RuntimeError("can't allocate memory: you tried to allocate 4398046511104 bytes.")
        ... )
        'there is not enough memory for 4398046511104 bytes; use smaller minibatches or shapes'
    """
    found = re.search(r"allocate (\d+) bytes", str(error))
    return (
        f"there is not enough memory{f' for {found[1]} bytes' if found else ''}; use smaller "
        f"minibatches or shapes"
    )
