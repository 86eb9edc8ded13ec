"""Log of the values that operations compute, forward and backward, on the standard error stream."""

from __future__ import annotations

import sys
from typing import Any

from torch import Tensor

from cntk._compiler.observation import OBSERVATION
from cntk._runtime.numpy_tensors import array_of
from cntk._runtime.sparse import SparseRows
from cntk._wording import shape_text

# From which level on: shapes, sums of absolute values, all values.
SHAPES, SUMS, VALUES = 1, 1_000, 1_000_000


def tell(what: str, value: Any) -> None:
    """Log one result, and its gradient when that is computed."""
    if isinstance(value, SparseRows):
        value = value.to_dense()
    if not isinstance(value, Tensor):
        return
    _write("forward", what, value)
    if value.requires_grad and OBSERVATION.log_level >= SUMS:
        value.register_hook(lambda gradient: _write("backward", what, gradient))


def _write(direction: str, what: str, value: Tensor) -> None:
    line = f"{direction} {what}: {shape_text(value.shape)}"
    value = value.detach()
    if OBSERVATION.log_level >= SUMS:
        line += f", absolute sum {float(value.abs().sum()):.6g}"
    if OBSERVATION.log_level >= VALUES:
        line += f"\n{array_of(value)}"
    print(line, file=sys.stderr)
