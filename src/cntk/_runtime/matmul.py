"""Products of matrices, by the faster of the two libraries that torch brings for them.

Torch multiplies matrices of float32 by MKL. On AMD CPUs MKL takes about twice as long as
oneDNN, which torch brings as well, for anything but small products; the numbers differ by rounding
alone.
"""

from __future__ import annotations

import functools
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

# Products of fewer multiplications are as fast either way.
LEAST = 2**21
# A matrix of at most so many columns is narrow: most products by it are faster in another order of
# its elements.
NARROW = 32


@functools.cache
def _by_onednn() -> Callable[..., Tensor] | None:
    """Return oneDNN's ``x @ w.t() + bias`` where it is the faster library, else None."""
    available = torch.backends.mkldnn.is_available() and torch.backends.mkl.is_available()
    linear = (
        getattr(torch.ops.mkldnn, "_linear_pointwise", None) if available and _is_amd() else None
    )
    return linear


def _is_amd() -> bool:
    try:
        return "AuthenticAMD" in Path("/proc/cpuinfo").read_text()
    except OSError:
        return "AuthenticAMD" in platform.processor()


def has_choice() -> bool:
    """Return whether large products are not all torch's own."""
    return _by_onednn() is not None


def is_large(rows: int, inner: int, columns: int) -> bool:
    """Return whether it matters which library multiplies matrices ``[rows, inner]`` and ``[inner,
    columns]``.
    """
    return rows * inner * columns >= LEAST and _by_onednn() is not None


def _takes(a: Tensor, b: Tensor) -> bool:
    # Recordings see fake tensors: they record torch's own call, and replace it by ours in the
    # end.
    return (
        a.shape[0] * b.numel() >= LEAST
        and _by_onednn() is not None
        and a.dtype is torch.float32 is b.dtype
        and a.device.type == "cpu"
        and type(a) in _PLAIN
        and type(b) in _PLAIN
    )


_PLAIN = (Tensor, torch.nn.Parameter)


def _linear(a: Tensor, b: Tensor, bias: Tensor | None) -> Tensor:
    linear = cast(Callable[..., Tensor], _by_onednn())  # not None, as `_takes` has checked
    if bias is None and b.shape[1] <= NARROW < a.shape[0] and not a.is_contiguous():
        # The gradient of a matrix with few columns takes half the time as its transpose.
        return linear(_dense(b.t()), _dense(a), None, "none", [], "").t().contiguous()
    return linear(_dense(a), _dense(b).t(), bias, "none", [], "")


def _dense(x: Tensor) -> Tensor:
    # oneDNN is a thousand times slower for a matrix of columns cut out of a larger one.
    return x if x.is_contiguous() or x.t().is_contiguous() else x.contiguous()


def mm(a: Tensor, b: Tensor) -> Tensor:
    """Return ``a @ b`` for matrices ``[m, k]`` and ``[k, n]``; see `torch.mm`."""
    if not _takes(a, b):
        return torch.mm(a, b)
    if torch.is_grad_enabled() and (a.requires_grad or b.requires_grad):
        return _Product.apply(a, b, None)  # type: ignore[no-any-return, no-untyped-call]
    return _linear(a, b, None)


def addmm(bias: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Return ``bias + a @ b`` with a bias ``[n]``; see `torch.addmm`."""
    if not _takes(a, b):
        return torch.addmm(bias, a, b)
    if torch.is_grad_enabled() and (a.requires_grad or b.requires_grad or bias.requires_grad):
        return _Product.apply(a, b, bias)  # type: ignore[no-any-return, no-untyped-call]
    return _linear(a, b, bias)


def add_product(target: Tensor, a: Tensor, b: Tensor, factor: float = 1) -> Tensor:
    """Add ``factor * a @ b`` to a matrix in place, without a gradient."""
    if _takes(a, b):
        return target.add_(_linear(a, b, None), alpha=factor)
    return target.addmm_(a, b, alpha=factor)


class _Product(torch.autograd.Function):
    """A product whose gradients are products in the same library."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(a, b)
        return _linear(a, b, bias)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        a, b = ctx.saved_tensors
        for_a, for_b, for_bias = ctx.needs_input_grad
        return (
            mm(gradient, b.t()) if for_a else None,
            mm(a.t(), gradient) if for_b else None,
            gradient.sum(0) if for_bias else None,
        )
