"""Bucketing: sequences of similar length padded to one block, for kernels called once a block.

A long sequence is a block of its own, a view of its frames. Short ones are worth their padding: a
call costs as much as many elements do. Two layouts get the same buckets, since a kernel may read a
pair of sequences, one of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from cntk._runtime.transfer import to_device

if TYPE_CHECKING:
    from cntk._runtime.layout.layout import Layout

# Elements of a block that cost as much as a call forwards and backwards does: measured on a
# CPU; elsewhere calls are dear, and elements next to nothing.
_CALL = 75_000
_CALL_ELSEWHERE = 50_000_000
# Cost of a frame's copy there and back, in elements of a block.
_COPY = 3


@dataclass(frozen=True)
class PaddedBlocks:
    """Padded blocks of the frames of one layout, each of sequences of similar length.

    Attributes:
        sizes: number of sequences and of frames of each block.
        begins: first frame of each block that is a view of the frames; None if its rows are
            gathered.
        frames: for each gathered block the frame at each position, int64, the sequence's last one
            where it has ended; None for the others.
        frames_or_end: the same, with the number of all frames where a sequence has ended.
        is_full: for each block True if all of its positions hold a frame.
        positions: the position of each frame in all blocks, one after another, int64 ``[frames]``;
            None if frames and positions are in the same order.
    """

    sizes: tuple[tuple[int, int], ...]
    begins: tuple[int | None, ...]
    frames: tuple[Tensor | None, ...]
    frames_or_end: tuple[Tensor | None, ...]
    is_full: tuple[bool, ...]
    positions: Tensor | None

    def split(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return frames ``[frames, *shape]`` as blocks ``[sequences, length, *shape]``."""
        if len(self.sizes) == 1 and self.positions is None:
            return (x.reshape(*self.sizes[0], *x.shape[1:]),)
        return _Gather.apply(x, self)  # type: ignore[no-untyped-call, no-any-return]

    def join(self, parts: Sequence[Tensor]) -> Tensor:
        """Return blocks as frames, without what lies beyond a sequence's end."""
        if len(parts) == 1 and self.positions is None:
            return parts[0].flatten(0, 1)
        return _Scatter.apply(self, *parts)  # type: ignore[no-untyped-call, no-any-return]

    def gather(self, x: Tensor) -> tuple[Tensor, ...]:
        """Gather the blocks; beyond a sequence's end its last frame is repeated."""
        return tuple(self._part(x, k, rows) for k, rows in enumerate(self.frames))

    def gather_with_zeros(self, x: Tensor) -> tuple[Tensor, ...]:
        """Gather the blocks, with zeros beyond a sequence's end."""
        if self.positions is not None:
            x = torch.cat([x, x.new_zeros((1, *x.shape[1:]))])
        return tuple(self._part(x, k, rows) for k, rows in enumerate(self.frames_or_end))

    def _part(self, x: Tensor, k: int, rows: Tensor | None) -> Tensor:
        count, length = self.sizes[k]
        begin = self.begins[k]
        part = x.narrow(0, begin, count * length) if rows is None else x.index_select(0, rows)  # type: ignore[arg-type]
        return part.reshape(count, length, *x.shape[1:])

    def masks(self, frames: int) -> tuple[Tensor | None, ...]:
        """Return for each block the mask of its frames, bool ``[sequences, length]``; None if it is
        full.

        Args:
            frames: number of all frames.
        """
        pairs = zip(self.frames_or_end, self.sizes, self.is_full, strict=True)
        return tuple(
            None if rows is None or full else (rows < frames).view(size)
            for rows, size, full in pairs
        )

    def scatter(self, parts: Sequence[Tensor]) -> Tensor:
        """Return one row for each frame, the inverse of `gather`."""
        rows = torch.cat([part.flatten(0, 1) for part in parts])
        return rows if self.positions is None else rows.index_select(0, self.positions)


class _Gather(torch.autograd.Function):
    """Frames as blocks; torch's own gradient would write each block into zeros and add these up."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, blocks: PaddedBlocks) -> tuple[Tensor, ...]:
        ctx.blocks = blocks
        return blocks.gather(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return ctx.blocks.scatter(gradients), None


class _Scatter(torch.autograd.Function):
    """Blocks as frames; positions beyond a sequence's end have no gradient."""

    @staticmethod
    def forward(ctx: Any, blocks: PaddedBlocks, *parts: Tensor) -> Tensor:
        ctx.blocks = blocks
        return blocks.scatter(parts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None | Tensor, ...]:
        return None, *ctx.blocks.gather_with_zeros(gradient)


