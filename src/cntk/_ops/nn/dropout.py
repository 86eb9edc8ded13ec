"""Dropout: elements set to zero at random while training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cntk._arguments import as_share
from cntk._graph.composite import Composite
from cntk._graph.op import Op, PrimitiveOp, StreamKernel, primitive
from cntk._graph.types import TensorType
from cntk._ops.random.distribution import as_seed, draw_numbers
from cntk._ops.support.operands import apply
from cntk._runtime.context import RunContext
from cntk._runtime.conversion import torch_dtype
from cntk._runtime.random.seeds import SentinelValueForAutoSelectRandomSeed
from cntk._runtime.random.streams import RandomStream, TwisterStream
from cntk.errors import GraphError
from cntk.typing import Operand

__all__ = ["dropout"]


@primitive(PrimitiveOp.Dropout)
@dataclass(frozen=True)
class Dropout(Op):
    """Dropout: while training, random elements are set to zero and the rest is scaled up; otherwise
    the identity.

    Attributes:
        dropout_rate: the share of elements set to zero.
        rng_seed: seed of the random numbers.
        rng_offset: how many random numbers were drawn before the function was saved.
    """

    operand_counts = (1,)
    keeps_axes = True
    pointwise = True
    settable = ("dropoutRate", "rngSeed")
    # Each has random numbers of its own, whatever its attributes are.
    pure = False
    shape_polymorphic = True

    dropout_rate: float = 0.0
    rng_seed: int = 0
    rng_offset: int = 0

    def check(self) -> None:
        check_rate(self.dropout_rate)

    def infer(self, *operands: TensorType) -> TensorType:
        return operands[0].dense()

    def infer_partial(self, *operands: TensorType) -> TensorType | None:
        return operands[0] if operands[0].has_shape else None

    def lower(self, *operands: TensorType) -> StreamKernel:
        self.check()
        rate = self.dropout_rate

        def compute(run: RunContext, stream: RandomStream, x: Tensor) -> Tensor:
            return x if not run.training or rate == 0.0 else drop_elements(run, stream, x, rate)

        return StreamKernel(compute, lambda: RandomStream(self.rng_seed, self.rng_offset))


@dataclass(frozen=True)
class DropoutMask(Dropout):
    """The mask that dropout multiplies its operand by; it drops the same elements as the
    original.
    """

    shape_polymorphic = False

    def lower(self, *operands: TensorType) -> StreamKernel:
        self.check()
        rate, type_ = self.dropout_rate, self.infer(*operands)
        shape, axes, dtype = type_.shape, type_.dynamic_axes, torch_dtype(type_.dtype or np.float32)

        def draw(stream: TwisterStream, count: int, device: torch.device) -> Tensor:
            return (stream.uniform(count, device) > rate).double().mul_(1.0 / (1.0 - rate))

        def compute(run: RunContext, stream: TwisterStream, *_: Any) -> Tensor:
            if run.training:
                return draw_numbers(run, stream, draw, shape, axes, dtype)
            return torch.ones(
                (run.rows(axes), *shape) if axes else shape, dtype=dtype, device=run.device
            )

        return StreamKernel(compute, lambda: TwisterStream(self.rng_seed, self.rng_offset))


def check_rate(rate: float) -> None:
    """Refuse a rate that is not from 0 to below 1.

    Raises:
        GraphError: for such a number.
    """
    if not 0.0 <= rate < 1.0:
        raise GraphError(f"dropout_rate must be in the interval [0, 1), got {rate:g}")


def drop_elements(run: RunContext, stream: RandomStream, x: Tensor, rate: float) -> Tensor:
    """Set random elements to zero, and scale up the rest.

    Args:
        run: what is under way.
        stream: the random numbers.
        x: a tensor of any shape.
        rate: the share of zeros.
    """
    # 16 random bits an element: an element stays if its number is not among the lowest ``rate *
    # 65536``.
    threshold = min(round(rate * 65536), 65535) - 32768
    words = run.words(stream, x)
    return x * (words >= threshold).to(x.dtype).mul_(1.0 / (1.0 - rate))


def dropout(
    x: Operand,
    dropout_rate: float = 0.0,
    seed: int = SentinelValueForAutoSelectRandomSeed,
    name: str = "",
) -> Composite:
    """Set elements to zero at random while training, and scale up the rest (Srivastava et al.,
    2014).

    Args:
        x: an operand of any shape.
        dropout_rate: probability of a zero, from 0 to less than 1. Elements that stay are divided
            by 1 minus it.
        seed: seed of the random numbers; chosen if not given.
        name: its name in the graph.

    Returns:
        A function with output of the shape of ``x``; in evaluation it is ``x`` itself.

    Raises:
        ValueError: if the rate is not in [0, 1).

    Example:
        >>> import cntk as C
        >>> x = C.input_variable(3)
        >>> C.dropout(x, 0.5).eval({x: [[1, 2, 3]]})
        array([[1., 2., 3.]], dtype=float32)
    """
    rate = as_share(dropout_rate, "dropout: dropout_rate")
    return apply(Dropout(rate, as_seed(seed, "dropout")), (x,), name)
