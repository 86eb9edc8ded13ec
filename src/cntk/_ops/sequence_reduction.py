"""Sums, maxima and softmax over the frames of each sequence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cntk._engine.layout import Layout
from cntk._engine.run import Run
from cntk._graph.op import Op, RunKernel
from cntk._graph.types import TensorType
from cntk._ops.packed import need_sequence


@dataclass(frozen=True)
class SequenceReduce(Op):
    """Sum, maximum or softmax over a sequence's frames."""

    reduction: str

    op_name = "Sequence::ReduceElements"

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        need_sequence(x)
        return TensorType(x.shape, x.dynamic_axes[:1], x.dtype)

    def lower(self, *operands: TensorType) -> RunKernel:
        axes = operands[0].dynamic_axes
        reduce = Layout.sum if self.reduction == "Sum" else _maximum
        return RunKernel(lambda run, x: reduce(run.layout(axes), x))


def _maximum(layout: Layout, x: Tensor) -> Tensor:
    return _Maximum.apply(x, layout)  # type: ignore[no-any-return]


class _Maximum(torch.autograd.Function):
    """Maximum over a sequence; the gradient goes to every frame that has it, not to one of them as in torch."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layout: Layout) -> Tensor:
        index = layout.segments.reshape(-1, *(1,) * (x.dim() - 1)).expand_as(x)
        result = x.new_full((layout.count, *x.shape[1:]), -float("inf")).scatter_reduce(0, index, x, "amax")
        ctx.layout = layout
        ctx.save_for_backward(x, result)
        return result

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        x, result = ctx.saved_tensors
        layout: Layout = ctx.layout
        return torch.where(x == layout.expand(result), layout.expand(gradient), torch.zeros_like(x)), None


@dataclass(frozen=True)
class SequenceSoftmax(Op):
    """Softmax over a sequence's frames."""

    op_name = "Sequence::Softmax"

    def infer(self, *operands: TensorType) -> TensorType:
        need_sequence(operands[0])
        return operands[0].dense()

    def lower(self, *operands: TensorType) -> RunKernel:
        axes = operands[0].dynamic_axes

        def compute(run: Run, x: Tensor) -> Tensor:
            layout = run.layout(axes)
            shifted = (x - layout.expand(_maximum(layout, x).detach())).exp()
            return shifted / layout.expand(layout.sum(shifted))

        return RunKernel(compute)
