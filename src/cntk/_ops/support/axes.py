"""Conversion of axis arguments: `Axis` objects, integers, lists of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any

from cntk._arguments import shown
from cntk._graph.types import TensorType
from cntk._ops.support.broadcasting import static_axis
from cntk.axis import Axis
from cntk.errors import ArgumentError, GraphError

# Past the first axis, whatever the rank: what files hold where an operand's rank was not known.
BEYOND_FIRST = Axis(-(2**31) + 3)
ALL_STATIC, ALL = Axis.all_static_axes().name, Axis.all_axes().name


def as_axis(axis: Any, op_name: str) -> Axis:
    """Convert an index or an `Axis` to an `Axis`.

    Raises:
        ArgumentError: for anything else.
    """
    if isinstance(axis, Axis):
        return axis
    if isinstance(axis, Integral) and not isinstance(axis, bool):
        return Axis(int(axis))
    raise ArgumentError(f"{op_name}: expected an axis, an integer or an Axis, got {shown(axis)}")


def as_axes(axis: Any, op_name: str) -> tuple[Axis, ...]:
    """Convert one axis or a list of axes to a tuple of `Axis`.

    Raises:
        ArgumentError: for anything that is no axis.
        GraphError: if there is none.
    """
    axes = (
        tuple(as_axis(a, op_name) for a in axis)
        if isinstance(axis, (list, tuple))
        else (as_axis(axis, op_name),)
    )
    if not axes:
        raise GraphError(f"{op_name}: expected at least one axis, got an empty list")
    return axes


def as_static_axis(axis: Any, op_name: str) -> Axis:
    """Convert an index or an `Axis` to a static `Axis`.

    Raises:
        ArgumentError: for anything that is no axis.
        GraphError: for a dynamic axis.
    """
    result = as_axis(axis, op_name)
    if not result.is_static_axis:
        raise GraphError(f"{op_name}: expected a static axis, got {result}, which has no index")
    return result


def as_dynamic_axes(axes: Any, what: str) -> tuple[Axis, ...]:
    """Convert one dynamic axis or an iterable of them to a tuple of `Axis`.

    Raises:
        ArgumentError: for anything else.
    """
    listed = (axes,) if isinstance(axes, Axis) else axes
    result = tuple(listed) if isinstance(listed, Iterable) and not isinstance(listed, str) else None
    if result is None or not all(isinstance(a, Axis) for a in result):
        raise ArgumentError(
            f"{what}: expected a list of axes, such as [Axis.default_batch_axis()], got "
            f"{shown(axes)}"
        )
    return result


def static_index(axis: Axis, x: TensorType) -> int:
    """Return a static axis's index into an operand's shape, counted from the first.

    Raises:
        GraphError: if there is no such axis.
    """
    if not x.rank:
        raise GraphError(
            f"static axis {axis.static_axis_index()} is out of range: the operand is a number and "
            f"has no static axes; give it one with cntk.expand_dims, or leave axis out"
        )
    return static_axis(axis.static_axis_index(), x.rank)


def static_indices(axes: Sequence[Axis], x: TensorType) -> tuple[int, ...]:
    """Return the indices of static axes in an operand's shape, each once, in ascending order.

    Raises:
        GraphError: if one of them does not exist.
    """
    return tuple(sorted({static_index(axis, x) for axis in axes}))
