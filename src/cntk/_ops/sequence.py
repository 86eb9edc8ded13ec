"""Operations along sequences: their ends, parts, sums, and bringing values onto another's axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cntk._engine.layout import Layout
from cntk._engine.run import Run, SparseRows
from cntk._errors import FeedError, GraphError
from cntk._graph.function import Composite
from cntk._graph.op import Op, PrimitiveOp, RunKernel, primitive
from cntk._graph.types import TensorType
from cntk._graph.variable import Variable
from cntk._ops.operands import apply, as_operand
from cntk._ops.structure import input_variable as _input_variable
from cntk.axis import Axis
from cntk.default_options import default_override_or

__all__ = [
    "broadcast_as",
    "first",
    "gather",
    "input",
    "input_variable",
    "is_first",
    "is_last",
    "last",
    "reconcile_dynamic_axes",
    "reduce_max",
    "reduce_sum",
    "scatter",
    "slice",
    "softmax",
    "where",
]


class SequenceOp(Op):
    """An operation on one sequence operand."""

    def need_sequence(self, x: TensorType) -> None:
        """Refuse an operand without a sequence axis."""
        if not x.is_sequence:
            raise GraphError("expected an operand with a sequence axis; make its input with sequence.input_variable")


@dataclass(frozen=True)
class SequenceSlice(SequenceOp):
    """Frames from a begin to an end, counted from the sequence's first frame or, if negative, from past its last.

    Attributes:
        begin: the first frame.
        end: the frame after the last one; 0 for the sequence's end.
        axis: the result's sequence axis; none for a single frame.
    """

    begin: int
    end: int
    axis: Axis | None

    op_name = "Sequence::Slice"

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        self.need_sequence(x)
        batch = x.dynamic_axes[:1]
        return TensorType(x.shape, batch if self.axis is None else (*batch, self.axis), x.dtype)

    def lower(self, *operands: TensorType) -> RunKernel:
        axes, begin, end, axis = operands[0].dynamic_axes, self.begin, self.end, self.axis
        if axis is None and begin in (0, -1):
            take = Layout.take_first if begin == 0 else Layout.take_last
            return RunKernel(lambda run, x: take(run.layout(axes), x))

        def compute(run: Run, x: Tensor) -> Tensor:
            layout = run.layout(axes)
            spans = [_span(begin, end, n) for n in layout.lengths]
            if any(e <= b for b, e in spans):
                short = next(n for n, (b, e) in zip(layout.lengths, spans, strict=True) if e <= b)
                raise FeedError(f"sequence.slice [{begin}, {end}): a sequence of length {short} has no such frames")
            starts = torch.tensor([b for b, _ in spans], device=x.device)
            lengths = [e - b for b, e in spans]
            result = Layout(lengths, None, layout.device)
            if axis is not None:
                run.layouts[(*axes[:1], axis)] = result
            return x.index_select(0, (layout.first + starts)[result.segments] + result.positions)

        return RunKernel(compute)


def _span(begin: int, end: int, length: int) -> tuple[int, int]:
    first = begin if begin >= 0 else length + begin
    last = end if end > 0 else length + end
    return max(first, 0), min(last, length)


@dataclass(frozen=True)
class SequenceReduce(SequenceOp):
    """Sum, maximum or softmax over a sequence's frames."""

    reduction: str

    op_name = "Sequence::ReduceElements"

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        self.need_sequence(x)
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
class SequenceSoftmax(SequenceOp):
    """Softmax over a sequence's frames."""

    op_name = "Sequence::Softmax"

    def infer(self, *operands: TensorType) -> TensorType:
        self.need_sequence(operands[0])
        return operands[0].dense()

    def lower(self, *operands: TensorType) -> RunKernel:
        axes = operands[0].dynamic_axes

        def compute(run: Run, x: Tensor) -> Tensor:
            layout = run.layout(axes)
            shifted = (x - layout.expand(_maximum(layout, x).detach())).exp()
            return shifted / layout.expand(layout.sum(shifted))

        return RunKernel(compute)


