"""Helpers of all recordings: comparison with eager code, and silence of torch's logger."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor, allclose

# Far above rounding, far below what a wrong call does.
_TOLERANCE = 1e-2


def agree(results: Sequence[Tensor], expected: Sequence[Tensor]) -> bool:
    """Return whether results are equal but for rounding.

    Args:
        results: results of recorded code.
        expected: results of eager code. The largest of them is the scale of rounding: a gradient
            that is 0 in exact arithmetic has rounding errors only.
    """
    bound = _TOLERANCE * max(map(_largest, expected), default=0.0)
    return all(
        one.shape == other.shape
        and one.dtype == other.dtype
        and allclose(one, other, rtol=_TOLERANCE, atol=bound, equal_nan=True)
        for one, other in zip(results, expected, strict=True)
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Keep torch from logging what is raised to its caller as well, with all of its stack."""
    log = logging.getLogger("torch._subclasses.fake_tensor")
    before, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = before


def _largest(x: Tensor) -> float:
    return float(x.detach().abs().nan_to_num(0, 0, 0).max()) if x.numel() else 0.0
