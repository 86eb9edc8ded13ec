"""Smooth activation functions of later networks, element by element: additions, which the original
does not have.

Each runs as one operation. In files it is a graph of the original's own operations, which the
original can load.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from cntk._arguments import as_bool
from cntk._graph.composite import Composite
from cntk._graph.op import Kernel
from cntk._graph.primitive import Primitive
from cntk._graph.variable import Variable
from cntk._ops.math.activation import StableSigmoid, Tanh
from cntk._ops.math.arithmetic import ElementTimes, LogPlus, Plus
from cntk._ops.math.reduction import reduce_sum
from cntk._ops.math.unary import Exp, Negate, Unary, clip
from cntk._ops.shape.reshape import Reshape, Squeeze
from cntk._ops.support.composite_op import Fused, compose_fused
from cntk._ops.support.operands import apply
from cntk.axis import Axis
from cntk.errors import GraphError
from cntk.typing import Operand
from cntk.variables import Constant

__all__ = ["erf", "gelu", "mish", "silu"]


@dataclass(frozen=True)
class Erf(Unary, Fused):
    """The error function."""

    op_name = "Erf"
    reads_operands = True

    def compute(self) -> Kernel:
        return torch.erf

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        (x,) = operands
        return _integral(x, x)


# Beyond this the error function is 1 in double precision.
_FLAT = 6.0
_NODES = 24


def _integral(x: Variable, z: Any) -> Composite:
    """Compute the error function of z: ``2 z / sqrt(pi)`` times the integral of ``exp(-(z t)**2)``
    for t from 0 to 1.

    Gauss and Legendre's rule with 24 nodes is exact to 2e-15 where z is not beyond 6.

    Args:
        x: the operand, whose dtype the constants take on.
        z: the argument.
    """
    if x.type_.dtype is None:
        raise GraphError("the operand's dtype is not known yet")
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    squares, factors = ((nodes + 1) / 2) ** 2, weights / math.sqrt(math.pi)
    clipped = clip(z, -_FLAT, _FLAT)
    last = apply(Reshape((1,), Axis(-1), Axis(-1)), (apply(ElementTimes(), (clipped, clipped)),))
    heights = apply(Exp(), (apply(Negate(), (_times(last, squares, x),)),))
    total = reduce_sum(_times(heights, factors, x), axis=-1)
    return apply(ElementTimes(), (clipped, apply(Squeeze((Axis(-1),)), (total,))))


def _times(z: Any, values: np.ndarray, x: Variable) -> Composite:
    return apply(ElementTimes(), (z, Constant(values, dtype=x.type_.dtype)))


@dataclass(frozen=True)
class GELU(Unary, Fused):
    """Each element times the share of the normal distribution below it.

    Attributes:
        approximate: whether to replace the error function by a hyperbolic tangent.
    """

    approximate: bool = False

    op_name = "GELU"
    reads_operands = True

    def compute(self) -> Kernel:
        return partial(torch.nn.functional.gelu, approximate="tanh" if self.approximate else "none")

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        (x,) = operands
        if self.approximate:
            cube = apply(ElementTimes(), (apply(ElementTimes(), (x, x)), x))
            inner = apply(Plus(), (x, apply(ElementTimes(), (cube, 0.044715))))
            share = apply(Tanh(), (apply(ElementTimes(), (inner, math.sqrt(2 / math.pi))),))
        else:
            share = _integral(x, apply(ElementTimes(), (x, math.sqrt(0.5))))
        return apply(ElementTimes(), (apply(ElementTimes(), (x, 0.5)), apply(Plus(), (share, 1))))

    @classmethod
    def guesses(cls, inside: Sequence[Primitive]) -> Iterable[GELU]:
        return [cls(any(isinstance(p.op, Tanh) for p in inside))]


@dataclass(frozen=True)
class SiLU(Unary, Fused):
    """Each element times its logistic function."""

    op_name = "SiLU"

    def compute(self) -> Kernel:
        return torch.nn.functional.silu

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        (x,) = operands
        return apply(ElementTimes(), (x, apply(StableSigmoid(), (x,))))


@dataclass(frozen=True)
class Mish(Unary, Fused):
    """Each element times the hyperbolic tangent of its smooth positive part."""

    op_name = "Mish"

    def compute(self) -> Kernel:
        return torch.nn.functional.mish

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        (x,) = operands
        return apply(ElementTimes(), (x, apply(Tanh(), (apply(LogPlus(), (x, 0)),))))


def erf(x: Operand, name: str = "") -> Composite:
    """Compute the error function of each element. An addition: the original has none.

    ``2 / sqrt(pi)`` times the integral of ``exp(-t**2)`` for t from 0 to x. A saved model loads in
    the original, which computes the integral by a sum of 24 terms, exact to rounding.

    Args:
        x: an operand.
        name: its name in the graph.

    Example:
        >>> erf([-1, 0, 0.5]).eval().round(4)
        array([-0.8427,  0.    ,  0.5205], dtype=float32)
    """
    return compose_fused("Erf", Erf(), (x,), name)


def gelu(x: Operand, approximate: bool = False, name: str = "") -> Composite:
    """Apply the Gaussian error linear unit: x times the share of the standard normal distribution
    below x.

    Hendrycks and Gimpel, "Gaussian Error Linear Units" (2016). An addition: the original has none.
    A saved model loads in the original.

    Args:
        x: an operand.
        approximate: whether to take ``0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x**3)))``, as many
            published models do.
        name: its name in the graph.

    Example:
        >>> gelu([-1, 0, 2]).eval().round(4)
        array([-0.1587,  0.    ,  1.9545], dtype=float32)
        >>> gelu([-1, 0, 2], approximate=True).eval().round(4)
        array([-0.1588,  0.    ,  1.9546], dtype=float32)
    """
    return compose_fused("GELU", GELU(as_bool(approximate, "gelu: approximate")), (x,), name)


def silu(x: Operand, name: str = "") -> Composite:
    """Apply the sigmoid linear unit, also known as swish: x times the logistic function of x.

    Elfwing et al., "Sigmoid-weighted linear units" (2018). An addition: the original has none. A
    saved model loads in the original.

    Args:
        x: an operand.
        name: its name in the graph.

    Example:
        >>> silu([-1, 0, 2]).eval().round(4)
        array([-0.2689,  0.    ,  1.7616], dtype=float32)
    """
    return compose_fused("SiLU", SiLU(), (x,), name)


def mish(x: Operand, name: str = "") -> Composite:
    """Compute x times the hyperbolic tangent of log(1 + exp(x)).

    Misra, "Mish: A Self Regularized Non-Monotonic Activation Function" (2019). An addition: the
    original has none. A saved model loads in the original.

    Args:
        x: an operand.
        name: its name in the graph.

    Example:
        >>> mish([-1, 0, 2]).eval().round(4)
        array([-0.3034,  0.    ,  1.944 ], dtype=float32)
    """
    return compose_fused("Mish", Mish(), (x,), name)
