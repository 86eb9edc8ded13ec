"""Arithmetic of one operand, element by element, and identities that change only the gradient or
the dtype.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cntk._graph.composite import Composite
from cntk._graph.op import DiskKind, Kernel, Op, PrimitiveOp, RunKernel, primitive
from cntk._graph.types import TensorType
from cntk._graph.variable import as_dtype, format_number
from cntk._ops.support.broadcasting import (
    align_operands,
    elementwise_type,
    fill_inferred,
    known_type,
    partial_type,
)
from cntk._ops.support.operands import apply, in_float32
from cntk.errors import GraphError
from cntk.typing import DTypeLike, Operand

__all__ = [
    "abs",
    "cast",
    "clip",
    "exp",
    "log",
    "negate",
    "reciprocal",
    "sqrt",
    "stop_gradient",
    "straight_through_impl",
]


class Unary(Op):
    """An operation on one operand element by element."""

    operand_counts = (1,)
    keeps_axes = True
    pointwise = True
    shape_polymorphic = True

    def compute(self) -> Kernel:
        """Return a kernel of one tensor."""
        raise NotImplementedError

    def infer(self, *operands: TensorType) -> TensorType:
        return operands[0].dense()

    def lower(self, *operands: TensorType) -> Kernel:
        return self.compute()


@primitive(PrimitiveOp.Negate)
@dataclass(frozen=True)
class Negate(Unary):
    """Change of sign."""

    def compute(self) -> Kernel:
        return torch.neg


@primitive(PrimitiveOp.Abs)
@dataclass(frozen=True)
class Abs(Unary):
    """Absolute value."""

    def compute(self) -> Kernel:
        return torch.abs


@primitive(PrimitiveOp.Exp)
@dataclass(frozen=True)
class Exp(Unary):
    """Exponential."""

    def compute(self) -> Kernel:
        return torch.exp


@primitive(PrimitiveOp.Log)
@dataclass(frozen=True)
class Log(Unary):
    """Natural logarithm."""

    def compute(self) -> Kernel:
        return _Log.apply


class _Log(torch.autograd.Function):
    """Logarithm that replaces everything below e^-85.1, 0 and negative numbers too, by that number;
    so does its gradient.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        above = torch.clamp_min(x, _SMALLEST if x.dtype != torch.float16 else _SMALLEST_HALF)
        ctx.save_for_backward(above)
        return torch.log(above)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        above: Tensor = ctx.saved_tensors[0]
        return gradient / above


_SMALLEST = math.exp(np.float32(-85.1))
_SMALLEST_HALF = 6e-8  # what float16 can hold instead


@primitive(PrimitiveOp.Sqrt)
@dataclass(frozen=True)
class Sqrt(Unary):
    """Square root."""

    def compute(self) -> Kernel:
        return _Sqrt.apply


class _Sqrt(torch.autograd.Function):
    """Square root that replaces negative numbers and nan by 0, with the infinite gradient of 0."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        root = torch.clamp_min(x, 0).abs_().sqrt_().nan_to_num_(0.0, math.inf)  # -0.0 counts as 0
        ctx.save_for_backward(root)
        return root

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        root: Tensor = ctx.saved_tensors[0]
        return gradient / (2 * root)


@primitive(PrimitiveOp.Reciprocal)
@dataclass(frozen=True)
class Reciprocal(Unary):
    """One over the operand."""

    def compute(self) -> Kernel:
        return _Reciprocal.apply


class _Reciprocal(torch.autograd.Function):
    """Reciprocal with 1/0 = 0 and no gradient there, as CNTK defines it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        # Where x is 0 this is 1/1 - 1, elsewhere 1/x - 0: faster than a choice by a mask.
        is_zero = torch.eq(x, 0, out=torch.empty_like(x))
        result = torch.add(x, is_zero).reciprocal_().sub_(is_zero)
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        result: Tensor = ctx.saved_tensors[0]
        return -(result * result) * gradient


@primitive(PrimitiveOp.Clip)
@dataclass(frozen=True)
class Clip(Op):
    """The operand clipped to bounds, which get no gradient."""

    operand_counts = (3,)
    keeps_axes = True
    pointwise = True

    def infer(self, *operands: TensorType) -> TensorType:
        return elementwise_type(operands, broadcast=False)

    def infer_partial(self, *operands: TensorType) -> TensorType | None:
        return partial_type(operands, broadcast=False)

    def infer_known(self, *operands: TensorType) -> TensorType | None:
        return known_type(operands, broadcast=False)

    def complete(self, *operands: TensorType) -> tuple[TensorType, ...]:
        x, low, high = operands
        return x, fill_inferred(low, x), fill_inferred(high, x)

    def lower(self, *operands: TensorType) -> Kernel | RunKernel:
        def compute(x: Tensor, low: Tensor, high: Tensor) -> Tensor:
            # Where the bounds cross, what is below the lower one still becomes it: torch.clamp
            # gives the upper one.
            low = low.detach()
            return torch.where(x < low, low, torch.clamp_max(x, high.detach()))

        return align_operands(operands, compute)


@primitive(PrimitiveOp.StopGradient)
@dataclass(frozen=True)
class StopGradient(Unary):
    """The operand, without a gradient."""

    def compute(self) -> Kernel:
        return lambda x: x.detach()


@primitive(PrimitiveOp.StraightThrough)
@dataclass(frozen=True)
class StraightThrough(Unary):
    """The operand's sign, with the gradient of the operand itself."""

    def compute(self) -> Kernel:
        return _StraightThrough.apply


