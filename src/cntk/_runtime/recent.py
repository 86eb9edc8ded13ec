"""What is kept of the sizes that came last: so many, and no more however long a training goes
on.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class Recent(Generic[V]):
    """Values by key, of which those asked for last are kept.

    Args:
        most: how many are kept.

    Example:
        >>> kept = Recent(2)
        >>> for size in (1, 2, 1, 3):
        ...     if kept.get(size) is None:
        ...         kept.put(size, f"for {size}")
        >>> kept.get(1), kept.get(2), len(kept)
        ('for 1', None, 2)
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable) -> V | None:
        """Return a value, or None if it is not kept."""
        try:
            self._kept.move_to_end(key)
            return self._kept[key]
        except KeyError:  # not there, or no longer: several threads may run a function
            return None

    def put(self, key: Hashable, value: V) -> None:
        """Keep a value, in place of the one that was asked for least lately if there are too
        many.
        """
        self._kept[key] = value
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
