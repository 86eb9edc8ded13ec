"""The timeline of a minibatch source: samples counted from its first one on, sweep after sweep, cut
into minibatches.

A position on it is all that a checkpoint holds: which sequences come next follows from the position
and the seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Request:
    """What a worker asks for.

    Attributes:
        size: samples of all workers together.
        workers: of how many workers each reads its own sequences.
        rank: which of them asks.
        own: samples of this worker; its share of the size if not given.
    """

    size: int
    workers: int = 1
    rank: int = 0
    own: int = 0

    @property
    def room(self) -> int:
        """Samples of this worker, one at least."""
        return self.own or max(self.share(self.size), 1)

    def share(self, count: int) -> int:
        """This worker's part of a number; the first workers get what is left over."""
        return count // self.workers + (self.rank < count % self.workers)

    def for_one(self) -> Request:
        """The same worker's request for a single sequence."""
        return replace(self, own=1)


class Sweeps(Protocol):
    """The order of sequences in each sweep."""

    def sweep(self, number: int) -> np.ndarray:
        """Sequence numbers in the order of a sweep, int64 ``[sequences]``."""
        ...

    def deals(self, number: int) -> np.ndarray | None:
        """Which worker reads each sequence in a sweep, as a number modulo the workers, int64
        ``[sequences]``.

        None if sequences are dealt out one by one as they come.
        """
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
        max_samples: where the timeline ends; a sequence that begins before is still read. None for
            no end.
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
        self._deals: np.ndarray | None = None
        # Sequences before the sweep, which are dealt out in turn; as in the original, a seek counts
        # from the sweep's begin.
        self._dealt = 0
        self._mine: tuple[tuple[int, int], np.ndarray, np.ndarray] | None = None
        self._asked: Request | None = None
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
    def is_over(self) -> bool:
        """Whether it stands at its end."""
        return self._end is not None and self.position >= self._end

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

    def _enter(self, sweep: int, dealt: int = 0) -> None:
        self._sweep, self._next, self._dealt, self._mine = sweep, 0, dealt, None
        self._sequences = self._order.sweep(sweep)
        self._deals = self._order.deals(sweep)
        self._on_sweep(self._sequences)
        # Samples of the sweep before each sequence, and in all.
        self._begins = np.zeros(len(self._sequences) + 1, np.int64)
        np.cumsum(self._lengths[self._sequences], out=self._begins[1:])

    def take(self, request: Request) -> Taken:
        """The next sequences of a worker, as many as fit into its room, and one at least.

        As in the original, the sequences of others count for nothing: they are passed over up to
        the worker's next one. Only where sequences are dealt out one by one and the room is full,
        what follows the last one is left.
        """
        found: list[np.ndarray] = []
        sweeps: list[np.ndarray] = []
        room = request.room
        ends_sweep = False
        self._accept(request)
        if self._has_nothing(request):
            return Taken(_joined(found), ends_sweep, _joined(sweeps))
        while room > 0:
            end = self._end_of_sweep()
            places, begins = self._share(request)
            first, last = np.searchsorted(places, (self._next, end)).tolist()
            reach = min(int(np.searchsorted(begins, begins[first] + room, side="right")) - 1, last)
            behind = max(reach, min(first + 1, last) if not found else first)
            if behind > first:
                mine = places[first:behind]
                found.append(self._sequences[mine])
                sweeps.append(np.full(len(mine), self._sweep))
                room -= int(begins[behind] - begins[first])
            if room <= 0 and self._deals is None:
                self._next = int(places[behind - 1]) + 1
            else:
                self._next = int(places[behind]) if behind < last else end
            if self._next < len(self._sequences):
                break
            ends_sweep = True
            self._enter(self._sweep + 1, self._dealt + len(self._sequences))
            if self._end_of_sweep() == 0:
                break  # The timeline ends here.
        return Taken(_joined(found), ends_sweep, _joined(sweeps))

    def _accept(self, request: Request) -> None:
        """Begin to deal out anew if a worker asks for another part or size than before, as the
        original does.
        """
        if self._deals is None and request != self._asked:
            self._dealt, self._mine = 0, None
        self._asked = request

    def _has_nothing(self, request: Request) -> bool:
        """Whether there are less chunks than workers, and none is this worker's: as in the
        original, it gets nothing.
        """
        if self._deals is None or request.workers == 1 or request.rank <= int(self._deals.max()):
            return False
        if self._end is not None:
            self.seek(self._end)
        return True

    def _share(self, request: Request) -> tuple[np.ndarray, np.ndarray]:
        """A worker's places in the sweep, and its samples before each and in all, int64 ``[places
        (+ 1)]``.
        """
        key = request.workers, request.rank
        if self._mine is None or self._mine[0] != key:
            if request.workers == 1:
                self._mine = key, np.arange(len(self._sequences)), self._begins
            else:
                deals = self._dealt + np.arange(len(self._sequences))
                if self._deals is not None:
                    deals = self._deals[self._sequences]
                places = np.flatnonzero(deals % request.workers == request.rank)
                begins = np.zeros(len(places) + 1, np.int64)
                np.cumsum(self._lengths[self._sequences[places]], out=begins[1:])
                self._mine = key, places, begins
        return self._mine[1:]

    @property
    def sweep(self) -> int:
        """The present sweep."""
        return self._sweep

    def following(self, count: int, request: Request) -> np.ndarray:
        """A worker's next sequences of the present sweep, not more than a number of them."""
        places, _ = self._share(request)
        first, last = np.searchsorted(places, (self._next, self._end_of_sweep())).tolist()
        found: np.ndarray = self._sequences[places[first : min(first + count, last)]]
        return found

    def _end_of_sweep(self) -> int:
        """Behind which sequence the present sweep ends, or the timeline does within it."""
        if self._end is None:
            return len(self._sequences)
        left = self._end - self._sweep * self._sweep_samples
        return min(int(np.searchsorted(self._begins, left)), len(self._sequences))


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)
