"""Access to a loop's operands step by step, and joining of the rows of its steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from cntk._graph.types import TensorType
from cntk._runtime.layout.layout import Layout
from cntk._runtime.sparse import SparseRows
from cntk.errors import GraphError

# Kinds of operands: the same at every step, one row for each sequence, one for each frame.
STATIC, PER_SEQUENCE, PER_FRAME = range(3)
Rows = Callable[[int, int], Any]


def kind_of(type_: TensorType, axes: Any) -> int:
    if not type_.dynamic_axes:
        return STATIC
    if len(type_.dynamic_axes) == 1:
        return PER_SEQUENCE
    if type_.dynamic_axes != axes:
        raise GraphError(
            f"a loop on the sequence axis '{axes[-1].name}' reads a value on the axis "
            f"'{type_.dynamic_axes[-1].name}'"
        )
    return PER_FRAME


def by_step(x: Any, kind: int, layout: Layout, backwards: bool) -> Callable[[int, int], Any]:
    """Return a function from a step and its size to a loop operand's rows."""
    if kind == STATIC:
        return lambda step, size: x
    if kind == PER_SEQUENCE:
        rows = x if layout.uniform else _pick(x, layout.sorted_rows)
        return lambda step, size: rows if size == layout.count else _head(rows, size)
    if isinstance(x, SparseRows):
        frames = layout.time_major(backwards)
        begins = [0]
        for size in layout.step_sizes:
            begins.append(begins[-1] + size)
        return lambda step, size: x.select(frames[begins[step] : begins[step] + size])
    if layout.uniform:
        grid = x.reshape(layout.count, layout.longest, *x.shape[1:]).transpose(0, 1)
        steps = grid.contiguous().unbind(0)
        last = layout.longest - 1
        return (
            (lambda step, size: steps[last - step])
            if backwards
            else (lambda step, size: steps[step])
        )
    parts = torch.split(layout.by_steps(x, backwards), layout.step_sizes)
    return lambda step, size: parts[step]


def _pick(x: Any, rows: Tensor) -> Any:
    return x.select(rows) if isinstance(x, SparseRows) else x.index_select(0, rows)


def _head(x: Any, size: int) -> Any:
    return (
        x.select(torch.arange(size, device=x.offsets.device))
        if isinstance(x, SparseRows)
        else x[:size]
    )


def to_frames(steps: list[Tensor], layout: Layout, backwards: bool) -> Tensor:
    if layout.uniform:
        ordered = steps[::-1] if backwards else steps
        stacked = torch.stack(ordered, 1)
        return stacked.reshape(layout.frames, *stacked.shape[2:])
    return layout.by_sequences(torch.cat(steps), backwards)
