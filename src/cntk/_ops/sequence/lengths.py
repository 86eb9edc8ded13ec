"""Operations on sequences by position: length, position, mean, reversal, stride.

The original has none of these. Files hold them as graphs of its operations, so that it can read
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cntk._arguments import shown
from cntk._graph.composite import Composite
from cntk._graph.op import Reach, RunKernel
from cntk._graph.primitive import Primitive
from cntk._graph.types import DType, TensorType
from cntk._graph.variable import Variable
from cntk._ops.math.arithmetic import ElementTimes, Minus, Plus, element_divide
from cntk._ops.math.comparison import Equal
from cntk._ops.math.rounding import Floor
from cntk._ops.sequence.reduction import SequenceReduce
from cntk._ops.shape.packed import GatherPacked, PackedIndex, Where, need_sequence, register_layout
from cntk._ops.shape.reconcile import ReconcileDynamicAxis
from cntk._ops.support.composite_op import Fused, compose_fused, constants_of
from cntk._ops.support.operands import apply
from cntk._runtime.context import RunContext
from cntk._runtime.sparse import SparseRows
from cntk.axis import Axis
from cntk.errors import ArgumentError
from cntk.typing import Operand
from cntk.variables import Constant

__all__ = ["length", "position", "reduce_mean", "reverse", "stride"]


def as_torch_dtype(dtype: DType | None) -> torch.dtype:
    """Return the torch dtype of a NumPy dtype; float32 where it is not known."""
    return getattr(torch, (dtype or np.dtype(np.float32)).name)  # type: ignore[no-any-return]


def ones_on(x: Variable) -> Composite:
    """Return 1 for each frame of a sequence."""
    return apply(ReconcileDynamicAxis(), (Constant(1, dtype=x.type_.dtype), x))


def length_of(x: Variable) -> Composite:
    """Build the graph of a sequence's length, as files hold it."""
    return SequenceReduce("Sum").expand(ones_on(x).output)


def positions_of(x: Variable) -> Composite:
    """Build the graph of each frame's position in its sequence, as files hold it."""
    need_sequence(x.type_)
    return apply(Where(x.type_.dynamic_axes, 1, 0), (ones_on(x),))


def gather_frames(x: Variable, positions: Composite) -> Composite:
    """Build the graph that gathers the frames at some positions, as files hold it."""
    return apply(GatherPacked(), (x, apply(PackedIndex(), (x, positions))))


@dataclass(frozen=True)
class SequenceLength(Fused):
    """Number of frames of each sequence."""

    op_name = "Sequence::Length"
    reads_operands = True
    sparse_operands = (0,)
    shape_polymorphic = True
    reach = Reach.WHOLE

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        need_sequence(x)
        return TensorType((), x.dynamic_axes[:1], x.dtype)

    def lower(self, *operands: TensorType) -> RunKernel:
        axes, dtype = operands[0].dynamic_axes, as_torch_dtype(operands[0].dtype)
        return RunKernel(lambda run, x: run.layout(axes).lengths_tensor.to(dtype))

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        return length_of(operands[0])


@dataclass(frozen=True)
class SequencePosition(Fused):
    """Position of each frame in its sequence, from 0."""

    op_name = "Sequence::Position"
    reads_operands = True
    sparse_operands = (0,)
    shape_polymorphic = True
    reach = Reach.WHOLE

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        need_sequence(x)
        return TensorType((), x.dynamic_axes, x.dtype)

    def lower(self, *operands: TensorType) -> RunKernel:
        axes, dtype = operands[0].dynamic_axes, as_torch_dtype(operands[0].dtype)
        return RunKernel(lambda run, x: run.layout(axes).positions.to(dtype))

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        return positions_of(operands[0])


@dataclass(frozen=True)
class SequenceMean(Fused):
    """Mean over a sequence's frames."""

    op_name = "Sequence::Mean"
    reads_operands = True
    shape_polymorphic = True
    reach = Reach.WHOLE

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        need_sequence(x)
        return TensorType(x.shape, x.dynamic_axes[:1], x.dtype)

    def lower(self, *operands: TensorType) -> RunKernel:
        axes, ones = operands[0].dynamic_axes, (1,) * operands[0].rank

        def compute(run: RunContext, x: Tensor) -> Tensor:
            layout = run.layout(axes)
            if layout.uniform:
                return x.reshape(layout.count, layout.longest, *x.shape[1:]).mean(1)
            return layout.sum(x) / layout.lengths_tensor.to(x.dtype).reshape(-1, *ones)

        return RunKernel(compute)

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        (x,) = operands
        return element_divide(SequenceReduce("Sum").expand(x), length_of(x))


@dataclass(frozen=True)
class SequenceReverse(Fused):
    """Each sequence's frames in the opposite order."""

    op_name = "Sequence::Reverse"
    reads_operands = True
    sparse_operands = (0,)
    shape_polymorphic = True
    reach = Reach.WHOLE

    def infer(self, *operands: TensorType) -> TensorType:
        need_sequence(operands[0])
        return operands[0]

    def lower(self, *operands: TensorType) -> RunKernel:
        axes = operands[0].dynamic_axes

        def compute(run: RunContext, x: Any) -> Any:
            layout = run.layout(axes)
            return x.select(layout.reversal) if isinstance(x, SparseRows) else layout.reverse(x)

        return RunKernel(compute)

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        (x,) = operands
        last = apply(
            ReconcileDynamicAxis(),
            (apply(Minus(), (length_of(x), Constant(1, dtype=x.type_.dtype))), x),
        )
        return gather_frames(x, apply(Minus(), (last, positions_of(x))))


