"""`Timeline`: all samples of a minibatch source, sweep after sweep, cut into minibatches.

A position on it, counted in samples from the first sweep on, is all that a checkpoint has: which
sequences come next follows from the position and the seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Request:
    """Request of one worker for a minibatch.

    Attributes:
        size: number of samples of all workers together.
        workers: number of workers, each of which reads its own sequences.
        rank: index of this worker.
        own: number of samples of this worker; 0 for its share of the size.
    """

    size: int
    workers: int = 1
    rank: int = 0
    own: int = 0

    @property
    def room(self) -> int:
        """Number of samples of this worker, at least one."""
        return self.own or max(self.share(self.size), 1)

    def share(self, count: int) -> int:
        """Return this worker's part of a number; the first workers get the remainder."""
        return count // self.workers + (self.rank < count % self.workers)

    def for_one(self) -> Request:
        """Return the same worker's request for a single sequence."""
        return replace(self, own=1)


class Sweeps(Protocol):
    """The order of sequences in each sweep."""

    def sweep(self, number: int) -> np.ndarray:
        """Return sequence indices in the order of a sweep, int64 ``[sequences]``."""
        ...

    def worker_numbers(self, number: int) -> np.ndarray | None:
        """Return the number, modulo the workers, of the worker that reads each sequence.

        int64 ``[sequences]``; None if sequences are assigned to workers in turn.
        """
        ...


@dataclass(frozen=True)
class Taken:
    """The sequences of one minibatch.

    Attributes:
        sequences: their indices, in order.
        ends_sweep: whether a sweep ends with this minibatch or within it.
        sweeps: each sequence's sweep, int64 ``[sequences]``.
    """

    sequences: np.ndarray
    ends_sweep: bool
    sweeps: np.ndarray


