"""Conversion of one value or several to a tuple."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = []


def _as_tuple(x: Any) -> tuple[Any, ...]:
    """Return a number or a string as a tuple of one, and anything with several elements as a tuple.

    Raises:
        TypeError: for None.

    Example:
        >>> _as_tuple(3), _as_tuple([1, 2])
        ((3,), (1, 2))
    """
    if x is None:
        raise TypeError("expected a number or numbers, got None")
    return tuple(x) if isinstance(x, Iterable) and not isinstance(x, str) else (x,)
