"""Locks that let one process have a GPU for itself, as far as others ask."""

from __future__ import annotations

import tempfile
from pathlib import Path

from filelock import FileLock, Timeout

_held: dict[int, FileLock] = {}

# Seconds to wait for another process that only looks whether a GPU is taken.
_LOOKING = 0.2


def _lock(number: int) -> FileLock:
    """The lock of a GPU, by a file that all users of the machine share."""
    path = Path(tempfile.gettempdir()) / f"cntk-gpu-{number}.lock"
    return FileLock(path, mode=0o666, thread_local=False)


def acquire(number: int) -> bool:
    """Lock a GPU for this process until `release`, or the process's end.

    Args:
        number: which GPU.

    Returns:
        Whether this process has it: not if another one does, or the lock's file cannot be opened.
    """
    if number in _held:
        return True
    lock = _lock(number)
    try:
        lock.acquire(timeout=_LOOKING)
    except (Timeout, OSError):
        return False
    _held[number] = lock
    return True


def release() -> None:
    """Give back all that this process has locked."""
    while _held:
        _held.popitem()[1].release()


def is_taken(number: int) -> bool:
    """Return whether another process has locked a GPU."""
    if number in _held:
        return False
    try:
        with _lock(number).acquire(timeout=_LOOKING):
            return False
    except Timeout:
        return True
    except OSError:
        return False
