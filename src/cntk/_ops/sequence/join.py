"""Concatenation of sequences, and windows of neighbouring frames.

The original has neither. Files hold them as graphs of its operations, so that it can read them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from cntk._arguments import as_integer, as_number, shown
from cntk._graph.composite import Composite
from cntk._graph.op import Reach, RunKernel
from cntk._graph.primitive import Primitive
from cntk._graph.types import TensorType
from cntk._graph.variable import Variable
from cntk._ops.math.arithmetic import ElementTimes, Plus
from cntk._ops.sequence.delay import Delay, FutureValue, PastValue
from cntk._ops.sequence.lengths import length_of, ones_on, positions_of
from cntk._ops.sequence.parts import IsEnd
from cntk._ops.shape.packed import (
    Axes,
    PackedIndex,
    ScatterPacked,
    Where,
    derived_axis,
    need_sequence,
    register_layout,
)
from cntk._ops.shape.reconcile import ReconcileDynamicAxis
from cntk._ops.shape.reshape import expand_dims
from cntk._ops.shape.slicing import Splice
from cntk._ops.support.broadcasting import broadcast_shapes
from cntk._ops.support.composite_op import Fused, compose_fused
from cntk._ops.support.operands import apply
from cntk._runtime.context import RunContext
from cntk._runtime.layout.layout import Layout
from cntk.axis import Axis
from cntk.errors import ArgumentError, GraphError
from cntk.typing import Operand
from cntk.variables import Constant

__all__ = ["join", "window"]


@dataclass(frozen=True)
class SequenceJoin(Fused):
    """Concatenation of two sequences, frame after frame; an operand without a sequence axis is a
    single frame.
    """

    op_name = "Sequence::Join"
    reads_operands = True
    shape_polymorphic = True
    reach = Reach.WHOLE

    def _axes(self, left: TensorType, right: TensorType) -> Axes:
        if not (left.is_sequence or right.is_sequence):
            raise GraphError(
                "at least one of the two must be a sequence; make its input with "
                "sequence.input_variable"
            )
        if not (left.has_batch_axis and right.has_batch_axis):
            raise GraphError(
                "both must have a batch axis; cntk.sequence.broadcast_as gives a constant one"
            )
        batch = left.dynamic_axes[0]
        axes = [t.dynamic_axes[1] for t in (left, right) if t.is_sequence]
        if len(axes) == 1:
            return batch, derived_axis(axes[0], 1, 1) or axes[0]
        if axes[0] == axes[1]:
            return batch, derived_axis(axes[0], 2, 0) or axes[0]
        return batch, Axis(f"{axes[0].name}_join_{axes[1].name}")

    def infer(self, *operands: TensorType) -> TensorType:
        left, right = operands
        axes = self._axes(left, right)
        if left.shape != right.shape:
            broadcast_shapes(left.shape, right.shape)
            raise GraphError("the frames of both must have the same shape")
        return TensorType(left.shape, axes, left.dtype or right.dtype)

    def lower(self, *operands: TensorType) -> RunKernel:
        left, right = (t.dynamic_axes for t in operands)
        target = self._axes(*operands)

        def compute(run: RunContext, x: Tensor, y: Tensor) -> Tensor:
            first, second = _layout(run, left, x), _layout(run, right, y)
            lengths = [n + m for n, m in zip(first.lengths, second.lengths, strict=True)]
            layout = register_layout(run, target, lengths)
            if first.uniform and second.uniform:
                halves = [part.reshape(len(lengths), -1, *part.shape[1:]) for part in (x, y)]
                return torch.cat(halves, 1).reshape(-1, *x.shape[1:])
            position, begin = layout.positions, first.lengths_tensor[layout.segments]
            own = first.first[layout.segments] + position
            other = first.frames + second.first[layout.segments] + position - begin
            return torch.cat([x, y]).index_select(0, torch.where(position < begin, own, other))

        return RunKernel(compute)

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        left, right = operands
        target = self._axes(left.type_, right.type_)
        one = Constant(1, dtype=left.type_.dtype)
        base, other = (left, right) if left.type_.is_sequence else (right, left)
        added = length_of(other) if other.type_.is_sequence else one
        ends = IsEnd(last=True).expand(base)
        # The base's last frame once more for each frame of the other: a sequence as long as both.
        counts = apply(
            Plus(),
            (
                ones_on(base),
                apply(ElementTimes(), (ends, apply(ReconcileDynamicAxis(), (added, base)))),
            ),
        )
        whole = apply(Where(target), (counts,))
        return apply(Plus(), (_put(left, None, whole), _put(right, left, whole)))


def _layout(run: RunContext, axes: Axes, x: Tensor) -> Layout:
    return run.layout(axes) if len(axes) > 1 else Layout([1] * x.shape[0], None, x.device)


def _put(x: Variable, after: Variable | None, whole: Composite) -> Composite:
    """Scatter an operand's frames into a longer sequence, behind those of another; zeros
    elsewhere.
    """
    dtype = x.type_.dtype
    positions = (
        positions_of(x)
        if x.type_.is_sequence
        else apply(ReconcileDynamicAxis(), (Constant(0, dtype=dtype), x))
    )
    if after is not None:
        begin = length_of(after) if after.type_.is_sequence else Constant(1, dtype=dtype)
        positions = apply(Plus(), (positions, apply(ReconcileDynamicAxis(), (begin, x))))
    return apply(ScatterPacked(), (x, apply(PackedIndex(), (whole, positions)), whole))


@dataclass(frozen=True)
class SequenceWindow(Fused):
    """Each frame with frames around it, along a new static axis before the others.

    Attributes:
        size: how many frames.
        ahead: how many of them come after the frame itself.
        padding: what stands in for frames beyond a sequence's ends.
    """

    size: int
    ahead: int = 0
    padding: float = 0.0

    op_name = "Sequence::Window"
    reads_operands = True
    shape_polymorphic = True
    reach = Reach.WHOLE

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        need_sequence(x)
        return x.dense().with_shape((self.size, *x.shape))

    def lower(self, *operands: TensorType) -> RunKernel:
        axes, size, ahead, padding = operands[0].dynamic_axes, self.size, self.ahead, self.padding

        def compute(run: RunContext, x: Tensor) -> Tensor:
            layout = run.layout(axes)
            steps = torch.arange(size, device=x.device) + (ahead + 1 - size)
            positions = layout.positions[:, None] + steps
            beyond = (positions < 0) | (
                positions >= layout.lengths_tensor[layout.segments][:, None]
            )
            rows = (layout.first[layout.segments][:, None] + positions).masked_fill(beyond, 0)
            result = x.index_select(0, rows.flatten()).reshape(-1, size, *x.shape[1:])
            return result.masked_fill(beyond.reshape(-1, size, *(1,) * (x.dim() - 1)), padding)

        return RunKernel(compute)

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        (x,) = operands
        if not x.type_.has_shape:
            raise GraphError("the operand's number of static axes must be known")
        padding, first = Constant(self.padding, dtype=x.type_.dtype), Axis(-1 - x.type_.rank)
        frames = []
        for back in range(self.size - 1 - self.ahead, -1 - self.ahead, -1):
            delayed: Any = x
            if back:
                delayed = apply((PastValue if back > 0 else FutureValue)(abs(back)), (x, padding))
            frames.append(expand_dims(delayed, first))
        return frames[0] if self.size == 1 else apply(Splice(first), frames)

    @classmethod
    def guesses(cls, inside: Sequence[Primitive]) -> Iterable[SequenceWindow]:
        delays = [(p.op.delay, p.operands[1]) for p in inside if isinstance(p.op, Delay)]
        paddings = [padding for _, padding in delays if isinstance(padding, Constant)]
        size = next((len(p.operands) for p in inside if isinstance(p.op, Splice)), 1)
        # A window that holds the frame itself has a delay less than frames.
        steps = [-delay for delay, _ in delays] + [0] * (size > len(delays))
        return [cls(size, max(steps), float(paddings[0].value) if paddings else 0.0)]


def join(a: Operand, b: Operand, name: str = "") -> Composite:
    """Concatenate two sequences. An addition: the original has none.

    Args:
        a, b: sequences whose frames have the same shape, on the same axis or on different ones; one
            of them may have a batch axis alone and is a single frame for each sequence then.
        name: its name in the graph.

    Returns:
        A function on a sequence axis of its own; joins of the same two axes share it.

    Raises:
        GraphError: if neither is a sequence, one has no batch axis, or the frames' shapes differ.

    Example:
        >>> import cntk as C
        >>> a = C.sequence.input_variable(())
        >>> b = C.sequence.input_variable((), sequence_axis=C.Axis("other"))
        >>> C.sequence.join(a, b).eval({a: [[1, 2], [3]], b: [[4], [5, 6]]})
        [array([1., 2., 4.], dtype=float32), array([3., 5., 6.], dtype=float32)]
    """
    op = SequenceJoin()
    return compose_fused(op.op_name, op, (a, b), name, aligned=False)


def window(
    seq: Operand, size: int, ahead: int = 0, padding: float = 0.0, name: str = ""
) -> Composite:
    """Stack each frame with its neighbours. An addition: the original has none.

    Args:
        seq: a sequence; its frames have the shape ``[*shape]``.
        size: how many frames a window has, at least 1.
        ahead: how many of them come after the frame that the window belongs to; the others, and the
            frame itself, before. Negative for windows that end before their frame.
        padding: what stands in for frames beyond a sequence's ends.
        name: its name in the graph.

    Returns:
        A function of shape ``[size, *shape]`` on the same axes, the earliest frame first.

    Raises:
        GraphError: if ``seq`` is no sequence, or ``size`` is less than 1.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(())
        >>> C.sequence.window(x, 3, ahead=1).eval({x: [[1, 2, 3]]})[0]
        array([[0., 1., 2.],
               [1., 2., 3.],
               [2., 3., 0.]], dtype=float32)
    """
    if not isinstance(size, Integral) or size < 1:
        raise ArgumentError(
            f"sequence.window: the size must be an integer of at least 1, got {shown(size)}"
        )
    op = SequenceWindow(
        int(size),
        as_integer(ahead, "sequence.window: ahead"),
        as_number(padding, "sequence.window: padding"),
    )
    return compose_fused(op.op_name, op, (seq,), name, aligned=False)
