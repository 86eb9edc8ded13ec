"""Products of tensors: `times` and `times_transpose`, by parameters, between inputs, and of sparse
operands.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cntk._arguments import as_integer
from cntk._graph.composite import Composite
from cntk._graph.op import DiskKind, Kernel, Op, PrimitiveOp, RunKernel, primitive
from cntk._graph.types import UNKNOWN_AXES, InferredDimension, Shape, TensorType
from cntk._ops.support.broadcasting import join_axes
from cntk._ops.support.operands import apply, as_operands
from cntk._runtime.context import RunContext
from cntk._runtime.matmul import NARROW, addmm, has_choice, is_large, mm
from cntk._runtime.sparse import SparseRows
from cntk._wording import shape_text
from cntk.errors import ArgumentError, GraphError
from cntk.typing import Operand

__all__ = [
    "TIMES_NO_INFERRED_INPUT_RANK",
    "TIMES_REDUCE_SEQUENCE_AXIS_WITHOUT_INFERRED_INPUT_RANK",
    "times",
    "times_transpose",
]

TIMES_NO_INFERRED_INPUT_RANK = -1
TIMES_REDUCE_SEQUENCE_AXIS_WITHOUT_INFERRED_INPUT_RANK = -2


@primitive(PrimitiveOp.Times)
@dataclass(frozen=True)
class Times(Op):
    """Contraction of the left operand's last axes with the right operand's first.

    Attributes:
        output_rank: how many of the right operand's axes remain.
        infer_input_rank_to_map: for a right operand whose first dimension is inferred, how many of
            the left's axes are kept; -1 to infer single dimensions only; -2 to sum over the
            sequence axis as well.
    """

    operand_counts = (2,)
    keeps_axes = True

    output_rank: int = 1
    infer_input_rank_to_map: int = TIMES_NO_INFERRED_INPUT_RANK

    broadcasts_over_sequence = True
    sparse_operands = (0,)
    disk_kinds = {"infer_input_rank_to_map": DiskKind.Int}
    reversed_on_disk = True

    @property
    def reduces_sequence(self) -> bool:
        return (
            self.infer_input_rank_to_map == TIMES_REDUCE_SEQUENCE_AXIS_WITHOUT_INFERRED_INPUT_RANK
        )

    def contracted_axes(self, right: TensorType) -> int:
        """Return the number of axes that are summed over."""
        return right.rank - self.output_rank

    def complete(self, *operands: TensorType) -> tuple[TensorType, ...]:
        left, right = operands
        if right.shape[:1] == (InferredDimension,) and self.infer_input_rank_to_map >= 0:
            inner = left.shape[self.infer_input_rank_to_map :]
            return left, right.with_shape((*inner, *right.shape[right.rank - self.output_rank :]))
        count = self.contracted_axes(right)
        if count <= 0 or count > left.rank:
            return operands
        pairs = list(zip(left.shape[left.rank - count :], right.shape[:count], strict=True))
        inner_left = tuple(r if d == InferredDimension else d for d, r in pairs)
        inner_right = tuple(d if r == InferredDimension and d >= 0 else r for d, r in pairs)
        return (
            left.with_shape((*left.shape[: left.rank - count], *inner_left)),
            right.with_shape((*inner_right, *right.shape[count:])),
        )

    def infer(self, *operands: TensorType) -> TensorType:
        left, right = operands
        count = self.contracted_axes(right)
        if 0 < self.infer_input_rank_to_map >= left.rank:
            raise GraphError(
                f"infer_input_rank_to_map ({self.infer_input_rank_to_map}) must be smaller than "
                f"the left operand's rank ({left.rank}), so that an axis is left to be summed over"
            )
        if count < 0:
            raise GraphError(
                f"the output rank ({self.output_rank}) is larger than the right operand's rank "
                f"({right.rank}); use at most as many axes for the output as that operand has"
            )
        if count > left.rank:
            raise GraphError(
                f"the right operand's first {count} axes are summed over, and the left operand has "
                f"only {left.rank} axes; give the right operand fewer axes, or raise output_rank"
            )
        summed, first = left.shape[left.rank - count :], right.shape[:count]
        if left.is_sparse and count > 1:
            raise GraphError(
                f"{count} axes of the left operand would be summed over, and of a sparse one only "
                f"the last can be; make it dense, or flatten both"
            )
        if not all(a == b or a < 0 or b < 0 for a, b in zip(summed, first, strict=True)):
            which = "axis" if count == 1 else f"{count} axes"
            raise GraphError(
                f"the last {which} of the left operand ({shape_text(summed)}) and the first of the "
                f"right ({shape_text(first)}) must agree"
            )
        axes = join_axes(operands)
        if self.reduces_sequence:
            if len(axes) < 2:
                raise GraphError("to sum over the sequence axis an operand must have one")
            axes = axes[:1]
        return TensorType(
            (*left.shape[: left.rank - count], *right.shape[count:]),
            axes,
            left.dtype or right.dtype,
        )

    def infer_partial(self, *operands: TensorType) -> TensorType | None:
        left, right = operands
        count = self.contracted_axes(right)
        if (
            not right.has_shape
            or count < 0
            or self.infer_input_rank_to_map > 0
            or self.reduces_sequence
        ):
            return None
        # A state that is not known yet is taken to have as many axes as vanish.
        left_shape = left.shape[: left.rank - count] if left.has_shape and left.rank > count else ()
        axes = join_axes(tuple(t for t in operands if t.has_axes))
        return TensorType(
            (*left_shape, *right.shape[count:]), axes or UNKNOWN_AXES, left.dtype or right.dtype
        )

    def infer_known(self, *operands: TensorType) -> TensorType | None:
        return None if self.reduces_sequence else super().infer_known(*operands)

    def multiplications(self, operands: tuple[TensorType, ...], result: TensorType) -> int:
        left, right = operands
        rows = math.prod(left.shape[: left.rank - self.contracted_axes(right)])
        return 0 if left.is_sparse else rows * right.elements

    def lower(self, *operands: TensorType) -> Kernel | RunKernel:
        left, right = operands
        count = self.contracted_axes(right)
        kernel = _product(left, right, left.rank - count, count)
        if self.reduces_sequence:
            return _summed_over_sequence(operands, kernel)
        return _stretched(operands, kernel)


@dataclass(frozen=True)
class Affine(Op):
    """Samples times a matrix, plus a bias, in one call.

    Attributes:
        times: the product.
    """

    times: Times

    op_name = "Times"

    def infer(self, *operands: TensorType) -> TensorType:
        return self.times.infer(*operands[:2])

    def multiplications(self, operands: tuple[TensorType, ...], result: TensorType) -> int:
        return self.times.multiplications(operands[:2], result)

    def lower(self, *operands: TensorType) -> Kernel:
        x, w, _ = operands
        outer = w.shape[x.rank :]
        rows, columns = math.prod(x.shape), math.prod(outer)
        if x.rank == 1 and w.rank == 2:
            if _is_narrow(rows, columns):
                return _narrow
            multiply = addmm if has_choice() else torch.addmm
            return lambda x, w, b: multiply(b, x, w)
        return lambda x, w, b: addmm(
            b.flatten(), x.reshape(-1, rows), w.reshape(rows, columns)
        ).reshape(-1, *outer)


def _is_narrow(rows: int, columns: int) -> bool:
    """Return whether a matrix has so few columns for its rows that a column-major product is
    faster.
    """
    return columns <= NARROW and rows >= 64


def _narrow(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """Compute an affine function of few columns."""
    if is_large(x.shape[0], *w.shape):
        return addmm(b, x, w)
    return torch.addmm(b, x, _columns_first(w) if x.shape[0] > 8 else w)


def _columns_first(matrix: Tensor) -> Tensor:
    """Copy a matrix to column-major order: BLAS is slow on short rows, in the backward pass too."""
    return matrix.t().contiguous().t()


@primitive(PrimitiveOp.TransposeTimes)
@dataclass(frozen=True)
class TransposeTimes(Op):
    """Contraction of the left operand's last axis with the right operand's last."""

    operand_counts = (2,)
    keeps_axes = True

    output_rank: int = 1

    broadcasts_over_sequence = True
    sparse_operands = (1,)
    reversed_on_disk = True

    def complete(self, *operands: TensorType) -> tuple[TensorType, ...]:
        left, right = operands
        if right.rank and left.rank and right.shape[-1] == InferredDimension:
            right = right.with_shape((*right.shape[:-1], left.shape[-1]))
        return left, right

    def infer(self, *operands: TensorType) -> TensorType:
        left, right = operands
        if not left.rank or not 1 <= right.rank <= 2:
            raise GraphError(
                "times_transpose needs a left operand with an axis and a right operand that is a "
                "vector or a matrix"
            )
        if left.shape[-1] != right.shape[-1] and min(left.shape[-1], right.shape[-1]) >= 0:
            raise GraphError(
                f"the last axes of the operands ({left.shape[-1]} and {right.shape[-1]}) must agree"
            )
        outer = right.shape[:-1] if right.rank == 2 else (1,)
        return TensorType(
            (*left.shape[:-1], *outer), join_axes(operands), left.dtype or right.dtype
        )

    def multiplications(self, operands: tuple[TensorType, ...], result: TensorType) -> int:
        left, right = operands
        return 0 if right.is_sparse else left.elements * (right.shape[0] if right.rank == 2 else 1)

    def lower(self, *operands: TensorType) -> Kernel | RunKernel:
        left, right = operands
        inner = right.shape[-1]
        outer = right.shape[0] if right.rank == 2 else 1
        flipped = right.with_shape((inner, outer))
        product = _product(left, flipped, left.rank - 1, 1)
        rows = right.lead
        if right.is_sparse:
            return _by_sparse(left, right, product)

        def compute(x: Tensor, w: Tensor) -> Tensor:
            matrix = w.reshape(*w.shape[:rows], outer, inner)
            return product(x, matrix.transpose(-1, -2))  # type: ignore[no-any-return]

        return _stretched(operands, compute)


def _by_sparse(left: TensorType, right: TensorType, product: Kernel) -> Kernel | RunKernel:
    """Compute a product by the transpose of a sparse operand. Without dynamic axes, gather the
    elements that its indices name.
    """
    if left.rank == 1 and right.rank == 2 and not left.dynamic_axes and not right.dynamic_axes:
        gather = _sparse_product(right, TensorType((left.shape[0], 1)), 1, left.shape[0], (1,))
        return lambda x, rows: gather(rows, x.unsqueeze(1)).squeeze(1)

    def compute(x: Tensor, rows: SparseRows) -> Tensor:
        outer = right.shape[:1] if right.rank == 2 else (1,)
        matrix = rows.to_dense().reshape(*(-1,) * right.lead, *outer, right.shape[-1])
        return product(x, matrix.transpose(-1, -2))  # type: ignore[no-any-return]

    return _stretched((left, right), compute)


def _product(
    left: TensorType, right: TensorType, left_rank: int, count: int
) -> Callable[[Any, Any], Any]:
    """Return a kernel for a product of operands on the same dynamic axes: ``[rows, A, C]`` by ``[C,
    O]`` or ``[rows, C, O]``.
    """
    a, c, o = left.shape[:left_rank], math.prod(left.shape[left_rank:]), right.shape[count:]
    flat_a, flat_o = math.prod(a), math.prod(o)
    result: Shape = (*a, *o)
    if left.is_sparse:
        return _sparse_product(left, right, left_rank, c, o)
    if not right.has_batch_axis:
        if (
            left.has_batch_axis
            and left_rank == 0
            and count == 1
            and left.rank == 1
            and right.rank == 2
        ):
            return mm
        if left.rank == 1 and left_rank == 0 and right.rank == 2:
            return torch.matmul

        def by_matrix(x: Tensor, w: Tensor) -> Tensor:
            rows = x.shape[:1] if left.has_batch_axis else ()
            return mm(x.reshape(-1, c), w.reshape(c, flat_o)).reshape(*rows, *result)

        return by_matrix
    if not left.has_batch_axis:
        if flat_o == 1:
            return lambda w, x: mm(x.reshape(-1, c), w.reshape(flat_a, c).t()).reshape(-1, *result)
        return lambda w, x: torch.matmul(w.reshape(flat_a, c), x.reshape(-1, c, flat_o)).reshape(
            -1, *result
        )
    return lambda x, y: torch.bmm(x.reshape(-1, flat_a, c), y.reshape(-1, c, flat_o)).reshape(
        -1, *result
    )


def _sparse_product(
    left: TensorType, right: TensorType, left_rank: int, c: int, o: Shape
) -> Callable[[Any, Any], Any]:
    """Return a kernel for sparse rows times a matrix: gather rows of the matrix, weighted and added
    if there are several.
    """
    # A matrix without dynamic axes is rows too, as samples are.
    are_rows = not left_rank or (left_rank == 1 and left.rank == 2 and not left.has_batch_axis)
    if not are_rows or right.has_batch_axis:
        dense = _product(left.dense(), right, left_rank, right.rank - len(o))
        return lambda rows, w: dense(rows.to_dense().reshape(-1, *left.shape), w)

    def compute(rows: SparseRows, w: Tensor) -> Tensor:
        matrix = w if w.dim() == 2 else w.reshape(c, -1)
        # The gradient has only the rows that were read where that is worth it, or where the
        # learner's rule differs.
        many = rows.by_rows or matrix.shape[0] > _MANY_ROWS * rows.columns.shape[0]
        sparse = many and matrix.is_leaf  # what was computed cannot pass such a gradient on
        if rows.one_hot:
            result = torch.embedding(matrix, rows.columns, -1, False, sparse)
        elif matrix.dtype == torch.float16:
            result = torch.mm(rows.to_dense(), matrix)
        else:
            result = torch.nn.functional.embedding_bag(
                rows.columns,
                matrix,
                rows.offsets[:-1],
                mode="sum",
                sparse=sparse,
                per_sample_weights=rows.values.to(matrix.dtype),
            )
        return result if len(o) == 1 else result.reshape(-1, *o)

    return compute


# Above so many rows of a matrix for each that is read, its gradient holds only those.
_MANY_ROWS = 8


def _stretched(operands: tuple[TensorType, ...], kernel: Kernel) -> Kernel | RunKernel:
    """Return a kernel that first repeats an operand with a batch axis alone along the other's
    sequences.
    """
    axes = join_axes(operands)
    short = [len(axes) > 1 and len(t.dynamic_axes) == 1 for t in operands]
    if not any(short):
        return kernel

    def compute(run: RunContext, *tensors: Any) -> Any:
        layout = run.layout(axes)
        return kernel(
            *[_expand(layout, x) if s else x for x, s in zip(tensors, short, strict=True)]
        )

    return RunKernel(compute)


def _expand(layout: Any, x: Any) -> Any:
    return x.select(layout.segments) if isinstance(x, SparseRows) else layout.expand(x)


def _summed_over_sequence(operands: tuple[TensorType, ...], kernel: Kernel) -> RunKernel:
    axes = join_axes(operands)
    whole = _stretched(operands, kernel)

    def compute(run: RunContext, *tensors: Any) -> Tensor:
        product = whole.compute(run, *tensors) if isinstance(whole, RunKernel) else whole(*tensors)
        return run.layout(axes).sum(product)

    return RunKernel(compute)


def times(
    left: Operand,
    right: Operand,
    output_rank: int = 1,
    infer_input_rank_to_map: int = TIMES_NO_INFERRED_INPUT_RANK,
    name: str = "",
) -> Composite:
    """Compute a matrix or tensor product: a sum over the last axes of the left and the first axes
    of the right operand.

    Args:
        left: an operand ``[*a, *c]``, which may be sparse.
        right: an operand ``[*c, *o]``; a parameter's dimensions in ``c`` may be inferred.
        output_rank: number of axes in ``o``.
        infer_input_rank_to_map: where the right operand's first dimension is inferred: how many
            axes ``a`` has; -1 to take the operand's shape as it is.
        name: its name in the graph.

    Returns:
        A function with output ``[*a, *o]``.

    Raises:
        GraphError: if the axes that are summed over differ in size.

    Example:
        >>> times([[1, 2], [3, 4]], [[5], [6]]).eval()
        array([[17.],
               [39.]], dtype=float32)
    """
    output_rank = as_integer(output_rank, "times: output_rank")
    if output_rank <= 0:
        raise ArgumentError(f"times: output rank ({output_rank}) must be > 0")
    infer_input_rank_to_map = as_integer(infer_input_rank_to_map, "times: infer_input_rank_to_map")
    variables = as_operands((left, right), "times")
    return apply(Times(output_rank, infer_input_rank_to_map), variables, name)


def times_transpose(left: Operand, right: Operand, name: str = "") -> Composite:
    """Compute the product of the left operand and the transpose of the right.

    Args:
        left: an operand ``[*a, c]``.
        right: a matrix ``[o, c]`` or a vector ``[c]``, which counts as one row.
        name: its name in the graph.

    Returns:
        A function with output ``[*a, o]``.

    Raises:
        GraphError: if the last axes differ.

    Example:
        >>> times_transpose([[1, 2], [3, 4]], [[5, 6]]).eval()
        array([[17.],
               [39.]], dtype=float32)
    """
    return apply(TransposeTimes(), as_operands((left, right), "times_transpose"), name)
