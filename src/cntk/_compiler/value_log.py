"""What operations compute, forward and backward, told on the standard error stream while that is
asked for.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from cntk._errors import shape_text
from cntk._runtime.numpy_tensors import array_of
from cntk._runtime.sparse import SparseRows

# From which level on: shapes, sums of absolute values, all values.
SHAPES, SUMS, VALUES = 1, 1_000, 1_000_000


@dataclass
class _Trace:
    level: int = 0


_trace = _Trace()


def set_level(level: int) -> None:
    """Choose how much is told; see `cntk.debugging.set_computation_network_trace_level`."""
    _trace.level = level


def is_enabled() -> bool:
    """Return whether anything is told."""
    return _trace.level >= SHAPES


def tell(what: str, value: Any) -> None:
    """Tell of one result, and of its gradient when that is computed."""
    if isinstance(value, SparseRows):
        value = value.to_dense()
    if not isinstance(value, Tensor):
        return
    _write("forward", what, value)
    if value.requires_grad and _trace.level >= SUMS:
        value.register_hook(lambda gradient: _write("backward", what, gradient))  # type: ignore[no-untyped-call]


def _write(direction: str, what: str, value: Tensor) -> None:
    line = f"{direction} {what}: {shape_text(value.shape)}"
    value = value.detach()
    if _trace.level >= SUMS:
        line += f", absolute sum {float(value.abs().sum()):.6g}"
    if _trace.level >= VALUES:
        line += f"\n{array_of(value)}"
    print(line, file=sys.stderr)
