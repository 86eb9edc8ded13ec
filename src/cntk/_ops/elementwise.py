"""Arithmetic and comparison, element by element, of two operands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from cntk._graph.function import Composite
from cntk._graph.op import Kernel, Op, PrimitiveOp, RunKernel, fill, primitive
from cntk._graph.types import InferredDimension, TensorType
from cntk._ops.align import aligned, elementwise_type
from cntk._ops.operands import apply, as_operands


class Binary(Op):
    """An operation on two operands element by element, with broadcasting."""

    # Whether an operand with a batch axis alone stretches along the other's sequences by itself.
    stretches: ClassVar[bool] = False

    def compute(self) -> Kernel:
        """The operation on two tensors that broadcast as torch does."""
        raise NotImplementedError

    def infer(self, *operands: TensorType) -> TensorType:
        return elementwise_type(operands, self.stretches)

    def infer_partial(self, *operands: TensorType) -> TensorType | None:
        known = tuple(t for t in operands if t.is_known)
        return elementwise_type(known, self.stretches) if known else None

    def complete(self, *operands: TensorType) -> tuple[TensorType, ...]:
        left, right = operands
        return _complete(left, right), _complete(right, left)

    def lower(self, *operands: TensorType) -> Kernel | RunKernel:
        return aligned(operands, self.compute())


def _complete(type_: TensorType, other: TensorType) -> TensorType:
    if InferredDimension in type_.shape and type_.rank <= other.rank:
        return type_.with_shape(fill(type_.shape, other.shape[other.rank - type_.rank :]))
    return type_


@primitive(PrimitiveOp.Plus)
@dataclass(frozen=True)
class Plus(Binary):
    """Sum."""

    stretches = True

    def compute(self) -> Kernel:
        return torch.add


@primitive(PrimitiveOp.Minus)
@dataclass(frozen=True)
class Minus(Binary):
    """Difference."""

    stretches = True

    def compute(self) -> Kernel:
        return torch.sub


@primitive(PrimitiveOp.ElementTimes)
@dataclass(frozen=True)
class ElementTimes(Binary):
    """Product."""

    stretches = True

    def compute(self) -> Kernel:
        return torch.mul


@primitive(PrimitiveOp.LogPlus)
@dataclass(frozen=True)
class LogPlus(Binary):
    """Logarithm of the sum of exponentials."""

    stretches = True

    def compute(self) -> Kernel:
        return torch.logaddexp


@primitive(PrimitiveOp.Pow)
@dataclass(frozen=True)
class Pow(Binary):
    """Power."""

    stretches = True

    def compute(self) -> Kernel:
        return torch.pow


class Comparison(Binary):
    """A comparison: 1 where it holds, 0 elsewhere, with zero gradient."""

    relation: ClassVar[Kernel]

    def compute(self) -> Kernel:
        relation = type(self).relation
        return lambda x, y: relation(x, y).to(x.dtype)


@primitive(PrimitiveOp.Equal)
@dataclass(frozen=True)
class Equal(Comparison):
    """Whether equal."""

    relation = staticmethod(torch.eq)


@primitive(PrimitiveOp.NotEqual)
@dataclass(frozen=True)
class NotEqual(Comparison):
    """Whether not equal."""

    relation = staticmethod(torch.ne)


@primitive(PrimitiveOp.Less)
@dataclass(frozen=True)
class Less(Comparison):
    """Whether less."""

    relation = staticmethod(torch.lt)


@primitive(PrimitiveOp.LessEqual)
@dataclass(frozen=True)
class LessEqual(Comparison):
    """Whether less or equal."""

    relation = staticmethod(torch.le)


@primitive(PrimitiveOp.Greater)
@dataclass(frozen=True)
class Greater(Comparison):
    """Whether greater."""

    relation = staticmethod(torch.gt)


@primitive(PrimitiveOp.GreaterEqual)
@dataclass(frozen=True)
class GreaterEqual(Comparison):
    """Whether greater or equal."""

    relation = staticmethod(torch.ge)


@primitive(PrimitiveOp.Select)
@dataclass(frozen=True)
class Select(Op):
    """Elements of one operand or the other, by a flag."""

    def infer(self, *operands: TensorType) -> TensorType:
        return elementwise_type((operands[1], operands[0], operands[2]), stretch=False)

    def infer_partial(self, *operands: TensorType) -> TensorType | None:
        known = tuple(t for t in operands if t.is_known)
        return elementwise_type(known, stretch=False) if known else None

    def lower(self, *operands: TensorType) -> Kernel | RunKernel:
        return aligned(operands, lambda flag, x, y: torch.where(flag != 0, x, y))


def _associative(op: Op, operands: tuple[Any, ...], name: str) -> Composite:
    """A chain of a two-operand operation over any number of operands, halved at each step as the original does."""
    variables = as_operands(operands, op.op_name)
    if len(variables) == 1:
        from cntk._ops.structure import alias

        return alias(variables[0], name)
    if len(variables) == 2:
        return apply(op, variables, name)
    middle = len(variables) // 2
    halves = (variables[:middle], variables[middle:])
    left, right = (h[0] if len(h) == 1 else _associative(op, tuple(h), name) for h in halves)
    return apply(op, (left, right), name)


def plus(left: Any, right: Any, *more: Any, name: str = "") -> Composite:
    """Sum of two or more operands, element by element.

    Args:
        left, right, *more: operands; shapes are aligned at the last axis, 1 stretches, and an operand with a batch
            axis alone is added to each frame of sequences.
        name: its name in the graph.

    Returns:
        A function whose output has the operands' common shape.

    Raises:
        GraphError: if shapes or dynamic axes do not fit.

    Example:
        >>> plus([1, 2, 3], [4, 5, 6]).eval()
        array([5., 7., 9.], dtype=float32)
    """
    if isinstance(right, str) and not more:
        raise TypeError(f"plus: the second operand is the text {right!r}; was name={right!r} meant?")
    return _associative(Plus(), (left, right, *more), name)
