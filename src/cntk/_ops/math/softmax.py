"""Softmax, its logarithm, and hardmax."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cntk._graph.composite import Composite
from cntk._graph.op import Kernel, PrimitiveOp, primitive
from cntk._graph.primitive import Primitive
from cntk._graph.types import TensorType
from cntk._graph.variable import Variable
from cntk._ops.math.arithmetic import Minus, element_divide
from cntk._ops.math.reduction import ReduceElements
from cntk._ops.math.unary import Exp, Log, Unary
from cntk._ops.support.axes import ALL_STATIC, as_axis, static_index
from cntk._ops.support.composite_op import Fused, compose_fused
from cntk._ops.support.operands import apply
from cntk.axis import Axis
from cntk.errors import GraphError
from cntk.typing import AxisLike, Operand

__all__ = ["hardmax", "log_softmax", "softmax"]


class OverWhole(Unary):
    """An operation on all static axes of each sample together; without samples, on the last axis
    alone.

    To the original, what has no dynamic axis is a matrix whose last axis makes the columns.
    """

    def along(self, x: Tensor, dim: int) -> Tensor:
        """Return the operation's result along one axis."""
        raise NotImplementedError

    def lower(self, *operands: TensorType) -> Kernel:
        (x,) = operands
        along = self.along
        if x.rank and (x.rank == 1 or not x.lead):
            return lambda t: along(t, -1)
        return lambda t: along(t.reshape(*t.shape[: x.lead], -1), -1).reshape(t.shape)


@primitive(PrimitiveOp.Softmax)
@dataclass(frozen=True)
class Softmax(OverWhole):
    """Softmax over the whole operand.

    Attributes:
        axis: all static axes, where a file says so.
    """

    axis: Axis | None = None

    def along(self, x: Tensor, dim: int) -> Tensor:
        return torch.softmax(x, dim)


@primitive(PrimitiveOp.LogSoftmax)
@dataclass(frozen=True)
class LogSoftmax(OverWhole):
    """Logarithm of the softmax over the whole operand."""

    axis: Axis | None = None

    def along(self, x: Tensor, dim: int) -> Tensor:
        return torch.log_softmax(x, dim)


@primitive(PrimitiveOp.Hardmax)
@dataclass(frozen=True)
class Hardmax(OverWhole):
    """1 at the first of the largest elements, 0 elsewhere, with zero gradient."""

    def along(self, x: Tensor, dim: int) -> Tensor:
        return torch.zeros_like(x).scatter_(dim, torch.argmax(x, dim, True), 1)


@dataclass(frozen=True)
class SoftmaxAlong(Unary, Fused):
    """Softmax along one axis."""

    axis: Axis

    op_name = "Softmax"

    def details(self) -> dict[str, Any]:
        return {"axis": self.axis}

    def infer(self, *operands: TensorType) -> TensorType:
        static_index(self.axis, operands[0])
        return super().infer(*operands)

    def lower(self, *operands: TensorType) -> Kernel:
        dim = static_index(self.axis, operands[0]) + operands[0].lead
        return lambda x: torch.softmax(x, dim)

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        exponentials = apply(Exp(), (_shifted(operands[0], self.axis),))
        return element_divide(
            exponentials, apply(ReduceElements("Sum", True, self.axis), (exponentials,))
        )

    @classmethod
    def guesses(cls, inside: Sequence[Primitive]) -> Iterable[SoftmaxAlong]:
        axes = [
            p.op.axis for p in inside if isinstance(p.op, ReduceElements) and p.op.axis is not None
        ]
        return [cls(axis) for axis in axes[:1]]


@dataclass(frozen=True)
class LogSoftmaxAlong(SoftmaxAlong):
    """Logarithm of the softmax along one axis."""

    op_name = "LogSoftmax"

    def lower(self, *operands: TensorType) -> Kernel:
        dim = static_index(self.axis, operands[0]) + operands[0].lead
        return lambda x: torch.log_softmax(x, dim)

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        (x,) = operands
        top = apply(ReduceElements("Max", True, self.axis), (x,))
        total = apply(
            ReduceElements("Sum", True, self.axis), (apply(Exp(), (apply(Minus(), (x, top)),)),)
        )
        return apply(Minus(), (apply(Minus(), (x, top)), apply(Log(), (total,))))


def _shifted(x: Any, axis: Axis) -> Composite:
    return apply(Minus(), (x, apply(ReduceElements("Max", True, axis), (x,))))


def softmax(x: Operand, axis: AxisLike | None = None, name: str = "") -> Composite:
    """Divide exponentials by their sum.

    Args:
        x: an operand.
        axis: the static axis whose elements are summed over; None for all static axes together, or
            the last alone where ``x`` has no dynamic axis.
        name: its name in the graph.

    Raises:
        GraphError: if there is no such axis, or it is dynamic.

    Example:
        >>> softmax([[1, 1], [3, 3]], axis=1).eval()
        array([[0.5, 0.5],
               [0.5, 0.5]], dtype=float32)
        >>> import cntk as C
        >>> x = C.input_variable((2, 2))
        >>> softmax(x).eval({x: [[[1, 1], [1, 1]]]})
        array([[[0.25, 0.25],
                [0.25, 0.25]]], dtype=float32)
    """
    chosen = None if axis is None else as_axis(axis, "softmax")
    if chosen is None or chosen.name == ALL_STATIC:
        return apply(Softmax(chosen), (x,), name)
    if not chosen.is_static_axis:
        raise GraphError(
            f"softmax: expected a static axis, got {chosen}; along sequences use sequence.softmax"
        )
    return compose_fused("Softmax", SoftmaxAlong(chosen), (x,), name)


def log_softmax(x: Operand, axis: AxisLike | None = None, name: str = "") -> Composite:
    """Compute the logarithm of the softmax without overflow.

    Args:
        x: an operand.
        axis: the static axis whose elements are summed over; None for the last.
        name: its name in the graph.

    Raises:
        GraphError: if there is no such axis, or it is dynamic.

    Example:
        >>> log_softmax([[1, 1], [1000, 1000]]).eval()
        array([[-0.6931472, -0.6931472],
               [-0.6931472, -0.6931472]], dtype=float32)
    """
    chosen = Axis(-1) if axis is None else as_axis(axis, "log_softmax")
    if not chosen.is_static_axis:
        raise GraphError(f"log_softmax: expected a static axis, got {chosen}")
    return compose_fused("LogSoftmax", LogSoftmaxAlong(chosen), (x,), name)


def hardmax(x: Operand, name: str = "") -> Composite:
    """Return 1 at the largest element of the whole operand, the first of several; 0 elsewhere. The
    gradient is zero.

    Args:
        x: an operand; without dynamic axes it is taken row by row along its last axis.
        name: its name in the graph.

    Example:
        >>> hardmax([1, 3, 3, 2]).eval()
        array([0., 1., 0., 0.], dtype=float32)
    """
    return apply(Hardmax(), (x,), name)