class Timeline:
    """Sequence of sweeps, cut into minibatches.

    Args:
        order: the order of sequences in each sweep.
        lengths: number of samples that each sequence counts, int64 ``[sequences]``.
        max_samples: position at which the timeline ends; a sequence that begins before is still
            read. None for no end.
        max_sweeps: number of sweeps after which it ends; None for no end.
        on_sweep: called with the order of each sweep that begins.
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
        self._worker_numbers: np.ndarray | None = None
        # Sequences before the sweep, since sequences in order are assigned to workers in turn. As
        # in the original, a seek counts from the begin of the sweep.
        self._sequences_before = 0
        self._partition: tuple[tuple[int, int], np.ndarray, np.ndarray] | None = None
        self._request: Request | None = None
        ends = [] if max_samples is None else [max_samples]
        if max_sweeps is not None:
            ends.append(max_sweeps * self._sweep_samples)
        self._end = min(ends, default=None)
        self.seek(0)

    @property
    def is_infinite(self) -> bool:
        """True if there is no end."""
        return self._end is None

    @property
    def is_over(self) -> bool:
        """True if the position is at the end."""
        return self._end is not None and self.position >= self._end

    @property
    def position(self) -> int:
        """Number of samples before the next sequence."""
        return self._sweep * self._sweep_samples + int(self._begins[self._next])

    @property
    def index(self) -> int:
        """Number of sequences of the present sweep before the next one."""
        return self._next

    def seek(self, position: int) -> None:
        """Go to the first sequence that begins at a position or after it."""
        self._enter(position // self._sweep_samples)
        self._next = int(np.searchsorted(self._begins, position % self._sweep_samples))
        if self._next == len(self._sequences):
            self._enter(self._sweep + 1)

    def _enter(self, sweep: int, sequences_before: int = 0) -> None:
        self._sweep, self._next, self._sequences_before, self._partition = (
            sweep,
            0,
            sequences_before,
            None,
        )
        self._sequences = self._order.sweep(sweep)
        self._worker_numbers = self._order.worker_numbers(sweep)
        self._on_sweep(self._sequences)
        # Offset of each sequence in the sweep's samples, and at the end the number of all.
        self._begins = np.zeros(len(self._sequences) + 1, np.int64)
        np.cumsum(self._lengths[self._sequences], out=self._begins[1:])

    def take(self, request: Request) -> Taken:
        """Take the next sequences of a worker, as many as its room; at least one.

        As in the original, sequences of other workers do not count: the position moves past them
        to the worker's next one. If sequences are assigned in turn and the room is full, it stops
        right behind the last one taken.
        """
        taken: list[np.ndarray] = []
        sweeps: list[np.ndarray] = []
        room = request.room
        ends_sweep = False
        self._accept(request)
        if self._has_nothing(request):
            return Taken(_joined(taken), ends_sweep, _joined(sweeps))
        while room > 0:
            end = self._end_of_sweep()
            indices, begins = self._share(request)
            first, last = np.searchsorted(indices, (self._next, end)).tolist()
            reach = min(int(np.searchsorted(begins, begins[first] + room, side="right")) - 1, last)
            stop = max(reach, min(first + 1, last) if not taken else first)
            if stop > first:
                part = indices[first:stop]
                taken.append(self._sequences[part])
                sweeps.append(np.full(len(part), self._sweep))
                room -= int(begins[stop] - begins[first])
            if room <= 0 and self._worker_numbers is None:
                self._next = int(indices[stop - 1]) + 1
            else:
                self._next = int(indices[stop]) if stop < last else end
            if self._next < len(self._sequences):
                break
            ends_sweep = True
            self._enter(self._sweep + 1, self._sequences_before + len(self._sequences))
            if self._end_of_sweep() == 0:
                break  # The timeline ends here.
        return Taken(_joined(taken), ends_sweep, _joined(sweeps))

    def _accept(self, request: Request) -> None:
        """Restart the assignment to workers if a request differs from the one before.

        The original does so, too.
        """
        if self._worker_numbers is None and request != self._request:
            self._sequences_before, self._partition = 0, None
        self._request = request

    def _has_nothing(self, request: Request) -> bool:
        """Return whether there are fewer chunks than workers, and none is this worker's.

        As in the original it then gets nothing, and the timeline goes to its end.
        """
        if (
            self._worker_numbers is None
            or request.workers == 1
            or request.rank <= int(self._worker_numbers.max())
        ):
            return False
        if self._end is not None:
            self.seek(self._end)
        return True

    def _share(self, request: Request) -> tuple[np.ndarray, np.ndarray]:
        """Return a worker's indices in the sweep, and the offset of each in its samples.

        int64 ``[indices]`` and ``[indices + 1]``.
        """
        key = request.workers, request.rank
        if self._partition is None or self._partition[0] != key:
            if request.workers == 1:
                self._partition = key, np.arange(len(self._sequences)), self._begins
            else:
                numbers = self._sequences_before + np.arange(len(self._sequences))
                if self._worker_numbers is not None:
                    numbers = self._worker_numbers[self._sequences]
                indices = np.flatnonzero(numbers % request.workers == request.rank)
                begins = np.zeros(len(indices) + 1, np.int64)
                np.cumsum(self._lengths[self._sequences[indices]], out=begins[1:])
                self._partition = key, indices, begins
        return self._partition[1:]

    @property
    def sweep(self) -> int:
        """The present sweep."""
        return self._sweep

    def following(self, count: int, request: Request) -> np.ndarray:
        """Return up to ``count`` next sequences of a worker in the present sweep."""
        indices, _ = self._share(request)
        first, last = np.searchsorted(indices, (self._next, self._end_of_sweep())).tolist()
        sequences: np.ndarray = self._sequences[indices[first : min(first + count, last)]]
        return sequences

    def _end_of_sweep(self) -> int:
        """Return the index behind the last sequence of the present sweep, or of the timeline."""
        if self._end is None:
            return len(self._sequences)
        left = self._end - self._sweep * self._sweep_samples
        return min(int(np.searchsorted(self._begins, left)), len(self._sequences))


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)
