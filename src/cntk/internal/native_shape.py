"""Shapes of the original's native layer, with axes in the opposite order of Python's."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from cntk._graph.types import FreeDimension, InferredDimension
from cntk._graph.variable import as_shape
from cntk._wording import shape_text

__all__ = ["NDShape"]


_UNKNOWN = -2


class NDShape:
    """A shape of the native layer, whose dimensions are read in Python's order.

    Args:
        dimensions: the dimensions, what Python calls the last one first; an integer is a number of
            dimensions that follow from how the shape is used.

    Example:
        >>> shape = NDShape((2, 3))
        >>> shape.dimensions(), shape[0], shape.total_size(), shape.as_string()
        ((3, 2), 3, 6, '[3 x 2]')
        >>> NDShape(2).as_string()
        '[? x ?]'
    """

    def __init__(self, dimensions: Any = ()) -> None:
        dims = (InferredDimension,) * dimensions if isinstance(dimensions, int) else dimensions
        self._dimensions = tuple(as_shape(dims))[::-1]

    @staticmethod
    def unknown() -> NDShape:
        """Return a shape of which not even the rank is known."""
        shape = NDShape()
        shape._dimensions = (_UNKNOWN,)
        return shape

    def dimensions(self) -> tuple[int, ...]:
        """Return the dimensions in Python's order."""
        return self._dimensions

    def rank(self) -> int:
        """Return the number of axes."""
        return len(self._dimensions)

    def total_size(self) -> int:
        """Return the number of elements.

        Raises:
            RuntimeError: if a dimension is not known.
        """
        if self.is_unknown() or self.has_unbound_dimension():
            raise RuntimeError(
                f"NDShape: {self.as_string()} has no size, since not all of its dimensions are "
                f"known"
            )
        return math.prod(self._dimensions)

    def sub_shape(self, begin_axis_id: int = 0, end_axis_id: int | None = None) -> tuple[int, ...]:
        """Return some dimensions in Python's order, the axes counted as the native layer does.

        Raises:
            ValueError: for a range that is none of this shape.

        Example:
            >>> NDShape((2, 3)).sub_shape(0, 1)
            (2,)
        """
        rank = self.rank()
        end = rank if end_axis_id is None else end_axis_id
        if not 0 <= begin_axis_id <= end <= rank:
            raise ValueError(
                f"NDShape: expected a range of the {rank} axes, got {begin_axis_id} to {end}"
            )
        return self._dimensions[rank - end : rank - begin_axis_id]

    def is_scalar(self) -> bool:
        """Return whether there are no axes."""
        return not self._dimensions

    def is_unknown(self) -> bool:
        """Return whether not even the rank is known."""
        return self._dimensions == (_UNKNOWN,)

    def has_inferred_dimension(self) -> bool:
        """Return whether a dimension follows from how the shape is used."""
        return InferredDimension in self._dimensions

    def has_free_dimension(self) -> bool:
        """Return whether a dimension is that of the data."""
        return FreeDimension in self._dimensions

    def has_unbound_dimension(self) -> bool:
        """Return whether a dimension is not known yet."""
        return self.has_inferred_dimension() or self.has_free_dimension()

    def as_string(self) -> str:
        """Return the shape as errors show it."""
        return "[???]" if self.is_unknown() else shape_text(self._dimensions)

    def __getitem__(self, axis: int) -> int:
        if not 0 <= axis < self.rank():
            raise RuntimeError(f"NDShape: {self.as_string()} has no axis {axis}")
        return self._dimensions[axis]

    def __iter__(self) -> Iterator[int]:
        return iter(self._dimensions)

    def __eq__(self, other: object) -> bool:
        return (
            self._dimensions == other._dimensions if isinstance(other, NDShape) else NotImplemented
        )

    def __hash__(self) -> int:
        return hash(self._dimensions)

    def __repr__(self) -> str:
        return f"NDShape({self.as_string()})"
