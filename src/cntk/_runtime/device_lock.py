"""Locks that let one process have a GPU for itself, as far as others ask.

filelock is imported with the first lock: few programs ask for one.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import FileLock

_locks: dict[int, FileLock] = {}

# Seconds to wait for another process that only checks if a GPU is taken.
_LOOKING = 0.2


def _lock(number: int) -> FileLock:
    """Return the lock of a GPU, by a file that all users of the machine share."""
    from filelock import FileLock

    path = Path(tempfile.gettempdir()) / f"cntk-gpu-{number}.lock"
    return FileLock(path, mode=0o666, thread_local=False)


def acquire(number: int) -> bool:
    """Lock a GPU for this process until `release`, or the process's end.

    Args:
        number: the GPU's.

    Returns:
        True if this process has it; False if another one does, or its file cannot be opened.
    """
    from filelock import Timeout

    if number in _locks:
        return True
    lock = _lock(number)
    try:
        lock.acquire(timeout=_LOOKING)
    except (Timeout, OSError):
        return False
    _locks[number] = lock
    return True


def release() -> None:
    """Give back all that this process has locked."""
    while _locks:
        _locks.popitem()[1].release()


def is_taken(number: int) -> bool:
    """Return whether another process has locked a GPU."""
    from filelock import Timeout

    if number in _locks:
        return False
    try:
        with _lock(number).acquire(timeout=_LOOKING):
            return False
    except Timeout:
        return True
    except OSError:
        return False
