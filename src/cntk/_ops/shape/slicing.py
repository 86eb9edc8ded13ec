"""Slices of an operand along its static axes, and concatenation."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from cntk._graph.composite import Composite
from cntk._graph.op import DiskKind, Kernel, Op, PrimitiveOp, primitive
from cntk._graph.types import UNKNOWN_SHAPE, FreeDimension, InferredDimension, Shape, TensorType
from cntk._graph.variable import Variable
from cntk._ops.support.axes import BEYOND_FIRST, as_axis, static_index
from cntk._ops.support.broadcasting import broadcast_shapes, join_axes
from cntk._ops.support.operands import apply, as_operand, as_operands, in_float32
from cntk._ops.support.structure import combine
from cntk.axis import Axis
from cntk.default_options import default_override_or, get_default_override, get_global_option
from cntk.errors import GraphError
from cntk.typing import AxisLike, Operand

__all__ = ["slice", "splice", "subscript"]


@primitive(PrimitiveOp.Slice)
@dataclass(frozen=True)
class Slice(Op):
    """Slice: elements from a begin to an end along static axes.

    Attributes:
        axis, begin_index, end_index, slice_strides: for one axis; or
        axis_vec, begin_index_vec, end_index_vec, slice_strides_vec: for several.
    """

    operand_counts = (1,)
    keeps_axes = True

    axis: Axis | None = None
    begin_index: int | None = None
    end_index: int | None = None
    slice_strides: int | None = None
    axis_vec: tuple[Axis, ...] | None = None
    begin_index_vec: tuple[int, ...] | None = None
    end_index_vec: tuple[int, ...] | None = None
    slice_strides_vec: tuple[int, ...] | None = None

    disk_kinds = dict.fromkeys(
        (
            "begin_index",
            "end_index",
            "slice_strides",
            "begin_index_vec",
            "end_index_vec",
            "slice_strides_vec",
        ),
        DiskKind.Int,
    )

    def _parts(self) -> list[tuple[Axis, int, int, int]]:
        """Return axis, begin, end and stride of each axis."""
        if self.axis_vec is None:
            axis = self.axis or Axis(0)
            return [
                (
                    axis,
                    self.begin_index or 0,
                    self.end_index or 0,
                    1 if self.slice_strides is None else self.slice_strides,
                )
            ]
        strides = self.slice_strides_vec or (1,) * len(self.axis_vec)
        return list(
            zip(
                self.axis_vec,
                self.begin_index_vec or (),
                self.end_index_vec or (),
                strides,
                strict=True,
            )
        )

    def vector_span(self, size: int) -> tuple[int, int] | None:
        """Return the first index and the one after the last of a slice of a vector of that size;
        None with a stride or several axes.
        """
        parts = self._parts()
        return (
            _bounds(parts[0][1], parts[0][2], size)
            if len(parts) == 1 and parts[0][3] == 1
            else None
        )

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        shape = list(x.shape)
        for axis, begin, end, stride in self._parts():
            k = static_index(axis, x)
            shape[k] = _count(begin, end, stride, shape[k])
        return x.dense().with_shape(tuple(shape))

    def lower(self, *operands: TensorType) -> Kernel:
        (x,) = operands
        shape = list(x.shape)
        steps = []
        for axis, begin, end, stride in self._parts():
            k = static_index(axis, x)
            first, last = _bounds(begin, end, shape[k])
            shape[k] = _count(begin, end, stride, shape[k])
            steps.append((k + x.lead, first, last, stride))
        if len(steps) == 1 and steps[0][3] == 1:
            dim, first, last, _ = steps[0]
            return lambda t: torch.narrow(t, dim, first, last - first)
        return lambda t: _cut(t, steps)


def _cut(x: Tensor, steps: Sequence[tuple[int, int, int, int]]) -> Tensor:
    for dim, first, last, stride in steps:
        x = torch.narrow(x, dim, first, last - first)
        if stride < 0:
            x = x.flip(dim)
        if builtins.abs(stride) != 1:
            x = x[
                (builtins.slice(None),) * dim + (builtins.slice(None, None, builtins.abs(stride)),)
            ]
    return x


def _bounds(begin: int, end: int, size: int) -> tuple[int, int]:
    """Return the first index and the one after the last; an end of 0 is the axis's end."""
    return begin if begin >= 0 else begin + size, end if end > 0 else end + size