@dataclass(frozen=True)
class IsEnd(SequenceOp):
    """1 at each sequence's first or last frame, 0 elsewhere."""

    last: bool

    @property
    def op_name(self) -> str:  # type: ignore[override]
        return "Sequence::IsLast" if self.last else "Sequence::IsFirst"

    def infer(self, *operands: TensorType) -> TensorType:
        self.need_sequence(operands[0])
        return TensorType((), operands[0].dynamic_axes, operands[0].dtype)

    sparse_operands = (0,)

    def lower(self, *operands: TensorType) -> RunKernel:
        axes = operands[0].dynamic_axes
        dtype = getattr(torch, (operands[0].dtype or np.dtype(np.float32)).name)

        def compute(run: Run, x: Any) -> Tensor:
            layout = run.layout(axes)
            flags = torch.zeros(layout.frames, dtype=dtype, device=layout.device)
            return flags.index_fill_(0, layout.last if self.last else layout.first, 1.0)

        return RunKernel(compute)


@primitive(PrimitiveOp.ReconcileDynamicAxis)
@dataclass(frozen=True)
class ReconcileDynamicAxis(Op):
    """The first operand on the dynamic axes of the second, repeated along sequences where it has none."""

    sparse_operands = (1,)

    def infer(self, *operands: TensorType) -> TensorType:
        return operands[0].dense().with_axes(operands[1].dynamic_axes)

    def lower(self, *operands: TensorType) -> RunKernel:
        x, like = operands
        axes = like.dynamic_axes

        def compute(run: Run, value: Tensor, other: Any) -> Tensor:
            if len(axes) > 1:
                layout = run.layout(axes)
                if len(x.dynamic_axes) > 1:
                    return _same_lengths(value, run.layout(x.dynamic_axes), layout)
                if x.dynamic_axes:
                    return layout.expand(value)
            rows = run.rows(axes)
            return value if x.dynamic_axes else value.expand(rows, *value.shape)

        return RunKernel(compute)


def _same_lengths(value: Tensor, own: Layout, wanted: Layout) -> Tensor:
    if own.lengths != wanted.lengths:
        raise FeedError(
            f"reconcile_dynamic_axes: sequences of lengths {list(own.lengths)[:8]} cannot be put on an axis with lengths "
            f"{list(wanted.lengths)[:8]}"
        )
    return value


@primitive(PrimitiveOp.Where)
@dataclass(frozen=True)
class Where(SequenceOp):
    """The positions of the frames at which a condition holds.

    Attributes:
        axis: the result's sequence axis.
    """

    axis: Axis

    def infer(self, *operands: TensorType) -> TensorType:
        (condition,) = operands
        self.need_sequence(condition)
        return TensorType((), (condition.dynamic_axes[0], self.axis), condition.dtype)

    def lower(self, *operands: TensorType) -> RunKernel:
        (condition,) = operands
        axes, target = condition.dynamic_axes, (condition.dynamic_axes[0], self.axis)

        def compute(run: Run, flags: Tensor) -> Tensor:
            layout = run.layout(axes)
            chosen = _chosen(flags)
            run.layouts[target] = _layout_of(chosen, layout)
            return layout.positions[chosen].to(flags.dtype)

        return RunKernel(compute)


def _chosen(flags: Tensor) -> Tensor:
    return torch.nonzero(flags.reshape(flags.shape[0], -1)[:, 0] != 0).flatten()


def _layout_of(chosen: Tensor, layout: Layout) -> Layout:
    lengths = torch.bincount(layout.segments[chosen], minlength=layout.count).tolist()
    return Layout(lengths, None, layout.device)


@dataclass(frozen=True)
class SequenceGather(SequenceOp):
    """The frames at which a condition holds."""

    axis: Axis

    op_name = "Sequence::Gather"
    sparse_operands = (0,)

    def infer(self, *operands: TensorType) -> TensorType:
        x, condition = operands
        self.need_sequence(condition)
        if x.dynamic_axes != condition.dynamic_axes:
            raise GraphError("the sequence and the condition must lie on the same dynamic axes")
        return x.with_axes((x.dynamic_axes[0], self.axis))

    def lower(self, *operands: TensorType) -> RunKernel:
        axes = operands[1].dynamic_axes
        target = (axes[0], self.axis)

        def compute(run: Run, x: Any, flags: Tensor) -> Any:
            chosen = _chosen(flags)
            run.layouts[target] = _layout_of(chosen, run.layout(axes))
            return x.select(chosen) if isinstance(x, SparseRows) else x.index_select(0, chosen)

        return RunKernel(compute)


