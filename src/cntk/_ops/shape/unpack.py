"""Conversion of sequence and batch axes to static axes, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from cntk._arguments import as_bool, as_number, as_string
from cntk._graph.composite import Composite
from cntk._graph.op import DiskKind, Kernel, Op, PrimitiveOp, Reach, RunKernel, primitive
from cntk._graph.types import BATCH_AXIS, FreeDimension, TensorType, axis_text
from cntk._graph.variable import Variable
from cntk._ops.shape.packed import Axes, need_sequence, origin, register_layout
from cntk._ops.support.operands import apply
from cntk._runtime.context import RunContext
from cntk._runtime.layout.layout import Layout
from cntk._runtime.sparse import SparseRows
from cntk.axis import Axis
from cntk.errors import FeedError, GraphError
from cntk.typing import Operand

__all__ = ["to_batch", "to_sequence", "to_sequence_like", "unpack_batch"]


@primitive(PrimitiveOp.UnpackSequence)
@dataclass(frozen=True)
class UnpackSequence(Op):
    """The sequence axis as a static one, as long as the longest sequence, and a mask of its frames.

    Attributes:
        sequence_unpack_padding_value: what stands behind shorter sequences.
        sequence_unpack_suppress_mask_output: whether the second output is left out.
    """

    operand_counts = (1,)
    filling = ("sequence_unpack_padding_value",)
    op_name = "UnpackSequenceOp"
    shape_polymorphic = True

    sequence_unpack_padding_value: float = 0.0
    sequence_unpack_suppress_mask_output: bool = False
    reach = Reach.WHOLE

    @property
    def output_count(self) -> int:
        return 1 if self.sequence_unpack_suppress_mask_output else 2

    def output_name(self, index: int, name: str) -> str:
        return f"{name}_UnpackSequenceMask" if name and index else name

    def infer(self, *operands: TensorType) -> tuple[TensorType, ...]:
        (x,) = operands
        need_sequence(x)
        batch = x.dynamic_axes[:1]
        values = TensorType((FreeDimension, *x.shape), batch, x.dtype)
        return (values, values.with_shape((FreeDimension,)))[: self.output_count]

    def lower(self, *operands: TensorType) -> RunKernel:
        axes, padding = operands[0].dynamic_axes, self.sequence_unpack_padding_value
        if self.sequence_unpack_suppress_mask_output:
            return RunKernel(lambda run, x: run.layout(axes).pad(x, padding))

        def compute(run: RunContext, x: Tensor) -> tuple[Tensor, Tensor]:
            layout = run.layout(axes)
            return layout.pad(x, padding), layout.mask().to(x.dtype)

        return RunKernel(compute)


def _need_batch(x: TensorType, op_name: str) -> None:
    """Refuse an operand that has no batch axis, or a sequence axis already, or no static axis.

    Raises:
        GraphError: for such an operand.
    """
    if not x.dynamic_axes:
        raise GraphError(
            f"{op_name}: the operand must have a batch axis; cntk.to_batch makes one of its first "
            f"axis"
        )
    if x.is_sequence:
        raise GraphError(
            f"{op_name}: the operand must have a batch axis alone, and it is a sequence already"
        )
    if not x.rank:
        raise GraphError(
            f"{op_name}: the operand is a number and has no axis to make a sequence of; give it "
            f"one with cntk.expand_dims"
        )


@primitive(PrimitiveOp.ToSequence)
@dataclass(frozen=True)
class ToSequence(Op):
    """The first static axis as a new sequence axis: whole, or as long as a second operand says.

    Attributes:
        sequence_axis: what the new axis's name begins with.
        new_dynamic_axes: the result's dynamic axes, once the operand is known.
    """

    operand_counts = (1, 2)
    op_name = "ToSequenceOp"
    disk_kinds = {"new_dynamic_axes": DiskKind.DynamicAxes}
    allows_mixed_dtypes = True
    sparse_operands = (0,)

    sequence_axis: str
    new_dynamic_axes: Axes | None = None

    def bind_axis_names(self, operands: Sequence[Variable]) -> ToSequence:
        if self.new_dynamic_axes is not None:
            return self
        return replace(
            self,
            new_dynamic_axes=(BATCH_AXIS, Axis(f"{self.sequence_axis}{origin(operands[0]).uid}")),
        )

    def _axes(self) -> Axes:
        return self.new_dynamic_axes or (BATCH_AXIS, Axis(self.sequence_axis))

    def infer(self, *operands: TensorType) -> TensorType:
        x = operands[0]
        _need_batch(x, "to_sequence")
        for lengths in operands[1:]:
            if lengths.shape not in ((), (1,)):
                raise GraphError("the sequence lengths must be one number for each sequence")
            if lengths.dynamic_axes != x.dynamic_axes:
                raise GraphError(
                    "the sequence lengths must have the operand's batch axis, and no other"
                )
        return replace(x, shape=x.shape[1:], dynamic_axes=self._axes())

    def lower(self, *operands: TensorType) -> RunKernel:
        axes, extent = self._axes(), operands[0].shape[0]

        def compute(run: RunContext, x: Any, lengths: Tensor | None = None) -> Any:
            frames = [extent] * x.shape[0] if lengths is None else _as_lengths(lengths, extent)
            layout = register_layout(run, axes, frames)
            if isinstance(x, SparseRows):
                return x.split(extent).select(layout.segments * extent + layout.positions)
            return layout.unpad(x)

        return RunKernel(compute)


def _as_lengths(lengths: Tensor, extent: int) -> list[int]:
    result: list[int] = lengths.reshape(-1).to(torch.int64).tolist()
    wrong = [n for n in result if not 0 < n <= extent]
    if wrong:
        raise FeedError(
            f"to_sequence: a sequence length is {wrong[0]}; the axis has {extent} elements, and a "
            f"sequence must have at least one frame"
        )
    return result


@primitive(PrimitiveOp.ToSequenceLike)
@dataclass(frozen=True)
class ToSequenceLike(Op):
    """The first static axis as the sequence axis of the second operand, with the same lengths."""

    operand_counts = (2,)
    op_name = "ToSequenceLikeOp"
    shape_polymorphic = True
    sparse_operands = (1,)
    allows_mixed_dtypes = True

    def infer(self, *operands: TensorType) -> TensorType:
        x, like = operands
        _need_batch(x, "to_sequence_like")
        need_sequence(like)
        return TensorType(x.shape[1:], like.dynamic_axes, x.dtype)

    def lower(self, *operands: TensorType) -> RunKernel:
        axes = operands[1].dynamic_axes

        def compute(run: RunContext, x: Tensor, like: Any) -> Tensor:
            layout = run.layout(axes)
            _check_fits(x, layout, axes[-1])
            return layout.unpad(x)

        return RunKernel(compute)


def _check_fits(x: Tensor, layout: Layout, axis: Axis) -> None:
    if x.shape[0] != layout.count or x.shape[1] < layout.longest:
        raise FeedError(
            f"to_sequence_like: {x.shape[0]} times {x.shape[1]} elements are to become "
            f"{layout.count} sequences of up to {layout.longest} frames on the axis "
            f"{axis_text(axis)}"
        )


@primitive(PrimitiveOp.ToBatch)
@dataclass(frozen=True)
class ToBatch(Op):
    """The first static axis as the batch axis."""

    operand_counts = (1,)
    changes_batch_size = True
    op_name = "ToBatchAxis"
    shape_polymorphic = True

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        if x.dynamic_axes:
            raise GraphError("to_batch: the operand has dynamic axes already; it must have none")
        if not x.rank:
            raise GraphError("to_batch: the operand is a number and has no axis to make a batch of")
        return TensorType(x.shape[1:], (BATCH_AXIS,), x.dtype)

    def lower(self, *operands: TensorType) -> RunKernel:
        def compute(run: RunContext, x: Tensor) -> Tensor:
            # Where data have a batch axis as well this one may be another, as long as the two do
            # not meet.
            run.batch = run.batch or x.shape[0]
            run.several_batches |= run.batch != x.shape[0]
            return x

        return RunKernel(compute)


@primitive(PrimitiveOp.UnpackBatch)
@dataclass(frozen=True)
class UnpackBatch(Op):
    """The batch axis as a static one, the first."""

    operand_counts = (1,)
    changes_batch_size = True
    op_name = "UnpackBatchAxis"
    shape_polymorphic = True

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        if x.is_sequence:
            raise GraphError("unpack_batch: the operand is a sequence; use sequence.unpack first")
        if not x.dynamic_axes:
            raise GraphError("unpack_batch: the operand has no batch axis")
        return TensorType((FreeDimension, *x.shape), (), x.dtype)

    def lower(self, *operands: TensorType) -> Kernel:
        return lambda x: x


def unpack(x: Any, padding_value: float, no_mask_output: bool = False, name: str = "") -> Composite:
    """Convert the sequence axis to a static axis, the first, padded to the longest sequence of the
    minibatch.

    Args:
        x: a sequence.
        padding_value: what stands behind the frames of shorter sequences.
        no_mask_output: whether to leave out the second output.
        name: its name in the graph.

    Returns:
        A function with one or two outputs on the batch axis alone: the values, with a free axis
        before those of ``x``; and the mask, 1 where there is a frame and 0 behind it. It costs no
        copy where all sequences are equally long.

    Raises:
        GraphError: if ``x`` is no sequence.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(())
        >>> unpacked = C.sequence.unpack(x, padding_value=-1)
        >>> values, mask = unpacked.outputs
        >>> results = unpacked.eval({x: [[5, 6], [7]]})
        >>> results[values]
        array([[ 5.,  6.],
               [ 7., -1.]], dtype=float32)
        >>> results[mask]
        array([[1., 1.],
               [1., 0.]], dtype=float32)
    """
    padding = as_number(padding_value, "sequence.unpack: padding_value")
    return apply(
        UnpackSequence(padding, as_bool(no_mask_output, "sequence.unpack: no_mask_output")),
        (x,),
        name,
    )


def to_sequence(
    x: Operand,
    sequence_lengths: Any = None,
    sequence_axis_name_prefix: str = "toSequence_",
    name: str = "",
) -> Composite:
    """Convert the first static axis to a new sequence axis.

    Args:
        x: an operand with a batch axis alone, ``[frames, *shape]``.
        sequence_lengths: a number for each sequence, with the same batch axis: how many of its
            frames to take. All of them if not given.
        sequence_axis_name_prefix: what the new axis's name begins with.
        name: its name in the graph.

    Returns:
        A function of shape ``[*shape]`` on the batch axis and a new sequence axis.

    Raises:
        GraphError: if ``x`` has no batch axis, a sequence axis, or no static axis; for other
            ``sequence_lengths``.

    Example:
        >>> import cntk as C
        >>> x, n = C.input_variable((3, 1)), C.input_variable(())
        >>> C.to_sequence(x, n).eval({x: [[[1], [2], [3]], [[4], [5], [6]]], n: [2, 3]})
        [array([[1.],
               [2.]], dtype=float32), array([[4.],
               [5.],
               [6.]], dtype=float32)]
    """
    operands = (x,) if sequence_lengths is None else (x, sequence_lengths)
    return apply(
        ToSequence(as_string(sequence_axis_name_prefix, "to_sequence: sequence_axis_name_prefix")),
        operands,
        name,
    )


def to_sequence_like(x: Operand, dynamic_axes_like: Any, name: str = "") -> Composite:
    """Convert the first static axis to the sequence axis of another operand; undoes
    `sequence.unpack`.

    Args:
        x: an operand with a batch axis alone, ``[frames, *shape]``.
        dynamic_axes_like: a sequence; the result's sequences are on its axis and have its lengths.
            The first axis of ``x`` must be as long as the longest of them at least.
        name: its name in the graph.

    Raises:
        GraphError: if ``x`` has no batch axis, a sequence axis, or no static axis; if
            ``dynamic_axes_like`` is no sequence.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(())
        >>> total = C.reduce_sum(C.sequence.unpack(x, 0, True), axis=0)
        >>> share = C.sequence.unpack(x, 0, True) / total
        >>> C.to_sequence_like(share, x).eval({x: [[1, 3], [5]]})
        [array([0.25, 0.75], dtype=float32), array([1.], dtype=float32)]
    """
    return apply(ToSequenceLike(), (x, dynamic_axes_like), name)


def to_batch(x: Operand, name: str = "") -> Composite:
    """Convert the first static axis to the batch axis, at no cost.

    Args:
        x: an operand without dynamic axes, such as a parameter.
        name: its name in the graph.

    Raises:
        GraphError: if ``x`` has dynamic axes, or no static axis.

    Example:
        >>> import cntk as C
        >>> C.to_batch(C.constant([[1, 2], [3, 4], [5, 6]])).output
        Output('ToBatchAxis..._Output_0', [#], [2])
    """
    return apply(ToBatch(), (x,), name)


def unpack_batch(x: Operand, name: str = "") -> Composite:
    """Convert the batch axis to a static axis, the first, at no cost.

    Args:
        x: an operand with a batch axis alone.
        name: its name in the graph.

    Raises:
        GraphError: if ``x`` has no batch axis, or a sequence axis.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable(2)
        >>> C.unpack_batch(x).shape
        (-3, 2)
    """
    return apply(UnpackBatch(), (x,), name)
