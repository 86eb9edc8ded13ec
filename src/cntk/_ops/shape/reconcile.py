"""Broadcasting of values to another operand's dynamic axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from cntk._graph.composite import Composite
from cntk._graph.op import Kernel, Op, PrimitiveOp, RunKernel, primitive
from cntk._graph.types import TensorType, axis_text
from cntk._ops.support.composite_op import compose
from cntk._ops.support.operands import apply
from cntk._runtime.context import RunContext
from cntk._runtime.layout.layout import Layout
from cntk.axis import Axis
from cntk.errors import FeedError, GraphError
from cntk.typing import Operand

__all__ = ["broadcast_as", "reconcile_dynamic_axes"]


@primitive(PrimitiveOp.ReconcileDynamicAxis)
@dataclass(frozen=True)
class ReconcileDynamicAxis(Op):
    """The first operand on the dynamic axes of the second; without a sequence axis it is repeated
    for each frame.
    """

    operand_counts = (2,)
    sparse_operands = (1,)

    def infer(self, *operands: TensorType) -> TensorType:
        x, like = operands
        if not like.dynamic_axes:
            raise GraphError("the operand whose dynamic axes are taken has none")
        return x.dense().with_axes(like.dynamic_axes)

    def infer_partial(self, *operands: TensorType) -> TensorType | None:
        return operands[0].dense().with_axes(operands[1].dynamic_axes)

    def infer_known(self, *operands: TensorType) -> TensorType | None:
        return self.infer_partial(*operands)

    def lower(self, *operands: TensorType) -> Kernel | RunKernel:
        x, like = operands
        axes = like.dynamic_axes
        if len(axes) == 1 and x.dynamic_axes == axes:
            return lambda value, other: value  # so it is in each step of a loop

        def compute(run: RunContext, value: Tensor, other: Any) -> Tensor:
            if len(axes) > 1:
                layout = run.layout(axes)
                if len(x.dynamic_axes) > 1:
                    return _same_lengths(
                        value, run.layout(x.dynamic_axes), layout, (x.dynamic_axes[1], axes[1])
                    )
                if x.dynamic_axes:
                    return layout.expand(value)
            rows = run.rows(axes)
            if len(x.dynamic_axes) > 1:
                return _single_frames(value, run.layout(x.dynamic_axes), rows)
            return value if x.dynamic_axes else value.expand(rows, *value.shape)

        return RunKernel(compute)


def _single_frames(value: Tensor, own: Layout, count: int) -> Tensor:
    if own.longest != 1 or own.count != count:
        raise FeedError(
            f"reconcile_dynamic_axes: only sequences of one frame each can be put on a batch axis, "
            f"one for each sample; there are {count} samples, and sequences of lengths "
            f"{list(own.lengths)[:8]}; reduce the sequences first"
        )
    return value


def _same_lengths(value: Tensor, own: Layout, target: Layout, axes: tuple[Axis, Axis]) -> Tensor:
    if own.longest == 1 and own.count == target.count:
        return target.expand(value)
    if own.lengths != target.lengths:
        raise FeedError(
            f"reconcile_dynamic_axes: sequences on the axis {axis_text(axes[0])}, of lengths "
            f"{list(own.lengths)[:8]}, cannot be put on the axis {axis_text(axes[1])}, of lengths "
            f"{list(target.lengths)[:8]}"
        )
    return value


def broadcast_as(operand: Operand, broadcast_as_operand: Any, name: str = "") -> Composite:
    """Repeat a value of each sequence for each frame of another operand's sequences.

    Args:
        operand: a value on the batch axis.
        broadcast_as_operand: whose dynamic axes the result has.
        name: its name in the graph.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> C.sequence.broadcast_as(C.sequence.last(x), x).eval({x: [[[5], [6]]]})[0].ravel()
        array([6., 6.], dtype=float32)
    """
    operands = (operand, broadcast_as_operand)
    return compose(
        "Sequence::BroadcastAs",
        operands,
        lambda *z: apply(ReconcileDynamicAxis(), z),
        name,
        aligned=False,
    )


def reconcile_dynamic_axes(x: Operand, dynamic_axes_as: Any, name: str = "") -> Composite:
    """Put a value on the dynamic axes of another.

    Args:
        x: any operand. Without a sequence axis, or as sequences of one frame each, it is repeated
            for each frame; other sequences must have the same lengths. On a batch axis sequences
            must be of one frame each.
        dynamic_axes_as: whose dynamic axes the result has.
        name: its name in the graph.

    Example:
        >>> import cntk as C
        >>> x, y = C.input_variable(1), C.sequence.input_variable(1)
        >>> C.reconcile_dynamic_axes(x, y).eval({x: [[5]], y: [[[1], [2]]]})[0].ravel()
        array([5., 5.], dtype=float32)
    """
    return apply(ReconcileDynamicAxis(), (x, dynamic_axes_as), name)
