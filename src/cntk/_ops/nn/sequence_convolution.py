"""Convolution along the sequence axis; windows do not cross the ends of sequences."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from cntk._graph.composite import Composite
from cntk._graph.op import PrimitiveOp, Reach, RunKernel, primitive
from cntk._graph.positions import Positions
from cntk._graph.primitive import Primitive
from cntk._graph.types import FreeDimension, TensorType
from cntk._graph.variable import Variable
from cntk._ops.math.unary import StopGradient
from cntk._ops.nn.convolution_op import Convolution, lower_convolution
from cntk._ops.nn.windows import Windows
from cntk._ops.shape.transpose import swapaxes
from cntk._ops.shape.unpack import ToSequence, ToSequenceLike, UnpackSequence
from cntk._ops.support.composite_op import Fused
from cntk._ops.support.operands import apply
from cntk._runtime.context import RunContext
from cntk._runtime.layout.layout import Layout
from cntk._runtime.transfer import to_device
from cntk.axis import Axis
from cntk.errors import FeedError, GraphError


def unroll_sequence(x: TensorType) -> TensorType:
    """Return a sequence's type with the sequence axis as a static one of unknown length, after the
    channels.

    Raises:
        GraphError: if it is no sequence, or has no channels.
    """
    if not x.is_sequence or x.rank == 0:
        raise GraphError(
            "a sequential convolution needs an operand with a sequence axis and a channel axis"
        )
    return x.with_shape((x.shape[0], FreeDimension, *x.shape[1:])).with_axes(x.dynamic_axes[:1])


@dataclass(frozen=True)
class SequenceConvolution(Fused):
    """A convolution whose first spatial axis is the sequence axis.

    Files hold it as a convolution of unpacked sequences, whose padding is laid out for the longest
    of a minibatch. So it is here: with automatic padding and a stride of 3 or more, where a shorter
    sequence's first window begins depends on the longest one's length.

    Attributes:
        convolution: the same over operands ``[channels, frames, *positions]``.
    """

    convolution: Convolution

    op_name = "Convolution"
    reads_operands = True
    reach = Reach.WHOLE

    def infer(self, *operands: TensorType) -> TensorType:
        kernel, x = operands[0], unroll_sequence(operands[1])
        inner = self.convolution.infer(kernel, x)
        batch, sequence = operands[1].dynamic_axes
        frames = self._frames(kernel, x)
        if not (frames.auto_pad and frames.stride == 1):
            # Sequences on one axis that go through the same windows come out equally long: they
            # share an axis again.
            padded = "_padded" if frames.auto_pad else ""
            sequence = Axis(f"{sequence.name}_windows_{frames.extent}_by_{frames.stride}{padded}")
        return TensorType((inner.shape[0], *inner.shape[2:]), (batch, sequence), x.dtype)

    def complete(self, *operands: TensorType) -> tuple[TensorType, ...]:
        if not operands[1].is_sequence or operands[1].rank == 0:
            return operands
        return self.convolution.complete(operands[0], unroll_sequence(operands[1]))[0], operands[1]

    def multiplications(self, operands: tuple[TensorType, ...], result: TensorType) -> int:
        return operands[0].elements * math.prod(result.shape[1:])

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        kernel, x = operands
        op = replace(self.convolution, sequential=False).canonical_for_disk(
            kernel.type_, unroll_sequence(x.type_)
        )
        # The first two axes, counted from the last one as in files.
        first_two = -x.type_.rank - 1, -x.type_.rank
        frames = swapaxes(apply(UnpackSequence(0.0, True), (x,)), *first_two)
        rows = swapaxes(apply(op, (kernel, frames)), *first_two)
        axes = self.infer(kernel.type_, x.type_).dynamic_axes
        if axes == x.type_.dynamic_axes:
            return apply(ToSequenceLike(), (rows, x))
        values = {f.name: getattr(op, f.name) for f in fields(op)}
        counts = apply(ConvolutionSequenceShape(**values | {"sequential": True}), (kernel, x))
        return apply(
            ToSequence("ConvOverSequenceAxisPrefix", axes), (rows, apply(StopGradient(), (counts,)))
        )

    @classmethod
    def guesses(cls, inside: Sequence[Primitive]) -> Iterable[SequenceConvolution]:
        ops = [p.op for p in inside if isinstance(p.op, Convolution) and not p.op.sequential]
        return [cls(replace(op, sequential=True)) for op in ops]

    def _frames(self, kernel: TensorType, x: TensorType) -> Windows:
        return self.convolution.windows(kernel.shape[-x.rank :])[1]

    def lower(self, *operands: TensorType) -> RunKernel:
        kernel, x = operands[0], unroll_sequence(operands[1])
        self.convolution.check_computable(kernel, x)
        _, frames, *others = self.convolution.windows(kernel.shape[-x.rank :])
        axes, result_axes = operands[1].dynamic_axes, self.infer(*operands).dynamic_axes
        groups, one_filter = self.convolution.groups, kernel.rank == x.rank

        def compute(run: RunContext, w: Tensor, rows: Tensor) -> Tensor:
            layout = run.layout(axes)
            counts = _counts(frames, layout)
            result = layout if counts == layout.lengths else Layout(counts, None, layout.device)
            run.layouts[result_axes] = result
            convolve = lower_convolution([frames, *others], (layout.longest, *x.shape[2:]), groups)
            convolve = self.convolution.along_channels(kernel, x, convolve)
            out = convolve(w.unsqueeze(0) if one_filter else w, layout.pad(rows).transpose(1, 2))
            return result.unpad(out.transpose(1, 2))

        return RunKernel(compute)


def _counts(frames: Windows, layout: Layout) -> tuple[int, ...]:
    """Return the number of windows of each sequence.

    Raises:
        FeedError: if one is shorter than a window that is not padded.
    """
    try:
        return tuple(frames.count(n) for n in layout.lengths)
    except GraphError as error:
        raise FeedError(f"sequential convolution: {error}") from None


@primitive(PrimitiveOp.ConvolutionSequenceShape)
@dataclass(frozen=True)
class ConvolutionSequenceShape(Convolution):
    """Number of windows of a sequential convolution along each sequence, ``[1]``; its attributes
    are the same.
    """

    op_name = "ConvolutionSequenceShape"

    def infer(self, *operands: TensorType) -> TensorType:
        _, x = operands
        return TensorType((1,), unroll_sequence(x).dynamic_axes, x.dtype)

    def complete(self, *operands: TensorType) -> tuple[TensorType, ...]:
        return operands

    def canonical_for_disk(self, *operands: TensorType) -> Convolution:
        kernel, x = operands
        return (
            super().canonical_for_disk(kernel, unroll_sequence(x))
            if x.is_sequence and x.rank
            else self
        )

    def lower(self, *operands: TensorType) -> RunKernel:  # type: ignore[override]
        kernel, x = operands
        frames = self.windows(kernel.shape[-x.rank - 1 :])[1]

        def compute(run: RunContext, w: Tensor, rows: Tensor) -> Tensor:
            counts = _counts(frames, run.layout(x.dynamic_axes))
            return to_device(torch.tensor(counts, dtype=rows.dtype), rows.device).unsqueeze(1)

        return RunKernel(compute)

    def positions(self, *operands: TensorType) -> tuple[Positions | None, ...]:
        return None, None
