"""What the original wraps its native objects with. Here there are none, and every object is of its
public class.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from cntk._graph.names.late_names import hand_on

P = ParamSpec("P")
R = TypeVar("R")

__all__ = ["map_if_possible", "typemap"]


def map_if_possible(obj: object) -> None:
    """Give a native object its public class. Nothing is to be done: it has it already."""


def typemap(f: Callable[P, R]) -> Callable[P, R]:
    """Decorator of functions that return native objects: these get their public classes.

    Args:
        f: the function. What it returns is of the public classes already, so it is left as it is.
    """
    return f


hand_on(globals())
