"""Functions that Python's own library had."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple


class ArgSpec(NamedTuple):
    """The arguments of a function, without those that can only be given by name."""

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
        raise ValueError("Function has keyword-only parameters or annotations, use inspect.signature()")
    return ArgSpec(full.args, full.varargs, full.varkw, full.defaults)
