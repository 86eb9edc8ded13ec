"""Public operations along sequences: first and last frames, slices, reductions, selections."""

from __future__ import annotations

from typing import Any

import numpy as np

from cntk._arguments import as_integer, shown
from cntk._graph.composite import Composite
from cntk._graph.variable import Variable
from cntk._ops.sequence.parts import IsEnd, SequenceGather, SequenceScatter, SequenceSlice
from cntk._ops.sequence.reduction import SequenceReduce, SequenceSoftmax
from cntk._ops.shape.packed import Where
from cntk._ops.support.composite_op import Fused, compose_fused
from cntk._ops.support.operands import apply
from cntk._ops.support.structure import combine, input_variable as _input_variable
from cntk.axis import Axis
from cntk.default_options import default_override_or
from cntk.errors import ArgumentError
from cntk.typing import DTypeLike, Operand, ShapeLike

__all__ = [
    "first",
    "gather",
    "input",
    "input_variable",
    "is_first",
    "is_last",
    "last",
    "reduce_max",
    "reduce_sum",
    "scatter",
    "slice",
    "softmax",
    "where",
]


def input_variable(
    shape: ShapeLike,
    dtype: DTypeLike = default_override_or(np.float32),
    needs_gradient: bool = False,
    is_sparse: bool = False,
    sequence_axis: Axis = Axis.default_dynamic_axis(),
    name: str = "",
) -> Variable:
    """Create a variable whose data are sequences.

    Args:
        shape: one frame's shape.
        dtype: float32, float64, float16 or bfloat16.
        needs_gradient: whether gradients with respect to it will be asked for.
        is_sparse: whether its data are sparse.
        sequence_axis: its sequence axis; inputs whose sequences differ in length need axes of their
            own.
        name: its name in the graph.

    Example:
        >>> input_variable(3, name="words")
        Input('words', [#, *], [3])
    """
    if not isinstance(sequence_axis, (Axis, str)):
        raise ArgumentError(
            f"sequence.input_variable: sequence_axis: expected an axis, such as Axis('words') or "
            f"Axis.default_dynamic_axis(), got {shown(sequence_axis)}"
        )
    axes = (Axis.default_batch_axis(), sequence_axis)
    return _input_variable(shape, dtype, needs_gradient, is_sparse, axes, name)


def input(
    shape: ShapeLike,
    dtype: DTypeLike = default_override_or(np.float32),
    needs_gradient: bool = False,
    is_sparse: bool = False,
    sequence_axis: Axis = Axis.default_dynamic_axis(),
    name: str = "",
) -> Variable:
    """Create an input of sequences; the former name of `sequence.input_variable`."""
    return input_variable(shape, dtype, needs_gradient, is_sparse, sequence_axis, name)


def first(seq: Operand, name: str = "") -> Composite:
    """Return each sequence's first frame.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> C.sequence.first(x).eval({x: [[[1], [2]], [[3]]]})
        array([[1.],
               [3.]], dtype=float32)
    """
    return _over(SequenceSlice(0, 1), (seq,), name)


def last(seq: Operand, name: str = "") -> Composite:
    """Return each sequence's last frame.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> C.sequence.last(x).eval({x: [[[1], [2]], [[3]]]})
        array([[2.],
               [3.]], dtype=float32)
    """
    return _over(SequenceSlice(-1, 0), (seq,), name)


def slice(seq: Operand, begin_index: int, end_index: int, name: str = "") -> Composite:
    """Slice each sequence: its frames from one position to before another.

    Args:
        seq: a sequence.
        begin_index: the first frame; negative ones count from past the last.
        end_index: the frame after the last one; 0 for the end.
        name: its name in the graph.

    Returns:
        A function on a sequence axis that all slices of the same length share; on the batch axis
        alone for a single frame.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> C.sequence.slice(x, 1, 3).eval({x: [[[1], [2], [3]]]})[0].ravel()
        array([2., 3.], dtype=float32)
    """
    if begin_index == 0 and end_index == 0:
        return combine(seq)
    begin = as_integer(begin_index, "sequence.slice: begin_index")
    return _over(
        SequenceSlice(begin, as_integer(end_index, "sequence.slice: end_index")), (seq,), name
    )


def reduce_sum(seq: Operand, name: str = "") -> Composite:
    """Sum over each sequence's frames.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> C.sequence.reduce_sum(x).eval({x: [[[1], [2]], [[3]]]})
        array([[3.],
               [3.]], dtype=float32)
    """
    return _over(SequenceReduce("Sum"), (seq,), name)


def reduce_max(seq: Operand, name: str = "") -> Composite:
    """Compute the maximum over each sequence's frames, element by element.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> C.sequence.reduce_max(x).eval({x: [[[1], [2]], [[3]]]})
        array([[2.],
               [3.]], dtype=float32)
    """
    return _over(SequenceReduce("Max"), (seq,), name)


