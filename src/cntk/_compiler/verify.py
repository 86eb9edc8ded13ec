"""Checks of runs: each operation's result against its inferred type."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from cntk._compiler.deferred_shapes import fits
from cntk._graph.types import TensorType
from cntk._runtime.context import RunContext


def check(value: Any, type_: TensorType, run: RunContext, what: str) -> None:
    """Compare one value with its type.

    Raises:
        RuntimeError: if they differ; it names the operation.
    """
    if not isinstance(value, Tensor):
        return
    axes = type_.dynamic_axes
    loose = len(axes) == 1 and run.several_batches
    rows = (value.shape[0] if loose else run.rows(axes),) if axes else ()
    expected = (*rows, *type_.shape)
    if not fits(tuple(value.shape), expected):
        raise RuntimeError(
            f"{what}: computed shape {tuple(value.shape)}, inferred {expected} ({type_})"
        )
    if type_.dtype is not None and str(value.dtype) != f"torch.{type_.dtype.name}":
        raise RuntimeError(f"{what}: computed {value.dtype}, inferred {type_.dtype.name}")