@dataclass(frozen=True)
class SequenceScatter(SequenceOp):
    """Frames put where a condition holds; zeros elsewhere."""

    op_name = "Sequence::Scatter"

    def infer(self, *operands: TensorType) -> TensorType:
        x, condition = operands
        self.need_sequence(x)
        self.need_sequence(condition)
        return TensorType(x.shape, condition.dynamic_axes, x.dtype)

    def lower(self, *operands: TensorType) -> RunKernel:
        own, axes = operands[0].dynamic_axes, operands[1].dynamic_axes

        def compute(run: Run, x: Tensor, flags: Tensor) -> Tensor:
            chosen = _chosen(flags)
            if _layout_of(chosen, run.layout(axes)).lengths != run.layout(own).lengths:
                raise FeedError("sequence.scatter: the condition must hold at as many frames as each sequence has")
            return x.new_zeros((flags.shape[0], *x.shape[1:])).index_copy(0, chosen, x)

        return RunKernel(compute)


def input_variable(
    shape: Any,
    dtype: Any = default_override_or(np.float32),
    needs_gradient: bool = False,
    is_sparse: bool = False,
    sequence_axis: Axis = Axis.default_dynamic_axis(),
    name: str = "",
) -> Variable:
    """A variable for which sequences are fed.

    Args:
        shape: one frame's shape.
        dtype: float32, float64 or float16.
        needs_gradient: whether gradients with respect to it will be asked for.
        is_sparse: whether its data are sparse.
        sequence_axis: its sequence axis; inputs whose sequences differ in length need axes of their own.
        name: its name in the graph.

    Example:
        >>> input_variable(3, name='words')
        Input('words', [#, *], [3])
    """
    axes = (Axis.default_batch_axis(), sequence_axis)
    return _input_variable(shape, dtype, needs_gradient, is_sparse, axes, name)


def input(
    shape: Any,
    dtype: Any = default_override_or(np.float32),
    needs_gradient: bool = False,
    is_sparse: bool = False,
    sequence_axis: Axis = Axis.default_dynamic_axis(),
    name: str = "",
) -> Variable:
    """The former name of `sequence.input_variable`."""
    return input_variable(shape, dtype, needs_gradient, is_sparse, sequence_axis, name)


def first(seq: Any, name: str = "") -> Composite:
    """Each sequence's first frame.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> C.sequence.first(x).eval({x: [[[1], [2]], [[3]]]})
        array([[1.],
               [3.]], dtype=float32)
    """
    return apply(SequenceSlice(0, 1, None), (seq,), name)


def last(seq: Any, name: str = "") -> Composite:
    """Each sequence's last frame.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> C.sequence.last(x).eval({x: [[[1], [2]], [[3]]]})
        array([[2.],
               [3.]], dtype=float32)
    """
    return apply(SequenceSlice(-1, 0, None), (seq,), name)


def slice(seq: Any, begin_index: int, end_index: int, name: str = "") -> Composite:
    """Each sequence's frames from one position to before another.

    Args:
        seq: a sequence.
        begin_index: the first frame; negative ones count from past the last.
        end_index: the frame after the last one; 0 for the end.
        name: its name in the graph.

    Returns:
        A function on a sequence axis of its own; on the batch axis alone for a single frame.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> C.sequence.slice(x, 1, 3).eval({x: [[[1], [2], [3]]]})[0].ravel()
        array([2., 3.], dtype=float32)
    """
    single = begin_index + 1 == end_index
    operand = as_operand(seq, op_name="sequence.slice")
    if begin_index == 0 and end_index == 0:
        from cntk._ops.structure import alias

        return alias(operand, name)
    prefix = operand.dynamic_axes[-1].name if operand.type_.is_sequence else "sequence"
    axis = None if single else Axis.new_unique_dynamic_axis(f"{prefix}_fixedSliceOf_")
    return apply(SequenceSlice(int(begin_index), int(end_index), axis), (operand,), name)


def reduce_sum(seq: Any, name: str = "") -> Composite:
    """Sum over each sequence's frames.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> C.sequence.reduce_sum(x).eval({x: [[[1], [2]], [[3]]]})
        array([[3.],
               [3.]], dtype=float32)
    """
    return apply(SequenceReduce("Sum"), (seq,), name)


def reduce_max(seq: Any, name: str = "") -> Composite:
    """Maximum over each sequence's frames, element by element.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> C.sequence.reduce_max(x).eval({x: [[[1], [2]], [[3]]]})
        array([[2.],
               [3.]], dtype=float32)
    """
    return apply(SequenceReduce("Max"), (seq,), name)


