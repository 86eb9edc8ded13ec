"""Arithmetic of two and more operands, element by element."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from cntk._graph.composite import Composite
from cntk._graph.function import Function
from cntk._graph.op import Kernel, Op, PrimitiveOp, RunKernel, primitive
from cntk._graph.types import TensorType
from cntk._graph.variable import Variable
from cntk._ops.math.unary import Reciprocal
from cntk._ops.support.broadcasting import (
    align_operands,
    elementwise_type,
    fill_inferred,
    known_type,
    partial_type,
)
from cntk._ops.support.composite_op import compose
from cntk._ops.support.operands import apply, as_operands
from cntk._ops.support.structure import alias
from cntk.errors import ArgumentError, GraphError
from cntk.typing import Operand

__all__ = [
    "associative_multi_arg",
    "element_divide",
    "element_times",
    "log_add_exp",
    "mean",
    "minus",
    "plus",
    "pow",
    "square",
    "sum",
]


class Binary(Op):
    """An operation on two operands element by element, with broadcasting."""

    operand_counts = (2,)
    keeps_axes = True
    pointwise = True
    broadcasts_over_sequence: ClassVar[bool] = True

    def compute(self) -> Kernel:
        """Return a kernel of two tensors that broadcasts as torch does."""
        raise NotImplementedError

    def infer(self, *operands: TensorType) -> TensorType:
        return elementwise_type(operands, self.broadcasts_over_sequence)

    def infer_partial(self, *operands: TensorType) -> TensorType | None:
        return partial_type(operands, self.broadcasts_over_sequence)

    def infer_known(self, *operands: TensorType) -> TensorType | None:
        return known_type(operands, self.broadcasts_over_sequence)

    def complete(self, *operands: TensorType) -> tuple[TensorType, ...]:
        left, right = operands
        return fill_inferred(left, right), fill_inferred(right, left)

    def lower(self, *operands: TensorType) -> Kernel | RunKernel:
        return align_operands(operands, self.compute())


@primitive(PrimitiveOp.Plus)
@dataclass(frozen=True)
class Plus(Binary):
    """Sum."""

    def compute(self) -> Kernel:
        return torch.add


@primitive(PrimitiveOp.Minus)
@dataclass(frozen=True)
class Minus(Binary):
    """Difference."""

    def compute(self) -> Kernel:
        return torch.sub


@primitive(PrimitiveOp.ElementTimes)
@dataclass(frozen=True)
class ElementTimes(Binary):
    """Product."""

    def compute(self) -> Kernel:
        return torch.mul


@primitive(PrimitiveOp.LogPlus)
@dataclass(frozen=True)
class LogPlus(Binary):
    """Logarithm of the sum of exponentials."""

    def compute(self) -> Kernel:
        return torch.logaddexp


@primitive(PrimitiveOp.Pow)
@dataclass(frozen=True)
class Pow(Binary):
    """Power."""

    def compute(self) -> Kernel:
        return _Power.apply


class _Power(torch.autograd.Function):
    """Power as CNTK defines it: 0 to any power but 0 is 0; the exponent of a base of 0 or less gets
    no gradient.
    """

    @staticmethod
    def forward(ctx: Any, base: Tensor, exponent: Tensor) -> Tensor:
        result = _power(base, exponent)
        ctx.save_for_backward(base, exponent, result)
        return result

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        base, exponent, result = ctx.saved_tensors
        to_base = to_exponent = None
        if ctx.needs_input_grad[0]:
            to_base = (gradient * exponent * _power(base, exponent - 1)).sum_to_size(base.shape)
        if ctx.needs_input_grad[1]:
            slope = torch.where(base <= 0, torch.zeros_like(result), result * torch.log(base))
            to_exponent = (gradient * slope).sum_to_size(exponent.shape)
        return to_base, to_exponent


def _power(base: Tensor, exponent: Tensor) -> Tensor:
    # An exponent counts as an integer if 32 bits hold it.
    fractional = ~((exponent.trunc() == exponent) & (exponent >= -(2.0**31)) & (exponent < 2.0**31))
    result = torch.pow(base, exponent).masked_fill((base == 0) & (exponent != 0), 0)
    return result.masked_fill((base < 0) & fractional, math.nan)


def associative_multi_arg(f: Callable[..., Composite]) -> Callable[..., Composite]:
    """Let a function of two operands take any number of them, reduced as a balanced tree (a
    decorator).

    Args:
        f: a function of two operands and a name.

    Example:
        >>> @associative_multi_arg
        ... def total(left, right, name=""):
        ...     return left + right
        >>> total(plus(1, 2), 3, 4).eval()
        array(10., dtype=float32)
    """

    @functools.wraps(f)
    def over_all(left: Any, right: Any, *more: Any, name: str = "") -> Composite:
        if more and isinstance(more[-1], str):
            *more, name = more  # type: ignore[assignment]
        operands = [left, right, *more]
        if any(isinstance(x, str) for x in operands):
            raise ArgumentError(
                f"{f.__name__}: expected variables, functions, numbers or arrays as operands, got "
                f"a string; use name="
            )
        return _in_halves(f, as_operands(operands, f.__name__), name)

    return over_all


def _in_halves(f: Callable[..., Composite], operands: list[Any], name: str) -> Composite:
    """Build a balanced tree of a two-operand operation, halving the operands at each step as the
    original does.
    """
    middle = len(operands) // 2
    left, right = (
        h[0] if len(h) == 1 else _in_halves(f, h, "")
        for h in (operands[:middle], operands[middle:])
    )
    return f(left, right, name=name)


@associative_multi_arg
def plus(left: Operand, right: Operand, name: str = "") -> Composite:
    """Add two or more operands element by element.

    Args:
        left, right: operands, and as many more as wanted; shapes are aligned at the last axis, 1
            broadcasts, and an operand with a batch axis alone is added to each frame of sequences.
        name: its name in the graph.

    Returns:
        A function whose output has the operands' common shape.

    Raises:
        GraphError: if shapes or dynamic axes do not fit.

    Example:
        >>> plus([1, 2, 3], [4, 5, 6], 10).eval()
        array([15., 17., 19.], dtype=float32)
    """
    return apply(Plus(), (left, right), name)


def minus(left: Operand, right: Operand, name: str = "") -> Composite:
    """Subtract the right operand from the left element by element.

    Args:
        left, right: operands, aligned as for `plus`.
        name: its name in the graph.

    Raises:
        GraphError: if shapes or dynamic axes do not fit.

    Example:
        >>> minus([1, 2, 3], [4, 5, 6]).eval()
        array([-3., -3., -3.], dtype=float32)
    """
    return apply(Minus(), (left, right), name)


@associative_multi_arg
def element_times(left: Operand, right: Operand, name: str = "") -> Composite:
    """Multiply two or more operands element by element.

    Args:
        left, right: operands, and as many more as wanted, aligned as for `plus`.
        name: its name in the graph.

    Raises:
        GraphError: if shapes or dynamic axes do not fit.

    Example:
        >>> element_times([1, 2, 3], [4, 5, 6]).eval()
        array([ 4., 10., 18.], dtype=float32)
    """
    return apply(ElementTimes(), (left, right), name)


def element_divide(left: Operand, right: Operand, name: str = "") -> Composite:
    """Divide the left operand by the right element by element. Division by 0 gives 0.

    Args:
        left, right: operands on the same dynamic axes; shapes are aligned as for `plus`.
        name: its name in the graph.

    Raises:
        GraphError: if shapes or dynamic axes do not fit.

    Example:
        >>> element_divide([1, 2, 3], [4, 0, 6]).eval()
        array([0.25, 0.  , 0.5 ], dtype=float32)
    """

    def build(x: Any, y: Any) -> Composite:
        return apply(ElementTimes(), (x, apply(Reciprocal(), (y,))), name)

    return compose("ElementDivide", (left, right), build, name)


@associative_multi_arg
def log_add_exp(left: Operand, right: Operand, name: str = "") -> Composite:
    """Compute the logarithm of the sum of the exponentials of two or more operands, element by
    element.

    Args:
        left, right: operands, and as many more as wanted, aligned as for `plus`.
        name: its name in the graph.

    Raises:
        GraphError: if shapes or dynamic axes do not fit.

    Example:
        >>> log_add_exp([0, 100], [0, 1]).eval()
        array([  0.6931472, 100.       ], dtype=float32)
    """
    return apply(LogPlus(), (left, right), name)


def pow(base: Any, exponent: Any, name: str = "") -> Composite:
    """Raise each element to a power. 0 to a negative power is 0; a negative base needs an integer
    as exponent, else it gives nan.

    Args:
        base, exponent: operands, aligned as for `plus`.
        name: its name in the graph.

    Raises:
        GraphError: if shapes or dynamic axes do not fit.

    Example:
        >>> pow([1, 2, -2], [3, -2, 3]).eval()
        array([ 1.  ,  0.25, -8.  ], dtype=float32)
    """
    return apply(Pow(), (base, exponent), name)


def square(x: Operand, name: str = "") -> Composite:
    """Compute the square of each element.

    Args:
        x: an operand.
        name: its name in the graph.

    Example:
        >>> square([1, 2, -3]).eval()
        array([1., 4., 9.], dtype=float32)
    """
    (variable,) = as_operands((x,), "square")
    return apply(ElementTimes(), (variable, variable), name)


def sum(*operands: Any, name: str = "") -> Composite:
    """Add operands element by element, as one operation.

    Args:
        *operands: operands on the same dynamic axes, or one list of them; shapes are aligned as for
            `plus`.
        name: its name in the graph.

    Raises:
        GraphError: if there is no operand, or shapes or dynamic axes do not fit.

    Example:
        >>> sum([1, 2], [3, 4], [5, 6]).eval()
        array([ 9., 12.], dtype=float32)
    """
    return compose("Sum", _some(operands, "sum"), _total, name)


def mean(*operands: Any, name: str = "") -> Composite:
    """Compute the mean of operands element by element.

    Args:
        *operands: operands on the same dynamic axes, or one list of them; shapes are aligned as for
            `plus`.
        name: its name in the graph.

    Raises:
        GraphError: if there is no operand, or shapes or dynamic axes do not fit.

    Example:
        >>> mean([1, 2], [3, 4], [5, 6]).eval()
        array([3., 4.], dtype=float32)
    """
    operands = _some(operands, "mean")
    count = len(operands)
    return compose("Mean", operands, lambda *xs: element_divide(_total(*xs), count), name)


def _some(operands: tuple[Any, ...], op_name: str) -> tuple[Any, ...]:
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        (inner,) = operands
        operands = (
            tuple(inner) if any(isinstance(x, (Variable, Function)) for x in inner) else operands
        )
    if not operands:
        raise GraphError(f"{op_name}: expected at least one operand, got none")
    return operands


def _total(*operands: Any) -> Composite:
    return (
        functools.reduce(lambda x, y: apply(Plus(), (x, y)), operands)
        if len(operands) > 1
        else alias(operands[0])
    )
