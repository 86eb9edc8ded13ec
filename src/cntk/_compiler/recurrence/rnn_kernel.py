"""Plain RNN over sequences of different length, with a hand-written gradient.

Frames come step by step, longest sequence first, so that nothing is padded. A step is a product and
a function in place; the weights' gradient is one product at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from cntk._runtime.matmul import add_product, mm

# For each function: its in-place form, its derivative from its values, and its in-place gradient.
# Where a ReLU is 0 the gradient is 0, even of infinity and nan.
ACTIVATIONS: dict[
    str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor], Callable[..., Tensor]]
] = {
    "tanh": (torch.tanh_, lambda y: 1 - y * y, Tensor.mul_),
    "relu": (
        torch.relu_,
        lambda y: ~(y > 0),
        lambda gradient, closed: gradient.masked_fill_(closed, 0),
    ),
    "sigmoid": (torch.sigmoid_, lambda y: y * (1 - y), Tensor.mul_),
}


class PlainRecurrence(torch.autograd.Function):
    """Elman RNN ``h = f(a + h' R)`` (Elman, 1990)."""

    @staticmethod
    def forward(
        ctx: Any,
        opened: Tensor,
        recurrent: Tensor,
        initial: Tensor,
        sizes: list[int],
        activation: str,
    ) -> Tensor:
        """Compute all states.

        Args:
            ctx: what backward needs.
            opened: what comes from outside, a, ``[frames, h]`` step by step. The states take its
                place.
            recurrent: R, ``[h, h]``.
            initial: states before the first step, ``[sequences, h]``.
            sizes: sequences still running at each step.
            activation: the name of f.

        Returns:
            The states ``[frames, h]`` step by step.
        """
        activate, _, _ = ACTIVATIONS[activation]
        before = []
        h = initial
        for running, state in zip(sizes, torch.split(opened, sizes), strict=True):
            if running != h.shape[0]:
                h = h[:running]
            before.append(h)
            h = activate(add_product(state, h, recurrent))
        ctx.mark_dirty(opened)
        ctx.save_for_backward(torch.cat(before), opened, recurrent)
        ctx.sizes, ctx.activation, ctx.sequences = sizes, activation, initial.shape[0]
        return opened

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Return gradients of the inputs, of the matrix and of the initial states."""
        before, states, recurrent = ctx.saved_tensors
        sizes = ctx.sizes
        _, derivative, through = ACTIVATIONS[ctx.activation]
        by_argument = torch.split(derivative(states), sizes)
        carried = gradient.new_zeros(ctx.sequences, states.shape[1])
        arguments = gradient.clone(memory_format=torch.contiguous_format)
        into = (carried, *torch.split(arguments, sizes))
        recurrent_t = recurrent.t().contiguous()
        for k in reversed(range(len(sizes))):
            d = through(into[k + 1], by_argument[k])
            earlier = into[k]
            if earlier.shape[0] != sizes[k]:
                earlier = earlier[: sizes[k]]
            add_product(earlier, d, recurrent_t)
        return arguments, mm(before.t(), arguments), carried, None, None