class _StraightThrough(torch.autograd.Function):
    """Sign with the gradient 1 for operands from -1 to 1. The sign's own is zero and would stop
    learning.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.where(x > 0, 1.0, -1.0).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        x: Tensor = ctx.saved_tensors[0]
        return gradient * (x.abs() <= 1)


@primitive(PrimitiveOp.Cast)
@dataclass(frozen=True)
class Cast(Op):
    """The operand converted to another dtype.

    Attributes:
        new_data_type: 1 for float32, 2 for float64, 4 for float16, 16 for bfloat16.
    """

    keeps_axes = True
    pointwise = True
    allows_mixed_dtypes = True
    new_data_type: int

    disk_kinds = {"new_data_type": DiskKind.Int}

    def infer(self, *operands: TensorType) -> TensorType:
        return replace(operands[0].dense(), dtype=as_dtype(self.new_data_type))

    def lower(self, *operands: TensorType) -> Kernel:
        dtype = getattr(torch, np.dtype(as_dtype(self.new_data_type)).name)
        return lambda x: x.to(dtype)


def negate(x: Operand, name: str = "") -> Composite:
    """Change the sign of each element.

    Args:
        x: an operand.
        name: its name in the graph.

    Example:
        >>> negate([-1, 2]).eval()
        array([ 1., -2.], dtype=float32)
    """
    return apply(Negate(), (x,), name)


def abs(x: Operand, name: str = "") -> Composite:
    """Compute the absolute value of each element; the gradient at 0 is 0.

    Args:
        x: an operand.
        name: its name in the graph.

    Example:
        >>> abs([-1, 2]).eval()
        array([1., 2.], dtype=float32)
    """
    return apply(Abs(), (x,), name)


def exp(x: Operand, name: str = "") -> Composite:
    """Compute the exponential of each element.

    Args:
        x: an operand.
        name: its name in the graph.

    Example:
        >>> exp([0, 1]).eval()
        array([1.       , 2.7182817], dtype=float32)
    """
    return apply(Exp(), (x,), name)


def log(x: Operand, name: str = "") -> Composite:
    """Compute the natural logarithm of each element. For 0 and negative numbers it is -85.1, in all
    dtypes.

    Args:
        x: an operand.
        name: its name in the graph.

    Example:
        >>> log([1, 2, 0]).eval()
        array([  0.       ,   0.6931472, -85.1      ], dtype=float32)
    """
    return apply(Log(), (x,), name)


def sqrt(x: Operand, name: str = "") -> Composite:
    """Compute the square root of each element; 0 for negative ones.

    Args:
        x: an operand.
        name: its name in the graph.

    Example:
        >>> sqrt([0, 4, -4]).eval()
        array([0., 2., 0.], dtype=float32)
    """
    return apply(Sqrt(), (x,), name)


def reciprocal(x: Operand, name: str = "") -> Composite:
    """Divide 1 by each element; the result is 0 for an element that is 0.

    Args:
        x: an operand.
        name: its name in the graph.

    Example:
        >>> reciprocal([-2, 4, 0]).eval()
        array([-0.5 ,  0.25,  0.  ], dtype=float32)
    """
    return apply(Reciprocal(), (x,), name)


def clip(x: Operand, min_value: Any, max_value: Any, name: str = "") -> Composite:
    """Clip each element to two bounds. The gradient passes between the bounds and at them.

    Args:
        x: an operand.
        min_value: the lower bound.
        max_value: the upper bound; where it is below the lower one, it is the result, as in NumPy.
            Both are on the operand's dynamic axes or on none; shapes are aligned at the last axis,
            and 1 broadcasts.
        name: its name in the graph.

    Raises:
        GraphError: if shapes or dynamic axes do not fit.

    Example:
        >>> clip([-3, 0, 1.5, 5], -1, 2).eval()
        array([-1. ,  0. ,  1.5,  2. ], dtype=float32)
    """
    return apply(Clip(), in_float32(x, min_value, max_value), name)


def stop_gradient(input: Any, name: str = "") -> Composite:
    """Return the operand itself, through which no gradient flows.

    Args:
        input: an operand.
        name: its name in the graph.

    Example:
        >>> stop_gradient([1, 2]).eval()
        array([1., 2.], dtype=float32)
    """
    return apply(StopGradient(), (input,), name)


def straight_through_impl(x: Operand, name: str = "") -> Composite:
    """Return 1 for elements greater than 0 and -1 for others, with the straight-through gradient: 1
    from -1 to 1, else 0.

    Hubara et al., "Binarized Neural Networks" (NeurIPS 2016).

    Args:
        x: an operand.
        name: its name in the graph.

    Example:
        >>> straight_through_impl([-3, 0, 0.5]).eval()
        array([-1., -1.,  1.], dtype=float32)
    """
    return apply(StraightThrough(), (x,), name)


def cast(node_input: Any, dtype: DTypeLike, name: str = "") -> Composite:
    """Convert the operand to another dtype.

    Args:
        node_input: an operand.
        dtype: float32, float64, float16 or bfloat16.
        name: its name in the graph.

    Raises:
        ValueError: for any other dtype.

    Example:
        >>> cast([1.5, 2], np.float64).eval()
        array([1.5, 2. ])
    """
    target = as_dtype(dtype, "cast: dtype")
    if target is None:
        raise GraphError("cast: expected a dtype, float32, float64, float16 or bfloat16, got None")
    return apply(Cast(format_number(target)), (node_input,), name)
