"""Losses of regression, binary classification and similarity."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from cntk._graph.composite import Composite
from cntk._graph.op import Kernel, Op, PrimitiveOp, RunKernel, primitive
from cntk._graph.types import MAX_ELEMENTS, TensorType
from cntk._graph.variable import Variable
from cntk._ops.loss.cross_entropy import Total
from cntk._ops.math.arithmetic import (
    ElementTimes,
    Minus,
    Plus,
    element_divide,
    element_times,
    minus,
    plus,
    square,
)
from cntk._ops.math.reduction import ReduceElements, reduce_sum
from cntk._ops.math.unary import Log, Negate
from cntk._ops.support.broadcasting import align_operands, broadcast_shapes, join_axes
from cntk._ops.support.composite_op import compose
from cntk._ops.support.operands import apply, in_float32
from cntk._runtime.context import RunContext
from cntk.axis import Axis
from cntk.errors import GraphError
from cntk.typing import Operand

__all__ = [
    "binary_cross_entropy",
    "cosine_distance",
    "cosine_distance_with_negative_samples",
    "fmeasure",
    "squared_error",
    "weighted_binary_cross_entropy",
]


@primitive(PrimitiveOp.Logistic)
@dataclass(frozen=True)
class Logistic(Total):
    """Weighted binary cross entropy of all samples, with a scalar weight or one for each
    element.
    """

    operand_counts = (2, 3)

    def check_sizes(self, *sizes: int) -> None:
        super().check_sizes(*sizes)
        if sizes[2:] and sizes[2] not in (1, sizes[0]):
            raise GraphError(
                f"a weight must be a number or have the output's {sizes[0]} elements, and has "
                f"{sizes[2]}"
            )

    def total(self, *operands: Tensor) -> Tensor:
        return _Logistic.apply(*operands)  # type: ignore[no-any-return]


class _Logistic(torch.autograd.Function):
    """Weighted binary cross entropy: its value is scaled so that the weights' mean is 1, its
    gradient is not.

    The logarithm ends at -85.1; the gradient divides by the likelihood itself, by 1e-30 at least.
    """

    @staticmethod
    def forward(ctx: Any, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        likelihood = target * output + (1 - target) * (1 - output)
        ctx.save_for_backward(output, target, weight, likelihood)
        losses: Tensor = -torch.log(torch.clamp_min(likelihood, 1.10037379e-37))
        if weight is None:
            return losses.sum()
        losses, spread = torch.broadcast_tensors(losses, weight)
        total = spread.sum()
        scale = torch.where(total == 0, 0.0, losses.numel() / total)
        weighted: Tensor = (losses * spread).sum() * scale
        return weighted

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        output, target, weight, likelihood = ctx.saved_tensors
        far = likelihood.abs().clamp_min(1e-30).copysign(likelihood + 0.0)
        scale = -gradient / far if weight is None else -gradient * weight / far
        needs = ctx.needs_input_grad
        to_output = (scale * (2 * target - 1)).sum_to_size(output.shape) if needs[0] else None
        to_target = (scale * (2 * output - 1)).sum_to_size(target.shape) if needs[1] else None
        if weight is None:
            return to_output, to_target
        losses = -torch.log(torch.clamp_min(likelihood, 1.10037379e-37))
        to_weight = (
            (gradient * losses + torch.zeros_like(weight)).sum_to_size(weight.shape)
            if needs[2]
            else None
        )
        return to_output, to_target, to_weight


@primitive(PrimitiveOp.CosDistance)
@dataclass(frozen=True)
class CosDistance(Op):
    """Cosine of the angle between two operands, each flattened to a vector."""

    operand_counts = (2,)
    broadcasts_over_sequence = True

    def infer(self, *operands: TensorType) -> TensorType:
        x, y = (t.shape for t in operands)
        broadcast_shapes(x, y)
        if min((*x, *y), default=0) >= 0 and prod(x) != prod(y):
            raise GraphError(
                "both operands must have the same number of elements; neither is stretched"
            )
        return TensorType((), join_axes(operands), operands[0].dtype)

    def lower(self, *operands: TensorType) -> Any:
        leads = [t.lead for t in operands]

        def compute(*tensors: Tensor) -> Tensor:
            x, y = (t.reshape(*t.shape[:lead], -1) for t, lead in zip(tensors, leads, strict=True))
            return _Cosine.apply(*torch.broadcast_tensors(x, y))  # type: ignore[no-any-return]

        return align_operands(operands, compute)


class _Cosine(torch.autograd.Function):
    """Cosine along the last axis; 0 with zero gradient where a vector is 0, for which torch's own
    gradient is huge.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
        scale_x, scale_y = _inverse_norm(x), _inverse_norm(y)
        cosine = ((x * scale_x) * (y * scale_y)).sum(-1, True)
        ctx.save_for_backward(x, y, scale_x, scale_y, cosine)
        return cosine.squeeze(-1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        x, y, scale_x, scale_y, cosine = ctx.saved_tensors
        gradient = gradient.unsqueeze(-1)
        to_x = gradient * scale_x * (y * scale_y - cosine * scale_x * x)
        to_y = gradient * scale_y * (x * scale_x - cosine * scale_y * y)
        return to_x, to_y


def _inverse_norm(x: Tensor) -> Tensor:
    # In 64 bits, since squares soon leave the range of 32.
    norm: Tensor = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.float64)
    return norm.reciprocal().masked_fill(norm == 0, 0).to(x.dtype)


