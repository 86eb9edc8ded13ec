"""Kinds of rows in the tables: a name that is gone, a module, a function that does otherwise, an
error.

A place is written ``module:name``; a leading dot stands for this package. What stands in for an old
name is imported when a program first uses it, never before.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import reduce
from typing import Any

HERE = __package__ or ""


@dataclass(frozen=True)
class Name:
    """A removed name of a module or a class.

    Attributes:
        owner: the module, as ``numpy``, or the class in it, as ``pandas:DataFrame``.
        name: the old name; ``*`` for all public names of the module that `value` is.
        value: place of what stands in for it; None if nothing can: asking for it is an error that
            says what to write.
        write: the line to write instead; ``{name}`` stands for the name.
        gone: since when the name is gone.
    """

    owner: str
    name: str
    value: str | None
    write: str
    gone: str

    @property
    def title(self) -> str:
        """The name that users know."""
        if self.owner == "builtins":
            return self.name
        return f"{self.owner.replace(':', '.')}.{self.name}"


@dataclass(frozen=True)
class Module:
    """A removed module.

    Attributes:
        name: its old name.
        value: the module that is imported in its place; "" for an empty one, whose names have rows
            of their own; None if there is none: importing it is an error that says what to write.
        write: the line to write instead.
        gone: since when it is gone; "" for what is only not installed.
    """

    name: str
    value: str | None
    write: str
    gone: str

    @property
    def title(self) -> str:
        """The name that users know."""
        return self.name


@dataclass(frozen=True)
class Changed:
    """A function that still exists with other arguments or behaviour.

    Attributes:
        owner: the module or class, as for `Name`.
        name: the function.
        value: place of a function that takes today's function and this row, and returns what stands
            in for it.
        what: what an old program does with it, as users would say it.
        write: the line to write instead.
        gone: since when it no longer works.
        old: the old argument, where the row is about one.
        new: the argument that took its place; "" where it has no use any more.
    """

    owner: str
    name: str
    value: str
    what: str
    write: str
    gone: str
    old: str = ""
    new: str = ""

    @property
    def title(self) -> str:
        """The name that users know."""
        name = "" if self.name.startswith("__") else f".{self.name}"
        owner = f"{self.owner.replace(':', '.')}{name}"
        return f"{owner.removeprefix('builtins.')}: {self.what}"


@dataclass(frozen=True)
class Advice:
    """An error that a program may end with, where nothing can be restored.

    Attributes:
        error: a regular expression, found in the error's class and text, as ``TypeError: ...``.
        write: the line to write instead.
        gone: since when it is an error.
    """

    error: str
    write: str
    gone: str

    @property
    def title(self) -> str:
        """The message that users see."""
        return self.error


Row = Name | Module | Changed | Advice


def keyword(owner: str, name: str, old: str, new: str, gone: str, write: str = "") -> Changed:
    """Return the row for an argument that has another name today, or none ("")."""
    return Changed(
        owner, name, ".keywords:renamed", f"the argument {old}=",
        write or (f"{new}=..." if new else f"leave {old}= out"), gone, old, new,
    )  # fmt: skip


def resolve(place: str) -> Any:
    """Return what lies at a place.

    Example:
        >>> resolve("os.path:join") is __import__("os").path.join
        True
    """
    module, _, names = place.partition(":")
    imported = importlib.import_module(HERE + module if module.startswith(".") else module)
    return reduce(getattr, names.split("."), imported) if names else imported
