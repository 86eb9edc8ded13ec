"""Layer normalisation as later networks have it: an addition, which the original does not have.

The original's layer of that name divides by the standard deviation plus epsilon; this divides by
the square root of the variance plus epsilon. It runs as one operation, and files hold it as a graph
that the original can load.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from cntk._arguments import as_number
from cntk._graph.composite import Composite
from cntk._graph.op import Kernel
from cntk._graph.primitive import Primitive
from cntk._graph.types import TensorType
from cntk._graph.variable import Variable
from cntk._ops.math.arithmetic import ElementTimes, Minus, Plus, element_divide
from cntk._ops.math.reduction import reduce_mean
from cntk._ops.math.unary import sqrt
from cntk._ops.support.composite_op import Fused, compose_fused, constants_of
from cntk._ops.support.operands import apply
from cntk._wording import shape_text
from cntk.errors import GraphError
from cntk.typing import Operand
from cntk.variables import Constant

__all__ = ["layer_normalization"]


@dataclass(frozen=True)
class LayerNormalized(Fused):
    """The last axis normalized to mean 0 and variance 1, then scaled and shifted.

    Attributes:
        epsilon: added to the variance.
    """

    keeps_axes = True

    epsilon: float

    op_name = "LayerNormalized"
    constants = ("epsilon",)
    reads_operands = True

    def infer(self, *operands: TensorType) -> TensorType:
        x, scale, bias = operands
        if x.rank == 0:
            raise GraphError(
                "a scalar has no axis to normalise along; the operand must have a static axis"
            )
        for what, operand in (("scale", scale), ("bias", bias)):
            if operand.dynamic_axes:
                raise GraphError(f"{what} must have no dynamic axes, as a parameter or constant")
            if operand.rank != 1 or (
                operand.shape != x.shape[-1:] and min(*operand.shape, x.shape[-1]) >= 0
            ):
                raise GraphError(
                    f"{what} must have as many elements as the operand's last axis "
                    f"({shape_text(x.shape[-1:])}), got {shape_text(operand.shape)}"
                )
        return x.dense()

    def lower(self, *operands: TensorType) -> Kernel:
        size = operands[0].shape[-1:]
        return lambda x, scale, bias: torch.nn.functional.layer_norm(
            x, size, scale, bias, self.epsilon
        )

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        x, scale, bias = operands
        centred = apply(Minus(), (x, reduce_mean(x, -1)))
        variance = reduce_mean(apply(ElementTimes(), (centred, centred)), -1)
        deviation = sqrt(apply(Plus(), (variance, Constant(self.epsilon, dtype=x.type_.dtype))))
        scaled = apply(ElementTimes(), (element_divide(centred, deviation), scale))
        return apply(Plus(), (scaled, bias))

    @classmethod
    def guesses(cls, inside: Sequence[Primitive]) -> Iterable[LayerNormalized]:
        return [cls(epsilon) for epsilon in constants_of(inside, Plus)]


def layer_normalization(
    x: Operand, scale: Any, bias: Any, epsilon: float = 0.00001, name: str = ""
) -> Composite:
    """Normalize the last axis of each sample to mean 0 and variance 1, then scale and shift (Ba et
    al., 2016).

    ``(x - mean) / sqrt(variance + epsilon) * scale + bias``, as most published models have it. An
    addition: the original has none. `cntk.layers.LayerNormalization` is the original's, which adds
    its epsilon to the standard deviation. A saved model loads in the original.

    Args:
        x: an operand ``[*axes, size]``.
        scale: factors ``[size]``, without dynamic axes.
        bias: what is added, ``[size]``, without dynamic axes.
        epsilon: added to the variance, positive.
        name: its name in the graph.

    Returns:
        A function with output of the shape of ``x``.

    Raises:
        GraphError: if the shapes do not fit, or ``epsilon`` is not positive.

    Example:
        >>> import cntk as C, numpy as np
        >>> x = C.input_variable(4)
        >>> y = C.layer_normalization(x, scale=np.ones(4), bias=np.zeros(4))
        >>> y.eval({x: [[1, 2, 3, 4]]}).round(3)
        array([[-1.342, -0.447,  0.447,  1.342]], dtype=float32)
    """
    if not as_number(epsilon, "layer_normalization: epsilon") > 0:
        raise GraphError(f"layer_normalization: expected a positive epsilon, got {epsilon}")
    op = LayerNormalized(float(epsilon))
    return compose_fused(op.op_name, op, (x, scale, bias), name)
