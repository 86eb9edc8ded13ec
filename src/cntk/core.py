"""Data of evaluations: views of arrays, and batches of samples or of sequences of different
length.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from cntk._arguments import as_bool, shown
from cntk._graph.bfloat16 import is_number
from cntk._graph.composite import Composite, whole_graph
from cntk._graph.function import Function
from cntk._graph.names.late_names import hand_on
from cntk._graph.types import Shape
from cntk._graph.variable import Variable, as_dtype, as_shape
from cntk._runtime.array_methods import ArrayMethods
from cntk._runtime.array_view import ArrayMixin as ArrayMixin, NDArrayView as NDArrayView
from cntk._runtime.conversion import (
    ONE_HOT_SKIP,
    one_hot_rows,
    padded_rows,
    split,
)
from cntk._runtime.layout.layout import Layout
from cntk._runtime.sparse import SparseRows
from cntk._wording import shape_text
from cntk.device import DeviceDescriptor, torch_device
from cntk.errors import ArgumentError, FeedError, ReleasedError

if TYPE_CHECKING:
    from typing import Self

# As a number of samples or sweeps: no end.
INFINITELY_REPEAT = 2**64 - 1


class Value(ArrayMethods, ArrayMixin):
    """A batch of samples, or of sequences of different length.

    Args:
        batch: an array ``[n, *shape]`` or `NDArrayView`; how its first axes are to be understood
            depends on the variable it is given for.
        seq_starts: for sequences, whether each begins here.
        device: the device of the data.

    Example:
        >>> Value.one_hot([[0, 1], [2]], 4).shape
        (2, 2, 4)
    """

    ONE_HOT_SKIP = one_hot_skip = ONE_HOT_SKIP

    def __init__(
        self,
        batch: Any,
        seq_starts: Sequence[bool] | None = None,
        device: DeviceDescriptor | None = None,
    ) -> None:
        if device is not None:
            torch_device(device, "Value: device")
        if isinstance(batch, NDArrayView):
            view = batch
        elif isinstance(batch, Tensor):
            view = NDArrayView.of(batch)
        elif isinstance(batch, (list, tuple)):
            arrays = [numbers_of(a, "Value") for a in batch]
            if len({a.shape for a in arrays}) != 1:
                raise FeedError(
                    "Value: arrays of different shape need a variable to tell their axes; use "
                    "Value.create"
                )
            view = NDArrayView.from_dense(np.stack(arrays), device)
        elif isinstance(batch, np.ndarray) or hasattr(batch, "tocsr"):
            view = NDArrayView.from_data(batch, device)
        else:
            raise ArgumentError(
                f"Value: expected an array, a CSR matrix, a list of arrays or an NDArrayView, got "
                f"{shown(batch)}"
            )
        self._fill(view._rows, None, view.shape, view.is_read_only)
        if seq_starts is not None:
            tensor = view.tensor
            if (
                tensor.dim() < 2
                or not isinstance(seq_starts, (list, tuple, np.ndarray))
                or len(seq_starts) != len(tensor)
            ):
                raise FeedError(
                    f"Value: seq_starts: expected True or False for each sequence of an array [n, "
                    f"length, *shape], got {shown(seq_starts)} for {shape_text(tensor.shape)}"
                )
            starts = [as_bool(start, "Value: seq_starts") for start in seq_starts]
            lengths = [tensor.shape[1]] * tensor.shape[0]
            self._fill(
                tensor.flatten(0, 1),
                Layout(lengths, starts, tensor.device),
                tuple(tensor.shape[2:]),
                False,
            )

    def _fill(
        self, rows: Tensor | SparseRows, layout: Layout | None, shape: Shape, read_only: bool
    ) -> None:
        """Set the value's data. Without a layout ``shape`` is the whole array's, with one it is a
        frame's.
        """
        self._rows: Tensor | SparseRows | None = rows
        self.layout = layout
        self._shape = shape
        self._read_only = read_only
        self.are_samples = False

    @classmethod
    def of(
        cls,
        rows: Tensor | SparseRows,
        layout: Layout | None,
        shape: Shape,
        read_only: bool = False,
        are_samples: bool = False,
    ) -> Self:
        """Create a value from rows, of sequences if a layout is given.

        Args:
            rows: ``[rows, *shape]``.
            layout: which rows are which sequence's frames; None for an array of shape ``shape``.
            shape: a frame's shape if there is a layout, else the whole array's.
            read_only: whether it must not be written to.
            are_samples: whether the first axis is a batch axis, whatever the value is given for.
        """
        value = cls.__new__(cls)
        value._fill(rows, layout, shape, read_only)
        value.are_samples = are_samples
        return value

    @property
    def rows(self) -> Tensor | SparseRows:
        """All samples or frames, concatenated.

        Raises:
            ReleasedError: if this was an evaluation's result, and its function has run again since.
        """
        if self._rows is None:
            raise ReleasedError(
                "this Value was the result of an evaluation, and such are valid until their "
                "function runs again; read it before, or have the result as NumPy array "
                "(as_numpy=True)"
            )
        return self._rows

    def release(self) -> None:
        """Release the memory; copies taken from the value stay."""
        self._rows = None

    @property
    def shape(self) -> Shape:
        """``(n, *shape)``, or ``(n, longest, *shape)`` for sequences."""
        return (
            self._shape
            if self.layout is None
            else (self.layout.count, self.layout.longest, *self._shape)
        )

    @property
    def dtype(self) -> Any:
        """The dtype as a NumPy scalar type."""
        return np.dtype(str(self.rows.dtype).removeprefix("torch.")).type

    @property
    def device(self) -> DeviceDescriptor:
        """The device that holds the data."""
        return self.data.device

    @property
    def is_sparse(self) -> bool:
        """True if it is stored as sparse rows."""
        return isinstance(self.rows, SparseRows)

    @property
    def is_read_only(self) -> bool:
        """True if it must not be written to."""
        return self._read_only

    @property
    def is_valid(self) -> bool:
        """True if it may still be read. The result of an evaluation may until its function runs
        again.
        """
        return self._rows is not None

    @property
    def data(self) -> NDArrayView:
        """The batch as one padded array; sequences shorter than the longest are padded with
        zeros.
        """
        rows = self.rows
        if self.layout is None:
            return NDArrayView.of(rows, self._shape, self._read_only)
        if isinstance(rows, SparseRows):
            if self.layout.uniform:
                return NDArrayView.of(rows, self.shape, self._read_only)
            rows = padded_rows(rows, self.layout)
            return NDArrayView.of(rows, self.shape, self._read_only)
        return NDArrayView.of(
            self.layout.pad(rows.reshape(-1, *self._shape)), self.shape, self._read_only
        )

    @property
    def mask(self) -> np.ndarray:
        """Mask ``[n, longest]``: 2 where a sequence begins, 1 at its other frames, 0 at padding.

        Raises:
            ValueError: if this is no batch of sequences.
        """
        if self.layout is None:
            raise ValueError("mask: this value is no batch of sequences of different length")
        mask = self.layout.mask().cpu().numpy().astype(np.int8)
        starts = np.array(self.layout.starts or [True] * self.layout.count)
        mask[starts, 0] = 2
        return mask

    def _with(self, rows: Tensor | SparseRows, read_only: bool) -> Self:
        return type(self).of(rows, self.layout, self._shape, read_only, self.are_samples)

    def copy_from(self, source: Any) -> None:
        """Copy the elements and the mask of another value; see `ArrayMethods.copy_from`."""
        super().copy_from(source)
        self.layout = source.layout

    def masked_count(self) -> int:
        """Return the number of padded elements.

        Example:
            >>> Value.one_hot([[0, 1], [2]], 4).masked_count()
            1
        """
        return (
            0
            if self.layout is None
            else self.layout.count * self.layout.longest - sum(self.layout.lengths)
        )

    def erase(self) -> None:
        """Release the memory: the value may no longer be read."""
        self.release()

    def unpack_variable_value(self, variable: Variable, *options: Any) -> Any:
        """Return each sequence, or sample, as an array of its own.

        Args:
            variable: what the value is for.
            *options: a device, and in front of it whether to tell as well which sequences begin
                here.

        Returns:
            A tuple of `NDArrayView`; with ``True`` in front of the device, a pair of that and a
            tuple of flags.

        Example:
            >>> import cntk as C
            >>> Value(np.ones((2, 3), np.float32)).unpack_variable_value(
            ...     C.input_variable(3), C.cpu()
            ... )
            (NDArrayView([3], CPU), NDArrayView([3], CPU))
        """
        device = options[-1] if options and not isinstance(options[-1], bool) else None
        views = tuple(NDArrayView.from_data(array, device) for array in self.as_sequences(variable))
        starts = (
            (True,) * len(views)
            if self.layout is None or not self.layout.starts
            else tuple(self.layout.starts)
        )
        return (views, starts) if options and options[0] is True else views

    def _as_numpy(self) -> Any:
        return self.data.asarray()

    def as_sequences(self, variable: Variable | None = None) -> Any:
        """Return the samples or sequences.

        Args:
            variable: accepted for old programs; the value knows its sequences.

        Returns:
            A list with an array ``[length, *shape]`` (or CSR matrix) for each sequence, or
            ``[*shape]`` for each sample; of sparse samples a list with one CSR matrix.
        """
        if self.layout is not None:
            return split(self.rows, self.layout, self._shape)
        array = self.asarray()
        return list(array) if isinstance(array, np.ndarray) else [array]

    def __repr__(self) -> str:
        return f"Value({shape_text(self.shape)}, {self.device})"

    def __len__(self) -> int:
        return self.shape[0]

    @staticmethod
    def create(
        var: Variable,
        data: Any,
        seq_starts: Sequence[bool] | None = None,
        device: DeviceDescriptor | None = None,
        read_only: bool = False,
    ) -> Value:
        """Create a value for a variable.

        Args:
            var: what the data are for.
            data: an array or a CSR matrix, which is kept as it is; a list of samples or sequences.
            seq_starts: whether each sequence begins here rather than going on from the previous
                minibatch.
            device: where to put it.
            read_only: whether it must not be written to.

        Raises:
            ValueError: if the data do not fit the variable.
            TypeError: if ``var`` is no variable.
        """
        from cntk._runtime.bind_input import to_value

        if not isinstance(var, Variable):
            raise ArgumentError(f"Value.create: expected a variable, got {shown(var)}")
        rows, layout, shape = to_value(
            var, data, seq_starts, torch_device(device, "Value.create: device")
        )
        return Value.of(rows, layout, shape, read_only)

    @staticmethod
    def one_hot(
        batch: Any, num_classes: Any, dtype: Any = None, device: DeviceDescriptor | None = None
    ) -> Value:
        """Create a value of sparse one-hot rows from class numbers.

        Args:
            batch: a list of class numbers (samples), or of lists of them (sequences);
                ``Value.ONE_HOT_SKIP`` is a row of zeros.
            num_classes: how many classes there are; a shape whose last axis counts them, for
                several a frame.
            dtype: element type, such as `numpy.float32`.
            device: where to put it.

        Raises:
            ValueError: for an empty batch, a number that is no class, or anything that is no
                integer.
        """
        if not isinstance(batch, (list, tuple, np.ndarray)) or len(batch) == 0:
            got = (
                "an empty one"
                if isinstance(batch, (list, tuple, np.ndarray))
                else type(batch).__name__
            )
            raise ValueError(
                f"Value.one_hot: expected a list of class numbers or of lists of them, got {got}"
            )
        sequences = isinstance(batch[0], (list, tuple, np.ndarray))
        for number, item in enumerate(
            batch if sequences or not isinstance(batch, np.ndarray) else ()
        ):
            if isinstance(item, (list, tuple, np.ndarray)) != sequences:
                raise ValueError(
                    "Value.one_hot: expected either class numbers or lists of them, and got both"
                )
            if sequences and np.size(item) == 0:
                raise ValueError(
                    f"Value.one_hot: sequence {number} is empty; a sequence must have at least one "
                    f"frame: leave it out"
                )
        shape, target = (
            as_shape(num_classes, "Value.one_hot: num_classes"),
            torch_device(device, "Value.one_hot: device"),
        )
        flat = (
            np.concatenate([np.asarray(s).reshape(-1) for s in batch])
            if sequences
            else np.asarray(batch)
        )
        rows = one_hot_rows(
            flat, shape, as_dtype(dtype, "Value.one_hot: dtype") or np.dtype(np.float32), target
        )
        if not sequences:
            return Value.of(rows, None, (rows.rows, *shape))
        groups = int(np.prod(shape[:-1]))
        return Value.of(
            rows,
            Layout([np.asarray(s).size // groups for s in batch], device=rows.values.device),
            shape,
        )


def numbers_of(value: Any, called: str) -> np.ndarray:
    """Convert numbers to an array.

    Raises:
        ArgumentError: for anything else.
    """
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):  # NumPy takes no lists of different length
        array = np.asarray(None)
    if not is_number(array.dtype):
        raise ArgumentError(
            f"{called}: expected numbers, or lists of them of one length, got {shown(value)}"
        )
    return array


def asarray(value: Any, dtype: Any = None) -> Any:
    """Convert a value or view to a NumPy array.

    Args:
        value: a `Value`, an `NDArrayView`, or anything NumPy takes.
        dtype: dtype to convert to.

    Example:
        >>> asarray(Value(np.ones((1, 2), np.float32)))
        array([[1., 1.]], dtype=float32)
    """
    array = (
        value.asarray() if isinstance(value, (Value, NDArrayView)) else numbers_of(value, "asarray")
    )
    return array if dtype is None else array.astype(as_dtype(dtype, "asarray: dtype"))


def asvalue(variable: Variable, data_array: Any) -> Value:
    """Convert data to a `Value` for a variable; see `Value.create`."""
    if not isinstance(variable, Variable):
        raise ArgumentError(f"asvalue: expected a variable, got {shown(variable)}")
    return Value.create(variable, data_array)


def user_function(user_func: Function) -> Composite:
    """Return a graph of a user function, to be used like any other function; see
    `cntk.ops.functions.UserFunction`.

    Args:
        user_func: an instance of a subclass of `UserFunction`; a function that is a graph already
            comes back as it is.

    Raises:
        TypeError: for anything else.
    """
    if not isinstance(user_func, Function):
        raise TypeError(
            f"user_function: expected an instance of a UserFunction, got {type(user_func).__name__}"
        )
    return whole_graph(user_func)


hand_on(globals())