def softmax(seq: Operand, name: str = "") -> Composite:
    """Compute the softmax over each sequence's frames, element by element.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> C.sequence.softmax(x).eval({x: [[[0], [0]]]})[0].ravel()
        array([0.5, 0.5], dtype=float32)
    """
    return _over(SequenceSoftmax(), (seq,), name)


def is_first(seq: Operand, name: str = "") -> Composite:
    """Return 1 at each sequence's first frame, 0 elsewhere.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> C.sequence.is_first(x).eval({x: [[[5], [6]]]})
        [array([1., 0.], dtype=float32)]
    """
    return _over(IsEnd(False), (seq,), name)


def is_last(seq: Operand, name: str = "") -> Composite:
    """Return 1 at each sequence's last frame, 0 elsewhere.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> C.sequence.is_last(x).eval({x: [[[5], [6]]]})
        [array([0., 1.], dtype=float32)]
    """
    return _over(IsEnd(True), (seq,), name)


def _over(op: Fused, operands: tuple[Any, ...], name: str) -> Composite:
    return compose_fused(op.op_name, op, operands, name, aligned=False)


def _length(typeinfo: Any, op_name: str) -> dict[str, Any]:
    """Return the factor and the addend that give the number of selected frames from the condition's
    length, where the program declares them.
    """
    if typeinfo is None:
        return {}
    try:
        factor, added = (int(number) for number in typeinfo)
    except (TypeError, ValueError):
        raise TypeError(
            f"{op_name}: expected a factor and a number to add as new_sequence_axis_typeinfo, got "
            f"{typeinfo!r}"
        ) from None
    return {"factor": factor, "added": added}


def where(condition: Operand, name: str = "") -> Composite:
    """Return the positions, from 0, of the frames that a condition selects: those where it is 1 and
    not 0.

    Other numbers add up along the sequence: after each frame, as many positions as the sum, rounded
    up, are to have been given, the frame's several times or not at all for that. 2 gives a frame
    twice, 0.5 throughout every other frame.

    Args:
        condition: a sequence of scalars.
        name: its name in the graph.

    Returns:
        A function on a sequence axis of its own. While it runs, an error is raised if a sequence
        would be empty.

    Example:
        >>> import cntk as C
        >>> c = C.sequence.input_variable(())
        >>> C.sequence.where(c).eval({c: [[0, 1, 1]]})
        [array([1., 2.], dtype=float32)]
        >>> C.sequence.where(c).eval({c: [[2, 0, 1]]})
        [array([0., 0., 2.], dtype=float32)]
    """
    return apply(Where(), (condition,), name)


def gather(
    seq: Operand, condition: Operand, new_sequence_axis_typeinfo: Any = None, name: str = ""
) -> Composite:
    """Gather the frames that a condition selects into sequences of their own; see `where`.

    Args:
        seq: a sequence.
        condition: a sequence of scalars on the same axis.
        new_sequence_axis_typeinfo: a factor and a number, where the result's length is the
            condition's times the factor plus the number: such results share an axis. (0, 1) is one
            frame of each sequence, on the batch axis alone.
        name: its name in the graph.

    Example:
        >>> import cntk as C
        >>> x, c = C.sequence.input_variable(1), C.sequence.input_variable(())
        >>> C.sequence.gather(x, c).eval({x: [[[5], [6], [7]]], c: [[1, 0, 1]]})[0].ravel()
        array([5., 7.], dtype=float32)
    """
    return _over(
        SequenceGather(**_length(new_sequence_axis_typeinfo, "sequence.gather")),
        (seq, condition),
        name,
    )


def scatter(
    seq: Operand, condition: Operand, new_sequence_axis_typeinfo: Any = None, name: str = ""
) -> Composite:
    """Scatter frames to where a condition selects, with zeros elsewhere; the opposite of `gather`.
    Frames of one position are added.

    Args:
        seq: a sequence with as many frames as the condition selects.
        condition: a sequence of scalars.
        new_sequence_axis_typeinfo: as for `gather`.
        name: its name in the graph.

    Example:
        >>> import cntk as C
        >>> x, c = (
        ...     C.sequence.input_variable(1, sequence_axis=C.Axis("a")),
        ...     C.sequence.input_variable(()),
        ... )
        >>> C.sequence.scatter(x, c).eval({x: [[[5], [7]]], c: [[1, 0, 1]]})[0].ravel()
        array([5., 0., 7.], dtype=float32)
    """
    return _over(
        SequenceScatter(**_length(new_sequence_axis_typeinfo, "sequence.scatter")),
        (seq, condition),
        name,
    )