def _count(begin: int, end: int, stride: int, size: int) -> int:
    """Return the number of elements of a slice. Unknown dimensions stay so, unless the slice is
    counted from the beginning.

    Raises:
        GraphError: for a range that is not within the axis, or is empty; for a stride of 0.
    """
    if stride == 0:
        raise GraphError(
            "a stride of 0 leads nowhere; use a positive one, or a negative one to reverse the "
            "slice"
        )
    if size < 0:
        if begin < 0 or end <= 0:
            return size
        size = end
    first, last = _bounds(begin, end, size)
    if not 0 <= first < last <= size:
        raise GraphError(
            f"the range [{begin}, {end}) is not part of a static axis with {size} elements, or it "
            f"is empty"
        )
    return -((first - last) // builtins.abs(stride))


@primitive(PrimitiveOp.Splice)
@dataclass(frozen=True)
class Splice(Op):
    """Concatenation of operands along a static axis.

    Attributes:
        axis: the axis; one before the first is made.
    """

    keeps_axes = True

    axis: Axis

    def canonical_for_disk(self, *operands: TensorType) -> Splice:
        if not all(t.has_shape for t in operands):
            return self
        k, shapes = self._aligned(operands)
        # Files count from the last axis; so does a negative axis here.
        return replace(self, axis=Axis(k - len(shapes[0])))

    @classmethod
    def from_file(cls, values: Mapping[str, Any], operands: Sequence[Variable]) -> Splice:
        axis = values["axis"]
        return cls(Axis.new_leading_axis() if axis == BEYOND_FIRST else axis)

    def _aligned(self, operands: tuple[TensorType, ...]) -> tuple[int, list[Shape]]:
        """Return the axis, and the operands' shapes with leading ones up to the same rank."""
        rank = max(t.rank for t in operands)
        if self.axis == Axis.new_leading_axis():
            rank, k = rank + 1, 0
        else:
            index = self.axis.static_axis_index()
            rank = max(rank, -index)
            k = static_index(self.axis, operands[0].with_shape((1,) * rank))
        return k, [(1,) * (rank - t.rank) + t.shape for t in operands]

    def infer(self, *operands: TensorType) -> TensorType:
        k, shapes = self._aligned(operands)
        sizes = [s[k] for s in shapes]
        unknown = [d for d in sizes if d < 0]
        common = broadcast_shapes(*((*s[:k], 1, *s[k + 1 :]) for s in shapes))
        total = (
            (FreeDimension if FreeDimension in unknown else InferredDimension)
            if unknown
            else sum(sizes)
        )
        return TensorType(
            (*common[:k], total, *common[k + 1 :]),
            join_axes(operands, broadcast=False),
            operands[0].dtype,
        )

    def infer_partial(self, *operands: TensorType) -> TensorType | None:
        known = tuple(t for t in operands if t.has_axes)
        return (
            TensorType(UNKNOWN_SHAPE, join_axes(known, broadcast=False), known[0].dtype)
            if known
            else None
        )

    def lower(self, *operands: TensorType) -> Kernel:
        k, shapes = self._aligned(operands)
        result = self.infer(*operands)
        lead = result.lead
        full_shapes = [(*result.shape[:k], s[k], *result.shape[k + 1 :]) for s in shapes]
        if all(t.shape == w and t.lead == lead for t, w in zip(operands, full_shapes, strict=True)):
            return lambda *tensors: torch.cat(tensors, k + lead)
        rows_of = next((i for i, t in enumerate(operands) if t.lead), None)
        inserted = [(t.lead, shape) for t, shape in zip(operands, shapes, strict=True)]

        def compute(*tensors: Tensor) -> Tensor:
            rows = () if rows_of is None else (tensors[rows_of].shape[0],)
            parts = [
                x.reshape(*(x.shape[:1] if own else rows and (1,)), *shape).expand(*rows, *full)
                for x, (own, shape), full in zip(tensors, inserted, full_shapes, strict=True)
            ]
            return torch.cat(parts, k + lead)

        return compute


def slice(
    x: Operand,
    axis: AxisLike,
    begin_index: Any,
    end_index: Any,
    strides: Any = None,
    name: str = "",
) -> Composite:
    """Slice the operand along one or several static axes.

    Args:
        x: an operand. Along its sequence axis use `cntk.sequence.slice`.
        axis: the axis, or a list of them.
        begin_index: the first element, or a list of one for each axis; negative ones count from the
            end.
        end_index: the element before which to stop, in the same way; 0 is the axis's end.
        strides: how many elements to go on from one to the next, 1 if not given; a negative stride
            takes the elements from begin to end backwards.
        name: its name in the graph.

    Raises:
        GraphError: for a dynamic axis, an axis that there is not, a range that is empty or not
            within the axis, a stride of 0, or lists of different lengths.

    Example:
        >>> slice([[1, 2, -3], [4, 5, 6]], 0, 1, 2).eval()
        array([[4., 5., 6.]], dtype=float32)
        >>> slice([[1, 2, -3], [4, 5, 6]], [0, 1], [1, 0], [2, 2]).eval()
        array([[4., 5.]], dtype=float32)
    """
    axes, begins, ends = (
        list(a) if isinstance(a, (list, tuple)) else [a] for a in (axis, begin_index, end_index)
    )
    if strides is None:
        strides = [1] * len(axes)
    steps = list(strides) if isinstance(strides, (list, tuple)) else [strides]
    if not axes or not len(axes) == len(begins) == len(ends) == len(steps):
        raise GraphError(
            f"slice: expected as many begins, ends and strides as axes, got {len(axes)} axes, "
            f"{len(begins)} begins, {len(ends)} ends and {len(steps)} strides"
        )
    chosen = [as_axis(a, "slice") for a in axes]
    if any(not a.is_static_axis for a in chosen):
        raise GraphError(
            f"slice: expected static axes, got {chosen}; use cntk.sequence.slice for a part of "
            f"each sequence"
        )
    numbers = [tuple(map(_index, values)) for values in (begins, ends, steps)]
    if len(axes) == 1:
        return apply(Slice(chosen[0], numbers[0][0], numbers[1][0], numbers[2][0]), (x,), name)
    op = Slice(
        axis_vec=tuple(chosen),
        begin_index_vec=numbers[0],
        end_index_vec=numbers[1],
        slice_strides_vec=numbers[2],
    )
    return apply(op, (x,), name)


def _index(value: Any) -> int:
    if not isinstance(value, Integral):
        raise TypeError(f"slice: expected integers as begin, end and stride, got {value!r}")
    return int(value)


def splice(*inputs: Any, axis: AxisLike = -1, name: str = "") -> Composite:
    """Concatenate operands along a static axis.

    Args:
        *inputs: operands on the same dynamic axes; those of lower rank get leading axes, and along
            all other axes 1 broadcasts.
        axis: the axis; a negative one may lie before the first, and is made; so is
            ``Axis.new_leading_axis()``.
        name: its name in the graph.

    Raises:
        GraphError: if shapes or dynamic axes do not fit, or there is no such axis.

    Example:
        >>> splice([1, 2], [3, 4, 5]).eval()
        array([1., 2., 3., 4., 5.], dtype=float32)
        >>> splice([1, 2], [3, 4], axis=-2).eval()
        array([[1., 2.],
               [3., 4.]], dtype=float32)
    """
    if len(inputs) == 1 and isinstance(inputs[0], (list, tuple)):
        inputs = tuple(inputs[0])
    if not inputs:
        raise GraphError("splice: expected at least one operand, got none")
    chosen = as_axis(axis, "splice")
    if not chosen.is_static_axis and chosen != Axis.new_leading_axis():
        raise GraphError(f"splice: expected a static axis, got {chosen}")
    if len(inputs) == 1:
        return combine(inputs[0], name=name)
    return apply(Splice(chosen), as_operands(in_float32(*inputs), "splice"), name)


def subscript(x: Operand, key: Any) -> Any:
    """Return ``x[key]``, a slice of an operand along its static axes. An index keeps its axis, with
    size 1.

    Args:
        x: an operand.
        key: an index, a slice, a list of indices, an Ellipsis, or a tuple of these, one for each
            axis. The rules are those of `slice`: an end of 0 is the axis's end, and a negative step
            takes the elements from begin to end backwards.
            With ``cntk.set_global_option('align_axis', 1)`` positions count dynamic axes first: as
            many as there are, or as the default option ``axis_offset`` says. A whole slice passes
            over these. An operand without dynamic axes is indexed as usual.

    Returns:
        The operand itself if it is wanted whole.

    Raises:
        IndexError: for a key of another kind.
        GraphError: for an index or a range that is not within its axis.

    Example:
        >>> from cntk._ops.support.structure import constant
        >>> subscript(constant([[1, 2, 3], [4, 5, 6]]), 1).eval()
        array([[4., 5., 6.]], dtype=float32)
        >>> constant([[1, 2, 3], [4, 5, 6]])[:, [2, 0]].eval()
        array([[3., 1.],
               [6., 4.]], dtype=float32)
    """
    keys = key if isinstance(key, tuple) else (key,)
    x = as_operand(x, op_name="subscript")
    split = next((k for k, part in enumerate(keys) if part is Ellipsis), len(keys))
    first, last = keys[:split], keys[split + 1 :]
    skipped = _counted_axes(x)
    for axis, part in enumerate(first):
        # The original counts the axis of a list of indices as usual.
        x = _part(x, axis if isinstance(part, (list, tuple)) else axis - skipped, part)
    for axis, part in enumerate(last):
        x = _part(x, axis - len(last), part)
    return x


def _counted_axes(x: Variable) -> int:
    """Return how many axes of a subscript are dynamic ones: none, unless the option ``align_axis``
    is 1, as Keras sets it.

    Without dynamic axes there is nothing to stand for, whatever ``axis_offset`` says: a weight is
    cut as usual.
    """
    if get_global_option("align_axis", 0) != 1 or not x.dynamic_axes:
        return 0
    return int(get_default_override(None, axis_offset=default_override_or(len(x.dynamic_axes))))


def _part(x: Any, axis: int, key: Any) -> Any:
    if key is Ellipsis:
        return x
    if isinstance(key, builtins.slice):
        if key == builtins.slice(None):
            return x
        return slice(x, axis, key.start or 0, key.stop or 0, 1 if key.step is None else key.step)
    if isinstance(key, Integral):
        return slice(x, axis, key, int(key) + 1)
    if isinstance(key, (list, tuple)) and key and all(isinstance(k, Integral) for k in key):
        return (
            splice(*(slice(x, axis, k, int(k) + 1) for k in key), axis=axis)
            if len(key) > 1
            else _part(x, axis, key[0])
        )
    raise IndexError(
        f"expected an index, a slice, a list of indices or an Ellipsis to select from {x!r}, got "
        f"{key!r}"
    )
