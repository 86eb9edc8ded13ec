"""`WindowReading`: reads a user-defined deserializer, whose chunks are not indexed beforehand.

The order is exactly the original's. Chunks are shuffled sweep by sweep and assigned to workers in
turn. A window's number of chunks is read at a time, across the end of a sweep too, and their
sequences are shuffled, each sweep's separately.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cntk._runtime.random.mersenne_twister import MersenneTwister64
from cntk.errors import DataError
from cntk.io._corpus.catalog import check_streams
from cntk.io._corpus.chunk import StreamChunk
from cntk.io._corpus.streams import StreamInformation
from cntk.io._corpus.user_deserializer import UserChunks
from cntk.io._sampling.reading import Limits, Read, by_length
from cntk.io._sampling.shuffle import Window
from cntk.io._sampling.timeline import Request

# Keys of checkpoint states are the original's: those of shuffled reading, and of reading in order.
_SHUFFLED = ("sweepIndex", "chunkPosition")
_IN_ORDER = ("currentChunkPosition", "currentSequencePosition")
_UNKNOWN = 0
_SWEEPS, _SAMPLES, _IN_WINDOW = (
    "baseSweepCount",
    "baseSampleCount",
    "baseCurrentSequencePositionInWindow",
)


@dataclass(frozen=True)
class _Span:
    """The chunks that a window has of one sweep.

    Attributes:
        sweep: the sweep.
        positions: positions of the chunks in the sweep's order.
        seed: seed for the shuffle of their sequences.
        ends_sweep: whether the window reaches the end of the sweep.
    """

    sweep: int
    positions: tuple[int, ...]
    seed: int
    ends_sweep: bool


@dataclass(frozen=True)
class _Part:
    """The loaded chunks of a span.

    Attributes:
        ends_sweep: whether the sweep ends behind it. That end counts as an item of the window: a
            minibatch that is full before it does not end the sweep, the next one does.
        loaded: the chunks.
        order: index of the chunk in ``loaded``, and of the sequence in the chunk, int64
            ``[sequences, 2]``, in the order of reading.
        lengths: number of samples that each sequence counts, in the order of reading.
        size: number of sequences of the chunks, for all workers together.
    """

    ends_sweep: bool
    loaded: list[tuple[StreamChunk, ...]]
    order: np.ndarray
    lengths: np.ndarray
    size: int


class WindowReading:
    """Reading of a user-defined deserializer.

    Args:
        corpus: the opened deserializer.
        window: the shuffle window; None for no shuffle.
        seed: seed of the first sweep.
        limits: limits at which reading ends.
        frames_only: whether a sequence of more than one sample is an error.
        bucket: how many shuffled sequences at a time are sorted by length; 0 for none.
    """

    def __init__(
        self,
        corpus: UserChunks,
        window: Window | None,
        seed: int,
        limits: Limits,
        frames_only: bool = False,
        bucket: int = 0,
    ) -> None:
        check_streams([corpus])
        self._corpus = corpus
        self._window = window
        self._seed = seed
        self._limits = limits
        self._frames_only = frames_only
        self._bucket = bucket
        self._shuffles: dict[int, list[int]] = {}
        self._preloaded: dict[tuple[int, int], tuple[StreamChunk, ...]] = {}
        self._workers, self._rank = 1, 0
        self._sweeps = self._samples = 0
        self._index: int
        self._part_begin: int
        self._begin_at(0, 0)

    @property
    def streams(self) -> tuple[StreamInformation, ...]:
        """The streams that can be read."""
        return self._corpus.streams

    @property
    def is_infinite(self) -> bool:
        """True if there is always a next minibatch."""
        return self._limits.samples is None and self._limits.sweeps is None

    # -- minibatches -------------------------------------------------------------------------------

    def next(self, request: Request, names: set[str]) -> Read:
        """Read the next sequences of some streams, as many as the request's room; at least one."""
        self._assign(request.workers, request.rank)
        chunks: dict[str, list[tuple[StreamChunk, np.ndarray]]] = {}
        room, ends_sweep, empty_parts = request.room, False, 0
        while room > 0 and not self._is_over():
            part = self._load_next()
            fitting = self._fitting(part, room, first=not chunks)
            if fitting:
                self._gather(part, fitting, names, chunks)
                count = int(part.lengths[self._index : self._index + fitting].sum())
                self._index, self._samples, room = (
                    self._index + fitting,
                    self._samples + count,
                    room - count,
                )
            if self._index < len(part.order) or (
                part.ends_sweep and room <= 0 and self._corpus.ends_sweeps_late
            ):
                break
            ends_sweep |= part.ends_sweep
            self._leave(part)
            empty_parts = 0 if len(part.order) else empty_parts + 1
            if empty_parts > 2 * self._corpus.count:
                raise DataError(
                    f"{self._corpus.name}: its chunks have no sequences for this worker"
                )
        return Read(chunks, ends_sweep and bool(chunks))

    def _assign(self, workers: int, rank: int) -> None:
        """Read the part of a worker from here on.

        As in the original, the position in the present window does not change.
        """
        if (workers, rank) == (self._workers, self._rank):
            return
        if self._window is not None and rank >= self._corpus.count:
            raise DataError(
                f"{self._corpus.name}: shuffled chunks are assigned to workers; {workers} workers "
                f"need as many chunks, and there are {self._corpus.count}"
            )
        position = self._position
        if self._window is None and self._workers != _UNKNOWN:
            # In order, sequences are assigned, not chunks: go on behind those that were read.
            position = len(range(self._first_index(workers, rank), self._next_index(), workers))
        self._workers, self._rank = workers, rank
        self._begin_at(*self._start, self._before, position)

    def _share(self) -> int | None:
        """Return the number of samples that this worker may read; None for no limit."""
        samples = self._limits.samples
        return (
            None
            if samples is None
            else samples // self._workers + (self._rank < samples % self._workers)
        )

    def _is_over(self) -> bool:
        share, sweeps = self._share(), self._limits.sweeps
        return (sweeps is not None and self._sweeps >= sweeps) or (
            share is not None and self._samples >= share
        )

    def _fitting(self, part: _Part, room: int, first: bool) -> int:
        """Return how many of a part's next sequences fit into the room."""
        left = len(part.order) - self._index
        total = np.cumsum(part.lengths[self._index : self._index + room])
        fitting = int(np.searchsorted(total, room, side="right"))
        share = self._share()
        if share is not None:  # A sequence that begins before the end is still read.
            fitting = min(fitting, int(np.searchsorted(total, share - self._samples)) + 1)
        return min(max(fitting, 1), left) if first else fitting

    def _gather(
        self,
        part: _Part,
        count: int,
        names: set[str],
        chunks: dict[str, list[tuple[StreamChunk, np.ndarray]]],
    ) -> None:
        """Add the chunks of a part's next sequences to ``chunks``, by the name of the stream."""
        order = part.order[self._index : self._index + count]
        for run in np.split(order, np.flatnonzero(np.diff(order[:, 0])) + 1):
            for stream, chunk in zip(self.streams, part.loaded[int(run[0, 0])], strict=True):
                if stream.name in names:
                    chunks.setdefault(stream.name, []).append((chunk, run[:, 1]))

    # -- windows -----------------------------------------------------------------------------------

    def _begin_at(self, sweep: int, chunk: int, before: int = 0, position: int = 0) -> None:
        """Go to a window.

        Args:
            sweep: the sweep.
            chunk: position of the window's first chunk in the sweep's order of chunks.
            before: number of the sweep's sequences before it; needed only when reading in order.
            position: position in the window of the next sequence.
        """
        self._start, self._before = (sweep, chunk), before
        self._spans: list[_Span] | None = None
        self._part: _Part | None = None
        self._part_begin, self._index, self._skip = 0, 0, position
        self._preloaded.clear()

    @property
    def _position(self) -> int:
        """Position of the next sequence in the window."""
        return self._part_begin + self._index + self._skip

    def _load_next(self) -> _Part:
        """Load the part that has the next sequence."""
        while True:
            if self._spans is None:
                self._spans, self._following = self._open_window()
            if self._part is None:
                # The span is removed after it is loaded, so that a failed load is tried again.
                self._part = self._load(self._spans[0])
                del self._spans[0]
            # Go to the position that a restored state has.
            step = min(self._skip, len(self._part.order) - self._index)
            self._index, self._skip = self._index + step, self._skip - step
            if not self._skip or not self._spans:
                return self._part
            self._skip -= 1
            self._go_behind(self._part)

    def _go_behind(self, part: _Part) -> None:
        self._part_begin += len(part.order) + part.ends_sweep
        self._index, self._part = 0, None

    def _leave(self, part: _Part) -> None:
        """Go on behind a part, and behind the end of the sweep if that is there."""
        self._sweeps += part.ends_sweep
        self._go_behind(part)
        if not self._spans:
            sweep, chunk = self._following
            self._begin_at(sweep, chunk, self._before + part.size if chunk else 0)

    def _open_window(self) -> tuple[list[_Span], tuple[int, int]]:
        """Return the spans of the present window, and the begin of the next one."""
        sweep, chunk = begin = self._start
        count, room = self._corpus.count, 1 if self._window is None else self._window.size
        spans: list[_Span] = []
        positions: list[int] = []
        while room > 0:
            if self._window is None or chunk % self._workers == self._rank:
                positions.append(chunk)
                room -= (
                    self._samples_of(sweep, chunk)
                    if self._window is not None and self._window.in_samples
                    else 1
                )
            chunk += 1
            if chunk == count or room <= 0:
                seed = self._seed + sweep + (begin[1] if sweep == begin[0] else 0)
                spans.append(_Span(sweep, tuple(positions), seed, chunk == count))
                positions = []
            if chunk == count:
                sweep, chunk = sweep + 1, 0
        return spans, (sweep, chunk)

    def _samples_of(self, sweep: int, chunk: int) -> int:
        loaded = self._preloaded[sweep, chunk] = self._corpus.load(self._chunks(sweep)[chunk])
        return max(int(self._corpus.lengths(loaded).sum()), 1)

    def _load(self, span: _Span) -> _Part:
        loaded = [
            self._preloaded.pop((span.sweep, p), ())
            or self._corpus.load(self._chunks(span.sweep)[p])
            for p in span.positions
        ]
        counted = [np.zeros(0, np.int64), *(self._corpus.lengths(c) for c in loaded)]
        order = np.concatenate(
            [
                np.stack([np.full(len(n), k - 1), np.arange(len(n))], 1)
                for k, n in enumerate(counted)
            ]
        )
        lengths = np.concatenate(counted)
        if self._frames_only and (lengths != 1).any():
            raise DataError(
                f"MinibatchSource: frame_mode reads single samples, and a sequence has "
                f"{lengths.max()}"
            )
        if self._window is None:
            indices = np.arange(
                self._first_index(self._workers, self._rank), len(order), self._workers
            )
        else:
            indices = _permutation(len(order), span.seed)
        if self._bucket:
            indices = indices[by_length(lengths[indices], self._bucket)]
        return _Part(span.ends_sweep, loaded, order[indices], lengths[indices], len(order))

    def _chunks(self, sweep: int) -> list[int]:
        """Return the chunks in the order of a sweep."""
        count = self._corpus.count
        if self._window is None:
            return list(range(count))
        if sweep not in self._shuffles:
            chunks = list(range(count))
            for position, word in enumerate(
                MersenneTwister64(self._seed + sweep).words(count).tolist()
            ):
                other = word % count
                chunks[position], chunks[other] = chunks[other], chunks[position]
            # No window goes back before its first sweep: older orders are not needed again.
            self._shuffles = {k: v for k, v in self._shuffles.items() if k >= self._start[0]}
            self._shuffles[sweep] = chunks
        return self._shuffles[sweep]

    def _first_index(self, workers: int, rank: int) -> int:
        """Return the index of a worker's first sequence in the present chunk, read in order."""
        return (rank - self._before) % workers

    def _next_index(self) -> int:
        """Return the index of the first sequence of the present chunk that is not read yet."""
        first = self._first_index(self._workers, self._rank)
        return first + (self._position - 1) * self._workers + 1 if self._position else 0

    # -- position ----------------------------------------------------------------------------------

    def state(self) -> dict[str, int]:
        """Return the position as a checkpoint state, which the original can read."""
        sweep, chunk = self._start
        begin = (sweep, chunk) if self._window is not None else (chunk, self._before)
        keys = _SHUFFLED if self._window is not None else _IN_ORDER
        counts = {_SWEEPS: self._sweeps, _SAMPLES: self._samples, _IN_WINDOW: self._position}
        return {**dict(zip(keys, begin, strict=True)), **counts}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go to the position of a checkpoint state.

        Raises:
            ValueError: if ``state`` is not such a state.
        """
        keys = (
            *(_SHUFFLED if self._window is not None else _IN_ORDER),
            _SWEEPS,
            _SAMPLES,
            _IN_WINDOW,
        )
        values = [state.get(key) for key in keys] if isinstance(state, Mapping) else []
        if not values or not all(isinstance(v, (int, np.integer)) and v >= 0 for v in values):
            raise ValueError(
                f"restore_from_checkpoint: expected {', '.join(keys)}, as get_checkpoint_state "
                f"gives, got {state!r}"
            )
        first, second, self._sweeps, self._samples, position = (int(v) for v in values)  # type: ignore[arg-type]
        sweep, chunk = (first, second) if self._window is not None else (self._sweeps, first)
        if chunk >= self._corpus.count:
            raise ValueError(
                f"restore_from_checkpoint: there are {self._corpus.count} chunks, the state is at "
                f"chunk {chunk}"
            )
        # The position is in the part of one worker; the next request says which.
        self._workers = _UNKNOWN
        self._begin_at(sweep, chunk, 0 if self._window is not None else second, position)


def _permutation(count: int, seed: int) -> np.ndarray:
    """Return a random permutation of ``count`` indices, shuffled from the front (Fisher-Yates)."""
    order = list(range(count))
    for here, word in enumerate(MersenneTwister64(seed).words(count).tolist()):
        there = here + word % (count - here)
        order[here], order[there] = order[there], order[here]
    return np.array(order, np.int64)
