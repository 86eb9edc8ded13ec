"""Parts of sequences: slices, gather of the frames that a condition selects, and scatter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from cntk._graph.composite import Composite
from cntk._graph.op import Op, Reach, RunKernel
from cntk._graph.primitive import Primitive
from cntk._graph.types import BATCH_AXIS, TensorType, axis_text
from cntk._graph.variable import Variable
from cntk._ops.math.arithmetic import ElementTimes, Minus
from cntk._ops.sequence.delay import Delay, FutureValue, PastValue
from cntk._ops.shape.packed import (
    Axes,
    GatherPacked,
    PackedIndex,
    ScatterPacked,
    Where,
    derived_axes,
    frame_rows,
    need_condition,
    need_sequence,
    register_layout,
    select_rows,
    selected_axis,
)
from cntk._ops.shape.reconcile import ReconcileDynamicAxis
from cntk._ops.support.composite_op import Fused
from cntk._ops.support.operands import apply, as_operand
from cntk._runtime.context import RunContext
from cntk._runtime.layout.layout import Layout
from cntk._runtime.sparse import SparseRows
from cntk._runtime.transfer import to_device
from cntk.axis import Axis
from cntk.errors import FeedError

if TYPE_CHECKING:
    from typing import Self


def _ends(x: Variable, count: int, last: bool) -> Composite:
    """Return 1 at each sequence's first or last ``count`` frames, 0 elsewhere."""
    zero, one = (as_operand(number, x.type_.dtype) for number in (0, 1))
    return apply(
        (FutureValue if last else PastValue)(count), (apply(ReconcileDynamicAxis(), (zero, x)), one)
    )


def _picked(x: Variable, condition: Any, where: Where) -> Composite:
    index = apply(PackedIndex(), (x, apply(where, (condition,))))
    return apply(GatherPacked(), (x, index))


@dataclass(frozen=True)
class SequenceSlice(Fused):
    """Slice of sequences: positions from a begin to an end, counted from the end if negative.

    Attributes:
        begin: the first frame.
        end: the frame after the last one; 0 for the sequence's end.
    """

    begin: int
    end: int

    op_name = "Sequence::Slice"
    sparse_operands = (0,)
    reach = Reach.WHOLE

    @property
    def _factor(self) -> int | None:
        """Factor of the operand's length in the result's: 1 or 0; None if it does not follow so."""
        if self.begin < 0 < self.end:
            return None
        return 0 if (self.begin >= 0) == (self.end > 0) else 1

    @property
    def reads_operands(self) -> bool:  # type: ignore[override]
        return self._factor is None

    def _axes(self, x: TensorType) -> Axes:
        need_sequence(x)
        if self._factor is not None:
            return derived_axes(x, self._factor, self.end - self.begin)
        batch, sequence = x.dynamic_axes
        return batch, Axis(f"{sequence.name}_slice_{self.begin}_{self.end}")

    def _where(self, x: TensorType) -> Where:
        """Return the selection as files hold it: how the result's length follows from the
        operand's, or its axes.
        """
        if self._factor is None:
            return Where(self._axes(x))
        return Where(None, self._factor, self.end - self.begin)

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        return x.with_axes(self._axes(x))

    def lower(self, *operands: TensorType) -> RunKernel:
        (x_type,) = operands
        begin, end = self.begin, self.end
        axes, target = x_type.dynamic_axes, self._axes(x_type)
        if len(target) == 1 and begin in (0, -1) and not x_type.is_sparse:
            take = Layout.take_first if begin == 0 else Layout.take_last
            return RunKernel(lambda run, x: take(run.layout(axes), x))

        def compute(run: RunContext, x: Any) -> Any:
            layout = run.layout(axes)
            spans = [_span(begin, end, n) for n in layout.lengths]
            if any(e <= b for b, e in spans):
                short = next(n for n, (b, e) in zip(layout.lengths, spans, strict=True) if e <= b)
                raise FeedError(
                    f"sequence.slice [{begin}, {end}): a sequence of length {short} has no such "
                    f"frames"
                )
            lengths = [e - b for b, e in spans]
            if len(target) > 1:
                register_layout(run, target, lengths)
            first = [
                end - n + b
                for end, n, (b, _) in zip(layout.ends, layout.lengths, spans, strict=True)
            ]
            before = np.cumsum(lengths) - lengths
            numbers = np.repeat(np.asarray(first, np.int64) - before, lengths) + np.arange(
                sum(lengths)
            )
            rows = to_device(torch.from_numpy(numbers), layout.device)
            return x.select(rows) if isinstance(x, SparseRows) else x.index_select(0, rows)

        return RunKernel(compute)

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        (x,) = operands
        parts = []
        if self.begin:
            ends = _ends(x, abs(self.begin), self.begin < 0)
            parts.append(
                ends if self.begin < 0 else apply(Minus(), (as_operand(1, x.type_.dtype), ends))
            )
        if self.end:
            ends = _ends(x, abs(self.end), self.end < 0)
            parts.append(
                ends if self.end > 0 else apply(Minus(), (as_operand(1, x.type_.dtype), ends))
            )
        condition = apply(ElementTimes(), parts) if len(parts) == 2 else parts[0]
        return _picked(x, condition, self._where(x.type_))

    @classmethod
    def guesses(cls, inside: Sequence[Primitive]) -> Iterable[SequenceSlice]:
        begin = end = 0
        negated = {p.operands[1] for p in inside if isinstance(p.op, Minus)}
        delays = ((p.op.delay, p.results[0]) for p in inside if isinstance(p.op, Delay))
        for delay, result in delays:
            if (delay > 0) == (result in negated):
                begin = delay
            else:
                end = delay
        return [cls(begin, end)] if begin or end else []


