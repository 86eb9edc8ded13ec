"""Sequences of different length cut into chunks of time, for fused kernels that want blocks.

A chunk holds some steps of those sequences that still run, longest first. So there is little
padding: only in the chunk in which a sequence ends. A kernel hands its states from chunk to chunk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cntk._runtime.layout.index_map import IndexMap, inverse_index

if TYPE_CHECKING:
    from cntk._runtime.layout.layout import Layout

# Steps of a chunk by the longest sequence: few sizes, since kernels prepare themselves anew for
# each new size.
_STEPS = ((64, 8), (192, 16), (768, 32))
_MOST_STEPS = 64


@dataclass(frozen=True)
class TimeChunks(IndexMap):
    """Index map from the frames of a layout to chunks, one chunk after another, step by step.

    Attributes:
        sizes: number of steps and of running sequences of each chunk.
        order: sequence numbers, longest first, int64 ``[count]``.
    """

    sizes: tuple[tuple[int, int], ...]
    order: Tensor

    def split(self, rows: Tensor) -> Iterator[Tensor]:
        """Yield the rows of all positions as blocks ``[steps, running, *shape]``."""
        begin = 0
        for steps, running in self.sizes:
            yield rows[begin : begin + steps * running].view(steps, running, *rows.shape[1:])
            begin += steps * running


def time_chunks_of(layout: Layout, backwards: bool) -> TimeChunks:
    """Return the time chunks of a layout.

    Args:
        layout: the sequences' lengths.
        backwards: whether step 0 is each sequence's last frame.
    """
    steps = next((s for longest, s in _STEPS if layout.longest <= longest), _MOST_STEPS)
    sizes = tuple(_sizes(sorted(layout.lengths, reverse=True), steps))
    device = layout.device
    total = sum(count * still for count, still in sizes)
    order = layout.sorted_rows
    rank = torch.empty_like(order).index_copy_(0, order, torch.arange(layout.count, device=device))
    step = layout.positions
    if backwards:
        step = (layout.lengths_tensor - 1)[layout.segments] - step
    chunk = torch.div(step, steps, rounding_mode="floor")
    # All chunks but the last have the same number of steps: their offsets do not depend on it.
    widths = layout.step_sizes_tensor[::steps]
    starts = (torch.cumsum(widths, 0) - widths) * steps
    index = starts[chunk] + (step - chunk * steps) * widths[chunk] + rank[layout.segments]
    return TimeChunks(inverse_index(index, total), index, sizes, order)


def _sizes(descending: Sequence[int], steps: int) -> Iterator[tuple[int, int]]:
    """Yield the number of steps and of running sequences of each chunk."""
    running = len(descending)
    for begin in range(0, descending[0] if descending else 0, steps):
        while descending[running - 1] <= begin:
            running -= 1
        yield min(steps, descending[0] - begin), running
