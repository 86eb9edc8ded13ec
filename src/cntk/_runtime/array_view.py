"""Arrays on a device, dense or of sparse rows, with their shapes."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from cntk._arguments import shown
from cntk._graph.bfloat16 import is_computed, is_number
from cntk._graph.types import Shape
from cntk._graph.variable import as_dtype, as_shape
from cntk._runtime.array_methods import ArrayMethods
from cntk._runtime.conversion import csr_of, sparse_rows, torch_dtype
from cntk._runtime.numpy_tensors import array_of, numpy_dtype, tensor_of
from cntk._runtime.sparse import SparseRows
from cntk._wording import shape_text
from cntk.device import DeviceDescriptor, cpu, torch_device
from cntk.errors import ArgumentError, FeedError

if TYPE_CHECKING:
    from typing import Self


class ArrayMixin:
    """Mixin for what can be converted to a NumPy array."""

    def _as_numpy(self) -> Any:
        raise NotImplementedError

    def asarray(self) -> Any:
        """Return a NumPy copy; a SciPy CSR matrix of sparse data in rows."""
        return self._as_numpy()


class NDArrayView(ArrayMethods, ArrayMixin):
    """An array on a device, dense or of sparse rows.

    Args:
        shape: its shape; the array is filled with zeros.
        data_type: dtype.
        device: where it lies.

    Example:
        >>> NDArrayView.from_dense(np.eye(2, dtype=np.float32)).asarray()
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """

    def __init__(self, shape: Any, data_type: Any, device: DeviceDescriptor | None = None) -> None:
        dtype = as_dtype(data_type, "NDArrayView: data_type") or np.dtype(np.float32)
        self._shape: Shape = as_shape(shape, "NDArrayView: shape")
        if min(self._shape, default=0) < 0:
            raise ArgumentError(
                f"NDArrayView: shape {self._shape}: its sizes must be known, 0 or more"
            )
        where = torch_device(device, "NDArrayView: device")
        self._rows: Tensor | SparseRows = torch.zeros(
            self._shape, dtype=torch_dtype(dtype), device=where
        )
        self._read_only = False

    @classmethod
    def of(
        cls, rows: Tensor | SparseRows, shape: Shape | None = None, read_only: bool = False
    ) -> Self:
        """Return a view of a tensor or of sparse rows."""
        view = cls.__new__(cls)
        view._rows = rows
        view._shape = tuple(rows.shape) if shape is None else shape
        view._read_only = read_only
        return view

    @property
    def tensor(self) -> Tensor:
        """The array as a dense torch tensor."""
        rows = self._rows.to_dense() if isinstance(self._rows, SparseRows) else self._rows
        return rows.reshape(self._shape)

    @property
    def shape(self) -> Shape:
        """The array's shape."""
        return self._shape

    @property
    def dtype(self) -> Any:
        """The dtype as a NumPy scalar type."""
        return numpy_dtype(self._rows.dtype).type

    @property
    def device(self) -> DeviceDescriptor:
        """Device that the array is on."""
        rows = self._rows.values if isinstance(self._rows, SparseRows) else self._rows
        return _descriptor(rows.device)

    @property
    def is_sparse(self) -> bool:
        """True if it is stored as sparse rows."""
        return isinstance(self._rows, SparseRows)

    @property
    def is_read_only(self) -> bool:
        """True if it must not be written to."""
        return self._read_only

    def _as_numpy(self) -> Any:
        if isinstance(self._rows, SparseRows) and len(self._shape) == 2:
            return csr_of(self._rows)
        array: np.ndarray = array_of(self.tensor)
        return array.copy()

    def _with(self, rows: Tensor | SparseRows, read_only: bool) -> Self:
        return type(self).of(rows, self._shape, read_only)

    def to_ndarray(self) -> Any:
        """Return a NumPy copy; see `asarray`."""
        return self._as_numpy()

    def set_value(self, value: float) -> None:
        """Set all elements to one number.

        Args:
            value: the number.

        Raises:
            ArgumentError: for anything else, such as an array; see `copy_from`.
            FeedError: if elements are stored as sparse rows.
        """
        if not isinstance(value, Real):
            raise ArgumentError(
                f"set_value: expected a number, got {type(value).__name__}; see copy_from"
            )
        if isinstance(self._rows, SparseRows):
            raise FeedError(
                f"set_value: {self} is stored as sparse rows, of which not every element is there"
            )
        self._rows.fill_(float(value))

    def __repr__(self) -> str:
        return f"NDArrayView({shape_text(self._shape)}, {self.device})"

    def as_shape(self, new_shape: Any) -> NDArrayView:
        """Return the same elements in another shape, in the same memory.

        Args:
            new_shape: a shape of as many elements.

        Raises:
            ValueError: if it has another number of elements.
        """
        shape = as_shape(new_shape)
        if min(shape, default=0) < 0 or int(np.prod(shape)) != int(np.prod(self._shape)):
            raise ValueError(f"as_shape: {self} does not fill shape {shape_text(shape)}")
        return NDArrayView.of(self._rows, shape, self._read_only)

    def slice_view(
        self, start_offset: Sequence[int], extent: Sequence[int], read_only: bool = True
    ) -> NDArrayView:
        """Return a part of the array that shares its memory.

        Args:
            start_offset: where the part begins, one index an axis.
            extent: how far it extends along the last axes; along the axes before, it is one
                element.
            read_only: True if it must not be written to.

        Raises:
            ValueError: if the part reaches beyond the array.
        """
        offset, extent = tuple(start_offset), tuple(extent)
        fixed = len(offset) - len(extent)
        spans = zip(offset, (*(1 for _ in range(fixed)), *extent), self._shape, strict=False)
        bounds_fit = all(o >= 0 and e >= 0 and o + e <= s for o, e, s in spans)
        if len(offset) != len(self._shape) or fixed < 0 or not bounds_fit:
            raise ValueError(
                f"slice_view: offset {offset} and extent {extent} do not lie within shape "
                f"{shape_text(self._shape)}"
            )
        parts = (slice(o, o + e) for o, e in zip(offset[fixed:], extent, strict=True))
        index: tuple[int | slice, ...] = (*offset[:fixed], *parts)
        return NDArrayView.of(self.tensor[index], read_only=read_only)

    @staticmethod
    def from_dense(
        np_array: np.ndarray,
        device: DeviceDescriptor | None = None,
        read_only: bool = False,
        borrow: bool = False,
    ) -> NDArrayView:
        """Return a view of a NumPy array.

        Args:
            np_array: float32, float64, float16 or bfloat16.
            device: where to put it.
            read_only: True if it must not be written to.
            borrow: whether to share the array's memory where possible.

        Raises:
            TypeError: for anything but such an array.
        """
        if not isinstance(np_array, np.ndarray) or not is_number(np_array.dtype):
            got = np_array.dtype if isinstance(np_array, np.ndarray) else type(np_array).__name__
            raise ArgumentError(f"from_dense: expected a NumPy array of numbers, got {got}")
        if not is_computed(np_array.dtype):
            np_array = np_array.astype(np.float32)
        tensor = tensor_of(np.ascontiguousarray(np_array).reshape(np_array.shape))
        return NDArrayView.of(
            _placed(tensor if borrow else tensor.clone(), device, "from_dense"), read_only=read_only
        )

    @staticmethod
    def from_csr(
        csr_array: Any,
        device: DeviceDescriptor | None = None,
        read_only: bool = False,
        borrow: bool = False,
        shape: Any = None,
    ) -> NDArrayView:
        """Return a view of a SciPy CSR matrix.

        Args:
            csr_array: the matrix.
            device: where to put it.
            read_only: True if it must not be written to.
            borrow: accepted for old programs.
            shape: the array's shape if not the matrix's: the matrix's columns are its last axes,
                flattened.

        Raises:
            TypeError: for anything but a CSR matrix.
            ValueError: if the matrix does not have as many elements as the shape.
        """
        if not hasattr(csr_array, "tocsr"):
            raise ArgumentError(f"from_csr: expected a SciPy CSR matrix, got {shown(csr_array)}")
        rows = sparse_rows(csr_array, None, torch_device(device or cpu(), "from_csr: device"))
        dims = tuple(csr_array.shape) if shape is None else as_shape(shape, "from_csr: shape")
        if int(np.prod(dims)) != rows.rows * rows.width:
            raise ValueError(
                f"from_csr: a matrix of shape {shape_text(rows.shape)} does not fill shape "
                f"{shape_text(dims)}"
            )
        return NDArrayView.of(rows, dims, read_only)

    @staticmethod
    def from_data(
        data: Any,
        device: DeviceDescriptor | None = None,
        read_only: bool = False,
        borrow: bool = False,
    ) -> NDArrayView:
        """Return a view of a NumPy array or a SciPy CSR matrix; see `from_dense` and `from_csr`."""
        if hasattr(data, "tocsr"):
            return NDArrayView.from_csr(data.tocsr(), device, read_only, borrow)
        if not isinstance(data, (np.ndarray, np.number, float, int)):
            raise ArgumentError(
                f"from_data: expected a NumPy array or a SciPy CSR matrix, got {shown(data)}"
            )
        if device is not None:
            torch_device(device, "from_data: device")
        return NDArrayView.from_dense(np.asarray(data), device, read_only, borrow)


def _descriptor(device: torch.device) -> DeviceDescriptor:
    from cntk.device import DeviceKind

    return cpu() if device.type == "cpu" else DeviceDescriptor(DeviceKind.GPU, device.index or 0)


def _placed(tensor: Tensor, device: DeviceDescriptor | None, called: str) -> Tensor:
    """Return a tensor on a device, if one is named."""
    return tensor if device is None else tensor.to(torch_device(device, f"{called}: device"))
