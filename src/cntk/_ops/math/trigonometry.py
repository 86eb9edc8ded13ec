"""Trigonometric and hyperbolic functions, element by element."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cntk._graph.composite import Composite
from cntk._graph.op import Kernel, PrimitiveOp, primitive
from cntk._ops.math.unary import Unary
from cntk._ops.support.operands import apply
from cntk.typing import Operand

__all__ = ["acos", "asin", "asinh", "atan", "atanh", "cos", "cosh", "sin", "sinh", "tan"]


@primitive(PrimitiveOp.Sin)
@dataclass(frozen=True)
class Sin(Unary):
    """Sine."""

    def compute(self) -> Kernel:
        return torch.sin


@primitive(PrimitiveOp.Cos)
@dataclass(frozen=True)
class Cos(Unary):
    """Cosine."""

    def compute(self) -> Kernel:
        return torch.cos


@primitive(PrimitiveOp.Tan)
@dataclass(frozen=True)
class Tan(Unary):
    """Tangent."""

    def compute(self) -> Kernel:
        return _Tan.apply


class _Tan(torch.autograd.Function):
    """Tangent, whose gradient the original takes at the result instead of at the operand: 1 /
    cos(tan(x))^2.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        result = torch.tan(x)
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (result,) = ctx.saved_tensors
        return gradient / torch.cos(result).square()


@primitive(PrimitiveOp.Asin)
@dataclass(frozen=True)
class Asin(Unary):
    """Inverse sine."""

    def compute(self) -> Kernel:
        return torch.asin


@primitive(PrimitiveOp.Acos)
@dataclass(frozen=True)
class Acos(Unary):
    """Inverse cosine."""

    def compute(self) -> Kernel:
        return torch.acos


@primitive(PrimitiveOp.Atan)
@dataclass(frozen=True)
class Atan(Unary):
    """Inverse tangent."""

    def compute(self) -> Kernel:
        return torch.atan


@primitive(PrimitiveOp.Sinh)
@dataclass(frozen=True)
class Sinh(Unary):
    """Hyperbolic sine."""

    def compute(self) -> Kernel:
        return torch.sinh


@primitive(PrimitiveOp.Cosh)
@dataclass(frozen=True)
class Cosh(Unary):
    """Hyperbolic cosine."""

    def compute(self) -> Kernel:
        return torch.cosh


@primitive(PrimitiveOp.Asinh)
@dataclass(frozen=True)
class Asinh(Unary):
    """Inverse hyperbolic sine."""

    def compute(self) -> Kernel:
        return torch.asinh


@primitive(PrimitiveOp.Atanh)
@dataclass(frozen=True)
class Atanh(Unary):
    """Inverse hyperbolic tangent."""

    def compute(self) -> Kernel:
        return torch.atanh


def sin(x: Operand, name: str = "") -> Composite:
    """Compute the sine of each element.

    Args:
        x: angles in radians.
        name: its name in the graph.

    Example:
        >>> sin([0, 1]).eval()
        array([0.      , 0.841471], dtype=float32)
    """
    return apply(Sin(), (x,), name)


def cos(x: Operand, name: str = "") -> Composite:
    """Compute the cosine of each element.

    Args:
        x: angles in radians.
        name: its name in the graph.

    Example:
        >>> cos([0, 1]).eval()
        array([1.       , 0.5403023], dtype=float32)
    """
    return apply(Cos(), (x,), name)


def tan(x: Operand, name: str = "") -> Composite:
    """Compute the tangent of each element.

    Args:
        x: angles in radians.
        name: its name in the graph.

    Example:
        >>> tan([0, 1]).eval()
        array([0.       , 1.5574077], dtype=float32)
    """
    return apply(Tan(), (x,), name)


def asin(x: Operand, name: str = "") -> Composite:
    """Compute the inverse sine of each element, in radians.

    Args:
        x: an operand, elements between -1 and 1; nan for others.
        name: its name in the graph.

    Example:
        >>> asin([0, 0.5]).eval()
        array([0.       , 0.5235988], dtype=float32)
    """
    return apply(Asin(), (x,), name)


def acos(x: Operand, name: str = "") -> Composite:
    """Compute the inverse cosine of each element, in radians.

    Args:
        x: an operand, elements between -1 and 1; nan for others.
        name: its name in the graph.

    Example:
        >>> acos([1, 0.5]).eval()
        array([0.       , 1.0471976], dtype=float32)
    """
    return apply(Acos(), (x,), name)


def atan(x: Operand, name: str = "") -> Composite:
    """Compute the inverse tangent of each element, in radians.

    Args:
        x: an operand.
        name: its name in the graph.

    Example:
        >>> atan([0, 1]).eval()
        array([0.       , 0.7853982], dtype=float32)
    """
    return apply(Atan(), (x,), name)


def sinh(x: Operand, name: str = "") -> Composite:
    """Compute the hyperbolic sine of each element.

    Args:
        x: an operand.
        name: its name in the graph.

    Example:
        >>> sinh([0, 1]).eval()
        array([0.       , 1.1752], dtype=float32)
    """
    return apply(Sinh(), (x,), name)


def cosh(x: Operand, name: str = "") -> Composite:
    """Compute the hyperbolic cosine of each element.

    Args:
        x: an operand.
        name: its name in the graph.

    Example:
        >>> cosh([0, 1]).eval()
        array([1.       , 1.54308], dtype=float32)
    """
    return apply(Cosh(), (x,), name)


def asinh(x: Operand, name: str = "") -> Composite:
    """Compute the inverse hyperbolic sine of each element.

    Args:
        x: an operand.
        name: its name in the graph.

    Example:
        >>> asinh([0, 1]).eval()
        array([0.       , 0.8813736], dtype=float32)
    """
    return apply(Asinh(), (x,), name)


def atanh(x: Operand, name: str = "") -> Composite:
    """Compute the inverse hyperbolic tangent of each element.

    Args:
        x: an operand, elements between -1 and 1; nan for others.
        name: its name in the graph.

    Example:
        >>> atanh([0, 0.5]).eval()
        array([0.        , 0.54930615], dtype=float32)
    """
    return apply(Atanh(), (x,), name)
