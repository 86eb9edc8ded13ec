"""Reshaping: the same elements in the same order under other static axes."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cntk._graph.composite import Composite
from cntk._graph.op import DiskKind, Kernel, Op, PrimitiveOp, primitive
from cntk._graph.positions import SAME_POSITIONS, Positions
from cntk._graph.primitive import Primitive
from cntk._graph.types import FreeDimension, InferredDimension, Shape, TensorType
from cntk._graph.variable import Variable, as_shape
from cntk._ops.support.axes import BEYOND_FIRST, as_axes, as_axis, as_static_axis, static_indices
from cntk._ops.support.composite_op import Fused, compose, compose_fused
from cntk._ops.support.operands import apply, as_operand
from cntk._wording import shape_text
from cntk.axis import Axis
from cntk.errors import GraphError
from cntk.typing import AxisLike, Operand, ShapeLike

__all__ = ["expand_dims", "flatten", "reshape", "squeeze"]


@primitive(PrimitiveOp.Reshape)
@dataclass(frozen=True)
class Reshape(Op):
    """Some static axes, next to each other, replaced by others.

    Positions count from the last axis, as in files: -1 is behind the last axis, -2 before it, and
    so on; from 0 on they count from the first axis: 0 is behind it.

    Attributes:
        new_shape: the new axes; one of them may be inferred.
        begin_axis: the position where the replaced axes end.
        end_axis: the position where they begin. As in files, whose axes run backwards, hence the
            names.
    """

    operand_counts = (1,)
    keeps_axes = True

    new_shape: Shape
    begin_axis: Axis = Axis(-1)
    end_axis: Axis = BEYOND_FIRST

    def span(self, rank: int) -> tuple[int, int]:
        """Return the range of static axes that are replaced: the first, and the one after the last.

        Raises:
            GraphError: if the operand does not have these.
        """
        start, stop = (
            _position(a.static_axis_index(), rank) for a in (self.end_axis, self.begin_axis)
        )
        if not 0 <= start <= stop <= rank:
            raise GraphError(
                f"the axes from {start} to {stop} are no part of an operand with {rank} axes, or "
                f"begin is past end; use positions from 0 to {rank}, the lower one first"
            )
        return start, stop

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        start, stop = self.span(x.rank)
        new = _filled(self.new_shape, x.shape[start:stop])
        return TensorType((*x.shape[:start], *new, *x.shape[stop:]), x.dynamic_axes, x.dtype)

    def positions(self, *operands: TensorType) -> tuple[Positions | None, ...]:
        (x,) = operands
        return (
            SAME_POSITIONS if x.rank > 1 and self.infer(x).shape[-2:] == x.shape[-2:] else None,
        )

    def lower(self, *operands: TensorType) -> Kernel:
        return reshape_kernel(operands[0], self.infer(*operands).shape)


def reshape_kernel(x: TensorType, shape: Shape) -> Kernel:
    """Return a kernel that reshapes an operand's static axes."""
    if x.lead:
        return lambda t: t.reshape(t.shape[0], *shape)
    return lambda t: t.reshape(shape)


def _position(index: int, rank: int) -> int:
    if index <= BEYOND_FIRST.static_axis_index():
        return 0
    return index + 1 if index >= 0 else rank + 1 + index


