"""Reductions: sums, means, extremes and the like over static axes, over the minibatch, or over
everything.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any

import torch
from torch import Tensor

from cntk._arguments import as_bool
from cntk._graph.composite import Composite
from cntk._graph.op import Kernel, Op, PrimitiveOp, primitive
from cntk._graph.types import InferredDimension, TensorType
from cntk._ops.math.arithmetic import square
from cntk._ops.math.unary import abs as absolute, sqrt
from cntk._ops.shape.reshape import Reshape, Squeeze
from cntk._ops.shape.unpack import UnpackSequence
from cntk._ops.support.axes import ALL, ALL_STATIC, as_axes, as_axis, static_indices
from cntk._ops.support.composite_op import compose
from cntk._ops.support.operands import apply
from cntk.axis import Axis
from cntk.errors import GraphError
from cntk.typing import AxesLike, Operand

__all__ = [
    "argmax",
    "argmin",
    "reduce_l1",
    "reduce_l2",
    "reduce_log_sum_exp",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_sum",
    "reduce_sum_square",
]

Dims = tuple[int, ...]


class _Extreme(torch.autograd.Function):
    """Largest or smallest element, with the whole gradient for each of several; torch would divide
    it among them.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, dims: Dims, extreme: Callable[..., Tensor]) -> Tensor:
        result = extreme(x, dims, True)
        ctx.save_for_backward(x, result)
        return result

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        x, result = ctx.saved_tensors
        # What is infinite, or no number, goes to them alone, too.
        return torch.where(x == result, gradient, gradient.new_zeros(())), None, None


def _joined(x: Tensor, dims: Dims) -> Tensor:
    """Flatten the axes to reduce into one, the last."""
    others = [d for d in range(x.dim()) if d not in dims]
    return x.permute(*others, *dims).reshape(*(x.shape[d] for d in others), -1)


