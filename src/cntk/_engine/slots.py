"""Sequences of different length laid one after another into slots of one length, for kernels that want a rectangle.

Between two sequences of a slot a place stays empty: there the kernel is made to forget its state, so that the next
sequence begins with zeros. A minibatch of very different lengths then is one call of a kernel, with few empty places.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cntk._engine.places import Places

if TYPE_CHECKING:
    from cntk._engine.layout import Layout

# Lengths of slots that are tried, by the longest sequence: longer ones waste less, but a step of few rows is slow.
_LENGTHS = (1, 1.2, 1.35, 1.5, 1.75, 2)
_FULL = 0.95
# A step costs as much as these rows beside its own.
_STEP = 2

@dataclass(frozen=True)
class Slots(Places):
    """How the frames of a layout lie in slots, step by step: ``[steps, count]``.

    Attributes:
        steps: places of a slot.
        count: how many slots there are.
    """

    steps: int
    count: int

    def take_marked(self, x: Tensor) -> Tensor:
        """Frames of vectors at all places, with one more element: 0, and 1 at empty places.

        Args:
            x: ``[frames, size]``.

        Returns:
            ``[steps, count, size + 1]``.
        """
        mark = x.new_zeros(self.frames.shape[0], 1).index_fill_(0, self.empty, 1)
        return torch.cat([self.take(x), mark], 1).view(self.steps, self.count, x.shape[1] + 1)


def slots_of(layout: Layout, backwards: bool) -> Slots:
    """The slots of a layout that has frames.

    Args:
        layout: the sequences' lengths.
        backwards: whether each sequence's last frame comes first.
    """
    steps, count, begins, rows = _fitting(layout)
    begin, row = torch.tensor([begins, rows], dtype=torch.int64, device=layout.device)
    frames = torch.arange(layout.frames, device=layout.device)
    places = (begin[layout.segments] + layout.positions) * count + row[layout.segments]
    if backwards:
        places = places[layout.reversal]
    standing = torch.zeros(steps * count, dtype=torch.int64, device=layout.device)
    standing[places] = frames
    return Slots(standing, places, steps, count)


def _fitting(layout: Layout) -> tuple[int, int, list[int], list[int]]:
    """Steps and number of slots, and each sequence's first step and slot, of the packing that costs least."""
    found = []
    for multiple in _LENGTHS:
        count, begins, rows = _packed(layout.lengths, layout.longest_first, int(layout.longest * multiple))
        steps = max(begin + length for begin, length in zip(begins, layout.lengths, strict=True))
        found.append((steps, count, begins, rows))
        if layout.frames >= _FULL * steps * count:
            break
    return min(found, key=lambda f: f[0] * (f[1] + _STEP))


def _packed(lengths: tuple[int, ...], order: list[int], steps: int) -> tuple[int, list[int], list[int]]:
    """Pack sequences, longest first, each into the fullest slot that still takes it.

    Returns:
        The number of slots; each sequence's first step, and its slot.
    """
    begins, rows = [0] * len(lengths), [0] * len(lengths)
    open_slots: list[tuple[int, int]] = []  # places left, and the slot; ascending
    count = 0
    for k in order:
        at = bisect_left(open_slots, (lengths[k], 0))
        if at < len(open_slots):
            left, row = open_slots.pop(at)
        else:
            left, row = steps, count
            count += 1
        begins[k], rows[k] = steps - left, row
        # The place after a sequence stays empty.
        left -= lengths[k] + 1
        if left > 0:
            insort(open_slots, (left, row))
    return count, begins, rows