def _span(begin: int, end: int, length: int) -> tuple[int, int]:
    first = begin if begin >= 0 else length + begin
    last = end if end > 0 else length + end
    return max(first, 0), min(last, length)


@dataclass(frozen=True)
class IsEnd(Fused):
    """1 at each sequence's first or last frame, 0 elsewhere."""

    last: bool

    sparse_operands = (0,)
    block_names = ("Sequence::IsFirst", "Sequence::IsLast")

    @property
    def op_name(self) -> str:  # type: ignore[override]
        return "Sequence::IsLast" if self.last else "Sequence::IsFirst"

    @property
    def reach(self) -> Reach:  # type: ignore[override]
        return Reach.LATER if self.last else Reach.NONE

    def infer(self, *operands: TensorType) -> TensorType:
        need_sequence(operands[0])
        return TensorType((), operands[0].dynamic_axes, operands[0].dtype)

    def lower(self, *operands: TensorType) -> RunKernel:
        axes = operands[0].dynamic_axes
        dtype = getattr(torch, (operands[0].dtype or np.dtype(np.float32)).name)

        def compute(run: RunContext, x: Any) -> Tensor:
            layout = run.layout(axes)
            flags = torch.zeros(layout.frames, dtype=dtype, device=layout.device)
            ends = layout.last if self.last else layout.first
            if not self.last and layout.starts is not None:
                ends = ends[torch.tensor(layout.starts, device=layout.device)]
            return flags.index_fill_(0, ends, 1.0)

        return RunKernel(compute)

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        return _ends(operands[0], 1, self.last)

    @classmethod
    def guesses(cls, inside: Sequence[Primitive]) -> Iterable[IsEnd]:
        return [cls(any(isinstance(p.op, FutureValue) for p in inside))]


