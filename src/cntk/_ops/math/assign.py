"""Assignment: a parameter or constant gets a value that a run has computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cntk._graph.composite import Composite
from cntk._graph.op import Op, PrimitiveOp, RunKernel, primitive
from cntk._graph.types import TensorType
from cntk._ops.support.operands import apply, as_operands, in_float32
from cntk._runtime.context import RunContext
from cntk._wording import shape_text
from cntk.errors import ArgumentError, GraphError

__all__ = ["assign"]


@primitive(PrimitiveOp.Assign)
@dataclass(frozen=True)
class Assign(Op):
    """Assignment: its value is the second operand's, and after the run the first operand has it
    too.
    """

    operand_counts = (2,)
    pure = False
    has_side_effect = True

    def infer(self, *operands: TensorType) -> TensorType:
        ref, value = operands
        if ref.dynamic_axes or value.dynamic_axes:
            raise GraphError(
                "what is assigned, and what it is assigned to, must have no dynamic axes; reduce "
                "over the batch first"
            )
        if ref.shape != value.shape and min((*ref.shape, *value.shape), default=0) >= 0:
            raise GraphError(
                f"the value's shape {shape_text(value.shape)} must be that of the target, "
                f"{shape_text(ref.shape)}"
            )
        return value

    def complete(self, *operands: TensorType) -> tuple[TensorType, ...]:
        ref, value = operands
        return (
            ref.with_shape(value.shape) if -1 in ref.shape and ref.rank == value.rank else ref
        ), value

    def lower(self, *operands: TensorType) -> RunKernel:
        def compute(run: RunContext, ref: Tensor, value: Tensor) -> Tensor:
            # It may be a parameter's memory, which another assignment changes first.
            copy = value.detach().clone()

            def write() -> None:
                with torch.no_grad():
                    ref.copy_(copy)

            run.deferred.append(write)
            return value

        return RunKernel(compute)


def assign(ref: Any, input: Any, name: str = "") -> Composite:
    """Give a parameter or constant a value when the function is evaluated.

    All that the same evaluation computes still sees the former value; the assignments are then done
    in their order. With ``forward(..., keep_for_backward=...)`` they wait for ``backward``.

    Args:
        ref: a parameter or constant.
        input: the value, of the same shape and without dynamic axes.
        name: its name in the graph.

    Returns:
        A function with the value as output.

    Raises:
        GraphError: if the shapes differ or there are dynamic axes.
        ArgumentError: if ``ref`` is neither parameter nor constant.

    Example:
        >>> import cntk as C
        >>> total = C.constant(1)
        >>> C.assign(total, total + 2).eval()
        array(3., dtype=float32)
        >>> total.value
        array(3., dtype=float32)
    """
    target, value = as_operands(in_float32(ref, input), "assign")
    if not (target.is_parameter or target.is_constant):
        raise ArgumentError(
            f"assign: expected a parameter or constant to assign to, got {target!r}"
        )
    return apply(Assign(), (target, value), name)
