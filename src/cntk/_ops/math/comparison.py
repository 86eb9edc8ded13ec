"""Comparison of two operands element by element, and choice between elements: by a condition, the
larger, the smaller.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from cntk._graph.composite import Composite
from cntk._graph.op import Kernel, Op, PrimitiveOp, RunKernel, primitive
from cntk._graph.types import TensorType
from cntk._graph.variable import Variable
from cntk._ops.math.arithmetic import Binary, associative_multi_arg
from cntk._ops.support.broadcasting import (
    align_operands,
    broadcast_shapes,
    elementwise_type,
    fill_inferred,
    known_type,
    partial_type,
)
from cntk._ops.support.composite_op import Fused, compose_fused
from cntk._ops.support.operands import apply, in_float32
from cntk.typing import Operand

__all__ = [
    "element_max",
    "element_min",
    "element_select",
    "equal",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "not_equal",
]


class Comparison(Binary):
    """A comparison: 1 where it is true, 0 elsewhere, with zero gradient."""

    relation: ClassVar[Kernel]

    def compute(self) -> Kernel:
        relation: Callable[..., Tensor] = type(self).relation

        def compare(x: Tensor, y: Tensor) -> Tensor:
            shape = x.shape if x.shape == y.shape else torch.broadcast_shapes(x.shape, y.shape)
            # Straight into numbers: the detour over torch's bool tensors takes several times as
            # long on a CPU.
            return relation(x.detach(), y.detach(), out=x.new_empty(shape))

        return compare


@primitive(PrimitiveOp.Equal)
@dataclass(frozen=True)
class Equal(Comparison):
    """True where elements are equal."""

    relation = staticmethod(torch.eq)


@primitive(PrimitiveOp.NotEqual)
@dataclass(frozen=True)
class NotEqual(Comparison):
    """True where elements differ."""

    relation = staticmethod(torch.ne)


@primitive(PrimitiveOp.Less)
@dataclass(frozen=True)
class Less(Comparison):
    """True where the left element is less."""

    relation = staticmethod(torch.lt)


@primitive(PrimitiveOp.LessEqual)
@dataclass(frozen=True)
class LessEqual(Comparison):
    """True where the left element is less or equal."""

    relation = staticmethod(torch.le)


@primitive(PrimitiveOp.Greater)
@dataclass(frozen=True)
class Greater(Comparison):
    """True where the left element is greater."""

    relation = staticmethod(torch.gt)


@primitive(PrimitiveOp.GreaterEqual)
@dataclass(frozen=True)
class GreaterEqual(Comparison):
    """True where the left element is greater or equal."""

    relation = staticmethod(torch.ge)


@primitive(PrimitiveOp.Select)
@dataclass(frozen=True)
class Select(Op):
    """Elements of the second operand where the first is not 0, of the third elsewhere."""

    operand_counts = (3,)
    keeps_axes = True
    pointwise = True

    def infer(self, *operands: TensorType) -> TensorType:
        return elementwise_type((operands[1], operands[0], operands[2]), broadcast=False)

    def infer_partial(self, *operands: TensorType) -> TensorType | None:
        return partial_type(operands, broadcast=False)

    def infer_known(self, *operands: TensorType) -> TensorType | None:
        return known_type(operands, broadcast=False)

    def complete(self, *operands: TensorType) -> tuple[TensorType, ...]:
        common = operands[0].with_shape(broadcast_shapes(*(t.shape for t in operands)))
        return tuple(fill_inferred(t, common) for t in operands)

    def lower(self, *operands: TensorType) -> Kernel | RunKernel:
        return align_operands(operands, lambda flag, x, y: torch.where(flag != 0, x, y))


class Extreme(Binary, Fused):
    """Larger or smaller of two elements. Of equal ones the second is taken, and its gradient is
    1.
    """

    broadcasts_over_sequence = False
    relation: ClassVar[Kernel]
    winner: ClassVar[type[Comparison]]

    def compute(self) -> Kernel:
        relation = type(self).relation
        return lambda x, y: torch.where(relation(x, y), x, y)

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        return apply(Select(), (apply(type(self).winner(), operands), *operands))


@dataclass(frozen=True)
class Maximum(Extreme):
    """The larger element."""

    op_name = "ElementMax"
    relation = staticmethod(torch.gt)
    winner = Greater


@dataclass(frozen=True)
class Minimum(Extreme):
    """The smaller element."""

    op_name = "ElementMin"
    relation = staticmethod(torch.lt)
    winner = Less


def equal(left: Operand, right: Operand, name: str = "") -> Composite:
    """Compare elements for equality: 1 where they are equal, 0 elsewhere. The gradient is zero.

    Args:
        left, right: operands; shapes are aligned at the last axis, 1 broadcasts, and an operand
            with a batch axis alone is compared with each frame of sequences.
        name: its name in the graph.

    Raises:
        GraphError: if shapes or dynamic axes do not fit.

    Example:
        >>> equal([41.0, 42.0, 43.0], [42.0, 42.0, 42.0]).eval()
        array([0., 1., 0.], dtype=float32)
    """
    return apply(Equal(), (left, right), name)


def not_equal(left: Operand, right: Operand, name: str = "") -> Composite:
    """Compare elements: 1 where they differ, 0 elsewhere; see `equal`.

    Example:
        >>> not_equal([41.0, 42.0, 43.0], [42.0, 42.0, 42.0]).eval()
        array([1., 0., 1.], dtype=float32)
    """
    return apply(NotEqual(), (left, right), name)


def less(left: Operand, right: Operand, name: str = "") -> Composite:
    """Compare elements: 1 where the left one is less, 0 elsewhere; see `equal`.

    Example:
        >>> less([41.0, 42.0, 43.0], [42.0, 42.0, 42.0]).eval()
        array([1., 0., 0.], dtype=float32)
    """
    return apply(Less(), (left, right), name)


def less_equal(left: Operand, right: Operand, name: str = "") -> Composite:
    """Compare elements: 1 where the left one is less or equal, 0 elsewhere; see `equal`.

    Example:
        >>> less_equal([41.0, 42.0, 43.0], [42.0, 42.0, 42.0]).eval()
        array([1., 1., 0.], dtype=float32)
    """
    return apply(LessEqual(), (left, right), name)


def greater(left: Operand, right: Operand, name: str = "") -> Composite:
    """Compare elements: 1 where the left one is greater, 0 elsewhere; see `equal`.

    Example:
        >>> greater([41.0, 42.0, 43.0], [42.0, 42.0, 42.0]).eval()
        array([0., 0., 1.], dtype=float32)
    """
    return apply(Greater(), (left, right), name)


def greater_equal(left: Operand, right: Operand, name: str = "") -> Composite:
    """Compare elements: 1 where the left one is greater or equal, 0 elsewhere; see `equal`.

    Example:
        >>> greater_equal([41.0, 42.0, 43.0], [42.0, 42.0, 42.0]).eval()
        array([0., 1., 1.], dtype=float32)
    """
    return apply(GreaterEqual(), (left, right), name)


def element_select(
    flag: Operand, value_if_true: Operand, value_if_false: Any, name: str = ""
) -> Composite:
    """Select elements of one operand where a condition is not 0, of another elsewhere.

    Args:
        flag: the operand that decides.
        value_if_true: where elements are taken from if the flag is not 0.
        value_if_false: where elements are taken from if it is 0. All three are on the same dynamic
            axes; shapes are aligned at the last axis, and 1 broadcasts.
        name: its name in the graph.

    Raises:
        GraphError: if shapes or dynamic axes do not fit.

    Example:
        >>> element_select([-10, 0, 0.3], [1, 2, 3], [4, 5, 6]).eval()
        array([1., 5., 3.], dtype=float32)
    """
    return apply(Select(), in_float32(flag, value_if_true, value_if_false), name)


@associative_multi_arg
def element_max(left: Operand, right: Operand, name: str = "") -> Composite:
    """Return the largest of two or more operands' elements.

    Args:
        left, right: operands on the same dynamic axes, and any number of others; shapes are
            aligned at the last axis, and 1 broadcasts. Of equal elements the last operand's gets
            the gradient.
        name: its name in the graph.

    Raises:
        GraphError: if shapes or dynamic axes do not fit.

    Example:
        >>> element_max([1, 5], [3, 2], 2.5).eval()
        array([3., 5.], dtype=float32)
    """
    return compose_fused("ElementMax", Maximum(), (left, right), name)


@associative_multi_arg
def element_min(left: Operand, right: Operand, name: str = "") -> Composite:
    """Return the smallest of two or more operands' elements; see `element_max`.

    Example:
        >>> element_min([1, 5], [3, 2], 1.5).eval()
        array([1. , 1.5], dtype=float32)
    """
    return compose_fused("ElementMin", Minimum(), (left, right), name)
