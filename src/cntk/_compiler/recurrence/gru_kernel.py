"""GRU over sequences of different length, with a hand-written gradient.

Torch's own kernel knows only the variant that resets after the product with the recurrent matrix,
and needs a block. This one takes frames step by step, longest sequence first, so that nothing is
padded, and computes the weights' gradients in one product at the end.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from cntk._runtime.matmul import add_product, mm

aten = torch.ops.aten


class GatedRecurrence(torch.autograd.Function):
    """GRU ``h = (1 - z) * c + z * h'`` with gates z and r (Cho et al., 2014).

    With the reset before the product ``c = tanh(a_c + (r * h') H1)``, after it ``c = tanh(a_c + r *
    (h' H1))``.
    """

    @staticmethod
    def forward(
        ctx: Any,
        opened: Tensor,
        values: Tensor,
        gates: Tensor,
        candidate: Tensor,
        initial: Tensor,
        sizes: list[int],
        reset_after: bool,
    ) -> Tensor:
        """Compute all states.

        Args:
            ctx: what backward needs.
            opened: what comes from outside for z and r, ``[frames, 2 h]`` step by step. The gates
                take its place.
            values: what comes from outside for c, ``[frames, h]``. It takes its place.
            gates: recurrent matrix of z and r, ``[h, 2 h]``.
            candidate: recurrent matrix of c, ``[h, h]``.
            initial: states before the first step, ``[sequences, h]``.
            sizes: sequences still running at each step.
            reset_after: where the reset gate acts.

        Returns:
            The states ``[frames, h]`` step by step.
        """
        states, inner = torch.empty_like(values), torch.empty_like(values)
        # Rows of each step by one call for each tensor: a view costs as much as arithmetic on a
        # small step.
        parts = (opened, *opened.chunk(2, 1), values, inner, states)
        steps = zip(sizes, *(torch.split(x, sizes) for x in parts), strict=True)
        before = []
        h = initial
        for running, zr, z, r, c, s, state in steps:
            if running != h.shape[0]:
                h = h[:running]
            before.append(h)
            add_product(zr, h, gates).sigmoid_()
            if reset_after:
                torch.mm(h, candidate, out=s)
                c.addcmul_(r, s).tanh_()
            else:
                torch.mul(r, h, out=s)
                add_product(c, s, candidate).tanh_()
            h = torch.lerp(c, h, z, out=state)
        ctx.save_for_backward(torch.cat(before), opened, values, inner, gates, candidate)
        ctx.sizes, ctx.reset_after, ctx.sequences = sizes, reset_after, initial.shape[0]
        return states

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of what comes from outside, of both matrices and of the initial states."""
        before, opened, values, inner, gates, candidate = ctx.saved_tensors
        sizes = ctx.sizes
        z, r = opened.chunk(2, 1)
        # What does not depend on later steps, for all frames at once.
        of_update = aten.sigmoid_backward(before - values, z)
        of_value = aten.tanh_backward(1 - z, values)
        of_reset = aten.sigmoid_backward(inner if ctx.reset_after else before, r)
        for_opened, for_values = torch.empty_like(opened), torch.empty_like(values)
        products = torch.empty_like(inner) if ctx.reset_after else inner
        carried = gradient.new_zeros(ctx.sequences, values.shape[1])
        gates_t, candidate_t = gates.t().contiguous(), candidate.t().contiguous()
        parts = (
            for_opened,
            *for_opened.chunk(2, 1),
            for_values,
            of_update,
            of_value,
            of_reset,
            z,
            r,
            products,
        )
        steps = zip(*(torch.split(x, sizes) for x in parts), strict=True)
        into = (carried, *torch.split(gradient.clone(memory_format=torch.contiguous_format), sizes))
        for k, (dzr, dz, dr, dc, by_z, by_c, by_r, z_t, r_t, ds) in reversed(
            list(enumerate(steps))
        ):
            d, earlier = into[k + 1], into[k]
            if earlier.shape[0] != sizes[k]:
                earlier = earlier[: sizes[k]]
            torch.mul(d, by_z, out=dz)
            torch.mul(d, by_c, out=dc)
            earlier.addcmul_(d, z_t)
            if ctx.reset_after:
                torch.mul(dc, r_t, out=ds)
                torch.mul(dc, by_r, out=dr)
                add_product(earlier, ds, candidate_t)
            else:
                du = mm(dc, candidate_t)
                torch.mul(du, by_r, out=dr)
                earlier.addcmul_(du, r_t)
            add_product(earlier, dzr, gates_t)
        last = (before, products) if ctx.reset_after else (inner, for_values)
        return (
            for_opened,
            for_values,
            mm(before.t(), for_opened),
            mm(last[0].t(), last[1]),
            carried,
            None,
            None,
        )
