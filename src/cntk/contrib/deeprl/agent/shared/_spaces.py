"""Spaces of observations and actions, recognised by their attributes: gym and gymnasium need not be
installed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

DISCRETE, BINARY, MULTI_DISCRETE, BOX = "discrete", "binary", "multi-discrete", "box"


def kind_of(space: Any) -> str | None:
    """Return what kind of space something is.

    Args:
        space: a space of gym or gymnasium, or any object like one.

    Returns:
        `DISCRETE` with ``n``, `BINARY` with ``n`` and named MultiBinary or with a shape,
        `MULTI_DISCRETE` with ``nvec`` or named MultiDiscrete, `BOX` with ``low``, ``high`` and
        ``shape``; None for any other, tuples and dictionaries of spaces among them.

    Example:
        >>> from types import SimpleNamespace
        >>> kind_of(SimpleNamespace(n=3)), kind_of(SimpleNamespace(spaces=[]))
        ('discrete', None)
    """
    names = {cls.__name__ for cls in type(space).__mro__}
    if hasattr(space, "spaces"):
        return None
    if "MultiDiscrete" in names or hasattr(space, "nvec"):
        return MULTI_DISCRETE
    if hasattr(space, "n"):
        return BINARY if "MultiBinary" in names or getattr(space, "shape", None) else DISCRETE
    if all(hasattr(space, name) for name in ("low", "high", "shape")):
        return BOX
    return None


def size_of(space: Any) -> int:
    """Return how many values a discrete space has.

    Args:
        space: a discrete space; its values are 0 to n - 1.

    Raises:
        ValueError: if there are none, or if its first value is not 0.
    """
    start = int(getattr(space, "start", 0))
    if start:
        raise ValueError(
            f"the values of {space} begin with {start}; expected a discrete space that begins with "
            f"0"
        )
    size = int(space.n)
    if size < 1:
        raise ValueError(f"{space} has {size} values; expected at least one")
    return size


def shape_of(space: Any) -> tuple[int, ...]:
    """Return the shape in which a network gets an observation: one-hot for a discrete space.

    Args:
        space: a space that `kind_of` knows.
    """
    kind = kind_of(space)
    if kind == DISCRETE:
        return (size_of(space),)
    if kind == BINARY:
        return tuple(np.atleast_1d(space.n).tolist())
    if kind == MULTI_DISCRETE and not hasattr(space, "shape"):
        return np.shape(space.nvec)
    return tuple(space.shape)
