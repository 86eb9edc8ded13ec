"""Sums, maxima and softmax over the frames of each sequence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import torch
from torch import Tensor

from cntk._graph.composite import Composite
from cntk._graph.op import Reach, RunKernel
from cntk._graph.primitive import Primitive
from cntk._graph.types import TensorType
from cntk._graph.variable import Variable
from cntk._ops.math.arithmetic import Minus, element_divide
from cntk._ops.math.reduction import ReduceElements
from cntk._ops.math.unary import Exp
from cntk._ops.shape.packed import need_sequence
from cntk._ops.shape.reconcile import broadcast_as
from cntk._ops.shape.unpack import UnpackSequence
from cntk._ops.support.composite_op import Fused, compose_fused
from cntk._ops.support.operands import apply
from cntk._runtime.context import RunContext
from cntk._runtime.layout.layout import Layout
from cntk.axis import Axis


@dataclass(frozen=True)
class SequenceReduce(Fused):
    """Sum or maximum over a sequence's frames.

    Attributes:
        reduction: 'Sum' or 'Max'.
    """

    reduction: str

    op_name = "Sequence::ReduceElements"
    shape_polymorphic = True
    reach = Reach.WHOLE

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        need_sequence(x)
        return TensorType(x.shape, x.dynamic_axes[:1], x.dtype)

    def lower(self, *operands: TensorType) -> RunKernel:
        axes = operands[0].dynamic_axes
        reduce = Layout.sum if self.reduction == "Sum" else _maximum
        return RunKernel(lambda run, x: reduce(run.layout(axes), x))

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        (x,) = operands
        padding = 0.0 if self.reduction == "Sum" else -inf
        unpacked = apply(UnpackSequence(padding, True), (x,), name)
        return apply(ReduceElements(self.reduction, False, Axis(0)), (unpacked,))

    @classmethod
    def guesses(cls, inside: Sequence[Primitive]) -> Iterable[SequenceReduce]:
        names = [p.op.reduction_op_name for p in inside if isinstance(p.op, ReduceElements)]
        return [cls(name) for name in names if name in ("Sum", "Max")]


def _maximum(layout: Layout, x: Tensor) -> Tensor:
    return _Maximum.apply(x, layout)  # type: ignore[no-any-return]


class _Maximum(torch.autograd.Function):
    """Maximum over a sequence. Each of several equal frames gets the whole gradient; in torch only
    one does.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, layout: Layout) -> Tensor:
        index = layout.segments.reshape(-1, *(1,) * (x.dim() - 1)).expand_as(x)
        result = x.new_full((layout.count, *x.shape[1:]), -float("inf")).scatter_reduce(
            0, index, x, "amax"
        )
        ctx.layout = layout
        ctx.save_for_backward(x, result)
        return result

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        x, result = ctx.saved_tensors
        layout: Layout = ctx.layout
        return torch.where(
            x == layout.expand(result), layout.expand(gradient), torch.zeros_like(x)
        ), None


@dataclass(frozen=True)
class SequenceSoftmax(Fused):
    """Softmax over a sequence's frames."""

    keeps_axes = True
    op_name = "Sequence::Softmax"
    shape_polymorphic = True
    reach = Reach.WHOLE

    def infer(self, *operands: TensorType) -> TensorType:
        need_sequence(operands[0])
        return operands[0].dense()

    def lower(self, *operands: TensorType) -> RunKernel:
        axes = operands[0].dynamic_axes

        def compute(run: RunContext, x: Tensor) -> Tensor:
            layout = run.layout(axes)
            shifted = (x - layout.expand(_maximum(layout, x).detach())).exp()
            return shifted / layout.expand(layout.sum(shifted))

        return RunKernel(compute)

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        (x,) = operands
        largest, total = (SequenceReduce(name) for name in ("Max", "Sum"))
        top = broadcast_as(compose_fused(largest.op_name, largest, (x,)), x)
        exponentials = apply(Exp(), (apply(Minus(), (x, top)),))
        return element_divide(
            exponentials, broadcast_as(compose_fused(total.op_name, total, (exponentials,)), x)
        )
