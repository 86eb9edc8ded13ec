"""Temporary files: their names, their writers, and removal of those that killed processes have
left.

A temporary name has a part of its own for every writing, which begins with a mark of the machine. A
file is locked while it is written, where the system has locks that end with the process. Elsewhere,
and for other machines' files on a shared disk, the time of the last change decides.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import socket
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import IO, Any

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows: there nobody removes a file that is open
    fcntl = None

# Whether files that are open are locked, and may be replaced.
LOCKS = fcntl is not None
# Seconds without a change after which no process writes a file any more: on this machine without
# locks, and on another one.
_CLOSED, _ELSEWHERE = 600, 24 * 60 * 60
# Only part of the target's name, with a digest of the rest: with all of it a name might be too
# long.
_KEPT = 40
_HOST = hashlib.blake2b(
    socket.gethostname().encode("utf-8", "surrogatepass"), digest_size=4
).hexdigest()
FORMER = ".former"


def new_mark() -> str:
    """Return a new unique part of temporary names."""
    return _HOST + secrets.token_hex(6)


def name_until_replaced(filename: str | os.PathLike[str], mark: str) -> str:
    """Return the temporary name under which a file is written."""
    return f"{_stem(filename)}.{mark}.part"


def _stem(filename: str | os.PathLike[str]) -> str:
    name = os.path.basename(os.path.realpath(filename))
    if len(name) <= _KEPT:
        return f".{name}"
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f".{name[: _KEPT - 9]}-{digest}"


def lock(file: IO[bytes]) -> bool:
    """Lock an open file while it is being written, until it is closed. Return False if another
    process has just removed it as a leftover.
    """
    while fcntl is not None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:  # Somebody looks whether it is one.
            time.sleep(0.001)
        except OSError:  # A disk without locks.
            break
    return os.fstat(file.fileno()).st_nlink > 0


def leftovers(filename: str | os.PathLike[str], folder: str) -> list[str]:
    """Return the names of a file's temporaries in a folder, of any process."""
    # Marks of 12 letters are those of earlier versions.
    pattern = re.compile(
        re.escape(_stem(filename)) + r"\.(?:[0-9a-f]{12}|[0-9a-f]{20})\.part(?:\.former)?"
    )
    try:
        return [name for name in os.listdir(folder) if pattern.fullmatch(name)]
    except OSError:
        return []


def sweep(
    filename: str | os.PathLike[str], folder: str, needed: Callable[[], Collection[str]]
) -> None:
    """Remove a file's temporaries that no process writes any more.

    Args:
        filename: the file.
        folder: where it is.
        needed: gives the names of those that are to stay all the same; asked for only if there are
            any.
    """
    names = leftovers(filename, folder)
    still_needed = needed() if names else ()
    for name in names:
        path = os.path.join(folder, name)
        with ExitStack() as asked:
            if name not in still_needed and all(
                asked.enter_context(abandoned(part)) for part in _writing(name, folder)
            ):
                with suppress(OSError):
                    os.unlink(path)


def _writing(name: str, folder: str) -> list[str]:
    """Return the files whose writer owns a temporary: its own path; for a backup of a former file,
    those written with it.
    """
    if not name.endswith(FORMER):
        return [os.path.join(folder, name)]
    ending = "." + ".".join(name.split(".")[-3:-1])
    return [os.path.join(folder, other) for other in os.listdir(folder) if other.endswith(ending)]


@contextmanager
def abandoned(path: str) -> Iterator[bool]:
    """Yield whether no process writes a temporary file any more; meanwhile no other process gets
    the same answer.
    """
    is_of_here = path.split(".")[-2].startswith(_HOST)
    with ExitStack() as opened:
        try:
            if fcntl is None or not is_of_here:
                is_left = _is_older(path, _CLOSED if is_of_here else _ELSEWHERE)
            else:
                fcntl.flock(
                    opened.enter_context(open(path, "r+b", 0)), fcntl.LOCK_EX | fcntl.LOCK_NB
                )
                is_left = True
        except BlockingIOError:
            is_left = False
        except OSError:  # Another user's, or a disk without locks.
            is_left = _is_older(path, _ELSEWHERE)
        yield is_left


def _is_older(path: str, seconds: float) -> bool:
    try:
        return time.time() - os.stat(path).st_mtime > seconds
    except OSError:
        return False
