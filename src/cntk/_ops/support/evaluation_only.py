"""Metrics without a gradient: asking for one is an error, not a row of zeros."""

from __future__ import annotations

from typing import Any, NoReturn

import torch
from torch import Tensor

from cntk.errors import GraphError


def evaluation_only(result: Tensor, op_name: str, *operands: Any) -> Tensor:
    """Return a result whose gradient with respect to its operands cannot be asked for.

    Args:
        result: the result, computed without a gradient.
        op_name: the operation, for the error.
        operands: what it was computed from; what is no tensor needs no gradient anyway.
    """
    return _EvaluationOnly.apply(result, op_name, *(x for x in operands if isinstance(x, Tensor)))  # type: ignore[no-any-return]


class _EvaluationOnly(torch.autograd.Function):
    """Autograd function that ties a result to its operands: torch would take it for a constant,
    whose gradient is 0.
    """

    @staticmethod
    def forward(ctx: Any, result: Tensor, op_name: str, *operands: Tensor) -> Tensor:
        ctx.op_name = op_name
        return result.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> NoReturn:
        raise GraphError(
            f"{ctx.op_name} is a metric and has no gradient; use it for evaluation, and a loss for "
            f"training"
        )
