"""Frames selected from sequences by a condition. In files, slices, gathers and scatters along
sequences consist of these operations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cntk._graph.op import DiskKind, Kernel, Op, PrimitiveOp, Reach, RunKernel, primitive
from cntk._graph.types import BATCH_AXIS, FreeDimension, InferredDimension, TensorType, axis_text
from cntk._graph.variable import Variable
from cntk._runtime.context import RunContext
from cntk._runtime.layout.layout import Layout
from cntk._runtime.sparse import SparseRows
from cntk._runtime.transfer import to_device
from cntk._wording import shape_text
from cntk.axis import Axis
from cntk.errors import FeedError, GraphError

Axes = tuple[Axis, ...]


def need_sequence(x: TensorType) -> None:
    """Refuse an operand without a sequence axis.

    Raises:
        GraphError: for such an operand.
    """
    if not x.is_sequence:
        raise GraphError(
            "expected an operand with a sequence axis; make its input with sequence.input_variable"
        )


def register_layout(run: RunContext, axes: Axes, lengths: list[int]) -> Layout:
    """Register the layout of a sequence axis that an operation makes; axes of the same name must be
    equally long.

    Raises:
        FeedError: if another operation made the axis with other lengths.
    """
    known = run.layouts.get(axes)
    if known is None:
        known = run.layouts[axes] = Layout(lengths, None, run.device)
    elif known.lengths != tuple(lengths):
        raise FeedError(
            f"sequences on the axis {axis_text(axes[-1])} have lengths {list(known.lengths)[:8]} "
            f"in one place and {lengths[:8]} in another"
        )
    return known


def origin(variable: Variable) -> Variable:
    """Return the variable that computes a variable: outside of the blocks whose argument it is, and
    inside those whose output it is.
    """
    while True:
        owner = variable._owner
        block = None if owner is None else owner.root_function.block
        if variable.stands_for is not None:
            variable = variable.stands_for
        elif owner is not None and block is not None:
            index = next(k for k, v in enumerate(owner.root_function.results) if v is variable)
            variable = block.composite.outputs[index]
        else:
            return variable


def selected_axis(condition: Variable) -> Axis:
    """Return the axis of the frames that a condition selects: the same for the same condition."""
    return Axis(f"whereNodeDynamicAxis_conditionVar_{origin(condition).uid}")


def derived_axis(axis: Axis, factor: int, added: int) -> Axis | None:
    """Return the axis of sequences whose length follows from that of others; None for single
    frames.

    Those that are equally long share their axis, so that they can be combined.

    Args:
        axis: the others' axis.
        factor: times their length
        added: plus this.
    """
    if factor == 0:
        return None if added == 1 else Axis(f"{axis.name}_fixedSliceOf_{added}")
    if (factor, added) == (1, 0):
        return axis
    change = f"plus_{added}" if added > 0 else f"minus_{-added}"
    return Axis(f"{axis.name}_times_{factor}_{change}")


def derived_axes(x: TensorType, factor: int, added: int) -> Axes:
    """Return the dynamic axes of sequences whose length follows from that of others; see
    `derived_axis`.

    Raises:
        GraphError: if the others are no sequences.
    """
    need_sequence(x)
    batch, sequence = x.dynamic_axes
    axis = derived_axis(sequence, factor, added)
    return (batch,) if axis is None else (batch, axis)


def need_condition(condition: TensorType) -> None:
    """Refuse an operand that is not a sequence of scalars.

    Raises:
        GraphError: for such an operand.
    """
    need_sequence(condition)
    if any(d not in (1, FreeDimension, InferredDimension) for d in condition.shape):
        raise GraphError(
            f"the condition must be a sequence of scalars, and has frames {condition.shape}"
        )


def select_rows(flags: Tensor, layout: Layout, op_name: str) -> tuple[Tensor, list[int]]:
    """Return the rows of the frames that a condition selects, and how many of them each sequence
    has.

    Those at which it is 1, not those at which it is 0. Other numbers add up along a sequence: after
    each frame, as many as the sum, rounded up, are to have been selected, the frame several times
    or not at all for that.

    Raises:
        FeedError: if a sequence has none.
    """
    # How many there are the host has to know: all of it is found there, after one copy.
    host = layout.on_host
    rows = _chosen(flags.detach().reshape(-1).cpu(), host)
    lengths: list[int] = torch.bincount(host.segments[rows], minlength=layout.count).tolist()
    if 0 in lengths:
        raise FeedError(
            f"{op_name}: no frame of sequence {lengths.index(0)} of the minibatch is selected; a "
            f"sequence must have at least one frame"
        )
    return to_device(rows, flags.device), lengths


def _chosen(flags: Tensor, layout: Layout) -> Tensor:
    whole = flags != 0
    if bool((flags == whole).all()):
        return torch.nonzero(whole).flatten()
    # In the original's arithmetic a sum that is an integer but for rounding counts as that integer.
    sums = layout.pad(flags.to(torch.float64)).cumsum(1) * (1 - torch.finfo(flags.dtype).eps)
    due = layout.unpad(sums.ceil().clamp(min=0).cummax(1).values.to(torch.int64))
    before = due.roll(1).index_fill(0, layout.first, 0)
    return torch.repeat_interleave(torch.arange(layout.frames), due - before)


def frame_rows(
    run: RunContext, axes: Axes, condition: Axes, sequences: Tensor, positions: Tensor
) -> Tensor:
    """Return the rows of frames in the packed tensor, from the numbers of their sequences and their
    positions there.

    Args:
        run: the run's context.
        axes: the frames' dynamic axes.
        condition: dynamic axes of the condition, or of the frames that it selects.
        sequences, positions: for each frame to select its sequence's number, and its position
            there.

    Raises:
        FeedError: if there is no such frame.
    """
    layout = run.layout(axes)
    if len(condition) > 1 and run.layout(condition).count != layout.count:
        raise FeedError(
            f"{run.layout(condition).count} sequences on the axis {axis_text(condition[-1])} "
            f"select frames of {layout.count} sequences on the axis {axis_text(axes[-1])}; there "
            f"must be as many"
        )
    lengths = layout.lengths_tensor[sequences]
    beyond = (positions < 0) | (positions >= lengths)
    if bool(beyond.any()):
        k = int(torch.nonzero(beyond)[0])
        raise FeedError(
            f"frame {int(positions[k])} of sequence {int(sequences[k])} is selected on the axis "
            f"{axis_text(condition[-1])}, and the sequence has {int(lengths[k])} frames on the "
            f"axis {axis_text(axes[-1])}; give both the same lengths"
        )
    return layout.first[sequences] + positions


@primitive(PrimitiveOp.Where)
@dataclass(frozen=True)
class Where(Op):
    """The positions of the frames where a condition is not 0.

    Attributes:
        new_dynamic_axes: the result's dynamic axes; the batch axis alone if there is one frame for
            each sequence.
        new_sequence_axis_length_scaling_factor: with the next, how the result's length follows from
            the condition's, where that is known: the factor, and
        new_sequence_axis_length_additive_factor: what is added.
    """

    operand_counts = (1,)

    new_dynamic_axes: Axes | None = None
    new_sequence_axis_length_scaling_factor: int | None = None
    new_sequence_axis_length_additive_factor: int | None = None

    disk_kinds = {
        "new_dynamic_axes": DiskKind.DynamicAxes,
        "new_sequence_axis_length_additive_factor": DiskKind.Int,
    }
    reach = Reach.WHOLE

    def bind_axis_names(self, operands: Sequence[Variable]) -> Where:
        factor, added = (
            self.new_sequence_axis_length_scaling_factor,
            self.new_sequence_axis_length_additive_factor,
        )
        if factor is not None and added is not None:
            return replace(self, new_dynamic_axes=derived_axes(operands[0].type_, factor, added))
        if self.new_dynamic_axes is not None:
            return self
        return replace(self, new_dynamic_axes=(BATCH_AXIS, selected_axis(operands[0])))

    def _axes(self) -> Axes:
        return self.new_dynamic_axes or (BATCH_AXIS, Axis("whereNodeDynamicAxis"))

    def infer(self, *operands: TensorType) -> TensorType:
        (condition,) = operands
        need_condition(condition)
        return TensorType((), self._axes(), condition.dtype)

    def lower(self, *operands: TensorType) -> RunKernel:
        axes, target = operands[0].dynamic_axes, self._axes()

        def compute(run: RunContext, flags: Tensor) -> Tensor:
            layout = run.layout(axes)
            rows, lengths = select_rows(flags, layout, "sequence.where")
            if len(target) > 1:
                register_layout(run, target, lengths)
            elif any(n != 1 for n in lengths):
                raise FeedError(
                    f"one frame of each sequence was expected, and {lengths[:8]} were found; is a "
                    f"sequence too short?"
                )
            return layout.positions[rows].to(flags.dtype)

        return RunKernel(compute)


@primitive(PrimitiveOp.PackedIndex)
@dataclass(frozen=True)
class PackedIndex(Op):
    """Row numbers of positions within sequences, in the packed tensor of the sequence operand."""

    operand_counts = (2,)
    sparse_operands = (0,)
    reach = Reach.WHOLE

    def infer(self, *operands: TensorType) -> TensorType:
        need_sequence(operands[0])
        # Row numbers must stay whole: 32 bits would lose those beyond 2**24.
        return TensorType((), operands[1].dynamic_axes, np.dtype(np.float64))

    def lower(self, *operands: TensorType) -> RunKernel:
        source, target = (t.dynamic_axes for t in operands)

        def compute(run: RunContext, x: Any, positions: Tensor) -> Tensor:
            count = run.layout(source).count
            numbers = (
                torch.arange(count, device=positions.device)
                if len(target) < 2
                else run.layout(target).segments
            )
            return frame_rows(
                run, source, target, numbers, positions.reshape(-1).to(torch.int64)
            ).to(torch.float64)

        return RunKernel(compute)


@primitive(PrimitiveOp.GatherPacked)
@dataclass(frozen=True)
class GatherPacked(Op):
    """Gather: the rows of the operand that a packed index names."""

    operand_counts = (2,)
    sparse_operands = (0,)
    allows_mixed_dtypes = True
    reach = Reach.WHOLE

    def infer(self, *operands: TensorType) -> TensorType:
        x, index = operands
        need_sequence(x)
        if index.rank and index.has_shape:
            raise GraphError(
                f"the index must be a number for each frame, got {shape_text(index.shape)}"
            )
        return x.with_axes(index.dynamic_axes)

    def lower(self, *operands: TensorType) -> Kernel:
        def compute(x: Any, index: Tensor) -> Any:
            rows = index.to(torch.int64)
            return x.select(rows) if isinstance(x, SparseRows) else x.index_select(0, rows)

        return compute


@primitive(PrimitiveOp.ScatterPacked)
@dataclass(frozen=True)
class ScatterPacked(Op):
    """Scatter: rows written where a packed index says, on the axes of a condition. Rows of the same
    index are added.
    """

    operand_counts = (3,)
    sparse_operands = (2,)
    allows_mixed_dtypes = True
    reach = Reach.WHOLE

    def infer(self, *operands: TensorType) -> TensorType:
        x, _, condition = operands
        need_sequence(condition)
        return x.dense().with_axes(condition.dynamic_axes)

    def lower(self, *operands: TensorType) -> RunKernel:
        axes = operands[2].dynamic_axes

        def compute(run: RunContext, x: Tensor, index: Tensor, condition: Any) -> Tensor:
            if index.shape[0] != x.shape[0]:
                raise FeedError(f"{x.shape[0]} frames are to be put at {index.shape[0]} positions")
            return x.new_zeros((run.layout(axes).frames, *x.shape[1:])).index_add(
                0, index.to(torch.int64), x
            )

        return RunKernel(compute)
