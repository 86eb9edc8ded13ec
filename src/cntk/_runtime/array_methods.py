"""Methods of the original's native arrays and values, besides those that read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from cntk._graph.variable import format_number
from cntk._runtime.sparse import SparseRows
from cntk._wording import shape_text
from cntk.device import DeviceDescriptor
from cntk.errors import ArgumentError, FeedError

if TYPE_CHECKING:
    from typing import Self


class ArrayMethods:
    """Methods of `NDArrayView` and `cntk.core.Value`.

    Example:
        >>> import cntk as C
        >>> view = C.NDArrayView.from_dense(np.ones((2, 3), np.float32))
        >>> copied, same = view.deep_clone(), view.alias()
        >>> view.set_value(5)
        >>> copied.asarray()[0], same.asarray()[0]
        (array([1., 1., 1.], dtype=float32), array([5., 5., 5.], dtype=float32))
        >>> view.get_data_type() == C.cntk_py.DataType_Float, view.get_storage_format()
        (True, 0)
    """

    dtype: Any
    shape: Any
    device: Any
    _rows: Any

    def _with(self, rows: Any, read_only: bool) -> Self:
        """Return another of the same kind, of other rows."""
        raise NotImplementedError

    def as_string(self) -> str:
        """Return a short description: the kind, shape and device."""
        return repr(self)

    def get_data_type(self) -> int:
        """Return the dtype as a number, such as `cntk.cntk_py.DataType_Float`."""
        return format_number(np.dtype(self.dtype))

    def get_storage_format(self) -> int:
        """Return how elements are stored, as a number: 0 for dense, 1 for sparse rows."""
        return int(isinstance(self._rows, SparseRows))

    def alias(self, read_only: bool = False) -> Self:
        """Return another name for the same memory.

        Args:
            read_only: True if it must not be written to.
        """
        return self._with(self._rows, bool(read_only))

    def deep_clone(
        self, device: DeviceDescriptor | bool | None = None, read_only: bool = False
    ) -> Self:
        """Return a copy in memory of its own.

        Args:
            device: where to put it; unless given, where this lies. May be left out in front of
                ``read_only``.
            read_only: True if it must not be written to.
        """
        if isinstance(device, (bool, int)):
            device, read_only = None, bool(device)
        return self._with(_to_device(_copied(self._rows), device), bool(read_only))

    def change_device(self, device: DeviceDescriptor) -> None:
        """Move to a device.

        Args:
            device: where to.
        """
        if not isinstance(device, DeviceDescriptor):
            raise ArgumentError(
                f"change_device: expected a device such as cntk.cpu(), got {device!r}"
            )
        self._rows = _to_device(self._rows, device)

    def copy_from(self, source: Any) -> None:
        """Take over the elements of another of the same kind, shape and dtype.

        Args:
            source: where elements are taken from.

        Raises:
            TypeError: for anything else, such as a NumPy array.
            ValueError: if it has another shape.
            RuntimeError: if it has another dtype.
        """
        _check_alike(self, source)
        alike = isinstance(self._rows, Tensor) and isinstance(source._rows, Tensor)
        if alike and self._rows.numel() == source._rows.numel():
            self._rows.copy_(source._rows.reshape(self._rows.shape))
        else:
            self._rows = _to_device(_copied(source._rows), self.device)


def _copied(rows: Tensor | SparseRows) -> Tensor | SparseRows:
    if isinstance(rows, Tensor):
        return rows.detach().clone()
    return SparseRows(
        rows.offsets.clone(),
        rows.columns.clone(),
        rows.values.clone(),
        rows.width,
        rows.one_hot,
        rows.by_rows,
    )


def _to_device(rows: Any, device: DeviceDescriptor | None) -> Any:
    return rows if device is None else rows.to(device.torch)


def _check_alike(one: Any, other: Any) -> None:
    kind = "Value" if hasattr(one, "as_sequences") else "NDArrayView"
    if not isinstance(other, ArrayMethods) or hasattr(one, "as_sequences") != hasattr(
        other, "as_sequences"
    ):
        raise ArgumentError(
            f"{kind}.copy_from: expected another {kind}, got {type(other).__name__}; make one of "
            f"an array"
        )
    if tuple(one.shape) != tuple(other.shape):
        raise FeedError(
            f"{kind}.copy_from: what is copied has shape {shape_text(other.shape)}, expected "
            f"{shape_text(one.shape)}"
        )
    if np.dtype(one.dtype) != np.dtype(other.dtype):
        raise FeedError(
            f"{kind}.copy_from: what is copied holds {np.dtype(other.dtype)}, expected "
            f"{np.dtype(one.dtype)}"
        )