@dataclass(frozen=True)
class SequenceStride(Fused):
    """Every n-th frame, beginning with the first.

    Attributes:
        step: how many.
    """

    step: int

    op_name = "Sequence::Stride"
    reads_operands = True
    sparse_operands = (0,)
    shape_polymorphic = True
    reach = Reach.WHOLE

    def _where(self, x: TensorType) -> Where:
        need_sequence(x)
        batch, sequence = x.dynamic_axes
        return Where((batch, Axis(f"{sequence.name}_stride_{self.step}")))

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        return x.with_axes(self._where(x).new_dynamic_axes or ())

    def lower(self, *operands: TensorType) -> RunKernel:
        axes, target, step = operands[0].dynamic_axes, self.infer(*operands).dynamic_axes, self.step

        def compute(run: RunContext, x: Any) -> Any:
            layout = run.layout(axes)
            result = register_layout(run, target, [-(-n // step) for n in layout.lengths])
            rows = layout.first[result.segments] + step * result.positions
            return x.select(rows) if isinstance(x, SparseRows) else x.index_select(0, rows)

        return RunKernel(compute)

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        (x,) = operands
        share, half, step = (
            Constant(v, dtype=x.type_.dtype) for v in (1 / self.step, 0.5, self.step)
        )
        position = positions_of(x)
        # From the middle of a frame, so that no rounding of the share reaches the next
        # integer.
        turn = apply(Floor(), (apply(ElementTimes(), (apply(Plus(), (position, half)), share)),))
        condition = apply(Equal(), (position, apply(ElementTimes(), (turn, step))))
        return gather_frames(x, apply(self._where(x.type_), (condition,)))

    @classmethod
    def guesses(cls, inside: Sequence[Primitive]) -> Iterable[SequenceStride]:
        step = max(constants_of(inside, ElementTimes), default=0)
        return [cls(round(step))] if step >= 1 else []


def length(seq: Operand, name: str = "") -> Composite:
    """Return the number of frames of each sequence. An addition: the original has none.

    Args:
        seq: a sequence.
        name: its name in the graph.

    Returns:
        A function of scalars on the batch axis.

    Raises:
        GraphError: if ``seq`` is no sequence.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> C.sequence.length(x).eval({x: [[[5], [6], [7]], [[8]]]})
        array([3., 1.], dtype=float32)
    """
    return _over(SequenceLength(), seq, name)


def position(seq: Operand, name: str = "") -> Composite:
    """Return the position of each frame in its sequence, from 0. An addition: the original has
    none.

    Args:
        seq: a sequence.
        name: its name in the graph.

    Returns:
        A function of scalars on the same axes.

    Raises:
        GraphError: if ``seq`` is no sequence.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> C.sequence.position(x).eval({x: [[[5], [6], [7]]]})
        [array([0., 1., 2.], dtype=float32)]
    """
    return _over(SequencePosition(), seq, name)


def reduce_mean(seq: Operand, name: str = "") -> Composite:
    """Compute the mean over each sequence's frames, element by element. An addition: the original
    has none.

    Args:
        seq: a sequence.
        name: its name in the graph.

    Returns:
        A function of a frame's shape on the batch axis.

    Raises:
        GraphError: if ``seq`` is no sequence.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> C.sequence.reduce_mean(x).eval({x: [[[1], [2]], [[5]]]})
        array([[1.5],
               [5. ]], dtype=float32)
    """
    return _over(SequenceMean(), seq, name)


def reverse(seq: Operand, name: str = "") -> Composite:
    """Reverse the frames of each sequence. An addition: the original has none.

    Args:
        seq: a sequence.
        name: its name in the graph.

    Raises:
        GraphError: if ``seq`` is no sequence.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(())
        >>> C.sequence.reverse(x).eval({x: [[1, 2, 3], [4]]})
        [array([3., 2., 1.], dtype=float32), array([4.], dtype=float32)]
    """
    return _over(SequenceReverse(), seq, name)


def stride(seq: Operand, step: int, name: str = "") -> Composite:
    """Keep every ``step``-th frame of each sequence, beginning with the first. An addition: the
    original has none.

    Args:
        seq: a sequence.
        step: how many frames apart those are that stay, at least 1.
        name: its name in the graph.

    Returns:
        A function on a sequence axis that all operands of the same axis and step share. A sequence
        of n frames has n / step, rounded up.

    Raises:
        GraphError: if ``seq`` is no sequence, or ``step`` is less than 1.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(())
        >>> C.sequence.stride(x, 2).eval({x: [[1, 2, 3], [4]]})
        [array([1., 3.], dtype=float32), array([4.], dtype=float32)]
    """
    if not isinstance(step, Integral) or step < 1:
        raise ArgumentError(
            f"sequence.stride: the step must be an integer of at least 1, got {shown(step)}"
        )
    return _over(SequenceStride(int(step)), seq, name)


def _over(op: Fused, seq: Any, name: str) -> Composite:
    return compose_fused(op.op_name, op, (seq,), name, aligned=False)