class _Product(torch.autograd.Function):
    """Product of elements, whose gradient is the product divided by each element; where that is 0,
    so is the gradient.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, dims: Dims) -> Tensor:
        shape = [1 if d in dims else n for d, n in enumerate(x.shape)]
        result = torch.prod(_joined(x, dims), -1).reshape(shape)
        ctx.save_for_backward(x, result)
        return result

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        x, result = ctx.saved_tensors
        return (gradient * result / x).masked_fill(x == 0, 0), None


def _index(x: Tensor, dims: Dims, arg: Callable[..., Tensor]) -> Tensor:
    shape = [1 if d in dims else n for d, n in enumerate(x.shape)]
    return arg(_joined(x, dims), -1).to(x.dtype).reshape(shape)


# By the reduction's name on disk: a function of a tensor and the axes, which stay with one element
# each.
_REDUCTIONS: dict[str, Callable[[Tensor, Dims], Tensor]] = {
    "Sum": lambda x, dims: torch.sum(x, dims, True),
    "Mean": lambda x, dims: torch.mean(x, dims, True),
    "Max": lambda x, dims: _Extreme.apply(x, dims, torch.amax),
    "Min": lambda x, dims: _Extreme.apply(x, dims, torch.amin),
    "Prod": _Product.apply,
    "LogSum": lambda x, dims: torch.logsumexp(x, dims, True),
    "Argmax": lambda x, dims: _index(x, dims, torch.argmax),
    "Argmin": lambda x, dims: _index(x, dims, torch.argmin),
}


@primitive(PrimitiveOp.ReduceElements)
@dataclass(frozen=True)
class ReduceElements(Op):
    """A reduction.

    Attributes:
        reduction_op_name: which, one of 'Sum', 'Mean', 'Max', 'Min', 'Prod', 'LogSum', 'Argmax',
            'Argmin'.
        reduction_keep_dimensions: whether reduced static axes stay, with one element.
        axis: the axis, where there is one.
        axis_vec: the axes, where they are several.
    """

    operand_counts = (1,)

    reduction_op_name: str
    reduction_keep_dimensions: bool = True
    axis: Axis | None = None
    axis_vec: tuple[Axis, ...] | None = None

    def __post_init__(self) -> None:
        if self.reduction_op_name not in _REDUCTIONS:
            known = ", ".join(_REDUCTIONS)
            raise GraphError(
                f"ReduceElements: unknown reduction '{self.reduction_op_name}'; one of {known}"
            )

    @property
    def axes(self) -> tuple[Axis, ...]:
        """All axes to reduce."""
        return (
            self.axis_vec
            if self.axis_vec is not None
            else (self.axis,)
            if self.axis is not None
            else ()
        )

    def _reduced(self, x: TensorType) -> tuple[Dims, bool]:
        """Return the indices of the static axes to reduce, and whether to reduce the batch axis."""
        names = {axis.name for axis in self.axes}
        if ALL in names:
            return tuple(range(x.rank)), True
        dynamic = [a for a in self.axes if not a.is_static_axis and a.name != ALL_STATIC]
        static = [a for a in self.axes if a.is_static_axis]
        dims = (
            tuple(range(x.rank))
            if ALL_STATIC in names
            else static_indices(static, x)
            if static
            else ()
        )
        if any(not a.is_batch_axis for a in dynamic):
            raise GraphError(
                "a reduction along the sequence axis is a matter of sequence.reduce_sum and "
                "sequence.reduce_max"
            )
        if dynamic and x.is_sequence:
            raise GraphError(
                "sequences cannot be reduced along the batch axis; reduce along the sequence axis "
                "first, or along Axis.all_axes()"
            )
        if dynamic and not x.has_batch_axis:
            raise GraphError("the operand has no batch axis to reduce along")
        return dims, bool(dynamic)

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        dims, rows = self._reduced(x)
        if self.reduction_keep_dimensions:
            shape = tuple(1 if d in dims else n for d, n in enumerate(x.shape))
        else:
            shape = tuple(n for d, n in enumerate(x.shape) if d not in dims)
        if rows and self.reduction_op_name in ("Argmax", "Argmin"):
            raise GraphError(
                "the index of the largest or smallest element exists along static axes only; use "
                "one, or leave axis out"
            )
        return TensorType(shape, () if rows else x.dynamic_axes, x.dtype)

    def infer_known(self, *operands: TensorType) -> TensorType | None:
        along_static_axes = all(a.is_static_axis or a.name == ALL_STATIC for a in self.axes)
        return operands[0].dense() if along_static_axes else None

    def lower(self, *operands: TensorType) -> Kernel:
        (x,) = operands
        static, rows = self._reduced(x)
        dims = (*range(x.lead if rows else 0), *(d + x.lead for d in static))
        reduce = _REDUCTIONS[self.reduction_op_name]
        shape = self.infer(x).shape
        if not dims:
            return torch.zeros_like if self.reduction_op_name.startswith("Arg") else lambda t: t
        if not rows and x.has_batch_axis:
            if self.reduction_keep_dimensions:
                return lambda t: reduce(t, dims)
            if self.reduction_op_name == "Sum":
                return lambda t: torch.sum(t, dims)
            return lambda t: torch.squeeze(reduce(t, dims), dims)
        return lambda t: reduce(t, dims).reshape(shape)


def _reduce(
    x: Any, axis: Any, keepdims: bool, reduction: str, op_name: str, name: str
) -> Composite:
    axes, static = _checked(axis, keepdims, op_name, along_sequences=reduction == "Min")
    whole = next((a for a in axes if a.name in (ALL, ALL_STATIC)), None)

    def one_by_one(result: Any) -> Any:
        if static:
            result = apply(
                ReduceElements(reduction, True, axis_vec=static), (result,), "_static_axes_subop"
            )
        if any(_is_sequence(a) for a in axes):
            part = "_sequence_axes_subop"
            along = functools.partial(_along_sequence, reduction=reduction, name=part)
            result = compose("Sequence::ReduceElements", (result,), along, part)
        batch = tuple(a for a in axes if a.is_batch_axis)
        return (
            apply(ReduceElements(reduction, True, axis_vec=batch), (result,), "_batch_axes_subop")
            if batch
            else result
        )

    def build(operand: Any) -> Composite:
        if whole is not None:
            return apply(ReduceElements(reduction, False, axis_vec=(whole,)), (operand,))
        result = compose("MultiAxisReduce", (operand,), one_by_one)
        return result if keepdims else _without_axes(result, operand, static)

    return compose(
        "ReduceElements",
        (x,),
        build,
        name,
        details=_details(axes, keepdims) | {"reductionOpName": reduction},
    )


def _details(axes: tuple[Axis, ...], keepdims: bool) -> dict[str, Any]:
    return {"axisVec": axes, "reductionKeepDimensions": keepdims}


def _without_axes(result: Any, x: Any, axes: tuple[Axis, ...]) -> Composite:
    """Remove the axes that a result was reduced over, by operations that the original can read."""
    shape = x.type_.shape if x.type_.has_shape else (InferredDimension,)
    if min(shape, default=0) < 0:
        return apply(Squeeze(axes), (result,))
    dropped = static_indices(axes, x.type_)
    return apply(Reshape(tuple(d for k, d in enumerate(shape) if k not in dropped)), (result,))


def _is_sequence(axis: Axis) -> bool:
    return not (axis.is_static_axis or axis.is_batch_axis or axis.name in (ALL, ALL_STATIC))


def _along_sequence(x: Any, reduction: str, name: str) -> Composite:
    """Compute a minimum along sequences. As in the original, the sequence axis stays as a static
    axis of size 1.
    """
    return apply(
        ReduceElements(reduction, True, Axis(0)), (apply(UnpackSequence(inf, True), (x,), name),)
    )


def _checked(
    axis: Any, keepdims: bool, op_name: str, along_sequences: bool = False
) -> tuple[tuple[Axis, ...], tuple[Axis, ...]]:
    """Validate an axis argument, and return all its axes and the static ones among them.

    Args:
        axis: the argument.
        keepdims: whether reduced static axes stay.
        op_name: for errors.
        along_sequences: whether a sequence axis may be among them.

    Raises:
        GraphError: for a sequence axis, or an axis that cannot be dropped.
    """
    axes = (Axis.all_static_axes(),) if axis is None else as_axes(axis, op_name)
    as_bool(keepdims, f"{op_name}: keepdims")
    static = tuple(a for a in axes if a.is_static_axis)
    sequence = [a for a in axes if _is_sequence(a)]
    if sequence and not along_sequences:
        raise GraphError(
            f"{op_name}: cannot reduce along the sequence axis '{sequence[0].name}'; use "
            f"sequence.reduce_sum or sequence.reduce_max"
        )
    if not keepdims and len(static) < len(axes):
        raise GraphError(
            f"{op_name}: keepdims=False needs static axes given one by one, got axis={axis!r}; a "
            f"reduction over all static axes, all axes or the batch drops them in any case, so "
            f"leave keepdims out"
        )
    return axes, static


def reduce_sum(
    x: Operand, axis: AxesLike | None = None, keepdims: bool = True, name: str = ""
) -> Composite:
    """Sum over axes.

    Args:
        x: an operand.
        axis: a static axis, given by its index (negative from the last) or as an `Axis`, or a list
            of them; ``Axis.all_static_axes()``, the same as None, for one number a sample;
            ``Axis.default_batch_axis()`` to reduce over the samples of the minibatch;
            ``Axis.all_axes()`` for one number in all.
        keepdims: whether reduced static axes stay, with one element.
        name: its name in the graph.

    Raises:
        GraphError: if there is no such axis; for a sequence axis; for the batch axis of a sequence;
            for ``keepdims=False`` with anything but single static axes.

    Example:
        >>> reduce_sum([[1, 2], [3, 4], [5, 6]], axis=0).eval()
        array([[ 9., 12.]], dtype=float32)
        >>> reduce_sum([[1, 2], [3, 4], [5, 6]], axis=1, keepdims=False).eval()
        array([ 3.,  7., 11.], dtype=float32)
    """
    return _reduce(x, axis, keepdims, "Sum", "reduce_sum", name)


def reduce_mean(
    x: Operand, axis: AxesLike | None = None, keepdims: bool = True, name: str = ""
) -> Composite:
    """Compute the mean over axes; arguments as for `reduce_sum`.

    Example:
        >>> reduce_mean([[5, 20], [30, 40], [55, 60]], axis=0).eval()
        array([[30., 40.]], dtype=float32)
    """
    return _reduce(x, axis, keepdims, "Mean", "reduce_mean", name)


def reduce_max(
    x: Operand, axis: AxesLike | None = None, keepdims: bool = True, name: str = ""
) -> Composite:
    """Return the largest element over axes. Each of several gets the whole gradient. Arguments as
    for `reduce_sum`.

    Example:
        >>> reduce_max([[10, 20], [30, 40], [50, 60]], axis=0).eval()
        array([[50., 60.]], dtype=float32)
    """
    return _reduce(x, axis, keepdims, "Max", "reduce_max", name)


def reduce_min(
    x: Operand, axis: AxesLike | None = None, keepdims: bool = True, name: str = ""
) -> Composite:
    """Return the smallest element over axes. Each of several gets the whole gradient. Arguments as
    for `reduce_sum`.

    As the only reduction of its kind it takes a sequence axis as well: the result has one more
    static axis, the first, of one element.

    Example:
        >>> reduce_min([[10, 20], [30, 40], [50, 60]], axis=0).eval()
        array([[10., 20.]], dtype=float32)
    """
    return _reduce(x, axis, keepdims, "Min", "reduce_min", name)


def reduce_prod(
    x: Operand, axis: AxesLike | None = None, keepdims: bool = True, name: str = ""
) -> Composite:
    """Compute the product over axes; arguments as for `reduce_sum`.

    Example:
        >>> reduce_prod([[1, 2], [3, 4], [5, 6]], axis=0).eval()
        array([[15., 48.]], dtype=float32)
    """
    return _reduce(x, axis, keepdims, "Prod", "reduce_prod", name)


def reduce_log_sum_exp(
    x: Operand, axis: AxesLike | None = None, keepdims: bool = True, name: str = ""
) -> Composite:
    """Compute the logarithm of the sum of exponentials over axes, computed without overflow;
    arguments as for `reduce_sum`.

    Example:
        >>> reduce_log_sum_exp([[1, 1], [1000, 1000]], axis=1).eval()
        array([[   1.6931472],
               [1000.693    ]], dtype=float32)
    """
    return _reduce(x, axis, keepdims, "LogSum", "reduce_log_sum_exp", name)


def reduce_l1(
    x: Operand, axis: AxesLike | None = None, keepdims: bool = True, name: str = ""
) -> Composite:
    """Compute the sum of absolute values over axes; arguments as for `reduce_sum`.

    Example:
        >>> reduce_l1([[3, -4], [5, 12]], axis=1).eval()
        array([[ 7.],
               [17.]], dtype=float32)
    """
    return _norm("ReduceL1", lambda z: reduce_sum(absolute(z), axis), x, axis, keepdims, name)


def reduce_l2(
    x: Operand, axis: AxesLike | None = None, keepdims: bool = True, name: str = ""
) -> Composite:
    """Compute the euclidean norm over axes; arguments as for `reduce_sum`. Its gradient where all
    elements are 0 is nan.

    Example:
        >>> reduce_l2([[3, -4], [5, 12]], axis=1).eval()
        array([[ 5.],
               [13.]], dtype=float32)
    """
    return _norm("ReduceL2", lambda z: sqrt(reduce_sum_square(z, axis)), x, axis, keepdims, name)


def reduce_sum_square(
    x: Operand, axis: AxesLike | None = None, keepdims: bool = True, name: str = ""
) -> Composite:
    """Compute the sum of squares over axes; arguments as for `reduce_sum`.

    Example:
        >>> reduce_sum_square([[3, -4], [5, 12]], axis=1).eval()
        array([[ 25.],
               [169.]], dtype=float32)
    """
    return _norm("ReduceSumSquare", lambda z: reduce_sum(square(z), axis), x, axis, keepdims, name)


def _norm(
    op_name: str, build: Callable[[Any], Composite], x: Any, axis: Any, keepdims: bool, name: str
) -> Composite:
    """Build a block around a reduction that keeps its axes, and remove them at its end unless
    `keepdims`.
    """
    axes, static = _checked(axis, keepdims, op_name)

    def reduced(z: Any) -> Composite:
        return build(z) if keepdims else _without_axes(build(z), z, static)

    return compose(op_name, (x,), reduced, name, details=_details(axes, keepdims))


def _place(x: Any, axis: Any, reduction: str, op_name: str, name: str) -> Composite:
    chosen = Axis.all_static_axes() if axis is None else as_axis(axis, op_name)
    return apply(ReduceElements(reduction, chosen.is_static_axis, axis=chosen), (x,), name)


def argmax(x: Operand, axis: AxesLike | None = None, name: str = "") -> Composite:
    """Return the index of the largest element along a static axis, the first of several. The
    gradient is zero.

    Args:
        x: an operand.
        axis: the axis, which stays with one element; None for the index in the flattened operand,
            as a number.
        name: its name in the graph.

    Raises:
        GraphError: if there is no such axis, or it is dynamic.

    Example:
        >>> argmax([[1, 9], [8, 2], [3, 4]], axis=0).eval()
        array([[1., 0.]], dtype=float32)
    """
    return _place(x, axis, "Argmax", "argmax", name)


def argmin(x: Operand, axis: AxesLike | None = None, name: str = "") -> Composite:
    """Return the index of the smallest element along a static axis, the first of several; see
    `argmax`.

    Example:
        >>> argmin([[1, 9], [8, 2], [3, 4]], axis=0).eval()
        array([[0., 1.]], dtype=float32)
    """
    return _place(x, axis, "Argmin", "argmin", name)
