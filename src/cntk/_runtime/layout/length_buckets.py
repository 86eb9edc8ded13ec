"""Sequences of similar length taken together as rectangles, for kernels that are called once for
each rectangle.

A long sequence is a rectangle of its own, seen where it lies. Short ones are worth their padding: a
call costs as much as many elements do. Two layouts are grouped alike, since a kernel may read a
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

# Elements of a rectangle that cost as much as a call forwards and backwards does: measured on a
# CPU; elsewhere calls are dear, and elements next to nothing.
_CALL = 75_000
_CALL_ELSEWHERE = 50_000_000
# What it costs to copy a frame there and back, in elements of a rectangle.
_COPY = 3


@dataclass(frozen=True)
class PaddedBlocks:
    """Where the frames of one layout lie in rectangles.

    Attributes:
        sizes: sequences and frames of each rectangle.
        begins: for each rectangle its first frame, if it lies in memory as it is; None if its rows
            are gathered.
        frames: for each place of each gathered rectangle the frame that stands there, the
            sequence's last one where it has ended, int64; None for the others.
        held: the same, with the number of all frames where a sequence has ended.
        is_full: for each rectangle whether all of its places hold a frame.
        places: where each frame stands in all rectangles, one after another, int64 ``[frames]``;
            None if it is there already.
    """

    sizes: tuple[tuple[int, int], ...]
    begins: tuple[int | None, ...]
    frames: tuple[Tensor | None, ...]
    held: tuple[Tensor | None, ...]
    is_full: tuple[bool, ...]
    places: Tensor | None

    def split(self, x: Tensor) -> tuple[Tensor, ...]:
        """Frames ``[frames, *shape]`` as rectangles ``[sequences, length, *shape]``."""
        if len(self.sizes) == 1 and self.places is None:
            return (x.reshape(*self.sizes[0], *x.shape[1:]),)
        return _Split.apply(x, self)  # type: ignore[no-untyped-call, no-any-return]

    def join(self, parts: Sequence[Tensor]) -> Tensor:
        """PaddedBlocks as frames; what stands where a sequence has ended is lost."""
        if len(parts) == 1 and self.places is None:
            return parts[0].flatten(0, 1)
        return _Join.apply(self, *parts)  # type: ignore[no-untyped-call, no-any-return]

    def taken(self, x: Tensor) -> tuple[Tensor, ...]:
        """The rectangles, the last frame again where a sequence has ended."""
        return tuple(self._part(x, k, rows) for k, rows in enumerate(self.frames))

    def taken_with_zeros(self, x: Tensor) -> tuple[Tensor, ...]:
        """The rectangles, zeros where a sequence has ended."""
        if self.places is not None:
            x = torch.cat([x, x.new_zeros((1, *x.shape[1:]))])
        return tuple(self._part(x, k, rows) for k, rows in enumerate(self.held))

    def _part(self, x: Tensor, k: int, rows: Tensor | None) -> Tensor:
        count, length = self.sizes[k]
        begin = self.begins[k]
        part = x.narrow(0, begin, count * length) if rows is None else x.index_select(0, rows)  # type: ignore[arg-type]
        return part.reshape(count, length, *x.shape[1:])

    def masks(self, frames: int) -> tuple[Tensor | None, ...]:
        """For each rectangle which places hold a frame, bool ``[sequences, length]``; None if all
        do.

        Args:
            frames: how many frames there are in all.
        """
        pairs = zip(self.held, self.sizes, self.is_full, strict=True)
        return tuple(
            None if rows is None or full else (rows < frames).view(size)
            for rows, size, full in pairs
        )

    def put_back(self, parts: Sequence[Tensor]) -> Tensor:
        """One row for each frame."""
        rows = torch.cat([part.flatten(0, 1) for part in parts])
        return rows if self.places is None else rows.index_select(0, self.places)


class _Split(torch.autograd.Function):
    """Frames as rectangles; torch's own gradient would write each rectangle into zeros and add
    these up.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, rectangles: PaddedBlocks) -> tuple[Tensor, ...]:
        ctx.rectangles = rectangles
        return rectangles.taken(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return ctx.rectangles.put_back(gradients), None


class _Join(torch.autograd.Function):
    """PaddedBlocks as frames; the places beyond a sequence's end have no gradient."""

    @staticmethod
    def forward(ctx: Any, rectangles: PaddedBlocks, *parts: Tensor) -> Tensor:
        ctx.rectangles = rectangles
        return rectangles.put_back(parts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None | Tensor, ...]:
        return None, *ctx.rectangles.taken_with_zeros(gradient)


@dataclass(frozen=True)
class LengthBuckets:
    """Pairs of sequences, one of each of two layouts, in rectangles.

    Attributes:
        first, second: the rectangles of the two layouts; the same object if it is one layout.
        masks: for each rectangle of the second layout which places hold a frame, bool ``[sequences,
            length]``; None if all do.
    """

    first: PaddedBlocks
    second: PaddedBlocks
    masks: tuple[Tensor | None, ...]


def length_buckets_of(first: Layout, second: Layout, width: int) -> LengthBuckets:
    """Pairs of sequences grouped so that a kernel on pairs of frames takes the least time.

    Args:
        first, second: the layouts, of as many sequences.
        width: how many numbers the kernel multiplies and adds up for each pair of frames.
    """
    call = (_CALL if first.device.type == "cpu" else _CALL_ELSEWHERE) // max(width, 1)
    numbers = _grouped(first.lengths, second.lengths, call)
    alike = first.lengths == second.lengths
    one = _rectangles(first, numbers)
    other = one if alike else _rectangles(second, numbers)
    return LengthBuckets(one, other, other.masks(second.frames))


def _grouped(first: Sequence[int], second: Sequence[int], call: int) -> list[list[int]]:
    """Numbers of the sequences of each group, in the order of memory."""
    if len(set(first)) == len(set(second)) == 1:
        return [list(range(len(first)))]
    groups: list[list[int]] = []
    longest = longest_other = 0
    for k in sorted(range(len(first)), key=lambda k: (-first[k], -second[k])):
        n, m = first[k], second[k]
        other = max(longest_other, m)
        members = len(groups[-1]) if groups else 0
        padding = longest * other - n * m + longest * (other - longest_other) * members
        # An empty sequence has nothing to look at, or nobody who looks: it stays alone.
        if n * m and longest * longest_other and padding + _COPY * (longest + other) // 2 < call:
            groups[-1].append(k)
            longest_other = other
        else:
            groups.append([k])
            longest, longest_other = n, m
    for group in groups:
        group.sort()
    return sorted(groups)


def _rectangles(layout: Layout, groups: list[list[int]]) -> PaddedBlocks:
    lengths = np.asarray(layout.lengths, dtype=np.int64)
    begins = np.cumsum(lengths) - lengths
    extents = [max(layout.lengths[k] for k in group) for group in groups]
    order = [k for group in groups for k in group]
    in_order = order == sorted(order)
    lie = [_lies(layout.lengths, group) for group in groups]
    starts = tuple(
        int(begins[group[0]]) if as_it_is else None
        for group, as_it_is in zip(groups, lie, strict=True)
    )
    sizes = tuple(zip(map(len, groups), extents, strict=True))
    none = (None,) * len(groups)
    full = tuple(len({layout.lengths[k] for k in group}) == 1 for group in groups)
    if in_order and all(lie):
        return PaddedBlocks(sizes, starts, none, none, full, None)
    widths = np.repeat(extents, [len(group) for group in groups])
    first_place = np.cumsum(widths) - widths
    row = np.repeat(np.arange(len(order)), widths)
    step = np.arange(len(row)) - first_place[row]
    own = lengths[order][row]
    frames = begins[order][row] + np.minimum(step, own - 1)
    present = step < own
    places = np.empty(layout.frames, dtype=np.int64)
    places[frames[present]] = np.flatnonzero(present)
    held = np.where(present, frames, layout.frames)
    ends = np.cumsum([count * extent for count, extent in sizes])[:-1].tolist()
    whole = to_device(torch.from_numpy(np.concatenate([frames, held, places])), layout.device)
    of_frames, of_held, of_places = torch.split(whole, [len(frames), len(held), len(places)])
    return PaddedBlocks(
        sizes,
        starts,
        _gathered(of_frames, ends, lie),
        _gathered(of_held, ends, lie),
        full,
        of_places,
    )


def _lies(lengths: Sequence[int], group: list[int]) -> bool:
    """Whether sequences are a rectangle in memory as they are."""
    return group[-1] - group[0] == len(group) - 1 and len({lengths[k] for k in group}) == 1


def _gathered(rows: Tensor, ends: list[int], lie: list[bool]) -> tuple[Tensor | None, ...]:
    parts = rows.tensor_split(ends)
    return tuple(None if as_it_is else part for part, as_it_is in zip(parts, lie, strict=True))
