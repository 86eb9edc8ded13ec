"""Pooling over windows, by the largest element or the mean, and unpooling."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import prod
from numbers import Integral
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from cntk._arguments import as_bool, shown
from cntk._graph.composite import Composite
from cntk._graph.op import Kernel, Op, PrimitiveOp, primitive
from cntk._graph.positions import SAME_POSITIONS, Positions
from cntk._graph.types import UNKNOWN_SHAPE, Shape, TensorType
from cntk._ops.nn.windows import Windows, as_dims, as_flags, centres, channels_last, margins, spread
from cntk._ops.support.operands import apply
from cntk._runtime.transfer import Everywhere
from cntk._wording import shape_text
from cntk.errors import ArgumentError, GraphError
from cntk.typing import Operand, ShapeLike

__all__ = [
    "AVG_POOLING",
    "MAX_POOLING",
    "MAX_UNPOOLING",
    "PoolingType_Average",
    "PoolingType_Max",
    "pooling",
    "unpooling",
]


class PoolingType(enum.IntEnum):
    """Reduction of a window; numbers as in files."""

    Max = 0
    Average = 1


MAX_POOLING, AVG_POOLING = int(PoolingType.Max), int(PoolingType.Average)
MAX_UNPOOLING = 0
PoolingType_Max, PoolingType_Average = MAX_POOLING, AVG_POOLING


def _pool_images(x: Tensor, *options: Any, **named: Any) -> Any:
    # A few channels do not fill a register: they are faster one by one.
    return F.max_pool2d(channels_last(x) if x.shape[1] >= 4 else x, *options, **named)


_MAX: dict[int, Callable[..., Any]] = {1: F.max_pool1d, 2: _pool_images, 3: F.max_pool3d}
_AVERAGE = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


class Windowed(Op):
    """Common part of pooling and unpooling: the windows along the last static axes."""

    keeps_axes = True

    pooling_type: int
    strides: Shape
    auto_padding: tuple[bool, ...]
    lower_pad: Shape
    upper_pad: Shape

    def attributes(self) -> dict[str, Any]:
        return super().attributes() | {"autoPadding": list(self.auto_padding)}

    def windows(self, window: Shape, shape: Shape, ceil: bool = False) -> list[Windows]:
        """Return the windows along each static axis of an operand of this shape.

        Raises:
            GraphError: if there are more windows' axes than the operand has.
        """
        rank = len(shape)
        if window == UNKNOWN_SHAPE:
            window = shape[1:]
            if rank < 2:
                raise GraphError(
                    f"pooling over all positions needs axes after the channel axis; the operand is "
                    f"{shape_text(shape)}"
                )
        elif any(d < 1 for d in window):
            raise GraphError(
                f"the window {shape_text(window)} must be of known size along every axis"
            )
        if not 0 < len(window) <= rank:
            raise GraphError(
                f"the window {shape_text(window)} has more axes than the operand "
                f"{shape_text(shape)}; windows lie on the last axes; use one with fewer axes"
            )
        strides = spread(self.strides, max(len(self.strides), len(window)), "strides")
        if len(strides) > rank:
            raise GraphError(
                f"expected at most {rank} strides, one for each axis, got {self.strides}"
            )
        strides = (1,) * (rank - len(strides)) + strides
        window = (1,) * (rank - len(window)) + window
        flags = spread(self.auto_padding, rank, "padding flags")
        lower, upper = (_last(pads, rank) for pads in (self.lower_pad, self.upper_pad))
        return [
            Windows(size, stride, pad, 1, low, high, ceil)
            for size, stride, pad, low, high in zip(
                window, strides, flags, lower, upper, strict=True
            )
        ]


def _last(values: Shape, rank: int) -> Shape:
    """Extend paddings to all axes: the values are for the last ones, and axes before them have no
    padding.
    """
    return (0,) * (rank - len(values)) + tuple(values[-rank:])


@primitive(PrimitiveOp.Pooling)
@dataclass(frozen=True)
class Pooling(Windowed):
    """Pooling: the largest element of each window, or the mean.

    Attributes:
        pooling_type: 0 largest, 1 mean.
        pooling_window_shape: for the last static axes; ``(-2,)`` for all axes after the first,
            whole.
        strides: one for each axis of the window, or fewer for the last ones.
        auto_padding: whether windows are centred on elements and may hang over the ends.
        lower_pad, upper_pad: elements to pad with where ``auto_padding`` is false.
        ceil_out_dim: whether a last window that hangs over the end counts.
        include_pad: whether a mean counts padding as zeros.
    """

    operand_counts = (1,)

    pooling_type: int = 0
    pooling_window_shape: Shape = (1,)
    strides: Shape = (1,)
    auto_padding: tuple[bool, ...] = (False,)
    lower_pad: Shape = (0,)
    upper_pad: Shape = (0,)
    ceil_out_dim: bool = False
    include_pad: bool = False

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        windows = self.windows(self.pooling_window_shape, x.shape, self.ceil_out_dim)
        if self.pooling_window_shape == UNKNOWN_SHAPE:
            return TensorType((x.shape[0], *(1 for _ in x.shape[1:])), x.dynamic_axes, x.dtype)
        return TensorType(
            tuple(w.fit(n) for w, n in zip(windows, x.shape, strict=True)), x.dynamic_axes, x.dtype
        )

    def positions(self, *operands: TensorType) -> tuple[Positions | None, ...]:
        (x,) = operands
        return (
            centres(self.windows(self.pooling_window_shape, x.shape, self.ceil_out_dim), x.shape),
        )

    def canonical_for_disk(self, *operands: TensorType) -> Pooling:
        """Return the same operation with a window over all positions as one number for each axis,
        as in files.
        """
        (x,) = operands
        whole = self.pooling_window_shape == UNKNOWN_SHAPE and x.is_complete and x.rank > 1
        return replace(self, pooling_window_shape=x.shape[1:]) if whole else self

    def lower(self, *operands: TensorType) -> Kernel:
        (x,) = operands
        plan = _CallShape.of(self.windows(self.pooling_window_shape, x.shape, self.ceil_out_dim), x)
        if plan is None:
            return lambda x: x
        if self.pooling_type == PoolingType.Max:
            return plan.around(_lower_max(plan.windows, plan.lengths))
        return plan.around(_lower_average(plan.windows, plan.lengths, self.include_pad))


@dataclass(frozen=True)
class _CallShape:
    """Shapes of a call of torch's pooling: the axes with windows of more than one element, one to
    three of them, as ``[n, c, *axes]``.

    Attributes:
        windows: along each of these axes.
        lengths: the axes' lengths.
        results: how many windows there are along each.
        row: shape of one result.
        lead: number of row axes of operand and result.
    """

    windows: list[Windows]
    lengths: Shape
    results: Shape
    row: Shape
    lead: int

    @staticmethod
    def of(windows: list[Windows], x: TensorType) -> _CallShape | None:
        """Return the shapes for an operand; None where windows are single elements.

        Raises:
            GraphError: if there are too many axes.
        """
        first = next((k for k, w in enumerate(windows) if not w.trivial), None)
        if first is None:
            return None
        if len(windows) - first > 3:
            raise GraphError(
                f"windows over {len(windows) - first} axes; at most 3 can be pooled at once"
            )
        row = tuple(w.count(n) for w, n in zip(windows, x.shape, strict=True))
        return _CallShape(windows[first:], x.shape[first:], row[first:], row, x.lead)

    def around(self, compute: Callable[[Tensor], Tensor]) -> Kernel:
        """Wrap a pooling of ``[n, c, *axes]`` as a kernel for operands of the original shape."""
        flat = (-1, 1, *self.lengths)
        if self.lead and len(self.row) == len(self.lengths) + 1:
            return compute
        rows = (-1,) if self.lead else ()
        return lambda x: compute(x.reshape(flat)).reshape(*rows, *self.row)


def _one_call(windows: Sequence[Windows], lengths: Shape) -> list[int] | None:
    """Return the padding with which torch makes the same windows by itself, or None."""
    padding = [w.before(n) for w, n in zip(windows, lengths, strict=True)]
    fits = all(
        w.symmetric(n) and 2 * p <= w.size
        for w, n, p in zip(windows, lengths, padding, strict=True)
    )
    return padding if fits else None


def _lower_max(windows: Sequence[Windows], lengths: Shape) -> Callable[[Tensor], Tensor]:
    sizes, strides = [w.size for w in windows], [w.stride for w in windows]
    pool = _MAX[len(windows)]
    padding = _one_call(windows, lengths)
    if padding is not None:
        return lambda x: pool(x, sizes, strides, padding)
    edges = margins(windows, lengths)
    seen = torch.ones((), dtype=torch.bool)
    for w, n in zip(windows, lengths, strict=True):
        seen = seen.unsqueeze(-1) & torch.tensor(w.sees(n))
    if seen.all():
        return lambda x: pool(F.pad(x, edges, value=-torch.inf), sizes, strides)
    # Windows wholly beyond the ends, as there may be where the last one is rounded up, have no
    # largest element.
    unseen = Everywhere(~seen)
    return lambda x: pool(F.pad(x, edges, value=-torch.inf), sizes, strides).masked_fill(
        unseen.on(x.device), 0
    )


def _lower_average(
    windows: Sequence[Windows], lengths: Shape, include_pad: bool
) -> Callable[[Tensor], Tensor]:
    sizes, strides = [w.size for w in windows], [w.stride for w in windows]
    pool = _AVERAGE[len(windows)]
    padding = _one_call(windows, lengths)
    if padding is not None:
        return lambda x: pool(x, sizes, strides, padding, False, include_pad)
    edges = margins(windows, lengths)
    if include_pad:
        return lambda x: pool(F.pad(x, edges), sizes, strides)
    # Each window's mean over all of its elements, times all of them over those that are not
    # padding.
    inside = pool(F.pad(torch.ones((1, 1, *lengths), dtype=torch.float64), edges), sizes, strides)
    inside[inside == 0] = 1
    shares = Everywhere(inside)
    return lambda x: pool(F.pad(x, edges), sizes, strides) / shares.on(x.device, x.dtype)


@primitive(PrimitiveOp.Unpooling)
@dataclass(frozen=True)
class Unpooling(Windowed):
    """Unpooling: each pooled element at the index of its window's largest one; zeros elsewhere.

    Attributes:
        pooling_type: 0, the largest; there is no other.
        unpooling_window_shape: for the last static axes.
        strides, auto_padding, lower_pad, upper_pad: as of the pooling.
    """

    operand_counts = (2,)

    pooling_type: int = 0
    unpooling_window_shape: Shape = (1,)
    strides: Shape = (1,)
    auto_padding: tuple[bool, ...] = (False,)
    lower_pad: Shape = (0,)
    upper_pad: Shape = (0,)

    def infer(self, *operands: TensorType) -> TensorType:
        pooled, source = operands
        if self.pooling_type != PoolingType.Max:
            raise GraphError("only max pooling can be undone; use cntk.MAX_UNPOOLING")
        if pooled.dynamic_axes != source.dynamic_axes:
            raise GraphError(
                "the pooled operand and the pooling's own operand must lie on the same dynamic "
                "axes; bring them together with cntk.reconcile_dynamic_axes or "
                "cntk.sequence.broadcast_as"
            )
        windows = self.windows(self.unpooling_window_shape, source.shape)
        counts = tuple(w.fit(n) for w, n in zip(windows, source.shape, strict=True))
        if len(counts) != pooled.rank or any(
            c >= 0 and p >= 0 and c != p for c, p in zip(counts, pooled.shape, strict=True)
        ):
            raise GraphError(
                f"pooling {shape_text(source.shape)} this way gives {shape_text(counts)}, and the "
                f"pooled operand is {shape_text(pooled.shape)}; window, strides and padding must "
                f"be those of the pooling"
            )
        return TensorType(source.shape, source.dynamic_axes, source.dtype)

    def positions(self, *operands: TensorType) -> tuple[Positions | None, ...]:
        _, source = operands
        window_centres = centres(
            self.windows(self.unpooling_window_shape, source.shape), source.shape
        )
        pooled = (
            None
            if window_centres is None
            else (window_centres[0].inverse(), window_centres[1].inverse())
        )
        return pooled, SAME_POSITIONS if source.rank > 1 else None

    def lower(self, *operands: TensorType) -> Kernel:
        _, source = operands
        plan = _CallShape.of(self.windows(self.unpooling_window_shape, source.shape), source)
        if plan is None:
            return lambda pooled, source: pooled
        sizes, strides = [w.size for w in plan.windows], [w.stride for w in plan.windows]
        edges = margins(plan.windows, plan.lengths)
        padded = tuple(
            n + w.before(n) + w.after(n) for w, n in zip(plan.windows, plan.lengths, strict=True)
        )
        cut = [-e for e in edges]
        pool = _MAX[len(plan.windows)]
        rows = (-1,) if source.lead else ()

        def largest(x: Tensor) -> tuple[Tensor, Tensor]:
            wide = F.pad(x.reshape(-1, 1, *plan.lengths), edges, value=-torch.inf)
            return pool(wide, sizes, strides, return_indices=True)  # type: ignore[no-any-return]

        def put(values: Tensor, indices: Tensor) -> Tensor:
            whole = values.new_zeros(values.shape[0], prod(padded)).scatter(1, indices, values)
            return F.pad(whole.reshape(-1, *padded), cut).reshape(*rows, *operands[1].shape)

        def compute(pooled: Tensor, source: Tensor) -> Tensor:
            indices = largest(source.detach())[1].flatten(1)
            return _Unpooled.apply(pooled.reshape(indices.shape), indices, put, largest)  # type: ignore[no-any-return]

        return compute


class _Unpooled(torch.autograd.Function):
    """Scatter of values into a larger tensor.

    As in the original, the gradient of a value is the largest one of its window, not the one at the
    value's index.
    """

    @staticmethod
    def forward(ctx: Any, values: Tensor, indices: Tensor, put: Any, largest: Any) -> Tensor:
        ctx.largest, ctx.shape = largest, values.shape
        return put(values, indices)  # type: ignore[no-any-return]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        return ctx.largest(gradient)[0].reshape(ctx.shape), None, None, None


def _kind(value: Any, what: str, *kinds: int) -> int:
    """Return a pooling type as a number, after a check.

    Raises:
        ArgumentError: for anything but one of the kinds.
    """
    if not isinstance(value, Integral) or value not in kinds:
        names = (
            "cntk.MAX_UNPOOLING"
            if what.startswith("un")
            else "cntk.MAX_POOLING or cntk.AVG_POOLING"
        )
        raise ArgumentError(f"{what}: expected {names}, got {shown(value)}")
    return int(value)


def pooling(
    operand: Operand,
    pooling_type: int,
    pooling_window_shape: ShapeLike,
    strides: Any = (1,),
    auto_padding: Any = [False],  # noqa: B006
    ceil_out_dim: bool = False,
    include_pad: bool = False,
    name: str = "",
) -> Composite:
    """Pool windows: the largest element of each, or the mean.

    Args:
        operand: ``[*leading, *positions]``; windows extend over its last axes.
        pooling_type: `MAX_POOLING` or `AVG_POOLING`.
        pooling_window_shape: a window's shape, one number for each of the last axes.
        strides: steps between windows, one for all axes or one for each.
        auto_padding: whether windows are centred on elements and may hang over the ends, one flag
            for all axes or one for each. Elements beyond the ends are never the largest and do not
            count in a mean.
        ceil_out_dim: whether a last window that hangs over the end counts; one wholly beyond it
            gives 0.
        include_pad: whether a mean counts elements beyond the ends as zeros.
        name: its name in the graph.

    Returns:
        A function with as many static axes as the operand: without padding ``(length - window) //
        stride + 1`` elements along an axis, with it ``ceil(length / stride)``. Where several
        elements are the largest, the gradient goes to the first.

    Raises:
        GraphError: if the window does not fit the operand.
        ArgumentError: if ``pooling_type`` is no kind of pooling.

    Example:
        >>> import numpy as np, cntk as C
        >>> x = C.input_variable((1, 4, 4))
        >>> image = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
        >>> C.pooling(x, C.MAX_POOLING, (2, 2), strides=(2, 2)).eval({x: image})
        array([[[[ 5.,  7.],
                 [13., 15.]]]], dtype=float32)
    """
    op = Pooling(
        _kind(pooling_type, "pooling: pooling_type", MAX_POOLING, AVG_POOLING),
        as_dims(pooling_window_shape, "pooling: pooling_window_shape"),
        as_dims(strides, "pooling: strides", 1),
        as_flags(auto_padding, "pooling: auto_padding"),
        ceil_out_dim=as_bool(ceil_out_dim, "pooling: ceil_out_dim"),
        include_pad=as_bool(include_pad, "pooling: include_pad"),
    )
    return apply(op, (operand,), name)


def unpooling(
    operand: Operand,
    pooling_input: Any,
    unpooling_type: int,
    unpooling_window_shape: Any,
    strides: Any = (1,),
    auto_padding: Any = [False],  # noqa: B006
    name: str = "",
) -> Composite:
    """Undo max pooling: each element goes to the index of its window's largest one; the rest is
    zero.

    Args:
        operand: what pooling gave, or something of its shape.
        pooling_input: what was pooled.
        unpooling_type: `MAX_UNPOOLING`.
        unpooling_window_shape: the pooling's window.
        strides: the pooling's strides.
        auto_padding: the pooling's padding.
        name: its name in the graph.

    Returns:
        A function with output of the shape of ``pooling_input``. An element's gradient is that of
        the index where it went; the original gives it the largest gradient of its whole window,
        which is no gradient.

    Raises:
        GraphError: if the shapes are not those of such a pooling.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable((1, 4))
        >>> pooled = C.pooling(x, C.MAX_POOLING, (2,), strides=(2,))
        >>> C.unpooling(pooled, x, C.MAX_UNPOOLING, (2,), strides=(2,)).eval({x: [[[1, 5, 7, 2]]]})
        array([[[0., 5., 7., 0.]]], dtype=float32)
    """
    op = Unpooling(
        _kind(unpooling_type, "unpooling: unpooling_type", MAX_UNPOOLING, AVG_POOLING),
        as_dims(unpooling_window_shape, "unpooling: unpooling_window_shape"),
        as_dims(strides, "unpooling: strides", 1),
        as_flags(auto_padding, "unpooling: auto_padding"),
    )
    return apply(op, (operand, pooling_input), name)