@dataclass(frozen=True)
class LengthBuckets:
    """Pairs of sequences, one of each of two layouts, in padded blocks.

    Attributes:
        first, second: the blocks of the two layouts; the same object if it is one layout.
        masks: for each block of the second layout the mask of its frames, bool ``[sequences,
            length]``; None if it is full.
    """

    first: PaddedBlocks
    second: PaddedBlocks
    masks: tuple[Tensor | None, ...]


def length_buckets_of(first: Layout, second: Layout, width: int) -> LengthBuckets:
    """Bucket pairs of sequences so that a kernel on pairs of frames takes the least time.

    Args:
        first, second: the layouts, of as many sequences.
        width: number of multiplications and additions of the kernel for each pair of frames.
    """
    call = (_CALL if first.device.type == "cpu" else _CALL_ELSEWHERE) // max(width, 1)
    numbers = _buckets(first.lengths, second.lengths, call)
    alike = first.lengths == second.lengths
    one = _blocks(first, numbers)
    other = one if alike else _blocks(second, numbers)
    return LengthBuckets(one, other, other.masks(second.frames))


def _buckets(first: Sequence[int], second: Sequence[int], call: int) -> list[list[int]]:
    """Return the numbers of the sequences of each bucket, in the order of memory."""
    if len(set(first)) == len(set(second)) == 1:
        return [list(range(len(first)))]
    buckets: list[list[int]] = []
    longest = longest_other = 0
    for k in sorted(range(len(first)), key=lambda k: (-first[k], -second[k])):
        n, m = first[k], second[k]
        other = max(longest_other, m)
        members = len(buckets[-1]) if buckets else 0
        padding = longest * other - n * m + longest * (other - longest_other) * members
        # An empty sequence has nothing to look at, or nobody who looks: it stays alone.
        if n * m and longest * longest_other and padding + _COPY * (longest + other) // 2 < call:
            buckets[-1].append(k)
            longest_other = other
        else:
            buckets.append([k])
            longest, longest_other = n, m
    for bucket in buckets:
        bucket.sort()
    return sorted(buckets)


def _blocks(layout: Layout, buckets: list[list[int]]) -> PaddedBlocks:
    lengths = np.asarray(layout.lengths, dtype=np.int64)
    begins = np.cumsum(lengths) - lengths
    extents = [max(layout.lengths[k] for k in bucket) for bucket in buckets]
    order = [k for bucket in buckets for k in bucket]
    in_order = order == sorted(order)
    are_views = [_is_view(layout.lengths, bucket) for bucket in buckets]
    starts = tuple(
        int(begins[bucket[0]]) if is_view else None
        for bucket, is_view in zip(buckets, are_views, strict=True)
    )
    sizes = tuple(zip(map(len, buckets), extents, strict=True))
    none = (None,) * len(buckets)
    full = tuple(len({layout.lengths[k] for k in bucket}) == 1 for bucket in buckets)
    if in_order and all(are_views):
        return PaddedBlocks(sizes, starts, none, none, full, None)
    widths = np.repeat(extents, [len(bucket) for bucket in buckets])
    first_position = np.cumsum(widths) - widths
    row = np.repeat(np.arange(len(order)), widths)
    step = np.arange(len(row)) - first_position[row]
    own = lengths[order][row]
    frames = begins[order][row] + np.minimum(step, own - 1)
    present = step < own
    positions = np.empty(layout.frames, dtype=np.int64)
    positions[frames[present]] = np.flatnonzero(present)
    frames_or_end = np.where(present, frames, layout.frames)
    ends = np.cumsum([count * extent for count, extent in sizes])[:-1].tolist()
    whole = to_device(
        torch.from_numpy(np.concatenate([frames, frames_or_end, positions])), layout.device
    )
    of_frames, of_frames_or_end, of_positions = torch.split(
        whole, [len(frames), len(frames_or_end), len(positions)]
    )
    return PaddedBlocks(
        sizes,
        starts,
        _index_of_gathered(of_frames, ends, are_views),
        _index_of_gathered(of_frames_or_end, ends, are_views),
        full,
        of_positions,
    )


def _is_view(lengths: Sequence[int], bucket: list[int]) -> bool:
    """Return whether sequences are a block in memory as they are."""
    return bucket[-1] - bucket[0] == len(bucket) - 1 and len({lengths[k] for k in bucket}) == 1


def _index_of_gathered(
    rows: Tensor, ends: list[int], are_views: list[bool]
) -> tuple[Tensor | None, ...]:
    parts = rows.tensor_split(ends)
    return tuple(None if is_view else part for part, is_view in zip(parts, are_views, strict=True))
