"""Binding of inputs: data for a variable as rows, checked against the variable's type."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from cntk._graph.bfloat16 import is_computed, is_number
from cntk._graph.types import SEQUENCE_AXIS, Shape, TensorType
from cntk._graph.variable import Variable
from cntk._runtime.conversion import FORMATS, sparse_rows, sparse_rows_of
from cntk._runtime.layout.layout import Layout
from cntk._runtime.numpy_tensors import tensor_of
from cntk._runtime.sparse import SparseRows
from cntk._runtime.transfer import to_device
from cntk._wording import shape_text
from cntk.errors import FeedError, SequenceStartsError

if TYPE_CHECKING:
    from cntk.core import Value


@dataclass(frozen=True)
class BoundInput:
    """Data of one variable, ready to run.

    Attributes:
        rows: ``[rows, *shape]``: samples or frames; sparse where the variable is.
        layout: the sequences' layout; None without a sequence axis.
        count: samples or sequences; None without a batch axis.
        shape: one row's shape.
    """

    rows: Tensor | SparseRows
    layout: Layout | None
    count: int | None
    shape: Shape


def bind_input(variable: Variable, data: Any, device: torch.device) -> BoundInput:
    """Return data as rows for a variable.

    Args:
        variable: the input that the data are for.
        data: an array, a list of samples or sequences, CSR matrices, a `Value`, a minibatch's
            stream, or a pair of any of these and of flags, True for each sequence that begins here.
        device: where to put them.

    Raises:
        FeedError: if the data do not fit; it names the variable and both shapes.
    """
    type_ = variable.type_
    if (
        type(data) is np.ndarray
        and data.dtype == type_.dtype
        and not type_.is_sparse
        and len(type_.dynamic_axes) == 1
    ):
        # Fast path of the common case: samples in an array of the right dtype. NumPy takes a
        # dtype of None for float64.
        if (
            data.ndim
            and data.shape[1:] == type_.shape
            and type_.dtype is not None
            and data.flags.carray
        ):
            rows = torch.from_numpy(data) if data.dtype.kind == "f" else tensor_of(data)
            return BoundInput(
                rows if device.type == "cpu" else to_device(rows, device),
                None,
                data.shape[0],
                type_.shape,
            )
        if data.shape == type_.shape:
            return BoundInput(to_device(tensor_of(data).unsqueeze(0), device), None, 1, type_.shape)
    return _InputConverter(variable, device).of(data)


def to_value(
    variable: Variable, data: Any, starts: Sequence[bool] | None, device: torch.device
) -> tuple[Tensor | SparseRows, Layout | None, Shape]:
    """Return data for a variable as a `Value` holds them: a list as a batch of sequences, all else
    as it is.

    Args:
        variable: the input that the data are for; its axes are checked by `bind_input` only.
        data: see `bind_input`.
        starts: True for each sequence that begins here.
        device: where to put them.

    Returns:
        The rows, the layout of a list's sequences, and a frame's shape; without a layout the whole
        array's.
    """
    type_ = variable.type_
    if (
        starts is None
        and type_.has_batch_axis
        and not type_.is_sequence
        and isinstance(data, (list, tuple))
    ):
        type_ = type_.with_axes((*type_.dynamic_axes, SEQUENCE_AXIS))
    converter = _InputConverter(variable, device, type_)
    is_array = isinstance(data, (np.ndarray, Tensor)) or (
        isinstance(data, (list, tuple)) and not type_.dynamic_axes
    )
    if starts is None and is_array and not type_.is_sparse:
        whole = converter.whole(data)
        return whole, None, tuple(whole.shape)
    if starts is None and hasattr(data, "tocsr"):
        inputs = converter.matrix(data.tocsr())
        return inputs.rows, None, (inputs.count or 1, *type_.shape)
    inputs = converter.of(data if starts is None else (data, starts))
    if inputs.layout is None:
        return inputs.rows, None, tuple(inputs.rows.shape)
    if inputs.layout.longest == 1 and type_ is not variable.type_ and not type_.is_sparse:
        return inputs.rows, None, (inputs.layout.count, 1, *inputs.shape)
    return inputs.rows, inputs.layout, inputs.shape


class _InputConverter:
    """Converter of one variable's data to rows.

    Its type may have one dynamic axis more than the variable's.
    """

    def __init__(
        self, variable: Variable, device: torch.device, type_: TensorType | None = None
    ) -> None:
        self.variable = variable
        self.type = type_ or variable.type_
        self.dtype = self.type.dtype or np.dtype(np.float32)
        self.device = device

    def fail(self, reason: str) -> FeedError:
        axes = (
            "a batch of sequences of it"
            if self.type.is_sequence
            else "a batch of it"
            if self.type.has_batch_axis
            else "no batch"
        )
        return FeedError(
            f"{self.variable!r}: {reason}; its shape is {shape_text(self.type.shape)} and data "
            f"must be {axes}"
        )

    def of(self, data: Any) -> BoundInput:
        from cntk.core import NDArrayView, Value

        starts: Sequence[bool] | None = None
        if (
            isinstance(data, tuple)
            and len(data) == 2
            and (data[1] is None or _are_meant_as_flags(data[1]))
        ):
            data, starts = data
            if starts is not None and not _are_flags(starts):
                raise SequenceStartsError(
                    f"{self.variable!r}: sequence starts must be a list with True or False for "
                    f"each sequence, got {starts!r}"
                )
            if isinstance(data, Value):
                raise self.fail(
                    "sequence starts cannot be given with a Value; give them to Value.create"
                )
            if not self.type.is_sequence:
                raise self.fail("sequence starts were given, and the variable has no sequence axis")
        stream_value = (
            None if isinstance(data, (Value, np.ndarray)) else getattr(data, "data", None)
        )
        if isinstance(stream_value, Value):
            # Files know how many numbers a sample has, not its shape: a reader's data get the
            # variable's.
            return self._from_value(stream_value, may_reshape=True)
        if isinstance(data, NDArrayView):
            data = Value(data)
        if isinstance(data, Value):
            return self._from_value(data)
        if isinstance(data, (Tensor, np.ndarray)):
            tensor = data if isinstance(data, Tensor) else tensor_of(self._array(data))
            return self._from_array(tensor, starts)
        if hasattr(data, "tocsr"):
            return (
                self._from_list([data], starts)
                if self.type.is_sequence
                else self.matrix(data.tocsr())
            )
        if isinstance(data, (list, tuple)):
            return self._from_list(list(data), starts)
        if isinstance(data, (int, float, np.generic)) and not self.type.dynamic_axes:
            return self._from_array(tensor_of(self._array(np.asarray(data))), None)
        raise self.fail(
            f"batch must be a list of NumPy arrays or SciPy CSR matrices, an array or a Value; got "
            f"{type(data).__name__}"
        )

    def _array(self, array: np.ndarray) -> np.ndarray:
        kind = array.dtype
        if not (kind in (np.bool_, np.int32, np.int64, np.uint64) or is_computed(kind)):
            raise self.fail(
                f"only integer (32 and 64 bit), bool, float32, float64, float16 and bfloat16 data "
                f"are supported, you gave {kind}"
            )
        array = np.ascontiguousarray(array, dtype=self.dtype).reshape(array.shape)
        return array if array.flags.writeable else array.copy()

    # -- one array ---------------------------------------------------------------------------------

    def whole(self, data: Any) -> Tensor:
        """Return an array with any number of axes before the variable's own."""
        x = data if isinstance(data, Tensor) else tensor_of(self._array(np.asarray(data)))
        if x.ndim < self.type.rank or not self._fits(x.shape[x.ndim - self.type.rank :]):
            raise self.fail(
                f"data of shape {shape_text(x.shape)} do not end with the variable's shape"
            )
        return to_device(x, self.device, getattr(torch, self.dtype.name))

    def _from_array(self, x: Tensor, starts: Sequence[bool] | None) -> BoundInput:
        rank = self.type.rank
        extra = x.ndim - rank
        if (
            extra < 0
            or extra > 2
            or (extra > 0 and not self._fits(x.shape[extra:]))
            or (extra == 0 and not self._fits(x.shape))
        ):
            raise self.fail(
                f"data of shape {shape_text(x.shape)} do not end with the variable's shape"
            )
        if not self.type.dynamic_axes:
            if any(d != 1 for d in x.shape[:extra]):
                raise self.fail(
                    f"data of shape {shape_text(x.shape)} have a batch axis, and the variable has "
                    f"none"
                )
            return self._bound_input(x.reshape(x.shape[extra:]), None, None)
        if extra == 0:
            x, extra = x.unsqueeze(0), 1
        if not self.type.is_sequence:
            if extra == 2:
                if x.shape[1] != 1:
                    raise self.fail(
                        f"data of shape {shape_text(x.shape)} are sequences of {x.shape[1]} "
                        f"frames, and a single sample is expected (use "
                        f"cntk.sequence.input_variable for sequences)"
                    )
                x = x.squeeze(1)
            return self._bound_input(x, None, x.shape[0])
        if extra == 1:
            # With flags an array is a batch of single frames, as in the original: they are told
            # apart so.
            x = x.unsqueeze(0 if starts is None else 1)
        lengths = [x.shape[1]] * x.shape[0]
        return self._sequences(x.flatten(0, 1), lengths, starts)

    def _is_as_wide(self, rows: SparseRows, shape: Sequence[int]) -> bool:
        """Return whether sparse rows have the variable's width, or hold samples of a shape that
        fits.
        """
        if min(self.type.shape, default=1) < 0:
            return self._fits(shape) and rows.width == math.prod(shape)
        return rows.width == math.prod(self.type.shape)

    def _sequences(
        self,
        rows: Tensor | SparseRows,
        lengths: list[int],
        starts: Sequence[bool] | None,
        shape: Shape | None = None,
    ) -> BoundInput:
        if not lengths:
            raise self.fail("the number of sequences must be positive, and there are none")
        if 0 in lengths:
            raise self.fail(
                f"sequence {lengths.index(0)} is empty; a sequence must have at least one frame"
            )
        if starts is not None and len(starts) != len(lengths):
            raise self.fail(f"there are {len(lengths)} sequences and {len(starts)} sequence starts")
        return self._bound_input(rows, Layout(lengths, starts, self.device), len(lengths), shape)

    def _fits(self, shape: Sequence[int]) -> bool:
        return len(shape) == self.type.rank and all(
            w in (d, -1, -3) for d, w in zip(shape, self.type.shape, strict=True)
        )

    def _bound_input(
        self,
        rows: Tensor | SparseRows,
        layout: Layout | None,
        count: int | None,
        shape: Shape | None = None,
    ) -> BoundInput:
        """Return rows as a bound input; a shape is needed for sparse rows, which do not tell it."""
        if isinstance(rows, Tensor):
            shape = tuple(rows.shape[1:] if self.type.has_batch_axis else rows.shape)
        elif shape is None or min(self.type.shape, default=1) >= 0:
            shape = self.type.shape
        if isinstance(rows, Tensor):
            dtype = FORMATS.get(self.dtype) or getattr(torch, self.dtype.name)
            if rows.dtype != dtype or rows.device != self.device:
                # Nonzero entries are looked for on the device that the data are on.
                rows = (
                    rows.to(dtype) if self.type.is_sparse else to_device(rows, self.device, dtype)
                )
            if self.type.is_sparse:
                rows = sparse_rows_of(rows.detach()).to(self.device)
        elif not self.type.is_sparse:
            rows = rows.to_dense().reshape(-1, *shape)
        return BoundInput(rows, layout, count, shape)

    # -- lists -------------------------------------------------------------------------------------

    def _from_list(self, items: list[Any], starts: Sequence[bool] | None) -> BoundInput:
        if not items:
            raise self.fail(
                "the number of samples or sequences must be positive, and there are none"
            )
        if all(getattr(x, "is_sparse", False) and len(x.shape) == 2 for x in items):
            items = [x.asarray() for x in items]
        if hasattr(items[0], "tocsr"):
            return self._matrices(items, starts)
        if not self.type.dynamic_axes:
            return self._from_array(tensor_of(self._array(np.asarray(_as_plain(items)))), None)
        if self.type.is_sequence and all(map(self._is_ready, items)):
            return self._sequences(
                tensor_of(np.concatenate(items)), [len(x) for x in items], starts
            )
        arrays: list[np.ndarray] = []
        for number, item in enumerate(items):
            try:
                array = self._array(np.asarray(_as_plain(item)))
            except (ValueError, TypeError) as error:
                if isinstance(error, FeedError):
                    raise
                raise self.fail(f"element {number} of the batch is no array of numbers") from None
            arrays.append(self._element(number, array))
            if (
                arrays[-1].shape[self.type.is_sequence :]
                != arrays[0].shape[self.type.is_sequence :]
            ):
                shapes = " and ".join(
                    shape_text(a.shape[self.type.is_sequence :]) for a in (arrays[0], arrays[-1])
                )
                raise self.fail(
                    f"elements 0 and {number} of the batch differ in their samples' shape, {shapes}"
                )
        if self.type.is_sequence:
            rows = tensor_of(np.concatenate(arrays)) if len(arrays) > 1 else tensor_of(arrays[0])
            return self._sequences(rows, [len(a) for a in arrays], starts)
        return self._bound_input(tensor_of(np.stack(arrays)), None, len(arrays))

    def _is_ready(self, item: Any) -> bool:
        """Return whether an item is a sequence's array of the right dtype and shape."""
        if type(item) is not np.ndarray or item.dtype != self.dtype:
            return False
        return item.ndim == self.type.rank + 1 and item.shape[1:] == self.type.shape

    def _element(self, number: int, array: np.ndarray) -> np.ndarray:
        rank, nothing = self.type.rank, array.shape == (0,)
        if self.type.shape == (1,) and array.ndim == 1:
            array = array[:, None]
        elif self.type.is_sequence and array.ndim == rank:
            array = array[None]
        sample = array.shape[array.ndim - rank :] if array.ndim >= rank else ()
        extra = array.ndim - rank
        if extra < 0 or not self._fits(sample) or extra > 1:
            if nothing and self.type.is_sequence:
                raise self.fail(
                    f"sequence {number} is empty; a sequence must have at least one frame"
                )
            raise self.fail(f"element {number} of the batch has shape {shape_text(array.shape)}")
        if not self.type.is_sequence and extra == 1:
            if array.shape[0] != 1:
                raise self.fail(
                    f"element {number} of the batch is a sequence of {array.shape[0]} frames, and "
                    f"a single sample is expected"
                )
            array = array[0]
        return array

    # -- sparse ------------------------------------------------------------------------------------

    def matrix(self, csr: Any) -> BoundInput:
        """Samples or frames from the rows of a matrix, or one from a matrix of its shape."""
        width = math.prod(self.type.shape)
        if csr.shape == self.type.shape:
            csr = csr.reshape((1, width)).tocsr()  # one sample or frame, in its own shape
        if csr.shape[1] != width:
            raise self.fail(
                f"a CSR matrix of shape {shape_text(csr.shape)} does not have {width} columns"
            )
        return self._bound_input(sparse_rows(csr, self.dtype, self.device), None, csr.shape[0])

    def _matrices(self, items: list[Any], starts: Sequence[bool] | None) -> BoundInput:
        import scipy.sparse

        width = math.prod(self.type.shape)
        matrices = [
            m.tocsr() if m.shape != self.type.shape else m.reshape((1, width)).tocsr()
            for m in items
        ]
        if not self.type.dynamic_axes:
            raise self.fail(
                "sparse data are rows of a batch, and a list of matrices was given; give a single "
                "matrix"
            )
        fed = self.matrix(
            scipy.sparse.vstack(matrices, format="csr") if len(matrices) > 1 else matrices[0]
        )
        lengths = [m.shape[0] for m in matrices]
        if self.type.is_sequence:
            return self._sequences(fed.rows, lengths, starts)
        if any(n != 1 for n in lengths):
            raise self.fail(
                "an element of the batch is a matrix of several rows, and a single sample is "
                "expected"
            )
        return fed

    # -- values ------------------------------------------------------------------------------------

    def _from_value(self, value: Value, may_reshape: bool = False) -> BoundInput:
        if value.layout is not None:
            if not self.type.is_sequence and not (
                self.type.has_batch_axis and value.layout.longest == 1
            ):
                raise self.fail(
                    f"a batch of sequences of shape {shape_text(value.shape)} was given, and "
                    f"single samples are expected"
                )
            frames = self._to_device(self._frames(value, may_reshape))
            layout = value.layout.on(self.device) if self.type.is_sequence else None
            return self._bound_input(frames, layout, value.layout.count, value.shape[2:])
        rows = value.rows
        if isinstance(rows, SparseRows):
            lead = len(value.shape) - self.type.rank
            sample = value.shape[max(lead, 0) :]
            if (
                lead >= 0
                and sample
                and rows.width == sample[-1]
                and rows.rows == math.prod(value.shape[:-1])
            ):
                rows = rows.join(math.prod(sample[:-1]))  # given by the last axis
            if not self._is_as_wide(rows, sample):
                raise self.fail(f"the Value has shape {shape_text(value.shape)}")
            count, on_device = rows.rows, self._to_device(rows)
            if not self.type.is_sequence:
                return self._bound_input(on_device, None, count, sample)
            whole = lead == 2 and value.shape[0] * value.shape[1] == count
            lengths = [value.shape[1]] * value.shape[0] if whole else [count]
            return self._sequences(on_device, lengths, None, sample)
        if value.are_samples and self.type.is_sequence and self._fits(value.shape[1:]):
            return self._sequences(self._to_device(rows), [1] * len(value), None)
        return self._from_array(rows.reshape(value.shape), None)

    def _to_device(self, rows: Tensor | SparseRows) -> Tensor | SparseRows:
        return (
            rows.to(self.device) if isinstance(rows, SparseRows) else to_device(rows, self.device)
        )

    def _frames(self, value: Value, may_reshape: bool) -> Tensor | SparseRows:
        """Return the frames of a batch of sequences, in the variable's shape."""
        rows, shape = value.rows, self.type.shape
        if isinstance(rows, SparseRows):
            if self._is_as_wide(rows, value.shape[2:]):
                return rows
        elif self._fits(rows.shape[1:]):
            return rows
        elif (
            may_reshape
            and min(shape, default=1) > 0
            and math.prod(rows.shape[1:]) == math.prod(shape)
        ):
            return rows.reshape(-1, *shape)
        raise self.fail(f"frames of the given data have shape {shape_text(value.shape[2:])}")


def _are_flags(flags: Any) -> bool:
    return (
        isinstance(flags, (list, tuple, np.ndarray))
        and len(flags) > 0
        and all(isinstance(f, (bool, np.bool_)) for f in flags)
    )


def _are_meant_as_flags(flags: Any) -> bool:
    """Return whether an object beside data can only be flags, valid or not: no sequence looks like
    that.
    """
    if isinstance(flags, (bool, np.bool_)):
        return True
    if isinstance(flags, (list, tuple)):
        return all(
            isinstance(f, (bool, np.bool_, str)) or (f is not flags and _are_flags(f))
            for f in flags
        )
    return _are_flags(flags)


def _as_plain(item: Any) -> Any:
    from cntk.core import NDArrayView, Value

    if isinstance(item, (NDArrayView, Value)):
        return item.asarray()
    array = np.asarray(item)
    # Nested Python numbers have no dtype of their own.
    return (
        array.astype(np.float64)
        if not isinstance(item, (np.ndarray, np.generic)) and is_number(array.dtype)
        else array
    )
