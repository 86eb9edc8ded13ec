"""The timeline of a minibatch source: samples counted from its first one on, sweep after sweep, cut into minibatches.

A position on it is all that a checkpoint holds: which sequences come next follows from the position and the seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np


class Sweeps(Protocol):
    """The order of sequences in each sweep."""

    def sweep(self, number: int) -> np.ndarray:
        """Sequence numbers in the order of a sweep, int64 ``[sequences]``."""
        ...


@dataclass(frozen=True)
class Taken:
    """The sequences of one minibatch.

    Attributes:
        sequences: their numbers, in order.
        ends_sweep: whether a sweep ends with this minibatch or within it.
        sweeps: each sequence's sweep, int64 ``[sequences]``.
    """

    sequences: np.ndarray
    ends_sweep: bool
    sweeps: np.ndarray


class Timeline:
    """Cuts sweeps into minibatches.

    Args:
        order: the order of sequences in each sweep.
        lengths: samples that each sequence counts for, int64 ``[sequences]``.
        max_samples: where the timeline ends; a sequence that begins before is still read. None for no end.
        max_sweeps: after how many sweeps it ends; None for no end.
        on_sweep: who is to know the order of each sweep that begins.
    """

    def __init__(
        self,
        order: Sweeps,
        lengths: np.ndarray,
        max_samples: int | None,
        max_sweeps: int | None,
        on_sweep: Callable[[np.ndarray], None],
    ) -> None:
        self._order = order
        self._on_sweep = on_sweep
        self._lengths = lengths
        self._sweep_samples = int(lengths.sum())
        self._sequences: np.ndarray = np.zeros(0, np.int64)
        self._begins: np.ndarray = np.zeros(1, np.int64)
        ends = [] if max_samples is None else [max_samples]
        if max_sweeps is not None:
            ends.append(max_sweeps * self._sweep_samples)
        self._end = min(ends, default=None)
        self.seek(0)

    @property
    def is_infinite(self) -> bool:
        """Whether it has no end."""
        return self._end is None

    @property
    def position(self) -> int:
        """Samples before the next sequence."""
        return self._sweep * self._sweep_samples + int(self._begins[self._next])

    @property
    def place(self) -> int:
        """Sequences of the present sweep before the next one."""
        return self._next

    def seek(self, position: int) -> None:
        """Go to the first sequence that begins at a position or after it."""
        self._enter(position // self._sweep_samples)
        self._next = int(np.searchsorted(self._begins, position % self._sweep_samples))
        if self._next == len(self._sequences):
            self._enter(self._sweep + 1)

    def _enter(self, sweep: int) -> None:
        self._sweep, self._next = sweep, 0
        self._sequences = self._order.sweep(sweep)
        self._on_sweep(self._sequences)
        # Samples of the sweep before each sequence, and in all.
        self._begins = np.zeros(len(self._sequences) + 1, np.int64)
        np.cumsum(self._lengths[self._sequences], out=self._begins[1:])

    def take(self, size: int, workers: int, rank: int) -> Taken:
        """The next sequences, as many as fit into a size, and one at least.

        Args:
            size: samples in all.
            workers: of how many workers each takes its own sequences.
            rank: which of them takes.
        """
        found: list[np.ndarray] = []
        sweeps: list[np.ndarray] = []
        room = size
        ends_sweep = False
        while room > 0:
            end = self._end_of_sweep()
            mine = self._fitting(end, room, workers, rank)
            if not len(mine) and not found:
                mine = self._first(end, workers, rank)
            if len(mine):
                found.append(self._sequences[mine])
                sweeps.append(np.full(len(mine), self._sweep))
                room -= int(self._lengths[found[-1]].sum())
            is_idle = self._next == 0 and not len(mine) and not found
            following = self._first(end, workers, rank, int(mine[-1]) + 1 if len(mine) else self._next)
            if len(following):
                self._next = int(mine[-1]) + 1 if len(mine) else self._next
                break
            self._next = end
            if end < len(self._sequences):
                break
            ends_sweep = True
            self._enter(self._sweep + 1)
            if is_idle or self._end_of_sweep() == 0:
                break  # Sweep after sweep has nothing for this worker, or the timeline ends here.
        return Taken(_joined(found), ends_sweep, _joined(sweeps))

    @property
    def sweep(self) -> int:
        """The present sweep."""
        return self._sweep

    def following(self, count: int, workers: int, rank: int) -> np.ndarray:
        """A worker's next sequences of the present sweep, not more than a number of them."""
        found: np.ndarray = self._sequences[self._first(self._end_of_sweep(), workers, rank, count=count)]
        return found

    def _end_of_sweep(self) -> int:
        """Behind which sequence the present sweep ends, or the timeline does within it."""
        if self._end is None:
            return len(self._sequences)
        left = self._end - self._sweep * self._sweep_samples
        return min(int(np.searchsorted(self._begins, left)), len(self._sequences))

    def _fitting(self, end: int, room: int, workers: int, rank: int) -> np.ndarray:
        """A worker's next places in the sweep, as many as fit into the room."""
        if workers == 1:
            reach = int(np.searchsorted(self._begins, self._begins[self._next] + room, side="right")) - 1
            return np.arange(self._next, max(min(reach, end), self._next))
        # No sequence is empty, so no more than this fit.
        mine = self._first(end, workers, rank, count=room)
        total = np.cumsum(self._begins[mine + 1] - self._begins[mine])
        return mine[: int(np.searchsorted(total, room, side="right"))]

    def _first(self, end: int, workers: int, rank: int, begin: int | None = None, count: int = 1) -> np.ndarray:
        """A worker's first places in the sweep from a place on."""
        begin = self._next if begin is None else begin
        begin += (rank - begin) % workers
        return np.arange(begin, min(begin + count * workers, max(end, begin)), workers)


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)