@dataclass(frozen=True)
class OnCondition(Fused):
    """An operation on the frames that a condition selects.

    Attributes:
        axis: the sequence axis of these frames, where their number is not known; else
        factor, added: how it follows from the length of the condition's sequences.
    """

    axis: Axis | None = None
    factor: int | None = None
    added: int | None = None
    reach = Reach.WHOLE

    def bind_axis_names(self, operands: Sequence[Variable]) -> Op:
        if self.axis is not None or self.factor is not None:
            return self
        return replace(self, axis=selected_axis(operands[1]))

    @property
    def where(self) -> Where:
        """The selection as files hold it."""
        axes = None if self.axis is None else (BATCH_AXIS, self.axis)
        return Where(axes, self.factor, self.added)

    def selected_axes(self, condition: TensorType) -> Axes:
        """Return the dynamic axes of the selected frames."""
        need_condition(condition)
        if self.factor is not None and self.added is not None:
            return derived_axes(condition, self.factor, self.added)
        batch, sequence = condition.dynamic_axes
        return batch, self.axis or Axis(f"{sequence.name}_where")

    @classmethod
    def guesses(cls, inside: Sequence[Primitive]) -> Iterable[Self]:
        for where in (p.op for p in inside if isinstance(p.op, Where)):
            factor, added = (
                where.new_sequence_axis_length_scaling_factor,
                where.new_sequence_axis_length_additive_factor,
            )
            axes = where.new_dynamic_axes if factor is None else None
            yield cls(None if axes is None else axes[-1], factor, added)


@dataclass(frozen=True)
class SequenceGather(OnCondition):
    """The frames that a condition selects."""

    op_name = "Sequence::Gather"
    sparse_operands = (0,)

    def infer(self, *operands: TensorType) -> TensorType:
        x, condition = operands
        need_sequence(x)
        return x.with_axes(self.selected_axes(condition))

    def lower(self, *operands: TensorType) -> RunKernel:
        own, axes = operands[0].dynamic_axes, operands[1].dynamic_axes
        target = self.selected_axes(operands[1])

        def compute(run: RunContext, x: Any, flags: Tensor) -> Any:
            layout = run.layout(axes)
            rows, lengths = select_rows(flags, layout, "sequence.gather")
            if own != axes:
                rows = frame_rows(run, own, axes, layout.segments[rows], layout.positions[rows])
            if len(target) > 1:
                register_layout(run, target, lengths)
            elif any(n != 1 for n in lengths):
                raise FeedError(
                    f"sequence.gather: one frame of each sequence was expected, and {lengths[:8]} "
                    f"were found"
                )
            return x.select(rows) if isinstance(x, SparseRows) else x.index_select(0, rows)

        return RunKernel(compute)

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        x, condition = operands
        return _picked(x, condition, self.where)


@dataclass(frozen=True)
class SequenceScatter(OnCondition):
    """Frames scattered to where a condition is not 0, zeros elsewhere; frames of the same position
    are added.
    """

    op_name = "Sequence::Scatter"

    def infer(self, *operands: TensorType) -> TensorType:
        x, condition = operands
        need_condition(condition)
        return TensorType(x.shape, condition.dynamic_axes, x.dtype)

    def lower(self, *operands: TensorType) -> RunKernel:
        own, axes = operands[0].dynamic_axes, operands[1].dynamic_axes

        def compute(run: RunContext, x: Tensor, flags: Tensor) -> Tensor:
            layout = run.layout(axes)
            rows, selected = select_rows(flags, layout, "sequence.scatter")
            lengths = run.layout(own).lengths if len(own) > 1 else (1,) * x.shape[0]
            if tuple(selected) != lengths:
                whose = (
                    f"the sequences on the axis {axis_text(own[-1])}"
                    if own
                    else "the operand without dynamic axes"
                )
                raise FeedError(
                    f"sequence.scatter: the condition on the axis {axis_text(axes[-1])} selects "
                    f"{selected[:8]} frames, and {whose} {'have' if own else 'has'} "
                    f"{list(lengths)[:8]}"
                )
            return x.new_zeros((flags.shape[0], *x.shape[1:])).index_add(0, rows, x)

        return RunKernel(compute)

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        x, condition = operands
        index = apply(PackedIndex(), (condition, apply(self.where, (condition,))))
        return apply(ScatterPacked(), (x, index, condition))
