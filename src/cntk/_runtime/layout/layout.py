"""Layouts: how the frames of sequences of different length lie one after another in memory.

A tensor on a batch and a sequence axis is ``[frames, *shape]``: all frames of the first sequence,
then all of the second, and so on. Nothing is padded. The index maps that operations need are made
once per layout and kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from cntk._runtime.layout.length_buckets import LengthBuckets, length_buckets_of
from cntk._runtime.layout.packed_lanes import PackedLanes, packed_lanes_of
from cntk._runtime.layout.row_permutation import permute_rows
from cntk._runtime.layout.time_chunks import TimeChunks, time_chunks_of
from cntk._runtime.transfer import integers, true_indices


class Layout:
    """Lengths of the sequences on one dynamic axis in one minibatch.

    Args:
        lengths: frames in each sequence.
        starts: True for each sequence that begins here, False for those that go on from the
            previous minibatch; all begin if not given.
        device: where the index maps live.
        origins: for each sequence that goes on, the number of the one in the previous minibatch
            that it goes on from; the same as its own if not given. Those of sequences that begin
            say nothing.
    """

    def __init__(
        self,
        lengths: Sequence[int],
        starts: Sequence[bool] | None = None,
        device: torch.device | None = None,
        origins: Sequence[int] | None = None,
    ) -> None:
        self.lengths = tuple(lengths)
        self.count = len(self.lengths)
        self.frames = sum(self.lengths)
        self.starts = None if starts is None or all(starts) else tuple(starts)
        self.origins = None if origins is None else tuple(origins)
        self.device = device or torch.device("cpu")
        self._shifts: dict[int, tuple[Tensor, Tensor]] = {}
        self._time_chunks: dict[bool, TimeChunks] = {}
        self._packed_lanes: dict[bool, PackedLanes] = {}
        self._length_buckets: dict[tuple[tuple[int, ...], int], LengthBuckets] = {}

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Layout) and self.lengths == other.lengths)

    __hash__ = None  # type: ignore[assignment]

    def on(self, device: torch.device) -> Layout:
        """Return the same layout with its index maps on a device."""
        return (
            self
            if self.device == device
            else Layout(self.lengths, self.starts, device, self.origins)
        )

    @cached_property
    def longest(self) -> int:
        """Frames of the longest sequence; 0 if there is none."""
        return max(self.lengths, default=0)

    @cached_property
    def uniform(self) -> bool:
        """True if all sequences are equally long, so that the frames are a block without
        padding.
        """
        return self.count > 0 and self.frames == self.longest * self.count and self.frames > 0

    @cached_property
    def on_host(self) -> Layout:
        """Same layout with its index maps on the CPU."""
        return self.on(torch.device("cpu"))

    @cached_property
    def ends(self) -> list[int]:
        """End of each sequence in the frames."""
        return list(accumulate(self.lengths))

    @cached_property
    def _index_tensors(self) -> tuple[Tensor, ...]:
        """Tensors that all index maps on a GPU are made of, sent there in one copy.

        Lengths, offsets, sequence numbers with the longest first, step sizes; if not all sequences
        begin here, also the flags of those that do, and the sequences that the others go on from.
        """
        parts: list[Sequence[int]] = [
            self.lengths,
            (0, *self.ends),
            self.longest_first,
            self.step_sizes,
        ]
        if self.starts is not None:
            parts += [self.starts, self.previous_sequences]
        whole = integers((n for part in parts for n in part), self.device)
        return torch.split(whole, [len(part) for part in parts])

    @property
    def _is_on_gpu(self) -> bool:
        return self.device.type != "cpu"

    @cached_property
    def lengths_tensor(self) -> Tensor:
        """Lengths, int64 ``[count]``."""
        return (
            self._index_tensors[0]
            if self._is_on_gpu
            else torch.tensor(self.lengths, dtype=torch.int64)
        )

    @cached_property
    def offsets(self) -> Tensor:
        """Begin of each sequence, int64 ``[count + 1]``; the last entry is the number of frames."""
        if self._is_on_gpu:
            return self._index_tensors[1]
        offsets = torch.zeros(self.count + 1, dtype=torch.int64, device=self.device)
        torch.cumsum(self.lengths_tensor, 0, out=offsets[1:])
        return offsets

    @cached_property
    def segments(self) -> Tensor:
        """Segment ids: the sequence of each frame, int64 ``[frames]``."""
        sequence = torch.arange(self.count, device=self.device)
        return torch.repeat_interleave(sequence, self.lengths_tensor, output_size=self.frames)

    @cached_property
    def positions(self) -> Tensor:
        """Position of each frame in its sequence, from 0, int64 ``[frames]``."""
        return torch.arange(self.frames, device=self.device) - self.offsets[:-1][self.segments]

    @cached_property
    def first(self) -> Tensor:
        """Index of each sequence's first frame, int64 ``[count]``."""
        return self.offsets[:-1]

    @cached_property
    def last(self) -> Tensor:
        """Index of each sequence's last frame, int64 ``[count]``."""
        return self.offsets[1:] - 1

    def shift(self, steps: int) -> tuple[Tensor, Tensor]:
        """Return for each frame the index of the frame ``steps`` earlier in its sequence (later if
        negative).

        Returns:
            The indices, int64 ``[frames]``, and, ascending, the frames for which there is no such
            frame and whose index says nothing, int64.
        """
        if steps not in self._shifts:
            index = (
                torch.arange(self.frames, device=self.device)
                .sub_(steps)
                .clamp_(0, max(self.frames - 1, 0))
            )
            self._shifts[steps] = (index, self._beyond(steps))
        return self._shifts[steps]

    def _beyond(self, steps: int) -> Tensor:
        if abs(steps) == 1 and 0 not in self.lengths:
            return self.first if steps == 1 else self.last
        source = self.positions - steps
        beyond = (source < 0) | (source >= self.lengths_tensor[self.segments])
        return true_indices(beyond, sum(min(abs(steps), n) for n in self.lengths))

    @cached_property
    def reversal(self) -> Tensor:
        """For each frame the index of the frame as far from its sequence's other end, int64
        ``[frames]``.
        """
        ends = self.offsets[:-1] + self.offsets[1:] - 1
        return ends[self.segments] - torch.arange(self.frames, device=self.device)

    @cached_property
    def longest_first(self) -> list[int]:
        """Sequence numbers sorted by length, the longest first; equal ones in their order."""
        return sorted(range(self.count), key=lambda k: -self.lengths[k])

    @cached_property
    def step_sizes(self) -> list[int]:
        """Number of sequences that still run at each time step."""
        sizes = [0] * self.longest
        descending = [self.lengths[k] for k in self.longest_first]
        running = len(descending)
        for step in range(self.longest):
            while running and descending[running - 1] <= step:
                running -= 1
            sizes[step] = running
        return sizes

    def time_major(self, backwards: bool = False) -> Tensor:
        """Return frame indices in time-major order: step by step those of the running sequences,
        longest first.

        Args:
            backwards: True if step 0 is each sequence's last frame.
        """
        return self._time_major_backward if backwards else self._time_major_forward

    def by_steps(self, x: Tensor, backwards: bool = False) -> Tensor:
        """Return frames in the order of `time_major`."""
        return permute_rows(x, self.time_major(backwards), self.from_time_major(backwards))

    def by_sequences(self, x: Tensor, backwards: bool = False) -> Tensor:
        """Return frames that are in the order of `time_major` sequence by sequence again."""
        return permute_rows(x, self.from_time_major(backwards), self.time_major(backwards))

    @cached_property
    def _time_major_forward(self) -> Tensor:
        starts = self.offsets[:-1][self.sorted_rows]
        sizes = self.step_sizes_tensor
        steps = torch.repeat_interleave(
            torch.arange(self.longest, device=self.device), sizes, output_size=self.frames
        )
        begins = torch.cumsum(sizes, 0) - sizes
        rows = torch.arange(self.frames, device=self.device) - begins[steps]
        return starts[rows] + steps

    @cached_property
    def _time_major_backward(self) -> Tensor:
        return self.reversal[self._time_major_forward]

    def from_time_major(self, backwards: bool = False) -> Tensor:
        """Return the index of each frame in the order of `time_major`."""
        return self._from_time_major_backward if backwards else self._from_time_major_forward

    @cached_property
    def _from_time_major_forward(self) -> Tensor:
        return _inverse(self._time_major_forward)

    @cached_property
    def _from_time_major_backward(self) -> Tensor:
        return _inverse(self._time_major_backward)

    @cached_property
    def sorted_rows(self) -> Tensor:
        """Sequence numbers, longest first, int64 ``[count]``."""
        return (
            self._index_tensors[2]
            if self._is_on_gpu
            else torch.tensor(self.longest_first, dtype=torch.int64)
        )

    @cached_property
    def step_sizes_tensor(self) -> Tensor:
        """Number of sequences that still run at each time step, int64 ``[longest]``."""
        return (
            self._index_tensors[3]
            if self._is_on_gpu
            else torch.tensor(self.step_sizes, dtype=torch.int64)
        )

    @cached_property
    def previous_sequences(self) -> Sequence[int]:
        """For each sequence the one of the previous minibatch that it goes on from, if it does; by
        default the one of the same number.
        """
        return range(self.count) if self.origins is None else self.origins

    @cached_property
    def going_on(self) -> tuple[Tensor, Tensor]:
        """Flags of the sequences that begin here, bool ``[count]``, and `previous_sequences`, int64
        ``[count]``; needed if not all begin.
        """
        if self._is_on_gpu:
            return self._index_tensors[4].bool(), self._index_tensors[5]
        return torch.tensor(self.starts), torch.tensor(self.previous_sequences)

    @cached_property
    def _pad_index(self) -> Tensor:
        """Index of each frame in a padded block ``[count * longest]``."""
        return self.segments * self.longest + self.positions

    @cached_property
    def packing(self) -> tuple[int, Tensor]:
        """Packing of these sequences into a grid as in the original: several short ones in a row.

        Returns:
            The number of rows; and each frame's index in the grid, step after step, int64
            ``[frames]``.
        """
        used: list[int] = []
        begins, rows = [], []
        for length in self.lengths:
            row = next((k for k, n in enumerate(used) if n + length <= self.longest), len(used))
            if row == len(used):
                used.append(0)
            begins.append(used[row])
            rows.append(row)
            used[row] += length
        first, row_of = integers((*begins, *rows), self.device).view(2, -1)
        return len(used), (first[self.segments] + self.positions) * len(used) + row_of[
            self.segments
        ]

    def time_chunks(self, backwards: bool = False) -> TimeChunks:
        """Return the frames' index map to blocks of some steps each; see `TimeChunks`.

        Args:
            backwards: True if step 0 is each sequence's last frame.
        """
        if backwards not in self._time_chunks:
            self._time_chunks[backwards] = time_chunks_of(self, backwards)
        return self._time_chunks[backwards]

    def packed_lanes(self, backwards: bool = False) -> PackedLanes:
        """Return the frames' index map to one block with several sequences in a row; see
        `PackedLanes`.

        Args:
            backwards: True if each sequence's last frame comes first.
        """
        if backwards not in self._packed_lanes:
            self._packed_lanes[backwards] = (
                self.packed_lanes().backwards(self) if backwards else packed_lanes_of(self)
            )
        return self._packed_lanes[backwards]

    def length_buckets(self, other: Layout, width: int) -> LengthBuckets:
        """Return pairs of sequences, one of this layout and one of another, in padded blocks; see
        `length_buckets_of`.
        """
        key = (other.lengths, width)
        if key not in self._length_buckets:
            self._length_buckets[key] = length_buckets_of(self, other, width)
        return self._length_buckets[key]

    @cached_property
    def _frame_index(self) -> Tensor:
        """Frame at each position of a padded block; one past the last frame where there is none."""
        frames = torch.full(
            (self.count * self.longest,), self.frames, dtype=torch.int64, device=self.device
        )
        frames[self._pad_index] = torch.arange(self.frames, device=self.device)
        return frames

    def pad(self, x: Tensor, value: float = 0.0) -> Tensor:
        """Pad frames to a block ``[count, longest, *shape]``; a view when all sequences are equally
        long.
        """
        if self.uniform:
            return x.reshape(self.count, self.longest, *x.shape[1:])
        rows: Tensor = _Pad.apply(x, self._frame_index, self._pad_index, value)  # type: ignore[no-untyped-call]
        return rows.reshape(self.count, self.longest, *x.shape[1:])

    def unpad(self, x: Tensor) -> Tensor:
        """Return the frames of a block ``[count, longest, *shape]``; a view when all sequences are
        equally long.

        Args:
            x: the block; it may be longer than the longest sequence.
        """
        extent = x.shape[1]
        flat = x.reshape(self.count * extent, *x.shape[2:])
        if extent != self.longest:
            return flat.index_select(0, self.segments * extent + self.positions)
        return flat if self.uniform else flat.index_select(0, self._pad_index)

    def mask(self) -> Tensor:
        """Return the mask of a block's frames, bool ``[count, longest]``."""
        return (
            torch.arange(self.longest, device=self.device)[None, :] < self.lengths_tensor[:, None]
        )

    def expand(self, x: Tensor) -> Tensor:
        """Repeat the row of each sequence for its frames: ``[count, *shape]`` to ``[frames,
        *shape]``.
        """
        if self.uniform:
            n, t = self.count, self.longest
            return x.unsqueeze(1).expand(n, t, *x.shape[1:]).reshape(n * t, *x.shape[1:])
        return x.index_select(0, self.segments)

    def sum(self, x: Tensor) -> Tensor:
        """Sum over each sequence's frames: ``[frames, *shape]`` to ``[count, *shape]``."""
        if self.uniform:
            return x.reshape(self.count, self.longest, *x.shape[1:]).sum(1)
        return x.new_zeros((self.count, *x.shape[1:])).index_add(0, self.segments, x)

    def take_first(self, x: Tensor) -> Tensor:
        """Return each sequence's first frame."""
        if self.uniform:
            return x.reshape(self.count, self.longest, *x.shape[1:])[:, 0]
        return x.index_select(0, self.first)

    def take_last(self, x: Tensor) -> Tensor:
        """Return each sequence's last frame."""
        if self.uniform:
            return x.reshape(self.count, self.longest, *x.shape[1:])[:, -1]
        return x.index_select(0, self.last)

    def reverse(self, x: Tensor) -> Tensor:
        """Return each sequence's frames in the opposite order."""
        if self.uniform:
            return x.reshape(self.count, self.longest, *x.shape[1:]).flip(1).reshape(x.shape)
        return permute_rows(x, self.reversal, self.reversal)


class _Pad(torch.autograd.Function):
    """Gather of rows, with one value where there is none; torch's own gradient would be a
    scatter-add.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, source: Tensor, target: Tensor, value: float) -> Tensor:
        ctx.save_for_backward(target)
        # Faster than to write rows into a full rectangle, although it copies them once more.
        return torch.cat([x, x.new_full((1, *x.shape[1:]), value)]).index_select(0, source)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        (target,) = ctx.saved_tensors
        return gradient.index_select(0, target), None, None, None


def _inverse(permutation: Tensor) -> Tensor:
    inverse = torch.empty_like(permutation)
    inverse[permutation] = torch.arange(permutation.numel(), device=permutation.device)
    return inverse
