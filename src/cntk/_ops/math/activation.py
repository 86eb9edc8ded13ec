"""Activation functions, element by element."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cntk._arguments import as_number
from cntk._graph.composite import Composite
from cntk._graph.op import Kernel, PrimitiveOp, primitive
from cntk._graph.primitive import Primitive
from cntk._graph.variable import Variable
from cntk._ops.math.arithmetic import ElementTimes, LogPlus, Plus, element_divide
from cntk._ops.math.comparison import Greater, Less, Select
from cntk._ops.math.unary import Abs, Unary
from cntk._ops.support.composite_op import Fused, compose, compose_fused, constants_of
from cntk._ops.support.operands import apply, as_operand, in_float32
from cntk.typing import Operand

__all__ = [
    "elu",
    "hard_sigmoid",
    "leaky_relu",
    "param_relu",
    "relu",
    "selu",
    "sigmoid",
    "softplus",
    "softsign",
    "tanh",
]


@primitive(PrimitiveOp.StableSigmoid)
@dataclass(frozen=True)
class StableSigmoid(Unary):
    """Logistic function."""

    def compute(self) -> Kernel:
        return torch.sigmoid


@primitive(PrimitiveOp.Sigmoid)
@dataclass(frozen=True)
class Sigmoid(Unary):
    """Logistic function, as early models hold it."""

    def compute(self) -> Kernel:
        return torch.sigmoid


@primitive(PrimitiveOp.Tanh)
@dataclass(frozen=True)
class Tanh(Unary):
    """Hyperbolic tangent."""

    def compute(self) -> Kernel:
        return torch.tanh


@primitive(PrimitiveOp.ReLU)
@dataclass(frozen=True)
class ReLU(Unary):
    """The positive part."""

    def compute(self) -> Kernel:
        return torch.relu


@primitive(PrimitiveOp.ELU)
@dataclass(frozen=True)
class ELU(Unary):
    """Exponential below 0."""

    def compute(self) -> Kernel:
        return torch.nn.functional.elu


@dataclass(frozen=True)
class LeakyReLU(Unary, Fused):
    """Leaky rectifier: the operand, multiplied by a slope below 0."""

    alpha: float

    op_name = "LeakyReLU"
    constants = ("alpha",)

    def compute(self) -> Kernel:
        alpha = self.alpha
        return lambda x: _LeakyReLU.apply(x, alpha)

    def details(self) -> dict[str, Any]:
        return {"alpha": self.alpha}

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        (x,) = operands
        return apply(Select(), (apply(Less(), (x, 0)), apply(ElementTimes(), (self.alpha, x)), x))

    @classmethod
    def guesses(cls, inside: Sequence[Primitive]) -> Iterable[LeakyReLU]:
        return [cls(alpha) for alpha in constants_of(inside, ElementTimes)]


class _LeakyReLU(torch.autograd.Function):
    """Leaky rectifier whose gradient at 0 is 1; torch has the slope there."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, alpha: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.alpha = alpha
        return torch.nn.functional.leaky_relu(x, alpha)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        return torch.where(x < 0, gradient * ctx.alpha, gradient), None


@dataclass(frozen=True)
class ScaledELU(Unary, Fused):
    """Scaled exponential linear unit: exponential below 0, the operand from 0 on, both multiplied
    by a scale.
    """

    alpha: float
    scale: float | None = None

    op_name = "ELU"
    block_names = ("ELU", "SELU")
    constants = ("alpha", "scale")

    def compute(self) -> Kernel:
        alpha, scale = self.alpha, 1.0 if self.scale is None else self.scale
        return lambda x: _ScaledELU.apply(x, alpha, scale)

    def details(self) -> dict[str, Any]:
        return {"alpha": self.alpha} | ({} if self.scale is None else {"gamma": self.scale})

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        (x,) = operands
        unscaled = apply(ELU(), (x,), f"{name}_ELU" if self.scale is None else "")
        unit = apply(
            Select(), (apply(Less(), (x, 0)), apply(ElementTimes(), (self.alpha, unscaled)), x)
        )
        return unit if self.scale is None else apply(ElementTimes(), (self.scale, unit))

    @classmethod
    def guesses(cls, inside: Sequence[Primitive]) -> Iterable[ScaledELU]:
        factors = constants_of(inside, ElementTimes)
        return [cls(*factors)] if 0 < len(factors) < 3 else []


