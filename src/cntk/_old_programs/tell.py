"""Messages to a program's user on standard error, and the code that is served with old names."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from types import FrameType

from cntk._old_programs.rows import HERE, Row

CURRENT = frozenset(
    "numpy scipy pandas h5py PIL matplotlib mpl_toolkits sklearn joblib torch torchvision cntk "
    "numba llvmlite sympy networkx "
    "requests urllib3 six IPython setuptools pip pkg_resources _distutils_hack _pytest pytest "
    "pluggy hypothesis pyarrow "
    "dateutil cycler kiwisolver contourpy yaml onnx rich".split()
) | (sys.stdlib_module_names - {"pickle", "_pickle"})
"""Packages whose own code keeps up: it asks which names there are, and must see things as they
are.
"""


class Teller:
    """Writer of messages, each once.

    Args:
        quiet: whether to say nothing.
        said: what has been said already.
    """

    def __init__(self, quiet: bool = False, said: Iterable[str] = ()) -> None:
        self.quiet = quiet
        self._said = set(said)

    def said(self) -> list[str]:
        """Return what has been said."""
        return sorted(self._said)

    def say(self, text: str) -> None:
        """Write a line that begins with the place in the program that is running."""
        caller = program_frame()
        self.say_at(f"{short(caller.f_code.co_filename)}:{caller.f_lineno}" if caller else "", text)

    def say_at(self, place: str, text: str) -> None:
        """Write a line about a place, unless it has been said."""
        if text in self._said or self.quiet or sys.stderr is None:
            return
        self._said.add(text)
        print("cntk run:", *([f"{place}:"] if place else []), text, file=sys.stderr, flush=True)

    def row(self, row: Row, name: str = "") -> None:
        """Report that the name of a row is used; `name` for a row that lists many."""
        title = row.title.replace("*", name) if name else row.title
        write = row.write.replace("{name}", name)
        self.say(f"{title}: {since(row)}; write: {write}")


def since(row: Row) -> str:
    """Return since when a row's name is gone."""
    return f"gone since {row.gone}" if row.gone else "not installed"


def short(path: str) -> str:
    """Return a path as seen from the current folder, where it lies below it."""
    try:
        relative = os.path.relpath(path)
    except ValueError:  # on another drive
        return path
    return path if relative.startswith(os.pardir) or path.startswith("<") else relative


def calling_frame() -> FrameType | None:
    """Return the frame of the code that asked, beyond this package's own and the import
    system's.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if (
            not module.startswith((HERE, "importlib.", "_frozen_importlib"))
            and module != "importlib"
        ):
            return frame
        frame = frame.f_back
    return None


def program_frame() -> FrameType | None:
    """Return the nearest frame that is no current package's, or the nearest of all."""
    nearest = frame = calling_frame()
    while frame is not None and not _is_old(frame):
        frame = frame.f_back
    return frame or nearest


def _is_old(frame: FrameType) -> bool:
    name = str(frame.f_globals.get("__name__", ""))
    return not name.startswith(HERE) and name.partition(".")[0] not in CURRENT


def is_served() -> bool:
    """Tell whether the code that asks is the program's, or a library's of its time."""
    frame = calling_frame()
    return frame is None or _is_old(frame)
