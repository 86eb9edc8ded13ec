"""A gated recurrent unit over sequences of different length, forward and backward by hand.

Torch's own kernel knows only the variant that resets after the product with the recurrent matrix, and needs a
rectangle. This one takes frames step by step, longest sequence first, so that nothing is padded, and gathers the
weights' gradients in one product at the end.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from cntk._engine.matrix_product import mm

aten = torch.ops.aten


class GatedRecurrence(torch.autograd.Function):
    """``h = (1 - z) * c + z * h'`` with gates z and r (Cho et al., 2014).

    With the reset before the product ``c = tanh(a_c + (r * h') H1)``, after it ``c = tanh(a_c + r * (h' H1))``.
    """

    @staticmethod
    def forward(
        ctx: Any, a: Tensor, gates: Tensor, candidate: Tensor, initial: Tensor, sizes: list[int], reset_after: bool
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
        states, values, inner = (a.new_empty(a.shape[0], size) for _ in range(3))
        opened = a.new_empty(a.shape[0], 2 * size)
        # Rows of each step by one call for each tensor: a view costs as much as arithmetic on a small step.
        steps = zip(
            sizes,
            *(
                torch.split(x, sizes)
                for x in (a[:, : 2 * size], a[:, 2 * size :], opened, opened[:, :size], opened[:, size:])
            ),
            *(torch.split(x, sizes) for x in (values, inner, states)),
            strict=True,
        )
        before = []
        h = initial
        for running, a_zr, a_c, zr, z, r, c, s, state in steps:
            if running != h.shape[0]:
                h = h[:running]
            before.append(h)
            torch.addmm(a_zr, h, gates, out=zr).sigmoid_()
            if reset_after:
                torch.mm(h, candidate, out=s)
                torch.addcmul(a_c, r, s, out=c).tanh_()
            else:
                torch.mul(r, h, out=s)
                torch.addmm(a_c, s, candidate, out=c).tanh_()
            h = torch.lerp(c, h, z, out=state)
        ctx.save_for_backward(torch.cat(before), opened, values, inner, gates, candidate)
        ctx.sizes, ctx.reset_after, ctx.sequences = sizes, reset_after, initial.shape[0]
        return states

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of what comes from outside, of both matrices and of the initial states."""
        before, opened, values, inner, gates, candidate = ctx.saved_tensors
        size, sizes = candidate.shape[0], ctx.sizes
        # What does not depend on later steps, for all frames at once.
        z, r = opened[:, :size], opened[:, size:]
        of_update = aten.sigmoid_backward(before - values, z)
        of_value = aten.tanh_backward(1 - z, values)
        of_reset = aten.sigmoid_backward(inner if ctx.reset_after else before, r)
        outside = gradient.new_empty(gradient.shape[0], 3 * size)
        products = torch.empty_like(values) if ctx.reset_after else values
        carried = gradient.new_zeros(ctx.sequences, size)
        gates_t, candidate_t = gates.t().contiguous(), candidate.t().contiguous()
        gradients = gradient.clone(memory_format=torch.contiguous_format)
        columns = [outside[:, k * size : (k + 1) * size] for k in range(3)]
        parts = [*columns, outside[:, : 2 * size], of_update, of_value, of_reset, z, r, products]
        steps = zip(*(torch.split(x, sizes) for x in parts), strict=True)
        into = (carried, *torch.split(gradients, sizes))
        for k, (dz, dr, dc, dzr, by_z, by_c, by_r, z_t, r_t, ds) in reversed(list(enumerate(steps))):
            d = into[k + 1]
            torch.mul(d, by_z, out=dz)
            torch.mul(d, by_c, out=dc)
            back = torch.mul(d, z_t)
            if ctx.reset_after:
                torch.mul(dc, r_t, out=ds)
                torch.mul(dc, by_r, out=dr)
                back.addmm_(ds, candidate_t)
            else:
                du = torch.mm(dc, candidate_t)
                torch.mul(du, by_r, out=dr)
                back.addcmul_(du, r_t)
            back.addmm_(dzr, gates_t)
            earlier = into[k]
            (earlier if earlier.shape[0] == sizes[k] else earlier[: sizes[k]]).add_(back)
        of_gates = mm(before.t(), outside[:, : 2 * size])
        last = (before, products) if ctx.reset_after else (inner, columns[2])
        return outside, of_gates, mm(last[0].t(), last[1]), carried, None, None
