"""States of a delay before a loop's first steps."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from cntk._compiler.ir import Node, delay_of
from cntk._graph.types import Shape
from cntk._runtime.carried_state import broadcast_rows, carried, from_sequence
from cntk._runtime.context import RunContext
from cntk._runtime.layout.layout import Layout
from cntk._runtime.step_operands import PER_FRAME, by_step


def initial_rows(delay: Node, initial: Tensor, count: int) -> Tensor:
    """Return a delay's initial state for each of ``count`` sequences: ``[count, *shape]``."""
    initial_type, shape = delay.operands[1].type, delay.types[0].shape
    return (
        broadcast_rows(initial, shape)
        if initial_type.has_batch_axis
        else _repeated(initial, shape, count)
    )


def _repeated(value: Tensor, shape: Shape, count: int) -> Tensor:
    """Repeat a value without rows to ``count`` rows of a shape."""
    return broadcast_rows(value.unsqueeze(0), shape).expand(count, *(-1,) * len(shape))


def _begin(
    run: RunContext, layout: Layout, delay: Node, initial: Tensor
) -> Callable[[int, int], Tensor]:
    """Return a function to a delay's initial states at one of the first steps, for the sequences
    that still run.
    """
    initial_type, shape = delay.operands[1].type, delay.types[0].shape
    if initial_type.is_sequence:
        frames = from_sequence(
            initial, run.layout(initial_type.dynamic_axes), layout, delay_of(delay)
        )
        return by_step(broadcast_rows(frames, shape), PER_FRAME, layout, delay_of(delay) < 0)
    if initial_type.has_batch_axis:
        rows = broadcast_rows(
            initial if layout.uniform else initial.index_select(0, layout.sorted_rows), shape
        )
        return lambda step, size: rows[:size]
    return lambda step, size: _repeated(initial, shape, size)


def initial_state(
    run: RunContext, layout: Layout, delay: Node, initial: Tensor
) -> Callable[[int, int], Tensor]:
    """Return a function to a delay's state before one of the first steps, ``[size, *shape]``:
    carried over, or initial.
    """
    begin = _begin(run, layout, delay, initial)
    if layout.starts is None:
        return begin
    shape = (-1,) + (1,) * len(delay.types[0].shape)
    offset = abs(delay_of(delay))

    def carried_or_initial(step: int, size: int) -> Tensor:
        carried_rows = carried(run, delay.primitive.uid, layout, offset - step, delay_of(delay) > 0)
        if carried_rows is None:
            return begin(step, size)
        before, has = (x.index_select(0, layout.sorted_rows)[:size] for x in carried_rows)
        return torch.where(has.reshape(shape), before, begin(step, size))

    # The carried state is overwritten before later steps read it: read all now.
    states = [
        carried_or_initial(step, layout.step_sizes[step])
        for step in range(min(offset, layout.longest))
    ]
    return lambda step, size: states[step]
