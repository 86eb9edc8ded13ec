"""Index maps between packed frames and padded blocks, some of whose positions hold no frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from cntk._runtime.layout.row_permutation import permute_rows
from cntk._runtime.transfer import true_indices


def inverse_index(positions: Tensor, total: int) -> Tensor:
    """Return the frame at each of ``total`` positions, from the position of each frame.

    Positions without a frame get frame 0.
    """
    frames = torch.zeros(total, dtype=torch.int64, device=positions.device)
    frames[positions] = torch.arange(len(positions), device=positions.device)
    return frames


@dataclass(frozen=True)
class IndexMap:
    """Index map between the frames of a layout and the positions of padded blocks.

    Attributes:
        frames: the frame at each position, int64 ``[positions]``; any frame where there is none.
        positions: the position of each frame, int64 ``[frames]``.
    """

    frames: Tensor
    positions: Tensor

    def gather(self, x: Tensor) -> Tensor:
        """Gather the frames at all positions, ``[positions, *shape]``."""
        # Positions without a frame get no gradient: no frame's result depends on them.
        return permute_rows(x, self.frames, self.positions)

    @cached_property
    def empty(self) -> Tensor:
        """Positions that hold no frame, int64."""
        flags = torch.ones_like(self.frames, dtype=torch.bool).index_fill_(0, self.positions, False)
        return true_indices(flags, len(self.frames) - len(self.positions))

    def scatter(self, rows: Tensor) -> Tensor:
        """Return the frames of rows at all positions, ``[frames, *shape]``; inverse of `gather`."""
        if not rows.requires_grad:
            return rows.index_select(0, self.positions)
        return _ScatterToFrames.apply(rows, self)  # type: ignore[no-any-return, no-untyped-call]


class _ScatterToFrames(torch.autograd.Function):
    """Rows of the positions that hold frames; the gradient is 0 at the other positions."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, index_map: IndexMap) -> Tensor:
        ctx.index_map = index_map
        return rows.index_select(0, index_map.positions)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient.index_select(0, ctx.index_map.frames).index_fill_(
            0, ctx.index_map.empty, 0
        ), None
