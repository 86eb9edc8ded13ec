"""Cache of limited size, however long a training goes on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class Recent(Generic[V]):
    """Cache of the values used last, by key.

    Args:
        most: number of values in the cache.

    Example:
        >>> cache = Recent(2)
        >>> for size in (1, 2, 1, 3):
        ...     if cache.get(size) is None:
        ...         cache.put(size, f"for {size}")
        >>> cache.get(1), cache.get(2), len(cache)
        ('for 1', None, 2)
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[Hashable, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Hashable) -> V | None:
        """Return a value, or None if it is not in the cache."""
        try:
            self._values.move_to_end(key)
            return self._values[key]
        except KeyError:  # not there, or no longer: several threads may run a function
            return None

    def put(self, key: Hashable, value: V) -> None:
        """Store a value, and drop the least recently used if there are too many."""
        self._values[key] = value
        while len(self._values) > self._most:
            self._values.popitem(last=False)
