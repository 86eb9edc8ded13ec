"""Sequences of different length laid one after another into slots of one length, for kernels that
want a rectangle.

Between two sequences of a slot a place stays empty: there the kernel is made to forget its state,
so that the next sequence begins with zeros. A minibatch of very different lengths then is one call
of a kernel, with few empty places.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cntk._runtime.layout.index_map import IndexMap, inverse_index
from cntk._runtime.transfer import integers

if TYPE_CHECKING:
    from cntk._runtime.layout.layout import Layout

# A step costs a kernel as much as one slot more.
_STEP_COST = 1
# Numbers of slots that are tried, as shares of the largest, and lengths, by the shortest that so
# many may have.
_COUNTS, _LENGTHS = (1, 0.9, 0.8, 0.7), (1, 1.02, 1.05)
# A packing is good enough at so many times the least cost; the search goes through so many
# sequences in all.
_ENOUGH, _SEARCHED = 1.04, 4096


@dataclass(frozen=True)
class PackedLanes(IndexMap):
    """How the frames of a layout lie in slots, step by step: ``[steps, count]``.

    Attributes:
        steps: places of a slot.
        count: how many slots there are.
    """

    steps: int
    count: int

    def backwards(self, layout: Layout) -> PackedLanes:
        """The same with each sequence's last frame first."""
        places = self.places[layout.reversal]
        return PackedLanes(inverse_index(places, len(self.frames)), places, self.steps, self.count)

    @cached_property
    def separator_mask(self) -> Tensor:
        """1 at empty places, else 0: float32 ``[places, 1]``."""
        return torch.zeros(len(self.frames), 1, device=self.frames.device).index_fill_(
            0, self.empty, 1
        )

    def gather_with_separator(self, x: Tensor) -> Tensor:
        """Frames of vectors at all places, with one more element: 0, and 1 at empty places.

        Args:
            x: ``[frames, size]``.

        Returns:
            ``[steps, count, size + 1]``.
        """
        return torch.cat([self.take(x), self.separator_mask.to(x.dtype)], 1).view(
            self.steps, self.count, x.shape[1] + 1
        )


def packed_lanes_of(layout: Layout) -> PackedLanes:
    """The slots of a layout that has frames."""
    steps, count, begins, rows = _fitting(layout)
    begin, row = integers((*begins, *rows), layout.device).view(2, -1)
    places = (begin[layout.segments] + layout.positions) * count + row[layout.segments]
    return PackedLanes(inverse_index(places, steps * count), places, steps, count)


def _fitting(layout: Layout) -> tuple[int, int, list[int], list[int]]:
    """Steps and number of slots, and each sequence's first step and slot, of the packing that costs
    least.
    """
    found, costs = [], []
    enough = _ENOUGH * _least_cost(layout)
    for length in islice(_slot_lengths(layout), max(1, _SEARCHED // layout.count)):
        count, begins, rows = _packed(layout.lengths, layout.longest_first, length)
        steps = max(begin + length for begin, length in zip(begins, layout.lengths, strict=True))
        found.append((steps, count, begins, rows))
        costs.append(steps * (count + _STEP_COST))
        if costs[-1] <= enough:
            break
    return found[costs.index(min(costs))]


def _least_cost(layout: Layout) -> float:
    """What no packing falls below: that with as many slots as sequences could fill, no place but
    those between them empty.
    """
    places, most = _most_slots(layout)
    filled = (places - most) / most * (most + _STEP_COST)
    return min(filled, layout.longest * (most + 1 + _STEP_COST))


def _most_slots(layout: Layout) -> tuple[int, int]:
    """IndexMap that the sequences take, each with the one after it, and how many slots as long as
    the longest that fills.
    """
    places = layout.frames + layout.count
    return places, places // (layout.longest + 1)


def _slot_lengths(layout: Layout) -> Iterator[int]:
    """Lengths of slots to try: that of the longest sequence first, then those that fewer slots
    would have.
    """
    yield layout.longest
    places, most = _most_slots(layout)
    for count in (most * part for part in _COUNTS):
        yield from (
            length for f in _LENGTHS if (length := math.ceil(places / count * f)) > layout.longest
        )


def _packed(
    lengths: tuple[int, ...], order: list[int], steps: int
) -> tuple[int, list[int], list[int]]:
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
