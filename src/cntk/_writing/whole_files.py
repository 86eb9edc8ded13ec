"""Atomic writing of files, long paths, and files that are open only while they are read.

Windows does not replace a file that anybody has open, and virus scanners open new files for some
moments. It finds paths of 260 characters or more only with a prefix. Whatever the package writes
over another file goes through `replacing`.
"""

from __future__ import annotations

import errno
import io
import ntpath
import os
import shutil
import stat
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import IO, BinaryIO

from cntk._writing.file_errors import checked_path, naming, not_writable
from cntk._writing.leftovers import FORMER, LOCKS, lock, name_until_replaced, new_mark, sweep
from cntk.errors import NotWritableError

# Seconds between attempts to replace a file: a second and a half in all.
_WAITS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
# Windows takes paths of up to 259 characters, and folders of up to 247. Room is left for a
# temporary name.
_LONG = 210


def extended(path: str) -> str:
    r"""Return a path of Windows with the prefix that a long one needs.

    Args:
        path: an absolute path.

    Example:
        >>> print(extended("C:/data/" + 30 * "folder/" + "a.model")[:20])
        \\?\C:\data\folder\f
        >>> print(extended("C:/data/a.model"))
        C:/data/a.model
    """
    if len(path) < _LONG or path.startswith(("\\\\?\\", "\\\\.\\")):
        return path
    whole = ntpath.normpath(path)
    return "\\\\?\\UNC" + whole[1:] if whole.startswith("\\\\") else "\\\\?\\" + whole


def reachable(path: str | os.PathLike[str]) -> str:
    """Return a path that this system finds, however long it is."""
    return extended(os.path.abspath(path)) if os.name == "nt" else os.fspath(path)


def opened(path: str | os.PathLike[str], buffering: int = -1) -> BinaryIO:
    """Open a regular file, or a link to one, to read its bytes, however long its path is.

    Paths come from files that anybody may have written. To open a pipe may wait forever, a device
    may have no end, and for some devices to be opened is to be set going.

    Args:
        path: the path.
        buffering: as for `open`.

    Raises:
        OSError: if it cannot be opened, or is a device, a pipe or a socket; ``strerror`` tells
            which.
    """
    try:
        reachable_path = reachable(path)
        _require_regular(os.stat(reachable_path).st_mode, path)
        file = open(reachable_path, "rb", buffering, opener=_open_at_once)
    except ValueError:  # A null character, or half of one that needs two.
        raise OSError(
            errno.EINVAL, "its name has characters that no name of a file has", os.fspath(path)
        ) from None
    try:
        # It may have become another since.
        _require_regular(os.fstat(file.fileno()).st_mode, path)
    except OSError:
        file.close()
        raise
    return file


