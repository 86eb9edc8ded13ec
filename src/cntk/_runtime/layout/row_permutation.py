"""Row permutations whose backward pass is a gather, not a scatter-add."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def permute_rows(x: Tensor, source: Tensor, target: Tensor) -> Tensor:
    """Return the rows of a tensor in another order.

    Args:
        x: ``[rows, *shape]``.
        source: the row of ``x`` for each row of the result, int64.
        target: the row of the result for each row of ``x``, int64. Rows of the result that are none
            of these must get no gradient.
    """
    if not x.requires_grad:
        return x.index_select(0, source)
    return _PermuteRows.apply(x, source, target)  # type: ignore[no-any-return, no-untyped-call]


class _PermuteRows(torch.autograd.Function):
    """Row permutation with a gather as gradient; torch's own would be a scatter-add."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, source: Tensor, target: Tensor) -> Tensor:
        ctx.target = target
        return x.index_select(0, source)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return gradient.index_select(0, ctx.target), None, None
