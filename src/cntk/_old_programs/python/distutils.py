"""Replacement of the parts of distutils that programs, rather than installers, used."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from functools import total_ordering
from typing import Any

find_executable = shutil.which


class DistutilsError(Exception):
    """Raised where a file could not be copied, or a command failed."""


DistutilsFileError = DistutilsExecError = DistutilsError


@total_ordering
class LooseVersion:
    """A version, compared number by number.

    Example:
        >>> LooseVersion("1.10") > "1.9.2"
        True
    """

    def __init__(self, vstring: str | None = None) -> None:
        if vstring is not None:
            self.parse(vstring)

    def parse(self, vstring: str) -> None:
        """Read a version."""
        self.vstring = vstring
        parts = (part for part in re.split(r"(\d+|[a-z]+|\.)", vstring) if part and part != ".")
        self.version: list[Any] = [int(part) if part.isdigit() else part for part in parts]

    def __str__(self) -> str:
        return self.vstring

    def __repr__(self) -> str:
        return f"{type(self).__name__} ('{self}')"

    def __eq__(self, other: object) -> bool:
        return self.version == self._of(other)

    def __lt__(self, other: object) -> bool:
        return self.version < self._of(other)

    __hash__ = None  # type: ignore[assignment]

    def _of(self, other: object) -> list[Any]:
        return other.version if isinstance(other, LooseVersion) else type(self)(str(other)).version


class StrictVersion(LooseVersion):
    """A version of two or three numbers, and perhaps ``a`` or ``b`` and a number for what came
    before it.
    """

    def parse(self, vstring: str) -> None:
        """Read a version.

        Raises:
            ValueError: it has another form.
        """
        match = re.fullmatch(r"(\d+)\.(\d+)(?:\.(\d+))?(?:([ab])(\d+))?", vstring)
        if not match:
            raise ValueError(f"invalid version number '{vstring}'")
        first, second, third, letter, number = match.groups()
        self.vstring = vstring
        self.version = [
            int(first),
            int(second),
            int(third or 0),
            *([letter, int(number)] if letter else ["c", 0]),
        ]


def strtobool(val: str) -> int:
    """Return 1 for yes, y, true, t, on and 1, 0 for their contraries.

    Raises:
        ValueError: it is neither.
    """
    word = val.lower()
    if word in ("y", "yes", "t", "true", "on", "1"):
        return 1
    if word in ("n", "no", "f", "false", "off", "0"):
        return 0
    raise ValueError(f"invalid truth value {word!r}")


def get_platform() -> str:
    """Return the platform's name."""
    import sysconfig

    return sysconfig.get_platform()


def spawn(
    cmd: Sequence[str], search_path: int = 1, verbose: int = 0, dry_run: int = 0, **_: Any
) -> None:
    """Run a command.

    Raises:
        DistutilsError: it failed.
    """
    if dry_run:
        return
    try:
        subprocess.run(list(cmd), check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise DistutilsExecError(f"command {cmd[0]!r} failed: {error}") from None


def mkpath(name: str, mode: int = 0o777, verbose: int = 1, dry_run: int = 0) -> list[str]:
    """Make a folder and those above it."""
    if os.path.isdir(name) or dry_run:
        return []
    os.makedirs(name, mode)
    return [name]


def copy_tree(
    src: str,
    dst: str,
    preserve_mode: int = 1,
    preserve_times: int = 1,
    preserve_symlinks: int = 0,
    update: int = 0,
    **_: Any,
) -> list[str]:
    """Copy a folder into another, which may exist, and return the paths of the copies."""
    copied: list[str] = []

    def copy(source: str, target: str) -> str:
        if (
            update
            and os.path.exists(target)
            and os.path.getmtime(source) <= os.path.getmtime(target)
        ):
            return target
        copied.append(target)
        return str(shutil.copy2(source, target))

    if not os.path.isdir(src):
        raise DistutilsFileError(f"cannot copy tree '{src}': not a directory")
    shutil.copytree(
        src, dst, symlinks=bool(preserve_symlinks), copy_function=copy, dirs_exist_ok=True
    )
    return copied


def remove_tree(directory: str, verbose: int = 1, dry_run: int = 0) -> None:
    """Remove a folder with all that is in it."""
    if not dry_run:
        shutil.rmtree(directory)


def copy_file(src: str, dst: str, *_: Any, **__: Any) -> tuple[str, int]:
    """Copy a file to a path or into a folder."""
    return str(shutil.copy2(src, dst)), 1


def move_file(src: str, dst: str, *_: Any, **__: Any) -> str:
    """Move a file to a path or into a folder."""
    return str(shutil.move(src, dst))


def write_file(filename: str, contents: Sequence[str]) -> None:
    """Write lines to a file."""
    with open(filename, "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in contents)


def byte_compile(py_files: Sequence[str], **_: Any) -> None:
    """Compile source files."""
    import py_compile

    for path in py_files:
        py_compile.compile(path)
