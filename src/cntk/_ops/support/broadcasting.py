"""Broadcasting: how operands of different rank and on different axes are aligned, decided before a
run.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from torch import Tensor

from cntk._graph.op import Kernel, RunKernel, fill
from cntk._graph.types import (
    UNKNOWN_AXES,
    UNKNOWN_SHAPE,
    FreeDimension,
    InferredDimension,
    Shape,
    TensorType,
    axis_text,
    common_dtype,
)
from cntk._runtime.context import RunContext
from cntk.axis import Axis
from cntk.errors import FeedError, GraphError


def broadcast_shapes(*shapes: Shape) -> Shape:
    """Return the shape of an element-wise result: axes are aligned at the last one, 1 broadcasts.

    Raises:
        GraphError: if two dimensions differ.

    Example:
        >>> broadcast_shapes((2, 1), (3,))
        (2, 3)
    """
    rank = max(map(len, shapes))
    result = []
    for axis in range(-rank, 0):
        dims = [s[axis] for s in shapes if len(s) >= -axis]
        fixed = {d for d in dims if d > 1 or d == 0}
        if len(fixed) > 1:
            listed = ", ".join(map(str, sorted(fixed)))
            raise GraphError(
                f"static axis {axis} of the operands must agree or be 1, but has {listed}; use "
                f"cntk.reshape, cntk.slice or cntk.pad to bring them to one shape"
            )
        if fixed:
            result.append(fixed.pop())
        elif FreeDimension in dims or InferredDimension in dims:
            result.append(FreeDimension if FreeDimension in dims else InferredDimension)
        else:
            result.append(1)
    return tuple(result)


def join_axes(types: tuple[TensorType, ...], broadcast: bool = True) -> tuple:  # type: ignore[type-arg]
    """Return the dynamic axes of operands together. An operand without any joins all others, and
    one with a batch axis alone is broadcast along sequences.

    Args:
        types: the operands' types.
        broadcast: whether an operand with a batch axis alone is repeated along sequences.

    Raises:
        GraphError: if two operands are on different axes.
    """
    result: tuple = ()  # type: ignore[type-arg]
    for t in types:
        axes = t.dynamic_axes
        if not t.has_axes or not axes or axes == result:
            continue
        if not result:
            result = axes
        elif broadcast and axes == result[:1]:
            continue
        elif broadcast and result == axes[:1]:
            result = axes
        else:
            names = ["[" + ", ".join(axis_text(a) for a in axes_) + "]" for axes_ in (result, axes)]
            raise GraphError(
                f"operands lie on different dynamic axes, {names[0]} and {names[1]}; bring them "
                f"together with cntk.reconcile_dynamic_axes, cntk.sequence.broadcast_as or by "
                f"giving their inputs the same axis"
            )
    return result


def elementwise_type(types: tuple[TensorType, ...], broadcast: bool = True) -> TensorType:
    """Infer the type of an element-wise result."""
    return TensorType(
        broadcast_shapes(*(t.shape for t in types)), join_axes(types, broadcast), types[0].dtype
    )


def partial_type(types: tuple[TensorType, ...], broadcast: bool = True) -> TensorType | None:
    """Infer what is known of an element-wise result inside a loop, where some operands are not
    known yet.

    Operands without dynamic axes do not tell the result's: those that are not known yet may have
    some.
    """
    shapes = [t.shape for t in types if t.has_shape]
    if not shapes:
        return None
    axes = join_axes(tuple(t for t in types if t.has_axes), broadcast)
    return TensorType(broadcast_shapes(*shapes), axes or UNKNOWN_AXES, common_dtype(types))


def known_type(types: tuple[TensorType, ...], broadcast: bool = True) -> TensorType | None:
    """Infer an element-wise result's axes from the operands that are known, and its shape if they
    are no scalars.

    A scalar, or a vector of one element, broadcasts to any shape.
    """
    partial = partial_type(types, broadcast)
    if partial is None:
        axes = join_axes(tuple(t for t in types if t.has_axes), broadcast)
        return TensorType(UNKNOWN_SHAPE, axes or UNKNOWN_AXES, common_dtype(types))
    return partial if partial.shape not in ((), (1,)) else partial.with_shape(UNKNOWN_SHAPE)


def fill_inferred(type_: TensorType, other: TensorType) -> TensorType:
    """Fill a type's inferred dimensions from another type, aligned at the last axis."""
    if InferredDimension in type_.shape and type_.rank <= other.rank:
        return type_.with_shape(fill(type_.shape, other.shape[other.rank - type_.rank :]))
    return type_


