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
from cntk._runtime.transfer import integers, true_places


class Layout:
    """Lengths of the sequences on one dynamic axis in one minibatch.

    Args:
        lengths: frames in each sequence.
        starts: whether each sequence begins here, rather than going on from the previous minibatch;
            all do if not given.
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
        self._pieces: dict[bool, TimeChunks] = {}
        self._slots: dict[bool, PackedLanes] = {}
        self._groups: dict[tuple[tuple[int, ...], int], LengthBuckets] = {}

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
        """Whether all sequences are equally long, so that the frames form a rectangle."""
        return self.count > 0 and self.frames == self.longest * self.count and self.frames > 0

    @cached_property
    def on_host(self) -> Layout:
        """The same layout with its index maps on the CPU."""
        return self.on(torch.device("cpu"))

    @cached_property
    def ends(self) -> list[int]:
        """Where each sequence ends."""
        return list(accumulate(self.lengths))

    @cached_property
    def _sent(self) -> tuple[Tensor, ...]:
        """What all index maps on a GPU are made of there, gone over in one copy.

        Lengths, offsets, sequence numbers with the longest first, step sizes; which sequences begin
        here, and where the others go on from, if not all begin.
        """
        parts: list[Sequence[int]] = [
            self.lengths,
            (0, *self.ends),
            self.longest_first,
            self.step_sizes,
        ]
        if self.starts is not None:
            parts += [self.starts, self.places_before]
        whole = integers((n for part in parts for n in part), self.device)
        return torch.split(whole, [len(part) for part in parts])

    @property
    def _is_on_gpu(self) -> bool:
        return self.device.type != "cpu"

    @cached_property
    def lengths_tensor(self) -> Tensor:
        """Lengths, int64 ``[count]``."""
        return self._sent[0] if self._is_on_gpu else torch.tensor(self.lengths, dtype=torch.int64)

    @cached_property
    def offsets(self) -> Tensor:
        """Where each sequence begins, int64 ``[count + 1]``; the last entry is the number of
        frames.
        """
        if self._is_on_gpu:
            return self._sent[1]
        offsets = torch.zeros(self.count + 1, dtype=torch.int64, device=self.device)
        torch.cumsum(self.lengths_tensor, 0, out=offsets[1:])
        return offsets

    @cached_property
    def segments(self) -> Tensor:
        """Which sequence each frame belongs to, int64 ``[frames]``."""
        sequence = torch.arange(self.count, device=self.device)
        return torch.repeat_interleave(sequence, self.lengths_tensor, output_size=self.frames)

    @cached_property
    def positions(self) -> Tensor:
        """Each frame's place in its sequence, from 0, int64 ``[frames]``."""
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
        """For each frame the index of the frame ``steps`` earlier in its sequence (later if
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
        return true_places(beyond, sum(min(abs(steps), n) for n in self.lengths))

    @cached_property
    def reversal(self) -> Tensor:
        """For each frame the index of the frame as far from the sequence's other end, int64
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
        """How many sequences are still running at each time step."""
        sizes = [0] * self.longest
        descending = [self.lengths[k] for k in self.longest_first]
        running = len(descending)
        for step in range(self.longest):
            while running and descending[running - 1] <= step:
                running -= 1
            sizes[step] = running
        return sizes

    def time_major(self, backwards: bool = False) -> Tensor:
        """Frame indices step by step: at each step the running sequences' frames, longest sequence
        first.

        Args:
            backwards: whether step 0 is each sequence's last frame.
        """
        return self._time_major_backward if backwards else self._time_major_forward

    def by_steps(self, x: Tensor, backwards: bool = False) -> Tensor:
        """Frames step by step, in the order of `time_major`."""
        return permute_rows(x, self.time_major(backwards), self.from_time_major(backwards))

    def by_sequences(self, x: Tensor, backwards: bool = False) -> Tensor:
        """Frames in the order of `time_major` as they were."""
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
        """Where each frame stands in the order of `time_major`."""
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
            self._sent[2]
            if self._is_on_gpu
            else torch.tensor(self.longest_first, dtype=torch.int64)
        )

    @cached_property
    def step_sizes_tensor(self) -> Tensor:
        """How many sequences are still running at each time step, int64 ``[longest]``."""
        return (
            self._sent[3] if self._is_on_gpu else torch.tensor(self.step_sizes, dtype=torch.int64)
        )

    @cached_property
    def places_before(self) -> Sequence[int]:
        """For each sequence the one of the minibatch before that it goes on from, if it does: that
        in the same place.
        """
        return range(self.count) if self.origins is None else self.origins

    @cached_property
    def going_on(self) -> tuple[Tensor, Tensor]:
        """Which sequences begin here, bool ``[count]``, and `places_before`, int64 ``[count]``, if
        not all begin.
        """
        if self._is_on_gpu:
            return self._sent[4].bool(), self._sent[5]
        return torch.tensor(self.starts), torch.tensor(self.places_before)

    @cached_property
    def _pad_index(self) -> Tensor:
        """Where each frame lies in a rectangle ``[count * longest]``."""
        return self.segments * self.longest + self.positions

    @cached_property
    def packing(self) -> tuple[int, Tensor]:
        """How the original packs these sequences into a grid of time steps and rows, several short
        ones into a row.

        Returns:
            The number of rows; and each frame's place in the grid, step after step, int64
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

    def pieces(self, backwards: bool = False) -> TimeChunks:
        """The frames as rectangles of some steps each, for kernels that want these; see
        `TimeChunks`.

        Args:
            backwards: whether step 0 is each sequence's last frame.
        """
        if backwards not in self._pieces:
            self._pieces[backwards] = time_chunks_of(self, backwards)
        return self._pieces[backwards]

    def slots(self, backwards: bool = False) -> PackedLanes:
        """The frames as one rectangle, several sequences in a row of it; see `PackedLanes`.

        Args:
            backwards: whether each sequence's last frame comes first.
        """
        if backwards not in self._slots:
            self._slots[backwards] = (
                self.slots().backwards(self) if backwards else packed_lanes_of(self)
            )
        return self._slots[backwards]

    def groups(self, other: Layout, width: int) -> LengthBuckets:
        """Pairs of sequences, one of this layout and one of another, in rectangles; see
        `length_buckets_of`.
        """
        key = (other.lengths, width)
        if key not in self._groups:
            self._groups[key] = length_buckets_of(self, other, width)
        return self._groups[key]

    @cached_property
    def _unpad_index(self) -> Tensor:
        """Which frame lies at each place of a rectangle; one past the last where there is none."""
        frames = torch.full(
            (self.count * self.longest,), self.frames, dtype=torch.int64, device=self.device
        )
        frames[self._pad_index] = torch.arange(self.frames, device=self.device)
        return frames

    def pad(self, x: Tensor, value: float = 0.0) -> Tensor:
        """Frames as a rectangle ``[count, longest, *shape]``; a view when all sequences are equally
        long.
        """
        if self.uniform:
            return x.reshape(self.count, self.longest, *x.shape[1:])
        rows: Tensor = _Pad.apply(x, self._unpad_index, self._pad_index, value)  # type: ignore[no-untyped-call]
        return rows.reshape(self.count, self.longest, *x.shape[1:])

    def unpad(self, x: Tensor) -> Tensor:
        """A rectangle ``[count, longest, *shape]`` as frames; a view when all sequences are equally
        long.

        Args:
            x: the rectangle; it may be longer than the longest sequence.
        """
        extent = x.shape[1]
        flat = x.reshape(self.count * extent, *x.shape[2:])
        if extent != self.longest:
            return flat.index_select(0, self.segments * extent + self.positions)
        return flat if self.uniform else flat.index_select(0, self._pad_index)

    def mask(self) -> Tensor:
        """Which places of a rectangle hold a frame, bool ``[count, longest]``."""
        return (
            torch.arange(self.longest, device=self.device)[None, :] < self.lengths_tensor[:, None]
        )

    def expand(self, x: Tensor) -> Tensor:
        """One row a sequence, repeated for each of its frames: ``[count, *shape]`` to ``[frames,
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
        """Each sequence's first frame."""
        if self.uniform:
            return x.reshape(self.count, self.longest, *x.shape[1:])[:, 0]
        return x.index_select(0, self.first)

    def take_last(self, x: Tensor) -> Tensor:
        """Each sequence's last frame."""
        if self.uniform:
            return x.reshape(self.count, self.longest, *x.shape[1:])[:, -1]
        return x.index_select(0, self.last)

    def reverse(self, x: Tensor) -> Tensor:
        """Each sequence's frames in the opposite order."""
        if self.uniform:
            return x.reshape(self.count, self.longest, *x.shape[1:]).flip(1).reshape(x.shape)
        return permute_rows(x, self.reversal, self.reversal)


class _Pad(torch.autograd.Function):
    """Rows at other places, one value where there are none; torch's own gradient of a selection
    would add up rows.
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