def _open_at_once(path: str, flags: int) -> int:
    """Open a file without waiting for another process to open it."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _require_regular(mode: int, path: str | os.PathLike[str]) -> None:
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):  # The system itself refuses a folder.
        return
    kinds = (
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    )
    kind = next((name for is_kind, name in kinds if is_kind(mode)), "something else")
    reason = f"it is {kind}, and a regular file was expected; copy what it gives to a file"
    raise OSError(errno.EINVAL, reason, os.fspath(path))


class Reopened:
    """A file to read that is open only during reads, so that others may replace it.

    Args:
        path: its path.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path, self._at = path, 0
        with opened(path) as file:
            self._size = file.seek(0, os.SEEK_END)

    def seekable(self) -> bool:
        """Return whether the file can be read at any position."""
        return True

    def tell(self) -> int:
        """Return the position of the next byte to be read."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position, as files do."""
        self._at = max(
            {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence] + offset, 0
        )
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, all that are left if no size is given."""
        with opened(self._path) as file:
            file.seek(self._at)
            content = file.read(size)
        self._at += len(content)
        return content

    def close(self) -> None:
        """Do nothing: it is not open."""


class _NamedFile(io.FileIO):
    """A new file, open for writing, whose errors name the operation and the path.

    Args:
        path: its path; there must be no such file.
        operation: what the program has called.
        filename: the path as errors show it.
    """

    def __init__(self, path: str, operation: str, filename: str) -> None:
        # Nobody else may read it before it has the rights of the file that it replaces.
        super().__init__(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600))
        self._operation, self._filename = operation, filename

    def write(self, content: object, /) -> int:
        """Write bytes; return how many the system has taken."""
        with naming(self._operation, self._filename):
            return super().write(content)  # type: ignore[arg-type]


@contextmanager
def replacing(filename: str | os.PathLike[str], operation: str) -> Iterator[IO[bytes]]:
    """Open a file to write that replaces another when it is complete and safe on the disk.

    Args:
        filename: the path; missing directories are made.
        operation: what the program has called, for errors.

    Raises:
        ArgumentError: for anything but a path.
        NotWritableError: if there cannot be such a file, or the one that is there cannot be
            replaced.
    """
    with replacing_together([filename], operation) as (file,):
        yield file


def _nothing(target: str) -> Collection[str]:
    return ()


@contextmanager
def replacing_together(
    filenames: Iterable[str | os.PathLike[str]],
    operation: str,
    mark: str | None = None,
    needed: Callable[[str], Collection[str]] = _nothing,
) -> Iterator[list[IO[bytes]]]:
    """Open several files to write. All replace others once all are complete, or none does if one
    cannot.

    The last one is replaced first, and its being replaced decides: whatever ends the process after
    that, the other files are on the disk, under their temporary names if not under their own. What
    processes that were killed have left of these files is removed.

    Args:
        filenames: the paths; see `replacing`.
        operation: what the program has called, for errors.
        mark: becomes part of the temporary names, see `name_until_replaced`; something of its own
            if None.
        needed: for a path, the names of temporaries that are still needed although no process
            writes them.
    """
    mark = mark or new_mark()
    checked = [checked_path(filename, operation) for filename in filenames]
    fresh: list[_Fresh] = []
    try:
        for filename in checked:
            fresh.append(_begun(filename, operation, mark))
            sweep(fresh[-1].target, fresh[-1].folder, partial(needed, fresh[-1].target))
        yield [each.file for each in fresh]
        for each in fresh:
            each.finish()
        _exchange(fresh[::-1])
    finally:
        for each in fresh:
            # What could not be written is not written by closing either.
            with suppress(OSError):
                each.file.close()
        # Where the file that decides has been replaced, the others are needed until they are in
        # their places.
        if fresh and os.path.exists(fresh[-1].temporary):
            for each in fresh:
                _remove(each.temporary)
    for folder in {each.folder for each in fresh}:
        _sync_directory(folder)
    for each in fresh:  # Once more: what was needed until now need not be any more.
        sweep(each.target, each.folder, partial(needed, each.target))


@dataclass(frozen=True)
class _Fresh:
    """A new file that is being written, and the file that it replaces.

    Attributes:
        operation: what the program has called, for errors.
        filename: the target's name for errors.
        target: its path.
        temporary: the path of the file that is written.
        file: that file.
    """

    operation: str
    filename: str
    target: str
    temporary: str
    file: IO[bytes]

    @property
    def folder(self) -> str:
        return os.path.dirname(self.target)

    def finish(self) -> None:
        with naming(self.operation, self.filename):
            self.file.flush()
            os.fsync(self.file.fileno())
            # As long as it is open it is locked; or, on Windows, cannot take another's place.
            if not LOCKS:
                self.file.close()
            os.chmod(self.temporary, _mode(self.target))


def _begun(filename: str, operation: str, mark: str) -> _Fresh:
    try:
        target = reachable(os.path.realpath(filename))
        folder = os.path.dirname(target)
        with naming(operation, filename):
            os.makedirs(folder, exist_ok=True)
            temporary = os.path.join(folder, name_until_replaced(filename, mark))
            while not lock(file := io.BufferedWriter(_NamedFile(temporary, operation, filename))):
                file.close()
    except ValueError as error:
        raise not_writable(operation, filename, str(error)) from None
    return _Fresh(operation, filename, target, temporary, file)


def _exchange(fresh: Sequence[_Fresh]) -> None:
    """Move files to their targets, the one that decides first. If one cannot be moved, undo the
    others.

    What has been done is read from the disk: an interrupt may come anywhere.
    """
    try:
        for each in fresh[:-1]:
            with naming(each.operation, each.filename):
                _keep(each.target, each.temporary + FORMER)
        for each in fresh:
            _replace(each.temporary, each)
            if each is not fresh[-1]:
                _sync_directory(each.folder)
    except BaseException:
        if os.path.exists(fresh[-1].temporary):
            _take_back(fresh)
        raise
    finally:
        for each in fresh[:-1]:
            _remove(each.temporary + FORMER)


def _take_back(fresh: Sequence[_Fresh]) -> None:
    """Restore the former files of those that have been replaced."""
    for each in fresh[-2::-1]:
        if os.path.exists(each.temporary):
            continue
        former = each.temporary + FORMER
        if os.path.exists(former):
            _replace(former, each)
        else:
            os.unlink(each.target)
    for each in fresh:
        _remove(each.temporary)


def _keep(target: str, former: str) -> None:
    """Link or copy a file, if it exists, to another name."""
    if not os.path.exists(target):
        return
    try:
        os.link(target, former)
    except OSError:  # The system, or the disk, has no second names.
        shutil.copy2(target, former)


def _remove(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)


def _replace(temporary: str, of: _Fresh) -> None:
    for wait in (*_WAITS, None):
        try:
            with naming(of.operation, of.filename):
                os.replace(temporary, of.target)
            return
        except NotWritableError as error:
            if error.errno not in (errno.EACCES, errno.EPERM):
                raise
            if wait is None:
                reason = (
                    "it cannot be replaced: this or another program has it open or mapped into "
                    "memory, or it may not be written; close it there, or give another name"
                )
                raise not_writable(of.operation, of.filename, reason, error.errno) from None
            time.sleep(wait)


def _mode(target: str) -> int:
    """Return the permissions of a file: the former ones, or those of any new file."""
    try:
        return os.stat(target).st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _sync_directory(directory: str) -> None:
    """Flush the directory's entry to the disk, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    with suppress(OSError):
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
