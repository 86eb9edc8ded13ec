"""Convolution along the sequence axis: each sequence on its own, whatever lies beside it in the minibatch."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from cntk._engine.layout import Layout
from cntk._engine.run import Run
from cntk._errors import FeedError, GraphError
from cntk._graph.op import Op, RunKernel
from cntk._graph.types import FreeDimension, TensorType
from cntk._ops.convolution_op import Convolution, lower_convolution
from cntk._ops.windows import Windows
from cntk.axis import Axis


@dataclass(frozen=True)
class SequenceConvolution(Op):
    """A convolution whose first spatial axis is the sequence axis, over each sequence on its own.

    Attributes:
        convolution: the same over operands ``[channels, frames, *positions]``.
    """

    convolution: Convolution

    op_name = "Convolution"

    def infer(self, *operands: TensorType) -> TensorType:
        kernel, x = self._unrolled(*operands)
        inner = self.convolution.infer(kernel, x)
        batch, sequence = operands[1].dynamic_axes
        frames = self._frames(kernel, x)
        if not (frames.auto_pad and frames.stride == 1):
            # Sequences on one axis that go through the same windows come out equally long: they share an axis again.
            padded = "_padded" if frames.auto_pad else ""
            sequence = Axis(f"{sequence.name}_windows_{frames.extent}_by_{frames.stride}{padded}")
        return TensorType((inner.shape[0], *inner.shape[2:]), (batch, sequence), x.dtype)

    def complete(self, *operands: TensorType) -> tuple[TensorType, ...]:
        if not operands[1].is_sequence or operands[1].rank == 0:
            return operands
        return self.convolution.complete(*self._unrolled(*operands))[0], operands[1]

    def _unrolled(self, kernel: TensorType, x: TensorType) -> tuple[TensorType, TensorType]:
        """The operands with the sequence axis as a static one of unknown length."""
        if not x.is_sequence or x.rank == 0:
            raise GraphError("a sequential convolution needs an operand with a sequence axis and a channel axis")
        return kernel, x.with_shape((x.shape[0], FreeDimension, *x.shape[1:])).with_axes(x.dynamic_axes[:1])

    def _frames(self, kernel: TensorType, x: TensorType) -> Windows:
        return self.convolution.windows(kernel.shape[-x.rank :])[1]

    def lower(self, *operands: TensorType) -> RunKernel:
        kernel, x = self._unrolled(*operands)
        self.convolution.check_computable(kernel, x)
        _, frames, *others = self.convolution.windows(kernel.shape[-x.rank :])
        axes, result_axes = operands[1].dynamic_axes, self.infer(*operands).dynamic_axes
        groups = self.convolution.groups
        # The rectangle holds each sequence's own padding already.
        tight = replace(frames, auto_pad=False, lower=0, upper=0)

        def compute(run: Run, w: Tensor, rows: Tensor) -> Tensor:
            layout = run.layout(axes)
            result, rectangle = _rectangle(frames, layout, rows)
            run.layouts[result_axes] = result
            convolve = lower_convolution([tight, *others], (rectangle.shape[2], *x.shape[2:]), groups)
            out = convolve(w.unsqueeze(0) if kernel.rank == x.rank else w, rectangle)
            return result.unpad(out.transpose(1, 2)[:, : result.longest])

        return RunKernel(compute)


def _rectangle(frames: Windows, layout: Layout, rows: Tensor) -> tuple[Layout, Tensor]:
    """The results' layout, and sequences as ``[count, channels, length, *positions]``, each with its own padding."""
    try:
        counts = [frames.count(n) for n in layout.lengths]
    except GraphError as error:
        raise FeedError(f"sequential convolution: {error}") from None
    result = layout if counts == list(layout.lengths) else Layout(counts, None, layout.device)
    before = [frames.before(n) for n in layout.lengths]
    length = (max(counts) - 1) * frames.stride + frames.extent
    if layout.uniform and before[0] == 0 and length <= layout.longest:
        return result, layout.pad(rows).transpose(1, 2)
    places = layout.positions + torch.tensor(before, device=layout.device)[layout.segments]
    flat = layout.segments * length + places
    if min(before) < 0 or max(b + n for b, n in zip(before, layout.lengths, strict=True)) > length:
        read = (places >= 0) & (places < length)
        rows, flat = rows[read], flat[read]
    empty = rows.new_zeros(layout.count * length, *rows.shape[1:])
    return result, empty.index_copy(0, flat, rows).reshape(layout.count, length, *rows.shape[1:]).transpose(1, 2)
