"""Packing: sequences of different length one after another in lanes of equal length.

Between two sequences of a lane one position stays empty: there the kernel resets its state, so that
the next sequence begins with zeros. A minibatch of very different lengths is one call of a kernel,
with little padding.
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

# A step costs a kernel as much as one lane more.
_STEP_COST = 1
# Numbers of lanes to try, as shares of the largest, and lengths, as multiples of the shortest
# possible for that number.
_COUNTS, _LENGTHS = (1, 0.9, 0.8, 0.7), (1, 1.02, 1.05)
# The search stops at a packing of at most `_ENOUGH` times the least cost, and after `_SEARCHED`
# sequences in all.
_ENOUGH, _SEARCHED = 1.04, 4096


@dataclass(frozen=True)
class PackedLanes(IndexMap):
    """Index map from the frames of a layout to lanes, step by step: ``[steps, count]``.

    Attributes:
        steps: number of positions of a lane.
        count: number of lanes.
    """

    steps: int
    count: int

    def backwards(self, layout: Layout) -> PackedLanes:
        """Return the same lanes with each sequence's last frame first."""
        positions = self.positions[layout.reversal]
        return PackedLanes(
            inverse_index(positions, len(self.frames)), positions, self.steps, self.count
        )

    @cached_property
    def separator_mask(self) -> Tensor:
        """Mask with 1 at empty positions, else 0: float32 ``[positions, 1]``."""
        return torch.zeros(len(self.frames), 1, device=self.frames.device).index_fill_(
            0, self.empty, 1
        )

    def gather_with_separator(self, x: Tensor) -> Tensor:
        """Gather the frames of vectors with one more element: 1 at empty positions, else 0.

        Args:
            x: ``[frames, size]``.

        Returns:
            ``[steps, count, size + 1]``.
        """
        return torch.cat([self.gather(x), self.separator_mask.to(x.dtype)], 1).view(
            self.steps, self.count, x.shape[1] + 1
        )


def packed_lanes_of(layout: Layout) -> PackedLanes:
    """Return the packed lanes of a layout that has frames."""
    steps, count, begins, lanes = _best_packing(layout)
    begin, lane = integers((*begins, *lanes), layout.device).view(2, -1)
    positions = (begin[layout.segments] + layout.positions) * count + lane[layout.segments]
    return PackedLanes(inverse_index(positions, steps * count), positions, steps, count)


def _best_packing(layout: Layout) -> tuple[int, int, list[int], list[int]]:
    """Return the packing of least cost.

    Returns:
        The number of steps and of lanes; each sequence's first step, and its lane.
    """
    packings, costs = [], []
    enough = _ENOUGH * _least_cost(layout)
    for length in islice(_lane_lengths(layout), max(1, _SEARCHED // layout.count)):
        count, begins, lanes = _pack(layout.lengths, layout.longest_first, length)
        steps = max(begin + length for begin, length in zip(begins, layout.lengths, strict=True))
        packings.append((steps, count, begins, lanes))
        costs.append(steps * (count + _STEP_COST))
        if costs[-1] <= enough:
            break
    return packings[costs.index(min(costs))]


def _least_cost(layout: Layout) -> float:
    """Return a lower bound of the cost: as many full lanes as the sequences fill, and only the
    separators empty.
    """
    positions, most = _most_lanes(layout)
    filled = (positions - most) / most * (most + _STEP_COST)
    return min(filled, layout.longest * (most + 1 + _STEP_COST))


def _most_lanes(layout: Layout) -> tuple[int, int]:
    """Return how many positions sequences take with a separator each, and how many lanes of the
    longest sequence's length they fill.
    """
    positions = layout.frames + layout.count
    return positions, positions // (layout.longest + 1)


def _lane_lengths(layout: Layout) -> Iterator[int]:
    """Yield lengths of lanes to try: that of the longest sequence first, then those of fewer
    lanes.
    """
    yield layout.longest
    positions, most = _most_lanes(layout)
    for count in (most * part for part in _COUNTS):
        yield from (
            length
            for f in _LENGTHS
            if (length := math.ceil(positions / count * f)) > layout.longest
        )


def _pack(
    lengths: tuple[int, ...], order: list[int], steps: int
) -> tuple[int, list[int], list[int]]:
    """Pack sequences, longest first, each into the fullest lane that still takes it.

    Returns:
        The number of lanes; each sequence's first step, and its lane.
    """
    begins, lanes = [0] * len(lengths), [0] * len(lengths)
    open_lanes: list[tuple[int, int]] = []  # positions left, and the lane; ascending
    count = 0
    for k in order:
        at = bisect_left(open_lanes, (lengths[k], 0))
        if at < len(open_lanes):
            left, lane = open_lanes.pop(at)
        else:
            left, lane = steps, count
            count += 1
        begins[k], lanes[k] = steps - left, lane
        # The position after a sequence stays empty.
        left -= lengths[k] + 1
        if left > 0:
            insort(open_lanes, (left, lane))
    return count, begins, lanes
