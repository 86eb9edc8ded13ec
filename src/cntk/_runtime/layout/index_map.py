"""Frames at the places of rectangles, which kernels want, some of whose places hold no frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from cntk._runtime.layout.row_permutation import permute_rows
from cntk._runtime.transfer import true_places


def inverse_index(places: Tensor, total: int) -> Tensor:
    """Which frame stands at each of so many places, given each frame's place; frame 0 where none
    does.
    """
    frames = torch.zeros(total, dtype=torch.int64, device=places.device)
    frames[places] = torch.arange(len(places), device=places.device)
    return frames


@dataclass(frozen=True)
class IndexMap:
    """Where the frames of a layout lie.

    Attributes:
        frames: for each place the frame that stands there, int64 ``[places]``; any frame where none
            does.
        places: where each frame stands, int64 ``[frames]``.
    """

    frames: Tensor
    places: Tensor

    def take(self, x: Tensor) -> Tensor:
        """Frames as they stand at all places, ``[places, *shape]``."""
        # No gradient comes from places without a frame: no frame's result depends on them.
        return permute_rows(x, self.frames, self.places)

    @cached_property
    def empty(self) -> Tensor:
        """The places that hold no frame, int64."""
        flags = torch.ones_like(self.frames, dtype=torch.bool).index_fill_(0, self.places, False)
        return true_places(flags, len(self.frames) - len(self.places))

    def give(self, rows: Tensor) -> Tensor:
        """What stands at all places as frames, ``[frames, *shape]``."""
        if not rows.requires_grad:
            return rows.index_select(0, self.places)
        return _GatherFrames.apply(rows, self)  # type: ignore[no-any-return, no-untyped-call]


class _GatherFrames(torch.autograd.Function):
    """IndexMap by their frames; the gradient is 0 where no frame stands."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, where: IndexMap) -> Tensor:
        ctx.where = where
        return rows.index_select(0, where.places)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient.index_select(0, ctx.where.frames).index_fill_(0, ctx.where.empty, 0), None