def _filled(new: Shape, old: Shape) -> Shape:
    """Fill in the inferred dimension of the new axes.

    Raises:
        GraphError: if the numbers of elements cannot agree.
    """
    open_places = [k for k, d in enumerate(new) if d < 0]
    if len(open_places) > 1:
        raise GraphError(
            f"the new shape {shape_text(new)} leaves more than one dimension open; at most one can "
            f"be inferred"
        )
    if any(d < 0 for d in old):
        unknown = FreeDimension if FreeDimension in old else InferredDimension
        return tuple(unknown if d < 0 else d for d in new)
    have, fixed = math.prod(old), math.prod(d for d in new if d >= 0)
    if (have != fixed) if not open_places else (not fixed or have % fixed):
        raise GraphError(
            f"the replaced axes {shape_text(old)} with {have} elements do not fit the new shape "
            f"{shape_text(new)}"
        )
    return tuple(have // fixed if d < 0 else d for d in new)


@primitive(PrimitiveOp.Squeeze)
@dataclass(frozen=True)
class Squeeze(Op):
    """The operand without axes of size 1.

    Attributes:
        axis_vec: which; all of them if None.
    """

    operand_counts = (1,)
    keeps_axes = True
    disk_kinds = {"axis_vec": DiskKind.GivenAxes}

    axis_vec: tuple[Axis, ...] | None = None

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        if self.axis_vec is None:
            return x.dense().with_shape(tuple(d for d in x.shape if d != 1))
        removed = static_indices(self.axis_vec, x) if self.axis_vec else ()
        longer = [k for k in removed if x.shape[k] > 1 or x.shape[k] == 0]
        if longer:
            raise GraphError(
                f"static axis {longer[0]} has {x.shape[longer[0]]} elements; only axes of one "
                f"element can be removed"
            )
        return x.dense().with_shape(tuple(d for k, d in enumerate(x.shape) if k not in removed))

    def lower(self, *operands: TensorType) -> Kernel:
        return reshape_kernel(operands[0], self.infer(*operands).shape)


@dataclass(frozen=True)
class Flatten(Fused):
    """The operand as a matrix: all axes before a position as one, and all from it on as another.

    Attributes:
        split: the position; negative ones count from behind the last axis, which is -1.
    """

    keeps_axes = True

    split: int

    op_name = "Flatten"
    reads_operands = True

    def _shape(self, x: TensorType) -> Shape:
        split = self.split if self.split >= 0 else x.rank + 1 + self.split
        if not 0 <= split <= x.rank:
            raise GraphError(
                f"cannot split at axis {self.split}: the operand has {x.rank} static axes"
            )
        return _whole(x.shape[:split]), _whole(x.shape[split:])

    def infer(self, *operands: TensorType) -> TensorType:
        return operands[0].dense().with_shape(self._shape(operands[0]))

    def lower(self, *operands: TensorType) -> Kernel:
        return reshape_kernel(operands[0], self._shape(operands[0]))

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        return apply(Reshape(self._shape(operands[0].type_)), operands, name)

    @classmethod
    def guesses(cls, inside: Sequence[Primitive]) -> Iterable[Flatten]:
        return ()  # what is inside runs as well


def _whole(shape: Shape) -> int:
    unknown = [d for d in shape if d < 0]
    return min(unknown) if unknown else math.prod(shape)


def reshape(
    x: Operand, shape: ShapeLike, begin_axis: Any = None, end_axis: Any = None, name: str = ""
) -> Composite:
    """Reshape an operand: the same elements in the same order under another static shape.

    Args:
        x: an operand.
        shape: the new dimensions; one of them may be `InferredDimension`.
        begin_axis: the first axis to replace; the first of all if None.
        end_axis: the axis before which to stop; behind the last if None. Where begin and end are
            the same, new axes are put in. Either may be ``Axis.new_leading_axis()``, which is
            behind the last axis.
        name: its name in the graph.

    Raises:
        GraphError: if the numbers of elements differ, or there are no such axes.

    Example:
        >>> reshape([[0, 1], [2, 3], [4, 5]], (2, 3)).eval()
        array([[0., 1., 2.],
               [3., 4., 5.]], dtype=float32)
        >>> from cntk._graph.types import InferredDimension
        >>> from cntk._ops.support.structure import input_variable
        >>> reshape(input_variable((2, 3, 4)), InferredDimension, 1).shape
        (2, 12)
    """
    begin = BEYOND_FIRST if begin_axis is None else _boundary(begin_axis)
    end = Axis(-1) if end_axis is None else _boundary(end_axis)
    return apply(Reshape(as_shape(shape, "reshape: shape"), end, begin), (x,), name)


def _boundary(axis: Any) -> Axis:
    """Convert an axis to the position that `Reshape` expects: before that axis, or after the last
    for ``Axis.new_leading_axis()``.
    """
    chosen = as_axis(axis, "reshape")
    if chosen == Axis.new_leading_axis():
        return Axis(-1)
    index = as_static_axis(chosen, "reshape").static_axis_index()
    return Axis(index - 1) if index else BEYOND_FIRST


def expand_dims(x: Operand, axis: AxisLike, name: str = "") -> Composite:
    """Insert an axis of size 1.

    Args:
        x: an operand of rank r.
        axis: where: -1 behind the last axis, -2 before it, down to -r - 1, before the first; from 0
            on, behind that axis (which is the original's way of counting, not NumPy's); or
            ``Axis.new_leading_axis()``.
        name: its name in the graph.

    Raises:
        GraphError: if there is no such axis.

    Example:
        >>> expand_dims([[0, 1], [2, 3], [4, 5]], -2).shape
        (3, 1, 2)
        >>> expand_dims([[0, 1], [2, 3], [4, 5]], 0).shape
        (3, 1, 2)
    """
    chosen = as_axis(axis, "expand_dims")
    if chosen == Axis.new_leading_axis():
        chosen = BEYOND_FIRST
    position = as_static_axis(chosen, "expand_dims")
    return compose(
        "ExpandDims", (x,), lambda z: apply(Reshape((1,), position, position), (z,)), name
    )


def squeeze(x: Operand, axes: Any = None, name: str = "") -> Composite:
    """Remove axes of size 1.

    Args:
        x: an operand.
        axes: which static axes to remove; all that have one element if None, none if it is empty.
        name: its name in the graph.

    Raises:
        GraphError: if one of them has more elements, or does not exist.

    Example:
        >>> squeeze([[[0, 1, 2]]]).shape
        (3,)
        >>> squeeze([[[0, 1, 2]]], 0).shape
        (1, 3)
    """
    chosen: tuple[Axis, ...] | None = None if axes is None else ()
    if axes is not None and axes not in ((), []):
        chosen = tuple(as_static_axis(a, "squeeze") for a in as_axes(axes, "squeeze"))
    return apply(Squeeze(chosen), (x,), name)


def flatten(x: Operand, axis: AxisLike | None = None, name: str = "") -> Composite:
    """Flatten the operand to a matrix.

    Args:
        x: an operand.
        axis: the axes before this one become the rows, those from it on the columns; None is 0, for
            one row. Negative ones count from behind the last axis, which is -1.
        name: its name in the graph.

    Raises:
        GraphError: if there is no such axis.

    Example:
        >>> from cntk._ops.support.structure import input_variable
        >>> flatten(input_variable((2, 3, 4))).shape, flatten(input_variable((2, 3, 4)), 1).shape
        ((1, 24), (2, 12))
    """
    split = 0 if axis is None else as_static_axis(axis, "flatten").static_axis_index()
    op, operand = Flatten(split), as_operand(x, op_name="flatten")
    if not operand.type_.has_shape or min(operand.shape, default=0) < 0:
        return compose_fused("Flatten", op, (operand,), name)
    # In files axes count from the last, and this is where the second part begins.
    begins = {"axis": Axis(-1 - (operand.type_.rank - split if split >= 0 else -1 - split))}
    return compose(
        "Flatten", (operand,), functools.partial(op.expand, name=name), name, True, begins, op
    )
