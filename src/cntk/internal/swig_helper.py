"""Counterparts of the original's wrappers of native objects. Here every object has its public class
already.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from cntk._graph.names.late_names import hand_on

P = ParamSpec("P")
R = TypeVar("R")

__all__ = ["map_if_possible", "typemap"]


def map_if_possible(obj: object) -> None:
    """Do nothing: here every object has its public class already."""


def typemap(f: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function that returns native objects: the original converts these to public
    classes.

    Args:
        f: the function. What it returns is of the public classes already, so it is left as it is.
    """
    return f


hand_on(globals())
