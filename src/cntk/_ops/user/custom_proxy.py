"""Placeholder of an operation that only another program computes, for models that are built here
and run there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cntk._arguments import as_string
from cntk._graph.composite import Composite
from cntk._graph.op import DiskKind, Kernel, Op, PrimitiveOp, primitive
from cntk._graph.types import Shape, TensorType
from cntk._graph.variable import as_dtype, as_shape, format_number
from cntk._ops.support.broadcasting import join_axes
from cntk._ops.support.operands import apply
from cntk.errors import GraphError
from cntk.typing import ShapeLike

__all__ = ["custom_proxy_op"]


@primitive(PrimitiveOp.CustomProxyOp)
@dataclass(frozen=True)
class CustomProxyOp(Op):
    """An operation that another program computes.

    Attributes:
        custom_op: what it is called there.
        output_shape: the shape of what it gives.
        new_data_type: its dtype, numbered as in files.
    """

    custom_op: str
    output_shape: Shape
    new_data_type: int

    disk_kinds = {"new_data_type": DiskKind.Int}
    allows_mixed_dtypes = True

    def infer(self, *operands: TensorType) -> TensorType:
        axes = join_axes(operands, broadcast=False) if operands else ()
        return TensorType(self.output_shape, axes, as_dtype(self.new_data_type))

    def lower(self, *operands: TensorType) -> Kernel:
        raise GraphError(
            f"'{self.custom_op}' is computed by another program; here it can only be saved and "
            f"loaded"
        )


def custom_proxy_op(
    custom_op: str, output_shape: ShapeLike, output_data_type: Any, *operands: Any, name: str = ""
) -> Composite:
    """Create an operation that another program computes; it can be saved and loaded, and not be
    evaluated.

    Args:
        custom_op: what the operation is called there.
        output_shape: the shape of what it gives.
        output_data_type: its dtype; int8 and int16 as well.
        *operands: operands of any shape and dtype.
        name: its name in the graph.

    Returns:
        A function with one output of that shape and format, on the operands' dynamic axes.

    Raises:
        GraphError: if the operands' dynamic axes differ; and when it is evaluated.

    Example:
        >>> import cntk as C, numpy as np
        >>> x, w = C.input_variable(3, dtype=np.float64), C.parameter((3, 2), dtype=np.int8)
        >>> custom_proxy_op("packed_times", 2, np.float32, x, w).output.shape
        (2,)
    """
    dtype = as_dtype(output_data_type, "custom_proxy_op: output_data_type")
    if dtype is None:
        raise GraphError("custom_proxy_op: expected a dtype for the output, got None")
    return apply(
        CustomProxyOp(
            as_string(custom_op, "custom_proxy_op: custom_op"),
            as_shape(output_shape, "custom_proxy_op: output_shape"),
            format_number(dtype),
        ),
        operands,
        name,
    )