def softmax(seq: Any, name: str = "") -> Composite:
    """Softmax over each sequence's frames, element by element.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> C.sequence.softmax(x).eval({x: [[[0], [0]]]})[0].ravel()
        array([0.5, 0.5], dtype=float32)
    """
    return apply(SequenceSoftmax(), (seq,), name)


def is_first(seq: Any, name: str = "") -> Composite:
    """1 at each sequence's first frame, 0 elsewhere.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> C.sequence.is_first(x).eval({x: [[[5], [6]]]})
        [array([1., 0.], dtype=float32)]
    """
    return apply(IsEnd(False), (seq,), name)


def is_last(seq: Any, name: str = "") -> Composite:
    """1 at each sequence's last frame, 0 elsewhere.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> C.sequence.is_last(x).eval({x: [[[5], [6]]]})
        [array([0., 1.], dtype=float32)]
    """
    return apply(IsEnd(True), (seq,), name)


def _selected_axis(condition: Variable) -> Axis:
    """The axis of the frames that a condition selects: the same for the same condition."""
    return Axis(f"whereNodeDynamicAxis_conditionVar_{condition.uid}")


def where(condition: Any, name: str = "") -> Composite:
    """The positions, from 0, of the frames at which a condition is not 0.

    Example:
        >>> import cntk as C
        >>> c = C.sequence.input_variable(())
        >>> C.sequence.where(c).eval({c: [[0, 1, 1]]})
        [array([1., 2.], dtype=float32)]
    """
    operand = as_operand(condition, op_name="sequence.where")
    return apply(Where(_selected_axis(operand)), (operand,), name)


def gather(seq: Any, condition: Any, new_sequence_axis_typeinfo: Any = None, name: str = "") -> Composite:
    """The frames at which a condition is not 0, as a sequence of their own.

    Args:
        seq: a sequence.
        condition: a sequence of single numbers on the same axis.
        new_sequence_axis_typeinfo: accepted for old programs.
        name: its name in the graph.

    Example:
        >>> import cntk as C
        >>> x, c = C.sequence.input_variable(1), C.sequence.input_variable(())
        >>> C.sequence.gather(x, c).eval({x: [[[5], [6], [7]]], c: [[1, 0, 1]]})[0].ravel()
        array([5., 7.], dtype=float32)
    """
    operand = as_operand(condition, op_name="sequence.gather")
    return apply(SequenceGather(_selected_axis(operand)), (seq, operand), name)


def scatter(seq: Any, condition: Any, new_sequence_axis_typeinfo: Any = None, name: str = "") -> Composite:
    """The opposite of `gather`: frames go where a condition is not 0, zeros elsewhere.

    Args:
        seq: a sequence with as many frames as the condition holds at.
        condition: a sequence of single numbers.
        new_sequence_axis_typeinfo: accepted for old programs.
        name: its name in the graph.

    Example:
        >>> import cntk as C
        >>> x, c = C.sequence.input_variable(1, sequence_axis=C.Axis('a')), C.sequence.input_variable(())
        >>> C.sequence.scatter(x, c).eval({x: [[[5], [7]]], c: [[1, 0, 1]]})[0].ravel()
        array([5., 0., 7.], dtype=float32)
    """
    return apply(SequenceScatter(), (seq, condition), name)


def broadcast_as(operand: Any, broadcast_as_operand: Any, name: str = "") -> Composite:
    """A value for each sequence, repeated for each frame of another's sequences.

    Args:
        operand: a value on the batch axis.
        broadcast_as_operand: whose dynamic axes the result has.
        name: its name in the graph.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> C.sequence.broadcast_as(C.sequence.last(x), x).eval({x: [[[5], [6]]]})[0].ravel()
        array([6., 6.], dtype=float32)
    """
    return apply(ReconcileDynamicAxis(), (operand, broadcast_as_operand), name)


def reconcile_dynamic_axes(x: Any, dynamic_axes_as: Any, name: str = "") -> Composite:
    """A value on the dynamic axes of another, which must have the same number of sequences of the same lengths.

    Args:
        x: any operand.
        dynamic_axes_as: whose dynamic axes the result has.
        name: its name in the graph.

    Example:
        >>> import cntk as C
        >>> x, y = C.input_variable(1), C.sequence.input_variable(1)
        >>> C.reconcile_dynamic_axes(x, y).eval({x: [[5]], y: [[[1], [2]]]})[0].ravel()
        array([5., 5.], dtype=float32)
    """
    return apply(ReconcileDynamicAxis(), (x, dynamic_axes_as), name)
