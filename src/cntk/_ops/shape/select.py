"""Elements selected by index or by rank: gather, one_hot, top_k."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from cntk._arguments import as_bool, shown
from cntk._graph.composite import Composite
from cntk._graph.op import Kernel, Op, PrimitiveOp, primitive
from cntk._graph.types import TensorType
from cntk._ops.shape.transpose import swapaxes
from cntk._ops.support.axes import as_static_axis, static_index
from cntk._ops.support.composite_op import compose
from cntk._ops.support.operands import apply, as_operand, as_operands
from cntk._ops.support.structure import combine
from cntk._runtime.sparse import SparseRows
from cntk.axis import Axis
from cntk.errors import ArgumentError, FeedError, GraphError
from cntk.typing import AxisLike, Operand

__all__ = ["gather", "one_hot", "top_k"]


@primitive(PrimitiveOp.Gather)
@dataclass(frozen=True)
class Gather(Op):
    """Entries of a table along its first axis. Files hold the indices before the table.

    Attributes:
        axis: the first axis, where a file says so.
    """

    operand_counts = (2,)

    axis: Axis | None = None

    reversed_on_disk = True
    # Indices may be float32 beside a table of float64.
    allows_mixed_dtypes = True

    def infer(self, *operands: TensorType) -> TensorType:
        table, indices = operands
        if table.has_batch_axis:
            raise GraphError(
                "entries are gathered from a parameter or constant, and the first operand has a "
                "batch axis; use cntk.times with a one-hot right operand instead"
            )
        if not table.rank:
            raise GraphError(
                "entries are gathered along the first operand's first axis, and it has none"
            )
        return TensorType((*indices.shape, *table.shape[1:]), indices.dynamic_axes, table.dtype)

    def lower(self, *operands: TensorType) -> Kernel:
        table, indices = operands
        entry, size = table.shape[1:], table.shape[0]

        def compute(values: Tensor, index: Tensor) -> Tensor:
            indices = index.to(torch.int64)
            try:
                if len(entry) == 1:
                    return torch.embedding(values, indices)
                return values.index_select(0, indices.reshape(-1)).reshape((*indices.shape, *entry))
            except IndexError:
                raise FeedError(
                    f"gather: an index is outside of the table, whose entries go from 0 to "
                    f"{size - 1}"
                ) from None

        return compute


@primitive(PrimitiveOp.OneHotOp)
@dataclass(frozen=True)
class OneHot(Op):
    """One-hot vectors of class numbers.

    Attributes:
        num_class: how many classes there are.
        one_hot_output_sparse: whether the result is stored sparsely.
        onehot_axis: where the axis of classes goes, counted in the result.
    """

    operand_counts = (1,)
    keeps_axes = True

    num_class: int
    one_hot_output_sparse: bool = False
    onehot_axis: Axis = Axis(-1)

    def canonical_for_disk(self, *operands: TensorType) -> OneHot:
        (x,) = operands
        # Files count in the result from the last axis; so does a negative axis here.
        return replace(self, onehot_axis=Axis(self._place(x) - x.rank - 1)) if x.has_shape else self

    def _place(self, x: TensorType) -> int:
        return static_index(self.onehot_axis, x.with_shape((*x.shape, self.num_class)))

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        k = self._place(x)
        shape = (*x.shape[:k], self.num_class, *x.shape[k:])
        # Sparse data are rows of numbers; results with more axes are dense.
        sparse = self.one_hot_output_sparse and len(shape) == 1 and x.has_batch_axis
        return TensorType(shape, x.dynamic_axes, x.dtype, sparse)

    def lower(self, *operands: TensorType) -> Kernel:
        (x,) = operands
        count = self.num_class
        if self.infer(x).is_sparse:
            return lambda t: _sparse_one_hot(t.detach(), count)
        k = self._place(x)
        trailing = (1,) * (x.rank - k)

        def compute(t: Tensor) -> Tensor:
            classes = torch.arange(count, device=t.device).reshape(count, *trailing)
            # Fractions are dropped; floor keeps what is between -1 and 0 out.
            return (torch.floor(t.detach()).to(torch.int64).unsqueeze(k + x.lead) == classes).to(
                t.dtype
            )

        return compute


def _sparse_one_hot(x: Tensor, width: int) -> SparseRows:
    columns = torch.floor(x).to(torch.int64)
    present = (columns >= 0) & (columns < width)
    complete = bool(present.all())
    offsets = torch.zeros(columns.numel() + 1, dtype=torch.int64, device=x.device)
    torch.cumsum(present, 0, out=offsets[1:])
    valid = columns if complete else columns[present]
    return SparseRows(
        offsets, valid, torch.ones(valid.shape, dtype=x.dtype, device=x.device), width, complete
    )


@primitive(PrimitiveOp.TopK)
@dataclass(frozen=True)
class TopK(Op):
    """The largest elements along an axis, and their indices.

    Attributes:
        axis: the axis.
        num_items: how many.
    """

    operand_counts = (1,)

    axis: Axis
    num_items: int

    @property
    def output_count(self) -> int:
        return 2

    def output_name(self, index: int, name: str) -> str:
        return f"{name}_TopKIndexMask" if name and index else name

    def infer(self, *operands: TensorType) -> tuple[TensorType, TensorType]:
        (x,) = operands
        k = static_index(self.axis, x)
        if 0 <= x.shape[k] < self.num_items:
            raise GraphError(
                f"cannot take {self.num_items} elements from an axis with {x.shape[k]}"
            )
        result = x.dense().with_shape((*x.shape[:k], self.num_items, *x.shape[k + 1 :]))
        return result, result

    def lower(self, *operands: TensorType) -> Kernel:
        (x,) = operands
        dim, count = static_index(self.axis, x) + x.lead, self.num_items

        def compute(t: Tensor) -> tuple[Tensor, Tensor]:
            values, indices = torch.topk(t, count, dim)
            return values, indices.to(t.dtype)

        return compute


def gather(reference: Any, indices: Any, axis: AxisLike | None = None, name: str = "") -> Composite:
    """Gather entries of a table by their indices.

    Args:
        reference: the table ``[n, *entry]``, a parameter or constant.
        indices: an operand ``[*shape]`` of indices from 0 to n - 1; fractions are dropped, and no
            gradient flows.
        axis: the table's axis that is indexed, 0 if not given. For another axis the table's first
            axis and this one change indices, and so do they afterwards in the result, as in the
            original.
        name: its name in the graph.

    Returns:
        A function with output ``[*shape, *entry]``.

    Raises:
        GraphError: if the table has a batch axis, or not that axis.
        FeedError: at evaluation, if an index is outside of the table.

    Example:
        >>> gather([[1, 2], [3, 4], [5, 6]], [2, 0]).eval()
        array([[5., 6.],
               [1., 2.]], dtype=float32)
    """
    operands = as_operands((reference, indices), "gather")
    chosen = None if axis is None else as_static_axis(axis, "gather")
    if chosen is None or chosen == Axis(0):
        return apply(Gather(chosen), operands, name)

    def build(index: Any, table: Any) -> Composite:
        return swapaxes(
            apply(Gather(), (swapaxes(table, 0, chosen), index), f"{name}_inner"), 0, chosen
        )

    return compose("GatherOp", (operands[1], operands[0]), build, name, details={"axis": chosen})


def one_hot(
    x: Operand, num_classes: int, sparse_output: bool = False, axis: AxisLike = -1, name: str = ""
) -> Composite:
    """Convert class numbers to one-hot vectors.

    Args:
        x: an operand ``[*shape]`` of class numbers from 0; fractions are dropped, and a number that
            is no class gives a row of zeros. No gradient flows.
        num_classes: how many classes there are.
        sparse_output: whether the result is stored sparsely, where it is a row a sample.
        axis: where the axis of classes goes in the result: -1 for the last.
        name: its name in the graph.

    Returns:
        A function with output ``[*shape, num_classes]`` for the last axis.

    Raises:
        GraphError: if there is no such axis.

    Example:
        >>> one_hot([1, 0, 5], 3).eval()
        array([[0., 1., 0.],
               [1., 0., 0.],
               [0., 0., 0.]], dtype=float32)
    """
    if not isinstance(num_classes, Integral) or num_classes < 0:
        raise ArgumentError(f"one_hot: expected a number of classes, got {num_classes!r}")
    return apply(
        OneHot(
            int(num_classes),
            as_bool(sparse_output, "one_hot: sparse_output"),
            as_static_axis(axis, "one_hot"),
        ),
        (x,),
        name,
    )


def top_k(x: Operand, k: int, axis: AxisLike = -1, name: str = "") -> Composite:
    """Return the k largest elements along a static axis, in descending order, and their indices.

    Args:
        x: an operand.
        k: how many.
        axis: the axis.
        name: its name in the graph.

    Returns:
        A function with two outputs of the operand's shape with k elements along the axis: the
        elements, through which the gradient flows, and their indices.

    Raises:
        GraphError: if there is no such axis, or it has fewer elements.

    Example:
        >>> list(top_k([1, 5, 3], 2).eval().values())
        [array([5., 3.], dtype=float32), array([1., 2.], dtype=float32)]
    """
    if not isinstance(k, Integral) or k < 0:
        raise ArgumentError(f"top_k: expected a number of elements, got {shown(k)}")
    variable, chosen = as_operand(x, op_name="top_k"), as_static_axis(axis, "top_k")
    if chosen == Axis(-1):
        return apply(TopK(chosen, int(k)), (variable,), name)

    def build(operand: Any) -> Composite:
        largest = apply(TopK(Axis(-1), int(k)), (swapaxes(operand, -1, chosen),))
        return combine(*(swapaxes(v, -1, chosen) for v in largest.outputs))

    return compose("TopK", (variable,), build, name, details={"axis": chosen, "numItems": int(k)})
