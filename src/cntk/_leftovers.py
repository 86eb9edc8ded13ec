"""Temporary files: their names, who writes them, and what processes that were killed have left of
them.

A name has a part of its own for every writing, which begins with a mark of the machine. While a
file is written it is locked, where systems lock files by what opened them: such a lock ends with
its process, however that ends. Where they do not, the time of the last change tells; of other
machines' files on a shared disk it alone does.
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
# Seconds without a change after which nobody writes a file any more: on this machine without locks,
# and on another one.
_CLOSED, _ELSEWHERE = 600, 24 * 60 * 60
# Only part of the target's name, with a digest of the rest: with all of it a name might be too
# long.
_KEPT = 40
_HOST = hashlib.blake2b(
    socket.gethostname().encode("utf-8", "surrogatepass"), digest_size=4
).hexdigest()
FORMER = ".former"


def new_mark() -> str:
    """Return a part of its own for temporary names."""
    return _HOST + secrets.token_hex(6)


def name_until_replaced(filename: str | os.PathLike[str], mark: str) -> str:
    """Return the name that a file is written under before it takes its place."""
    return f"{_stem(filename)}.{mark}.part"


def _stem(filename: str | os.PathLike[str]) -> str:
    name = os.path.basename(os.path.realpath(filename))
    if len(name) <= _KEPT:
        return f".{name}"
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f".{name[: _KEPT - 9]}-{digest}"


def hold(file: IO[bytes]) -> bool:
    """Mark an open file as one that is being written, until it is closed; False if it was taken for
    a leftover just now.
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
    """Return the names of a file's temporaries in a folder, by whomever they are."""
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
    """Remove a file's temporaries that nobody writes any more.

    Args:
        filename: the file.
        folder: where it is.
        needed: gives the names of those that are to stay all the same; asked for only if there are
            any.
    """
    found = leftovers(filename, folder)
    kept = needed() if found else ()
    for name in found:
        path = os.path.join(folder, name)
        with ExitStack() as asked:
            if name not in kept and all(
                asked.enter_context(abandoned(part)) for part in _writing(name, folder)
            ):
                with suppress(OSError):
                    os.unlink(path)


def _writing(name: str, folder: str) -> list[str]:
    """Whose writer is that of a temporary: its own path; for a former file that is kept meanwhile,
    those written with it.
    """
    if not name.endswith(FORMER):
        return [os.path.join(folder, name)]
    ending = "." + ".".join(name.split(".")[-3:-1])
    return [os.path.join(folder, other) for other in os.listdir(folder) if other.endswith(ending)]


@contextmanager
def abandoned(path: str) -> Iterator[bool]:
    """Whether nobody writes a temporary file any more; nobody else finds so meanwhile."""
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
