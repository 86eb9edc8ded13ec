"""Tensors filled with constants, whatever the operand's values: zeros, ones, the identity."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cntk._arguments import as_bool
from cntk._graph.composite import Composite
from cntk._graph.op import Kernel, Op, PrimitiveOp, primitive
from cntk._graph.types import TensorType
from cntk._ops.support.operands import apply
from cntk._runtime.sparse import SparseRows
from cntk.errors import GraphError
from cntk.typing import Operand

__all__ = ["eye_like", "ones_like", "zeros_like"]


@primitive(PrimitiveOp.ConstantOp)
@dataclass(frozen=True)
class ConstantOp(Op):
    """A tensor filled with one number.

    Attributes:
        fill_value: the number.
    """

    operand_counts = (1,)
    filling = ("fill_value",)

    fill_value: float

    sparse_operands = (0,)

    def infer(self, *operands: TensorType) -> TensorType:
        return operands[0].dense()

    def lower(self, *operands: TensorType) -> Kernel:
        (x,) = operands
        value, shape = self.fill_value, x.shape
        if x.is_sparse:
            return lambda rows: rows.values.new_full((rows.rows, *shape), value)
        return lambda t: torch.full_like(t, value, requires_grad=False)


@primitive(PrimitiveOp.EyeLikeOp)
@dataclass(frozen=True)
class EyeLike(Op):
    """Ones on the diagonal, zeros elsewhere.

    Attributes:
        output_sparse: whether the result is stored sparsely.
    """

    operand_counts = (1,)

    output_sparse: bool = True

    sparse_operands = (0,)
    disk_names = {"output_sparse": "OutputSparse"}

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        if x.rank + len(x.dynamic_axes) != 2:
            raise GraphError("expected an operand with two axes, counting static and dynamic ones")
        return TensorType(x.shape, x.dynamic_axes, x.dtype, self.output_sparse)

    def lower(self, *operands: TensorType) -> Kernel:
        width = operands[0].shape[-1]
        if self.infer(*operands).is_sparse:
            return lambda x: _sparse_eye(x, width)
        return lambda x: torch.eye(x.shape[0], width, dtype=x.dtype, device=_device(x))


def _device(x: Tensor | SparseRows) -> torch.device:
    return x.values.device if isinstance(x, SparseRows) else x.device


def _sparse_eye(x: Tensor | SparseRows, width: int) -> SparseRows:
    rows, device = x.shape[0], _device(x)
    offsets = torch.arange(rows + 1, device=device).clamp(max=width)
    columns = torch.arange(min(rows, width), device=device)
    return SparseRows(
        offsets,
        columns,
        torch.ones(len(columns), dtype=x.dtype, device=device),
        width,
        rows <= width,
    )


def zeros_like(x: Operand, name: str = "") -> Composite:
    """Return zeros of the operand's shape, on its dynamic axes.

    Args:
        x: an operand.
        name: its name in the graph.

    Example:
        >>> zeros_like([[1, 2], [3, 4]]).eval()
        array([[0., 0.],
               [0., 0.]], dtype=float32)
    """
    return apply(ConstantOp(0.0), (x,), name)


def ones_like(x: Operand, name: str = "") -> Composite:
    """Return ones of the operand's shape, on its dynamic axes.

    Args:
        x: an operand.
        name: its name in the graph.

    Example:
        >>> ones_like([[1, 2], [3, 4]]).eval()
        array([[1., 1.],
               [1., 1.]], dtype=float32)
    """
    return apply(ConstantOp(1.0), (x,), name)


def eye_like(x: Operand, sparse_output: bool = True, name: str = "") -> Composite:
    """Return the identity matrix of the operand's shape.

    Args:
        x: an operand with two axes: two static ones, or a batch axis and a static one.
        sparse_output: whether the result is stored sparsely.
        name: its name in the graph.

    Raises:
        GraphError: if the operand has more or fewer axes.

    Example:
        >>> eye_like([[1, 2, 3], [4, 5, 6]], sparse_output=False).eval()
        array([[1., 0., 0.],
               [0., 1., 0.]], dtype=float32)
    """
    return apply(EyeLike(as_bool(sparse_output, "eye_like: sparse_output")), (x,), name)
