"""Cross entropy after softmax and classification error, for training and evaluation of
classifiers.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from cntk._arguments import as_integer
from cntk._graph.composite import Composite
from cntk._graph.op import Kernel, Op, PrimitiveOp, RunKernel, primitive
from cntk._graph.types import TensorType
from cntk._graph.variable import Variable
from cntk._ops.math.arithmetic import ElementTimes, Minus
from cntk._ops.math.comparison import Equal, GreaterEqual, NotEqual
from cntk._ops.math.reduction import ReduceElements
from cntk._ops.math.softmax import Hardmax
from cntk._ops.math.times import TransposeTimes
from cntk._ops.support.axes import as_axis
from cntk._ops.support.broadcasting import (
    as_vectors,
    broadcast_shapes,
    check_equal_lengths,
    join_axes,
)
from cntk._ops.support.composite_op import Fused, compose, compose_fused
from cntk._ops.support.evaluation_only import evaluation_only
from cntk._ops.support.operands import apply
from cntk._runtime.sparse import SparseRows
from cntk.axis import Axis
from cntk.errors import GraphError
from cntk.typing import AxisLike, Operand

__all__ = ["classification_error", "cross_entropy_with_softmax"]


class AgainstTarget(Fused):
    """An operation on an output vector and a target vector, which may be sparse."""

    keeps_axes = True
    sparse_operands = (1,)

    def infer(self, *operands: TensorType) -> TensorType:
        output, target = operands
        if not output.rank or not 1 <= target.rank <= 2:
            raise GraphError(
                "the output needs a static axis, and the target must be a vector or a matrix"
            )
        if output.shape[-1] != target.shape[-1] and min(output.shape[-1], target.shape[-1]) >= 0:
            raise GraphError(
                f"the last axes of output ({output.shape[-1]}) and target ({target.shape[-1]}) "
                f"must agree"
            )
        shape = (*output.shape[:-1], target.shape[0] if target.rank == 2 else 1)
        return TensorType(shape, join_axes(operands, broadcast=False), output.dtype)

    def vectors(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the result ``[*rows, 1]`` for vectors."""
        raise NotImplementedError

    def rows(self, output: Tensor, target: SparseRows) -> Tensor:
        """Return the result ``[rows, 1]`` for sparse targets."""
        raise NotImplementedError

    def tensors(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the result ``[*rows, a, b]`` for an output ``[*rows, a, c]`` and a target
        ``[*rows, b, c]``.
        """
        raise NotImplementedError

    def lower(self, *operands: TensorType) -> Kernel:
        output, target = operands
        if output.rank == target.rank == 1:
            if not target.is_sparse:
                return self.vectors
            return self.rows if output.lead else lambda z, y: self.vectors(z, y.to_dense())
        shape, size = self.infer(*operands).shape, output.shape[-1]
        result = (-1, *shape) if join_axes(operands) else shape

        def compute(z: Tensor, y: Any) -> Tensor:
            dense = y.to_dense() if isinstance(y, SparseRows) else y
            matrices = [
                t.reshape(*t.shape[: type_.lead], -1, size)
                for t, type_ in ((z, output), (dense, target))
            ]
            return self.tensors(*matrices).reshape(result)

        return compute


@dataclass(frozen=True)
class CrossEntropy(AgainstTarget):
    """Logarithm of the sum of exponentials, minus the product with the target."""

    op_name = "CrossEntropyWithSoftmax"

    def vectors(self, output: Tensor, target: Tensor) -> Tensor:
        return _CrossEntropy.apply(output, target)  # type: ignore[no-any-return]

    def rows(self, output: Tensor, target: SparseRows) -> Tensor:
        if target.one_hot:
            return _CrossEntropyOfClass.apply(output, target.columns.unsqueeze(1))  # type: ignore[no-any-return]
        return _CrossEntropy.apply(output, target.to_dense())  # type: ignore[no-any-return]

    def tensors(self, output: Tensor, target: Tensor) -> Tensor:
        return torch.logsumexp(output, -1, True) - output @ target.transpose(-1, -2)

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        total = apply(ReduceElements("LogSum", True, Axis(-1)), operands[:1])
        return apply(Minus(), (total, apply(TransposeTimes(), operands)))


class _CrossEntropy(torch.autograd.Function):
    """Cross entropy with its gradient, softmax minus target, in one autograd function."""

    @staticmethod
    def forward(ctx: Any, output: Tensor, target: Tensor) -> Tensor:
        logs = torch.log_softmax(output, -1)
        ctx.save_for_backward(output, target, logs)
        total = output.narrow(-1, 0, 1) - logs.narrow(-1, 0, 1)
        return total - (output * target).sum(-1, True)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        output, target, logs = ctx.saved_tensors
        to_output = to_target = None
        if ctx.needs_input_grad[0]:
            to_output = ((logs.exp() - target) * gradient).sum_to_size(output.shape)
        if ctx.needs_input_grad[1]:
            to_target = (-output * gradient).sum_to_size(target.shape)
        return to_output, to_target


class _CrossEntropyByLogarithm(torch.autograd.Function):
    """Target times logarithm of softmax; the gradient assumes a target of sum 1, as in the
    original.
    """

    @staticmethod
    def forward(ctx: Any, output: Tensor, target: Tensor) -> Tensor:
        logs = torch.log_softmax(output, -1)
        ctx.save_for_backward(target, logs)
        return -(logs * target).sum(-1, True)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        target, logs = ctx.saved_tensors
        to_output = to_target = None
        if ctx.needs_input_grad[0]:
            to_output = ((logs.exp() - target) * gradient).sum_to_size(logs.shape)
        if ctx.needs_input_grad[1]:
            to_target = (-logs * gradient).sum_to_size(target.shape)
        return to_output, to_target


class _CrossEntropyOfClass(torch.autograd.Function):
    """Cross entropy for targets that are a single 1 in the given columns."""

    @staticmethod
    def forward(ctx: Any, output: Tensor, columns: Tensor) -> Tensor:
        logs = torch.log_softmax(output, -1)
        ctx.save_for_backward(logs, columns)
        return -logs.gather(-1, columns)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        logs, columns = ctx.saved_tensors
        return (logs.exp() * gradient).scatter_add(-1, columns, -gradient), None


@dataclass(frozen=True)
class Misclassification(AgainstTarget):
    """Classification error: one minus the target at the output's largest element."""

    op_name = "ClassificationError"

    def vectors(self, output: Tensor, target: Tensor) -> Tensor:
        best = torch.argmax(output, -1, True)
        if target.dim() < best.dim():
            target = target.expand_as(output)
        elif best.dim() < target.dim():
            best = best.expand(target.shape[0], 1)
        return 1 - target.gather(-1, best)

    def rows(self, output: Tensor, target: SparseRows) -> Tensor:
        if target.one_hot:
            return (torch.argmax(output, -1, True) != target.columns.unsqueeze(1)).to(output.dtype)
        return self.vectors(output, target.to_dense())

    def tensors(self, output: Tensor, target: Tensor) -> Tensor:
        # Without a batch axis row by row, as hardmax.
        flat = output.flatten(-2) if output.dim() > 2 else output
        best = (
            torch.zeros_like(flat)
            .scatter(-1, torch.argmax(flat, -1, True), 1.0)
            .reshape(output.shape)
        )
        return 1 - best @ target.transpose(-1, -2)

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        output, target = operands
        return apply(Minus(), (1, apply(TransposeTimes(), (apply(Hardmax(), (output,)), target))))


class Total(Op):
    """A criterion summed over the whole minibatch, as in early models.

    A sample is one vector, whatever its rank. Operands on different sequence axes are refused
    when the criterion is evaluated, and not before, as in the original: files hold such criteria
    beside outputs that can be computed.
    """

    operand_counts: ClassVar[tuple[int, ...]] = (2,)

    # Whether a scalar broadcasts to the other operand's elements.
    broadcasts_scalars: ClassVar[bool] = False

    def infer(self, *operands: TensorType) -> TensorType:
        broadcast_shapes(*(t.shape for t in operands))
        return TensorType((), (), operands[0].dtype)

    def lower(self, *operands: TensorType) -> Kernel | RunKernel:
        self.check_sizes(*(prod(t.shape) for t in operands))
        return check_equal_lengths(operands, as_vectors(operands, self.total), samples=True)

    def check_sizes(self, *sizes: int) -> None:
        """Refuse operands whose samples differ in their number of elements.

        Raises:
            GraphError: for such operands.
        """
        first, second = sizes[:2]
        if first != second and not (self.broadcasts_scalars and 1 in (first, second)):
            raise GraphError(
                f"the samples of output and target must have the same number of elements, but have "
                f"{first} and {second}; use cntk.reshape, cntk.slice or cntk.one_hot to bring them "
                f"to one size"
            )

    def total(self, *operands: Tensor) -> Tensor:
        """Return the criterion for samples that are vectors."""
        raise NotImplementedError


@primitive(PrimitiveOp.CrossEntropyWithSoftmax)
@dataclass(frozen=True)
class TotalCrossEntropy(Total):
    """Cross entropy after softmax over each sample's elements, of all samples."""

    def total(self, *operands: Tensor) -> Tensor:
        return _CrossEntropyByLogarithm.apply(*operands).sum()  # type: ignore[no-any-return]


@primitive(PrimitiveOp.SquaredError)
@dataclass(frozen=True)
class TotalSquaredError(Total):
    """Squared error of all samples."""

    broadcasts_scalars = True

    def total(self, *operands: Tensor) -> Tensor:
        x, y = operands
        return torch.square(x - y).sum()


@primitive(PrimitiveOp.ClassificationError)
@dataclass(frozen=True)
class TotalClassificationError(Total):
    """Number of samples whose class is not among the output's largest elements.

    The operands are the output, the target, and the constant that says how many of the largest
    count; 1 without it.
    """

    operand_counts = (2, 3)

    def check_sizes(self, *sizes: int) -> None:
        """Accept operands of all sizes: a class that the output does not have counts as an
        error.
        """

    def total(self, *operands: Tensor) -> Tensor:
        z, y, *count = operands
        if y.shape[-1] > z.shape[-1]:
            z = functional.pad(z, (0, y.shape[-1] - z.shape[-1]), value=-torch.inf)
        target = torch.argmax(y, -1, True)
        if z.dim() != y.dim():
            z, target = (t.expand(max(z, y, key=Tensor.dim).shape[0], -1) for t in (z, target))
        score = z.gather(-1, target)
        # Of equal scores the first counts as the largest.
        first = torch.arange(z.shape[-1], device=z.device) < target
        larger = ((z > score) | ((z == score) & first)).sum(-1)
        wrong = larger >= (count[0] if count else 1)
        return evaluation_only(wrong.sum().to(z.dtype), self.op_name, z, y)


def cross_entropy_with_softmax(
    output_vector: Operand, target_vector: Operand, axis: AxisLike = -1, name: str = ""
) -> Composite:
    """Compute the cross entropy between a target distribution and the softmax of an output:
    log(sum(exp(z))) - sum(y * z).

    Args:
        output_vector: z, the output before softmax, ``[classes]``.
        target_vector: y, ``[classes]``, dense or sparse; usually a single 1.
        axis: the axis of the classes. Along another axis than the last, -1, the operands are dense,
            of any rank.
        name: its name in the graph.

    Returns:
        A function with output ``[1]``: the operand's shape with one element along the axis.

    Raises:
        GraphError: if the classes of the operands differ in number, or dynamic axes do not fit.

    Example:
        >>> cross_entropy_with_softmax([1.0, 2.0, 1.0], [0.0, 1.0, 0.0]).eval()
        array([0.551445], dtype=float32)
    """
    chosen = as_axis(axis, "cross_entropy_with_softmax")
    operands = (output_vector, target_vector)
    if chosen == Axis(-1):
        return compose_fused("CrossEntropyWithSoftmax", CrossEntropy(), operands, name)

    def build(output: Any, target: Any) -> Composite:
        keep = chosen.is_static_axis
        total = apply(ReduceElements("LogSum", keep, chosen), (output,))
        return apply(
            Minus(),
            (
                total,
                apply(
                    ReduceElements("Sum", keep, chosen), (apply(ElementTimes(), (target, output)),)
                ),
            ),
        )

    return compose("CrossEntropyWithSoftmax", operands, build, name)


def classification_error(
    output_vector: Operand,
    target_vector: Operand,
    axis: AxisLike = -1,
    topN: int = 1,
    name: str = "",
) -> Composite:
    """Compute the classification error: 1 where the largest element of the output is not the
    target's class, 0 where it is.

    Args:
        output_vector: the output, ``[classes]``, before or after softmax.
        target_vector: the target, ``[classes]``, dense or sparse, a single 1.
        axis: the axis of the classes; along another than the last, -1, the mean over the other
            static axes is taken.
        topN: how many of the output's largest elements are right if the class is among them.
        name: its name in the graph.

    Returns:
        A function with output ``[1]``; a number for another axis than -1; for ``topN`` larger than
        1 a number for the whole minibatch: how many of its samples are wrong. That number has no
        gradient.

    Raises:
        GraphError: if the classes of the operands differ in number; for ``topN`` larger than 1
            along another axis.

    Example:
        >>> classification_error([1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 0.0, 0.0]).eval()
        array([1.], dtype=float32)
        >>> classification_error([1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 1.0]).eval()
        array([0.], dtype=float32)
    """
    chosen = as_axis(axis, "classification_error")
    topN = as_integer(topN, "classification_error: topN", least=1, most=2**31 - 1)
    operands = (output_vector, target_vector)
    if chosen == Axis(-1):
        if topN == 1:
            return compose_fused("ClassificationError", Misclassification(), operands, name)
        return apply(TotalClassificationError(), (*operands, topN), name)
    if topN != 1:
        raise GraphError(
            f"classification_error: topN is for the last axis, got topN={topN} and axis={axis!r}; "
            f"leave out one of them"
        )

    def build(output: Any, target: Any) -> Composite:
        best = apply(Equal(), (output, apply(ReduceElements("Max", True, chosen), (output,))))
        wrong = apply(ReduceElements("Sum", True, chosen), (apply(NotEqual(), (target, best)),))
        return apply(
            ReduceElements("Mean", False, Axis.all_static_axes()),
            (apply(GreaterEqual(), (wrong, 1)),),
        )

    return compose("ClassificationError", operands, build, name)