@primitive(PrimitiveOp.CosDistanceWithNegativeSamples)
@dataclass(frozen=True)
class CosDistanceWithNegativeSamples(Op):
    """Cosine with the sample's own partner, and with those of later samples of the minibatch.

    Files hold both attributes as constants among the operands.

    Attributes:
        shift: how much further on the first other partner is.
        num_negative_samples: how many others there are.
    """

    operand_counts = (4,)
    held_by_operands = ("shift", "num_negative_samples")

    shift: int
    num_negative_samples: int

    def attributes(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_file(
        cls, values: Mapping[str, Any], operands: Sequence[Variable]
    ) -> CosDistanceWithNegativeSamples:
        numbers = [float(v.value) if v.is_constant and v.shape == () else 0.5 for v in operands[2:]]  # type: ignore[attr-defined]
        if len(numbers) != 2 or not all(n.is_integer() and 0 <= n < MAX_ELEMENTS for n in numbers):
            raise GraphError(
                "the third and fourth operand, the shift and the number of samples, must be "
                "constant integers"
            )
        return cls(*map(int, numbers))

    def infer(self, *operands: TensorType) -> TensorType:
        x, y = operands[:2]
        axes = join_axes((x, y), broadcast=False)
        if x.dynamic_axes != axes or y.dynamic_axes != axes or not axes:
            raise GraphError(
                "both operands need the same batch axis, since negative samples are other samples "
                "of the minibatch"
            )
        if min((*x.shape, *y.shape), default=0) >= 0 and prod(x.shape) != prod(y.shape):
            raise GraphError(
                "both operands must have the same number of elements; neither is stretched"
            )
        return TensorType((1 + self.num_negative_samples,), axes, x.dtype)

    def lower(self, *operands: TensorType) -> Kernel | RunKernel:
        axes = operands[0].dynamic_axes
        if len(axes) == 1:
            return lambda x, y, *constants: self._cosines(x, y, lambda indices: indices)

        def by_steps(run: RunContext, x: Tensor, y: Tensor, *constants: Tensor) -> Tensor:
            # Further on is the same frame of the next sequence, and after the last one the next
            # frame of the first.
            layout = run.layout(axes)
            order, position = layout.time_major(), layout.from_time_major()
            return self._cosines(x, y, lambda indices: order[indices[position]])

        return RunKernel(by_steps)

    def _cosines(self, x: Tensor, y: Tensor, arranged: Callable[[Tensor], Tensor]) -> Tensor:
        rows, count = x.shape[0], self.num_negative_samples
        x, y = x.reshape(rows, -1), y.reshape(rows, -1)
        steps = torch.arange(self.shift - 1, self.shift + count, device=x.device)
        steps[:1].zero_()
        partners = arranged((torch.arange(rows, device=x.device).unsqueeze(1) + steps) % rows)
        others = y.index_select(0, partners.flatten()).reshape(rows, 1 + count, -1)
        return _Cosine.apply(x.unsqueeze(1).expand_as(others), others)  # type: ignore[no-any-return]


def squared_error(output: Any, target: Operand, name: str = "") -> Composite:
    """Compute the sum of squared differences.

    Args:
        output, target: operands on the same dynamic axes; shapes are aligned at the last axis, and
            1 broadcasts.
        name: its name in the graph.

    Returns:
        A function whose output is a number for each sample.

    Raises:
        GraphError: if shapes or dynamic axes do not fit.

    Example:
        >>> squared_error([4.0, 6.0], [2.0, 1.0]).eval()
        array(29., dtype=float32)
    """

    def build(x: Any, y: Any) -> Composite:
        return apply(
            ReduceElements("Sum", False, Axis.all_static_axes()), (square(apply(Minus(), (x, y))),)
        )

    return compose("SquaredError", (output, target), build, name)


def binary_cross_entropy(output: Any, target: Operand, name: str = "") -> Composite:
    """Compute the cross entropy of probabilities, element by element: -(t * log(p) + (1 - t) *
    log(1 - p)), with p shifted by 1e-6.

    Args:
        output: p, probabilities, as a sigmoid gives them.
        target: t, 0 or 1, on the same dynamic axes.
        name: its name in the graph.

    Returns:
        A function whose output has the operands' shape.

    Raises:
        GraphError: if shapes or dynamic axes do not fit.

    Example:
        >>> binary_cross_entropy([0.5, 0.9], [1, 0]).eval()
        array([0.69314516, 2.3025753 ], dtype=float32)
    """

    little, more = in_float32(1e-6, 1 + 1e-6)

    def build(p: Any, t: Any) -> Composite:
        positive = apply(ElementTimes(), (t, apply(Log(), (apply(Plus(), (little, p)),))))
        negative = apply(
            ElementTimes(), (apply(Minus(), (1, t)), apply(Log(), (apply(Minus(), (more, p)),)))
        )
        return apply(Negate(), (apply(Plus(), (positive, negative)),))

    return compose("BinaryCrossEntropy", (output, target), build, name)


def weighted_binary_cross_entropy(
    output: Any, target: Operand, weight: Any, name: str = ""
) -> Composite:
    """Compute the weighted cross entropy of probabilities, summed over the whole minibatch.

    Args:
        output: p, probabilities.
        target: t, 0 or 1, on the same dynamic axes.
        weight: each element's weight. The value is divided by the weights' mean; the gradient is
            not, as in the original.
        name: its name in the graph.

    Returns:
        A function whose output is one number for the minibatch.

    Raises:
        GraphError: if shapes or dynamic axes do not fit.

    Example:
        >>> weighted_binary_cross_entropy([0.5, 0.9], [1, 0], [1, 1]).eval()
        array(2.9957, dtype=float32)
    """
    return apply(Logistic(), (output, target, weight), name)


def cosine_distance(x: Operand, y: Operand, name: str = "") -> Composite:
    """Compute the cosine of the angle between two operands: 1 for the same direction; 0 where an
    operand is 0.

    Args:
        x, y: operands on the same dynamic axes, each taken as one vector.
        name: its name in the graph.

    Returns:
        A function whose output is a number for each sample.

    Raises:
        GraphError: if shapes or dynamic axes do not fit.

    Example:
        >>> cosine_distance([3.0, 4.0], [4.0, 3.0]).eval()
        array(0.96, dtype=float32)
    """
    return apply(CosDistance(), (x, y), name)


def cosine_distance_with_negative_samples(
    x: Operand, y: Operand, shift: int, num_negative_samples: int, name: str = ""
) -> Composite:
    """Compute the cosine with a sample's own partner, and with the partners of other samples of the
    minibatch.

    Samples of sequences count in the order of time: the first frames of all sequences, the second
    ones, and so on.

    Huang et al., "Learning Deep Structured Semantic Models for Web Search using Clickthrough Data"
    (2013).

    Args:
        x: an operand ``[n]``.
        y: the partner, of the same shape on the same dynamic axes.
        shift: how many samples further on in the minibatch, counted around, the first negative
            sample is.
        num_negative_samples: how many samples from there on are negative samples.
        name: its name in the graph.

    Returns:
        A function with output ``[1 + num_negative_samples]``; the own partner is first.

    Raises:
        GraphError: if shapes or dynamic axes do not fit.

    Example:
        >>> from cntk._ops.support.structure import input_variable
        >>> x, y = input_variable(2), input_variable(2)
        >>> f = cosine_distance_with_negative_samples(x, y, 1, 1)
        >>> f.eval({x: [[1, 0], [0, 1]], y: [[1, 0], [1, 0]]})
        array([[1., 1.],
               [0., 0.]], dtype=float32)
    """
    if not all(isinstance(n, Integral) and n >= 0 for n in (shift, num_negative_samples)):
        raise GraphError(
            f"cosine_distance_with_negative_samples: expected integers, 0 or more, as shift and "
            f"num_negative_samples, got {shift!r} and {num_negative_samples!r}"
        )
    op = CosDistanceWithNegativeSamples(int(shift), int(num_negative_samples))
    return apply(op, (x, y, int(shift), int(num_negative_samples)), name)


def fmeasure(output: Any, target: Operand, beta: float = 1) -> Composite:
    """Return one minus the F-measure of each sample, the weighted harmonic mean of precision and
    recall.

    Args:
        output: probabilities or decisions, from 0 to 1.
        target: 0 or 1, on the same dynamic axes.
        beta: how much more recall counts than precision.

    Returns:
        A function whose output is a number for each sample, 0 at best.

    Example:
        >>> fmeasure([1, 0, 1, 1], [1, 1, 1, 0]).eval()
        array(0.33333, dtype=float32)
    """
    hits = reduce_sum(element_times(output, target))
    precision = element_divide(hits, reduce_sum(output))
    recall = element_divide(hits, reduce_sum(target))
    both = element_times(element_times(1 + beta**2, precision), recall)
    return minus(1, element_divide(both, plus(element_times(beta**2, precision), recall)))