def align_operands(types: tuple[TensorType, ...], compute: Kernel) -> Kernel | RunKernel:
    """Return a kernel that aligns its operands' axes before an element-wise computation.

    Args:
        types: the operands' types.
        compute: a function of tensors that broadcast against each other as torch does.
    """
    rank = max(t.rank for t in types)
    axes = join_axes(types)
    steps = [_insert(t, rank, bool(axes)) for t in types]
    repeated = [len(axes) > 1 and len(t.dynamic_axes) == 1 for t in types]
    if any(repeated):

        def with_layout(run: RunContext, *tensors: Tensor) -> Tensor:
            layout = run.layout(axes)
            rows = [layout.expand(x) if s else x for x, s in zip(tensors, repeated, strict=True)]
            result: Tensor = compute(
                *[x if step is None else step(x) for x, step in zip(rows, steps, strict=True)]
            )
            return result

        return RunKernel(with_layout)
    if not any(steps):
        return compute
    if len(steps) == 2:
        left, right = steps
        if left is None and right is not None:
            return lambda x, y: compute(x, right(y))
        if right is None and left is not None:
            return lambda x, y: compute(left(x), y)
    return lambda *tensors: compute(
        *[x if step is None else step(x) for x, step in zip(tensors, steps, strict=True)]
    )


def _insert(type_: TensorType, rank: int, rows: bool) -> Callable[[Tensor], Tensor] | None:
    """Return a function that inserts axes of size 1 between an operand's batch and its static axes,
    so that its rank is that of the result. Return None if nothing need be done.
    """
    missing = rank - type_.rank
    if missing == 0 or not type_.has_batch_axis:
        return None
    if missing == 1:
        return lambda x: x.unsqueeze(1)
    ones = (1,) * missing
    return lambda x: x.reshape(x.shape[0], *ones, *x.shape[1:])


def as_vectors(types: tuple[TensorType, ...], compute: Kernel) -> Kernel:
    """Return a kernel that flattens each sample of its operands to a vector.

    Args:
        types: the operands' types, complete.
        compute: a function of tensors ``[rows, elements]``, and ``[elements]`` for operands without
            dynamic axes.

    Example:
        >>> import torch
        >>> from cntk.axis import Axis
        >>> types = TensorType((2, 1), (Axis.default_batch_axis(),)), TensorType((2,))
        >>> as_vectors(types, lambda x, y: x - y)(torch.ones(3, 2, 1), torch.ones(2)).shape
        torch.Size([3, 2])
    """
    if all(t.rank == 1 for t in types):
        return compute
    shapes = [(-1,) * t.lead + (prod(t.shape),) for t in types]
    return lambda *tensors: compute(
        *[x.reshape(shape) for x, shape in zip(tensors, shapes, strict=True)]
    )


def on_one_axis(types: tuple[TensorType, ...]) -> tuple[TensorType, ...]:
    """Return the operands' types with all sequences on the first one's axes: they are combined
    frame by frame.

    Few operations allow for that: those that give one number for a whole minibatch, and those that
    pick frames. They compare lengths when they run; see `check_equal_lengths`.
    """
    first = next((t.dynamic_axes for t in types if t.is_sequence), ())
    return tuple(t.with_axes(first) if t.is_sequence else t for t in types)


def check_equal_lengths(
    types: tuple[TensorType, ...], kernel: Kernel | RunKernel, samples: bool = False
) -> Kernel | RunKernel:
    """Return a kernel that first compares the lengths of operands on different sequence axes.

    Args:
        types: the operands' types.
        kernel: computes the result of operands with frames at the same positions.
        samples: whether samples are combined with sequences of one frame each.
    """
    axes = list(
        dict.fromkeys(
            t.dynamic_axes for t in types if t.is_sequence or (samples and t.has_batch_axis)
        )
    )
    if len(axes) < 2:
        return kernel

    def compute(run: RunContext, *operands: Any) -> Any:
        for other in axes[1:]:
            need_equal_lengths(run, axes[0], other)
        return (
            kernel.compute(run, *operands) if isinstance(kernel, RunKernel) else kernel(*operands)
        )

    return RunKernel(compute)


def need_equal_lengths(run: RunContext, axes: tuple[Axis, ...], other: tuple[Axis, ...]) -> None:
    """Refuse sequences that are not as long as those that they are combined with.

    Raises:
        FeedError: if lengths on the two axes differ.
    """
    lengths, others = (
        (1,) * run.rows(a) if len(a) == 1 else run.layout(a).lengths for a in (axes, other)
    )
    if lengths != others:
        raise FeedError(
            f"sequences on the axes {axis_text(axes[-1])} and {axis_text(other[-1])} meet frame by "
            f"frame, and their lengths differ: {list(lengths)[:8]} and {list(others)[:8]}"
        )


def static_axis(axis: int, rank: int) -> int:
    """Return a static axis's index counted from the first.

    Raises:
        GraphError: if there is no such axis.
    """
    if not -rank <= axis < rank:
        raise GraphError(
            f"static axis {axis} is out of range for an operand with {rank} static axes; use one "
            f"from -{rank} to {rank - 1}"
        )
    return axis % rank if rank else 0