class _ScaledELU(torch.autograd.Function):
    """Exponential linear unit whose gradient at 0 is that from above; torch has the one from
    below.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, alpha: float, scale: float) -> Tensor:
        result = torch.ops.aten.elu(x, alpha, scale)
        ctx.save_for_backward(x, result)
        ctx.alpha, ctx.scale = alpha, scale
        return result  # type: ignore[no-any-return]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        x, result = ctx.saved_tensors
        slope = torch.where(x >= 0, ctx.scale, result + ctx.alpha * ctx.scale)
        return gradient * slope, None, None


@dataclass(frozen=True)
class HardSigmoid(Unary, Fused):
    """Linear function clipped to 0 and 1."""

    alpha: float
    beta: float

    op_name = "HardSigmoid"
    constants = ("alpha", "beta")

    def compute(self) -> Kernel:
        alpha, beta = self.alpha, self.beta
        return lambda x: _HardSigmoid.apply(x, alpha, beta)

    def details(self) -> dict[str, Any]:
        return {"alpha": np.float32(self.alpha), "beta": np.float32(self.beta)}

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        (x,) = operands
        line = apply(Plus(), (apply(ElementTimes(), (x, self.alpha)), self.beta))
        zero, one = (as_operand(n, x.type_.dtype) for n in (0, 1))
        below = apply(Select(), (apply(Less(), (line, one)), line, one))
        return apply(Select(), (apply(Greater(), (below, zero)), below, zero))

    @classmethod
    def guesses(cls, inside: Sequence[Primitive]) -> Iterable[HardSigmoid]:
        pairs = zip(constants_of(inside, ElementTimes), constants_of(inside, Plus), strict=False)
        return [cls(alpha, beta) for alpha, beta in pairs]


class _HardSigmoid(torch.autograd.Function):
    """Linear function clipped to 0 and 1, without a gradient at its corners; torch has one
    there.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, alpha: float, beta: float) -> Tensor:
        result = torch.clamp(x * alpha + beta, 0, 1).nan_to_num_(1.0)  # nan is not below 1
        ctx.save_for_backward(result)
        ctx.alpha = alpha
        return result

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (result,) = ctx.saved_tensors
        return gradient * (((result > 0) & (result < 1)) * ctx.alpha), None, None


def sigmoid(x: Operand, name: str = "") -> Composite:
    """Compute the logistic function of each element, 1 / (1 + exp(-x)).

    Args:
        x: an operand.
        name: its name in the graph.

    Example:
        >>> sigmoid([-2, 0, 2]).eval()
        array([0.11920292, 0.5       , 0.880797  ], dtype=float32)
    """
    return apply(StableSigmoid(), (x,), name)


def tanh(x: Operand, name: str = "") -> Composite:
    """Compute the hyperbolic tangent of each element.

    Args:
        x: an operand.
        name: its name in the graph.

    Example:
        >>> tanh([-1, 0, 1]).eval()
        array([-0.7615942,  0.       ,  0.7615942], dtype=float32)
    """
    return apply(Tanh(), (x,), name)


def relu(x: Operand, name: str = "") -> Composite:
    """Apply the rectified linear unit: each element, or 0 if that is larger. The gradient at 0 is
    0.

    Args:
        x: an operand.
        name: its name in the graph.

    Example:
        >>> relu([-1, 0, 2]).eval()
        array([0., 0., 2.], dtype=float32)
    """
    return apply(ReLU(), (x,), name)


def elu(x: Operand, alpha: float = 1.0, name: str = "") -> Composite:
    """Apply the exponential linear unit: x from 0 on, alpha * (exp(x) - 1) below.

    Clevert, Unterthiner, Hochreiter, "Fast and Accurate Deep Network Learning by Exponential Linear
    Units" (2015).

    Args:
        x: an operand.
        alpha: the negative of what it tends to far below 0.
        name: its name in the graph.

    Example:
        >>> elu([-1, 0, 1]).eval()
        array([-0.63212055,  0.        ,  1.        ], dtype=float32)
    """
    return compose_fused("ELU", ScaledELU(_number(alpha, "elu", "alpha")), (x,), name)


