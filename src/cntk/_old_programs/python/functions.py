"""Replacements of former functions of Python's own library."""

from __future__ import annotations

import functools
import html
import inspect
import locale
import platform
import plistlib
import sys
import time
import unittest
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from cntk._old_programs.rows import Changed
from cntk._old_programs.tell import Teller, is_served


class ArgSpec(NamedTuple):
    """The arguments of a function, without keyword-only ones."""

    args: list[str]
    varargs: str | None
    keywords: str | None
    defaults: tuple[Any, ...] | None


def getargspec(function: Callable[..., Any]) -> ArgSpec:
    """Return a function's arguments.

    Raises:
        ValueError: it has arguments that can only be given by name, or annotations.

    Example:
        >>> getargspec(lambda a, b=1, *c: 0)
        ArgSpec(args=['a', 'b'], varargs='c', keywords=None, defaults=(1,))
    """
    full = inspect.getfullargspec(function)
    if full.kwonlyargs or full.annotations:
        raise ValueError(
            "Function has keyword-only parameters or annotations, use inspect.signature()"
        )
    return ArgSpec(full.args, full.varargs, full.varkw, full.defaults)


def tobytes(array: Any) -> bytes:
    """Return the bytes of an array."""
    content: bytes = array.tobytes()
    return content


def frombytes(array: Any, data: bytes | str) -> None:
    """Append the values that lie in bytes."""
    array.frombytes(data.encode() if isinstance(data, str) else data)


def escape(text: str, quote: bool | None = None) -> str:
    """Return text with `&`, `<` and `>` written as HTML does, and quotes if asked for."""
    escaped = html.escape(text, quote=False)
    return escaped.replace('"', "&quot;") if quote else escaped


def unescape(parser: object, text: str) -> str:
    """Return text with HTML's entities replaced."""
    return html.unescape(text)


def readfp(parser: Any, file: Any, filename: str | None = None) -> None:
    """Read settings from a file that is open."""
    parser.read_file(file, filename)


def locale_format(
    percent: str, value: Any, grouping: bool = False, monetary: bool = False, *more: Any
) -> str:
    """Return a number as the locale writes it."""
    return locale.format_string(percent, (value, *more) if more else value, grouping, monetary)


def linux_distribution(*_: Any, **__: Any) -> tuple[str, str, str]:
    """Return a Linux distribution's name, version and code name; empty elsewhere."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return "", "", ""
    return (
        release.get("NAME", ""),
        release.get("VERSION_ID", ""),
        release.get("VERSION_CODENAME", ""),
    )


def read_plist(file: Any) -> Any:
    """Read a property list from a path or an open file."""
    if hasattr(file, "read"):
        return plistlib.load(file)
    with open(file, "rb") as opened:
        return plistlib.load(opened)


def write_plist(value: Any, file: Any) -> None:
    """Write a property list to a path or an open file."""
    if hasattr(file, "write"):
        plistlib.dump(value, file)
        return
    with open(file, "wb") as opened:
        plistlib.dump(value, opened)


def clock() -> float:
    """Return seconds of CPU time; on Windows, seconds since the start."""
    return time.perf_counter() if sys.platform == "win32" else time.process_time()


def getcheckinterval() -> int:
    """Return the number of instructions that it was by default."""
    return 100


def setcheckinterval(n: int) -> None:
    """Do nothing: how long a thread runs is no longer counted in instructions."""


def is_alive(thread: Any) -> bool:
    """Tell whether a thread runs."""
    return bool(thread.is_alive())


def make_suite(case: type[unittest.TestCase], prefix: str = "test", *_: Any) -> unittest.TestSuite:
    """Return all tests of a class."""
    loader = unittest.TestLoader()
    loader.testMethodPrefix = prefix
    return loader.loadTestsFromTestCase(case)


def children(element: Any) -> list[Any]:
    """Return an element's children."""
    return list(element)


def iterator(element: Any, tag: str | None = None) -> Iterator[Any]:
    """Return all elements below one, itself included."""
    return iter(list(element.iter(tag)))


def open_universal(
    function: Callable[..., Any], row: Changed, teller: Teller
) -> Callable[..., Any]:
    """Return `open` that takes a mode with `U`, which is how text is read anyway."""

    @functools.wraps(function)
    def old(file: Any, mode: Any = "r", *arguments: Any, **options: Any) -> Any:
        if isinstance(mode, str) and "U" in mode and is_served():
            teller.row(row)
            mode = mode.replace("U", "")
            mode = mode if "r" in mode else "r" + mode
        return function(file, mode, *arguments, **options)

    return old


def sample_of_set(function: Callable[..., Any], row: Changed, teller: Teller) -> Callable[..., Any]:
    """Return `random.sample` that draws from a set, too."""

    @functools.wraps(function)
    def old(population: Any, *arguments: Any, **options: Any) -> Any:
        if isinstance(population, (set, frozenset)) and is_served():
            teller.row(row)
            population = tuple(population)
        return function(population, *arguments, **options)

    return old
