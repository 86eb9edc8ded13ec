"""Values for user functions that ask for no arrays: usable as `Value`, or by the methods of the
native layer.

In the original these are objects of its native layer, whose ``shape()``, ``data()`` or ``device()``
are methods, while they are properties everywhere else. Here both ways of writing them work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cntk._graph.types import Shape
from cntk.core import NDArrayView, Value
from cntk.device import DeviceDescriptor

if TYPE_CHECKING:
    from typing import Self


class NativeShape(tuple):  # type: ignore[type-arg]
    """A shape that returns itself when it is called."""

    def __call__(self) -> Self:
        return self

    def dimensions(self) -> tuple[int, ...]:
        """Return the dimensions, as `cntk.cntk_py.NDShape` does."""
        return tuple(self)

    def rank(self) -> int:
        """Return the number of axes."""
        return len(self)

    def total_size(self) -> int:
        """Return the number of elements."""
        return int(np.prod(self, dtype=np.int64))


class NativeFlag(int):
    """A bool that returns itself when it is called."""

    def __call__(self) -> bool:
        return bool(self)

    def __repr__(self) -> str:
        return repr(bool(self))


class NativeDevice(DeviceDescriptor):
    """A device that returns itself when it is called."""

    def __call__(self) -> DeviceDescriptor:
        return DeviceDescriptor(self.kind, self.number)

    def __eq__(self, other: object) -> bool:
        return self() == (other() if isinstance(other, NativeDevice) else other)

    def __hash__(self) -> int:
        return hash(self())


class NativeMask(np.ndarray):
    """A mask of padded sequences: 2 where a sequence begins, 1 at its other frames, 0 at
    padding.
    """

    def __call__(self) -> Self:
        return self

    def asarray(self) -> np.ndarray:
        """Return a NumPy copy."""
        return np.array(self)

    to_ndarray = asarray

    def masked_count(self) -> int:
        """Return the number of padded elements."""
        return int(np.sum(self.asarray() == 0))


def _no_mask() -> None:
    """Return None, the mask of samples without padding."""


class _Called:
    """Properties that may be called as methods too."""

    @property
    def shape(self) -> Shape:
        """The array's shape; of sequences ``(n, longest, *shape)``."""
        return NativeShape(super().shape)  # type: ignore[misc]

    @property
    def device(self) -> NativeDevice:
        """The device that holds the data."""
        device = super().device  # type: ignore[misc]
        return NativeDevice(device.kind, device.number)

    @property
    def is_sparse(self) -> NativeFlag:
        """True if it is stored as sparse rows."""
        return NativeFlag(super().is_sparse)  # type: ignore[misc]

    @property
    def is_read_only(self) -> NativeFlag:
        """True if it must not be written to."""
        return NativeFlag(super().is_read_only)  # type: ignore[misc]


class NativeArray(_Called, NDArrayView):  # type: ignore[misc]  # bool has no subclasses
    """An array whose properties may be called, and which returns itself when it is called."""

    def __call__(self) -> Self:
        return self

    def as_shape(self, new_shape: Any) -> NativeArray:
        """Reshape the array; see `NDArrayView.as_shape`. Integers may be given as floats."""
        view = super().as_shape(tuple(int(d) if d == int(d) else d for d in new_shape))
        return _native(view)

    def slice_view(self, start_offset: Any, extent: Any, read_only: bool = True) -> NativeArray:
        """Return a slice of the array that shares its memory; see `NDArrayView.slice_view`."""
        return _native(super().slice_view(start_offset, extent, read_only))


class NativeValue(_Called, Value):  # type: ignore[misc]  # bool has no subclasses
    """A value whose properties may be called."""

    @property
    def data(self) -> NDArrayView:
        """The batch as one padded array; sequences shorter than the longest are padded with
        zeros.
        """
        return _native(super().data)

    @property
    def is_valid(self) -> NativeFlag:  # type: ignore[override]  # bool has no subclasses
        """True if it may still be read."""
        return NativeFlag(super().is_valid)

    @property
    def mask(self) -> Any:
        """Mask of frames and padding. Called, it returns None where all sequences are equally
        long.
        """
        return _no_mask if self.masked_count() == 0 else super().mask.view(NativeMask)


def _native(view: NDArrayView) -> NativeArray:
    return NativeArray.of(view._rows, view._shape, view.is_read_only)
