"""Errors of files that cannot be written. They name the operation, the path, and the reason."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from cntk._wording import quoted
from cntk.errors import ArgumentError, NotWritableError

_WAYS_OUT = {
    errno.ENOSPC: "free some space, or give a path on another disk",
    errno.EFBIG: (
        "this disk or this process allows no file of that size; give a path on another disk"
    ),
    errno.EACCES: "give a path that this user may write to",
    errno.EPERM: "give a path that this user may write to",
    errno.EROFS: "give a path on a disk that may be written to",
    errno.ENAMETOOLONG: "give a shorter path",
}
_QUOTA = getattr(errno, "EDQUOT", None)


def not_writable(
    operation: str,
    filename: str | os.PathLike[str],
    reason: BaseException | str,
    number: int | None = None,
) -> NotWritableError:
    """Return the error for one file.

    Args:
        operation: what the program has called.
        filename: the path as the program gave it.
        reason: the system's error, or why it cannot be, with a way out.
        number: the system's number of the error if the reason is a string.
    """
    if isinstance(reason, OSError):
        number, said = reason.errno, reason.strerror or str(reason)
        if number in (errno.EEXIST, errno.ENOTDIR):
            said = f"{quoted(os.fsdecode(reason.filename or filename))} is no folder"
        way_out = _WAYS_OUT.get(number or 0) or (
            _WAYS_OUT[errno.ENOSPC] if number == _QUOTA else None
        )
        reason = said[:1].lower() + said[1:] + (f"; {way_out}" if way_out else "")
    path = os.fspath(filename)
    return NotWritableError(number, f"{operation}: cannot write {quoted(path)}: {reason}", path)


@contextmanager
def naming(operation: str, filename: str | os.PathLike[str]) -> Iterator[None]:
    """Make the system's errors name the operation and the path (a context manager).

    Args:
        operation: what the program has called.
        filename: what is written inside the block.

    Raises:
        NotWritableError: for an error of the system.
    """
    try:
        yield
    except NotWritableError:
        raise
    except OSError as error:
        raise not_writable(operation, filename, error) from None


def checked_path(filename: object, operation: str) -> str:
    """Return a path that a file can be written to, after a check.

    Raises:
        ArgumentError: for anything but a path, and for an empty one.
        NotWritableError: if it is that of a folder or a device.
    """
    if not isinstance(filename, (str, os.PathLike)) or not isinstance(
        path := os.fspath(filename), str
    ):
        raise ArgumentError(f"{operation}: expected a path to write to, got {filename!r}")
    if not path:
        raise ArgumentError(f"{operation}: expected a path to write to, got an empty one")
    if path.endswith(tuple(filter(None, (os.sep, os.altsep)))) or os.path.isdir(path):
        raise not_writable(
            operation, path, "it is a folder; give the path of a file in it", errno.EISDIR
        )
    if os.path.exists(path) and not os.path.isfile(path):
        raise not_writable(
            operation, path, "it is a device or a pipe; give the path of a file", errno.EINVAL
        )
    return path