def selu(
    x: Operand, scale: float = 1.0507009873554805, alpha: float = 1.6732632423543772, name: str = ""
) -> Composite:
    """Apply the scaled exponential linear unit: scale * x from 0 on, scale * alpha * (exp(x) - 1)
    below.

    Klambauer et al., "Self-Normalizing Neural Networks" (2017).

    Args:
        x: an operand.
        scale: the slope from 0 on.
        alpha: as for `elu`.
        name: its name in the graph.

    Example:
        >>> selu([-1, 0, 1]).eval()
        array([-1.1113307,  0.       ,  1.050701 ], dtype=float32)
    """
    return compose_fused(
        "SELU",
        ScaledELU(_number(alpha, "selu", "alpha"), _number(scale, "selu", "scale")),
        (x,),
        name,
    )


def leaky_relu(x: Operand, alpha: float = 0.01, name: str = "") -> Composite:
    """Apply the leaky rectified linear unit: x from 0 on, alpha * x below.

    Maas, Hannun, Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models" (2013).

    Args:
        x: an operand.
        alpha: the slope below 0.
        name: its name in the graph.

    Example:
        >>> leaky_relu([-1, 0, 2], alpha=0.1).eval()
        array([-0.1,  0. ,  2. ], dtype=float32)
    """
    return compose_fused("LeakyReLU", LeakyReLU(_number(alpha, "leaky_relu", "alpha")), (x,), name)


def param_relu(alpha: Any, x: Operand, name: str = "") -> Composite:
    """Apply the parametric rectified linear unit: x from 0 on, alpha * x below.

    He et al., "Delving Deep into Rectifiers" (2015).

    Args:
        alpha: the slopes below 0, usually a parameter; its shape is aligned with the operand's.
        x: an operand.
        name: its name in the graph.

    Raises:
        GraphError: if shapes or dynamic axes do not fit.

    Example:
        >>> param_relu([0.1, 0.2, 0.3], [-1, -1, 2]).eval()
        array([-0.1, -0.2,  2. ], dtype=float32)
    """

    def build(z: Any, slope: Any) -> Composite:
        return apply(Select(), (apply(Less(), (z, 0)), apply(ElementTimes(), (slope, z)), z))

    return compose("PReLU", (x, alpha), build, name)


def softplus(x: Operand, steepness: float = 1, name: str = "") -> Composite:
    """Apply the smooth rectifier log(1 + exp(steepness * x)) / steepness.

    Args:
        x: an operand.
        steepness: how sharp the bend at 0 is.
        name: its name in the graph.

    Example:
        >>> softplus([-1, 0, 1]).eval()
        array([0.3132617, 0.6931472, 1.3132617], dtype=float32)
    """
    steepness = _number(steepness, "softplus", "steepness")
    if steepness == 1:
        return compose("Softplus", (x,), lambda z: apply(LogPlus(), (z, 0)), name)
    return compose(
        "softplus",
        (x,),
        lambda z: element_divide(softplus(apply(ElementTimes(), (steepness, z))), steepness),
        name,
    )


def softsign(x: Operand, steepness: float = 1, name: str = "") -> Composite:
    """Compute x / (1 + abs(x)) of each element.

    Args:
        x: an operand.
        steepness: accepted for old programs; the original takes no notice of it.
        name: its name in the graph.

    Example:
        >>> softsign([-1, 0, 1]).eval()
        array([-0.5,  0. ,  0.5], dtype=float32)
    """
    _number(steepness, "softsign", "steepness")  # as in the original, it changes nothing
    return compose(
        "Softsign", (x,), lambda z: element_divide(z, apply(Plus(), (apply(Abs(), (z,)), 1))), name
    )


def hard_sigmoid(x: Operand, alpha: float, beta: float, name: str = "") -> Composite:
    """Compute alpha * x + beta, clipped to 0 and 1.

    Args:
        x: an operand.
        alpha: the slope.
        beta: the value at 0.
        name: its name in the graph.

    Example:
        >>> hard_sigmoid([-3, -1, 0, 3], 0.2, 0.5).eval()
        array([0. , 0.3, 0.5, 1. ], dtype=float32)
    """
    numbers = in_float32(
        _number(alpha, "hard_sigmoid", "alpha"), _number(beta, "hard_sigmoid", "beta")
    )
    op = HardSigmoid(*numbers)
    return compose_fused("HardSigmoid", op, (x,), name)


def _number(value: Any, op_name: str, argument: str) -> float:
    return as_number(value, f"{op_name}: {argument}")
