"""Locks that let one process have a GPU for itself, as far as others ask."""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path
from typing import IO

_held: dict[int, IO[bytes]] = {}


def _file(number: int) -> IO[bytes]:
    """The lock's file, which all users of the machine share."""
    path = Path(tempfile.gettempdir()) / f"cntk-gpu-{number}.lock"
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o666), "rb")


def acquire(number: int) -> bool:
    """Lock a GPU for this process until `release`, or the process's end.

    Args:
        number: which GPU.

    Returns:
        Whether this process has it: not if another one does, or the lock's file cannot be opened.
    """
    if number in _held:
        return True
    try:
        file = _file(number)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return False
    _held[number] = file
    return True


def release() -> None:
    """Give back all that this process has locked."""
    while _held:
        _held.popitem()[1].close()


def is_taken(number: int) -> bool:
    """Whether another process has locked a GPU."""
    if number in _held:
        return False
    try:
        file = _file(number)
    except OSError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
