"""Values as user functions get them that want no arrays: read as `Value`, or in the native layer's way.

In the original these are objects of its native layer, whose ``shape()`` and ``data()`` are methods, while they are
properties everywhere else. Here both ways of writing them work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cntk._graph.types import Shape
from cntk.core import NDArrayView, Value

if TYPE_CHECKING:
    from typing import Self


class NativeShape(tuple):  # type: ignore[type-arg]
    """A shape that gives itself when it is called."""

    def __call__(self) -> Self:
        return self


class NativeArray(NDArrayView):
    """An array whose shape may be called, and which gives itself when it is called."""

    def __call__(self) -> Self:
        return self

    @property
    def shape(self) -> Shape:
        """The array's shape."""
        return NativeShape(super().shape)

    def as_shape(self, new_shape: Any) -> NativeArray:
        """The same elements in another shape; see `NDArrayView.as_shape`. Whole numbers may be given as floats."""
        view = super().as_shape(tuple(int(d) if d == int(d) else d for d in new_shape))
        return _native(view)


class NativeValue(Value):
    """A value whose shape and data may be called."""

    @property
    def shape(self) -> Shape:
        """``(n, *shape)``, or ``(n, longest, *shape)`` for sequences."""
        return NativeShape(super().shape)

    @property
    def data(self) -> NDArrayView:
        """The batch as one rectangle; sequences shorter than the longest are filled up with zeros."""
        return _native(super().data)


def _native(view: NDArrayView) -> NativeArray:
    array = NativeArray.of(view._rows, view._shape, view.is_read_only)
    assert isinstance(array, NativeArray)
    return array
