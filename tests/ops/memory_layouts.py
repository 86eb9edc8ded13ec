"""The same numbers laid out otherwise in memory, put before every kernel of a plan, and so the
gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor

from cntk._compiler import lowering
from cntk._graph.op import RunKernel
from cntk._graph.variable import VariableKind

Layout = Callable[[Tensor], Tensor]


def plain(x: Tensor) -> Tensor:
    """As it is."""
    return x


def odd(x: Tensor) -> Tensor:
    """A copy whose axes of size 1 have a stride that no new tensor has."""
    return _with_odd_strides(x.clone(memory_format=torch.contiguous_format))


def transposed(x: Tensor) -> Tensor:
    """The first axis last in memory."""
    axes = tuple(reversed(range(x.dim())))
    return _with_odd_strides(x.permute(axes).contiguous().permute(axes))


def channels_last(x: Tensor) -> Tensor:
    """The second axis last in memory."""
    return (
        odd(x) if x.dim() < 3 else _with_odd_strides(x.movedim(1, -1).contiguous().movedim(-1, 1))
    )


def with_gaps(x: Tensor) -> Tensor:
    """Every other element of a larger tensor."""
    wide = x.new_full([2 * d + 1 for d in x.shape], 99.0)
    part = wide[tuple(slice(1, 2 * d + 1, 2) for d in x.shape)]
    return _with_odd_strides(part.copy_(x))


def _with_odd_strides(x: Tensor) -> Tensor:
    strides = [1 if d == 1 else s for d, s in zip(x.shape, x.stride(), strict=True)]
    return x.as_strided(x.shape, strides, x.storage_offset())


LAYOUTS: tuple[Layout, ...] = (transposed, channels_last, with_gaps, odd)


class _Laid(torch.autograd.Function):
    """A value laid out one way whose gradient is laid out another way."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, ahead: Layout, back: Layout) -> Tensor:
        ctx.back = back
        return ahead(x.detach())

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return ctx.back(gradient), None, None


@contextmanager
def laid_out(ahead: Layout, back: Layout) -> Iterator[None]:
    """Lay out what kernels read, but for constants, and the gradients that they are given.

    Args:
        ahead: layout of operands.
        back: layout of gradients.
    """
    lower = lowering.lower_node

    def operand(x: Any) -> Any:
        return _Laid.apply(x, ahead, back) if isinstance(x, Tensor) and x.is_floating_point() else x

    def result(x: Any) -> Any:
        if isinstance(x, (tuple, list)):
            return type(x)(map(result, x))
        return _Laid.apply(x, plain, back) if isinstance(x, Tensor) and x.requires_grad else x

    def lowered(node: Any) -> Any:
        kernel = lower(node)
        # Kernels write into constants, as batch normalization's statistics are.
        held = [r.leaf is not None and r.leaf.kind is VariableKind.Constant for r in node.operands]

        def compute(*given: Any) -> Any:
            run, values = given[: len(given) - len(held)], given[len(given) - len(held) :]
            inner = kernel.compute if isinstance(kernel, RunKernel) else kernel
            return result(
                inner(*run, *(x if h else operand(x) for x, h in zip(values, held, strict=True)))
            )

        return RunKernel(compute) if isinstance(kernel, RunKernel) else compute

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lowering, "lower_node", lowered)
        yield
