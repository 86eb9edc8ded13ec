"""A gated recurrent unit over sequences of different length, forward and backward by hand.

Torch's own kernel knows only the variant that resets after the product with the recurrent matrix, and needs a
rectangle. This one takes frames step by step, longest sequence first, so that nothing is padded, and gathers the
weights' gradients in one product at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


class GatedRecurrence(torch.autograd.Function):
    """``h = (1 - z) * c + z * h'`` with gates z and r (Cho et al., 2014).

    With the reset before the product ``c = tanh(a_c + (r * h') H1)``, after it ``c = tanh(a_c + r * (h' H1))``.
    """

    @staticmethod
    def forward(
        ctx: Any, a: Tensor, gates: Tensor, candidate: Tensor, initial: Tensor, sizes: Sequence[int], reset_after: bool
    ) -> Tensor:
        """Compute all states.

        Args:
            ctx: what backward needs.
            a: what comes from outside, for z, r and c: ``[frames, 3 h]`` step by step.
            gates: recurrent matrix of z and r, ``[h, 2 h]``.
            candidate: recurrent matrix of c, ``[h, h]``.
            initial: states before the first step, ``[sequences, h]``.
            sizes: sequences still running at each step.
            reset_after: where the reset gate acts.

        Returns:
            The states ``[frames, h]`` step by step.
        """
        size = candidate.shape[0]
        states = a.new_empty(a.shape[0], size)
        before = torch.empty_like(states)
        opened = a.new_empty(a.shape[0], 2 * size)
        values, inner = torch.empty_like(states), torch.empty_like(states)
        h, begin = initial, 0
        for running in sizes:
            rows = slice(begin, begin + running)
            h = h[:running]
            before[rows] = h
            zr = torch.addmm(a[rows, : 2 * size], h, gates).sigmoid_()
            z, r = zr[:, :size], zr[:, size:]
            if reset_after:
                s = torch.mm(h, candidate)
                c = torch.addcmul(a[rows, 2 * size :], r, s).tanh_()
            else:
                s = r * h
                c = torch.addmm(a[rows, 2 * size :], s, candidate).tanh_()
            h = torch.lerp(c, h, z)
            states[rows], opened[rows], values[rows], inner[rows] = h, zr, c, s
            begin += running
        ctx.save_for_backward(before, opened, values, inner, gates, candidate)
        ctx.sizes, ctx.reset_after, ctx.sequences = sizes, reset_after, initial.shape[0]
        return states

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of what comes from outside, of both matrices and of the initial states."""
        before, opened, values, inner, gates, candidate = ctx.saved_tensors
        size = candidate.shape[0]
        # What does not depend on later steps, for all frames at once.
        z, r = opened[:, :size], opened[:, size:]
        of_update = (before - values) * z * (1 - z)
        of_value = (1 - z) * (1 - values * values)
        of_reset = (inner if ctx.reset_after else before) * r * (1 - r)
        outside = gradient.new_empty(gradient.shape[0], 3 * size)
        products = torch.empty_like(values) if ctx.reset_after else None
        carried = gradient.new_zeros(ctx.sequences, size)
        end = gradient.shape[0]
        gates_t, candidate_t = gates.t().contiguous(), candidate.t().contiguous()
        for running in reversed(ctx.sizes):
            rows = slice(end - running, end)
            d = gradient[rows] + carried[:running]
            piece = outside[rows]
            dz, dr, dc = piece[:, :size], piece[:, size : 2 * size], piece[:, 2 * size :]
            torch.mul(d, of_update[rows], out=dz)
            torch.mul(d, of_value[rows], out=dc)
            back = torch.mul(d, z[rows])
            if products is not None:
                ds = torch.mul(dc, r[rows], out=products[rows])
                torch.mul(dc, of_reset[rows], out=dr)
                back.addmm_(ds, candidate_t)
            else:
                du = torch.mm(dc, candidate_t)
                torch.mul(du, of_reset[rows], out=dr)
                back.addcmul_(du, r[rows])
            carried[:running] = back.addmm_(piece[:, : 2 * size], gates_t)
            end -= running
        of_gates = torch.mm(before.t(), outside[:, : 2 * size])
        of_candidate = (
            torch.mm(before.t(), products) if products is not None else torch.mm(inner.t(), outside[:, 2 * size :])
        )
        return outside, of_gates, of_candidate, carried, None, None
