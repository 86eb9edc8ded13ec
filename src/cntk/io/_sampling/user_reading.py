"""The way through a program's own deserializer: window after window of chunks, whose contents are
not known beforehand.

The order is the original's, number by number. Chunks are shuffled sweep by sweep and dealt out
among workers; as many as a window holds are taken at a time, across the end of a sweep too, and
their sequences shuffled, each sweep's by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cntk._errors import DataError
from cntk._runtime.random.mersenne_twister import MersenneTwister64
from cntk.io._corpus.catalog import check_streams
from cntk.io._corpus.chunk import StreamChunk
from cntk.io._corpus.streams import StreamInformation
from cntk.io._corpus.user_deserializer import UserChunks
from cntk.io._sampling.reading import Limits, Read, by_length
from cntk.io._sampling.shuffle import Window
from cntk.io._sampling.timeline import Request

# A state's keys are the original's: those of shuffled reading, and of reading in order.
_SHUFFLED = ("sweepIndex", "chunkPosition")
_IN_ORDER = ("currentChunkPosition", "currentSequencePosition")
_UNKNOWN = 0
_SWEEPS, _SAMPLES, _PLACE = (
    "baseSweepCount",
    "baseSampleCount",
    "baseCurrentSequencePositionInWindow",
)


@dataclass(frozen=True)
class _Span:
    """What a window takes of one sweep.

    Attributes:
        sweep: the sweep.
        places: places in the sweep's order of chunks.
        seed: shuffles their sequences.
        ends_sweep: whether the window reaches the end of the sweep.
    """

    sweep: int
    places: tuple[int, ...]
    seed: int
    ends_sweep: bool


@dataclass(frozen=True)
class _Part:
    """A span's chunks, loaded.

    Attributes:
        ends_sweep: whether the sweep ends behind it. In a window that end has a place of its own: a
            minibatch that is full before it does not end the sweep, the next one does.
        loaded: the chunks.
        order: chunk (its number among these) and sequence in it, int64 ``[sequences, 2]``, in the
            order of reading.
        lengths: by how many samples each sequence counts, in the order of reading.
        size: sequences of the chunks, this worker's and the others'.
    """

    ends_sweep: bool
    loaded: list[tuple[StreamChunk, ...]]
    order: np.ndarray
    lengths: np.ndarray
    size: int


class WindowReading:
    """Reads a program's own deserializer.

    Args:
        corpus: the opened deserializer.
        window: how many chunks are shuffled together; None leaves sequences in their order.
        seed: the first sweep's seed.
        limits: where reading ends.
        frames_only: whether sequences of more than one sample are refused.
        bucket: within how many sequences of that order those of similar length come together; 0
            leaves it.
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
        self._held: dict[tuple[int, int], tuple[StreamChunk, ...]] = {}
        self._workers, self._rank = 1, 0
        self._sweeps = self._samples = 0
        self._at: int
        self._place_of_part: int
        self._begin_at(0, 0)

    @property
    def streams(self) -> tuple[StreamInformation, ...]:
        """What is read."""
        return self._corpus.streams

    @property
    def is_infinite(self) -> bool:
        """Whether there is always a next minibatch."""
        return self._limits.samples is None and self._limits.sweeps is None

    # -- minibatches -------------------------------------------------------------------------------

    def next(self, request: Request, names: set[str]) -> Read:
        """The next sequences of some streams, as many as a worker's room holds, and one at
        least.
        """
        self._deal(request.workers, request.rank)
        found: dict[str, list[tuple[StreamChunk, np.ndarray]]] = {}
        room, ends_sweep, without = request.room, False, 0
        while room > 0 and not self._is_over():
            part = self._arrive()
            taken = self._fitting(part, room, first=not found)
            if taken:
                self._gather(part, taken, names, found)
                count = int(part.lengths[self._at : self._at + taken].sum())
                self._at, self._samples, room = (
                    self._at + taken,
                    self._samples + count,
                    room - count,
                )
            if self._at < len(part.order) or (
                part.ends_sweep and room <= 0 and self._corpus.ends_sweeps_late
            ):
                break
            ends_sweep |= part.ends_sweep
            self._leave(part)
            without = 0 if len(part.order) else without + 1
            if without > 2 * self._corpus.count:
                raise DataError(
                    f"{self._corpus.name}: its chunks have no sequences for this worker"
                )
        return Read(found, ends_sweep and bool(found))

    def _deal(self, workers: int, rank: int) -> None:
        """Take a worker's part from here on. As in the original, the place in the present window is
        kept.
        """
        if (workers, rank) == (self._workers, self._rank):
            return
        if self._window is not None and rank >= self._corpus.count:
            raise DataError(
                f"{self._corpus.name}: shuffled chunks are dealt out among workers; {workers} "
                f"workers need as many chunks, and "
                f"there are {self._corpus.count}"
            )
        place = self._place
        if self._window is None and self._workers != _UNKNOWN:
            # In order, sequences are dealt out, not chunks: go on behind those that were read.
            place = len(range(self._first_of_mine(workers, rank), self._unread(), workers))
        self._workers, self._rank = workers, rank
        self._begin_at(*self._start, self._before, place)

    def _share(self) -> int | None:
        """How many samples this worker may read."""
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
        """How many of a part's next sequences fit into the room."""
        left = len(part.order) - self._at
        total = np.cumsum(part.lengths[self._at : self._at + room])
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
        found: dict[str, list[tuple[StreamChunk, np.ndarray]]],
    ) -> None:
        places = part.order[self._at : self._at + count]
        for run in np.split(places, np.flatnonzero(np.diff(places[:, 0])) + 1):
            for stream, chunk in zip(self.streams, part.loaded[int(run[0, 0])], strict=True):
                if stream.name in names:
                    found.setdefault(stream.name, []).append((chunk, run[:, 1]))

    # -- windows -----------------------------------------------------------------------------------

    def _begin_at(self, sweep: int, chunk: int, before: int = 0, place: int = 0) -> None:
        """Go to a window that begins at a place in a sweep's order of chunks.

        Args:
            sweep: the sweep.
            chunk: the place.
            before: sequences of the sweep before it; needed only when reading in order.
            place: which of the window's sequences is next.
        """
        self._start, self._before = (sweep, chunk), before
        self._spans: list[_Span] | None = None
        self._part: _Part | None = None
        self._place_of_part, self._at, self._ahead = 0, 0, place
        self._held.clear()

    @property
    def _place(self) -> int:
        """Which of the window's sequences is next."""
        return self._place_of_part + self._at + self._ahead

    def _arrive(self) -> _Part:
        """The part where the next sequence is, loaded."""
        while True:
            if self._spans is None:
                self._spans, self._following = self._open_window()
            if self._part is None:
                # If that fails it is tried again the next time.
                self._part = self._load(self._spans[0])
                del self._spans[0]
            # Where a state said: so many places ahead.
            step = min(self._ahead, len(self._part.order) - self._at)
            self._at, self._ahead = self._at + step, self._ahead - step
            if not self._ahead or not self._spans:
                return self._part
            self._ahead -= 1
            self._pass(self._part)

    def _pass(self, part: _Part) -> None:
        self._place_of_part += len(part.order) + part.ends_sweep
        self._at, self._part = 0, None

    def _leave(self, part: _Part) -> None:
        """Go on behind a part, and behind the end of the sweep if that is there."""
        self._sweeps += part.ends_sweep
        self._pass(part)
        if not self._spans:
            sweep, chunk = self._following
            self._begin_at(sweep, chunk, self._before + part.size if chunk else 0)

    def _open_window(self) -> tuple[list[_Span], tuple[int, int]]:
        """What the present window takes of each sweep, and where the next one begins."""
        sweep, chunk = begin = self._start
        count, room = self._corpus.count, 1 if self._window is None else self._window.size
        spans: list[_Span] = []
        places: list[int] = []
        while room > 0:
            if self._window is None or chunk % self._workers == self._rank:
                places.append(chunk)
                room -= (
                    self._samples_of(sweep, chunk)
                    if self._window is not None and self._window.in_samples
                    else 1
                )
            chunk += 1
            if chunk == count or room <= 0:
                seed = self._seed + sweep + (begin[1] if sweep == begin[0] else 0)
                spans.append(_Span(sweep, tuple(places), seed, chunk == count))
                places = []
            if chunk == count:
                sweep, chunk = sweep + 1, 0
        return spans, (sweep, chunk)

    def _samples_of(self, sweep: int, chunk: int) -> int:
        loaded = self._held[sweep, chunk] = self._corpus.load(self._chunks(sweep)[chunk])
        return max(int(self._corpus.lengths(loaded).sum()), 1)

    def _load(self, span: _Span) -> _Part:
        loaded = [
            self._held.pop((span.sweep, p), ()) or self._corpus.load(self._chunks(span.sweep)[p])
            for p in span.places
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
            mine = np.arange(
                self._first_of_mine(self._workers, self._rank), len(order), self._workers
            )
        else:
            mine = _permutation(len(order), span.seed)
        if self._bucket:
            mine = mine[by_length(lengths[mine], self._bucket)]
        return _Part(span.ends_sweep, loaded, order[mine], lengths[mine], len(order))

    def _chunks(self, sweep: int) -> list[int]:
        """The chunks in the order of a sweep."""
        count = self._corpus.count
        if self._window is None:
            return list(range(count))
        if sweep not in self._shuffles:
            chunks = list(range(count))
            for place, word in enumerate(
                MersenneTwister64(self._seed + sweep).words(count).tolist()
            ):
                other = word % count
                chunks[place], chunks[other] = chunks[other], chunks[place]
            # A window goes on from its first sweep; what lies before is not needed again.
            self._shuffles = {k: v for k, v in self._shuffles.items() if k >= self._start[0]}
            self._shuffles[sweep] = chunks
        return self._shuffles[sweep]

    def _first_of_mine(self, workers: int, rank: int) -> int:
        """Reading in order: a worker's first sequence in the present chunk."""
        return (rank - self._before) % workers

    def _unread(self) -> int:
        """Reading in order: the first sequence of the present chunk that was not yet read."""
        first = self._first_of_mine(self._workers, self._rank)
        return first + (self._place - 1) * self._workers + 1 if self._place else 0

    # -- position ----------------------------------------------------------------------------------

    def state(self) -> dict[str, int]:
        """Where it stands, as the original writes it."""
        sweep, chunk = self._start
        where = (sweep, chunk) if self._window is not None else (chunk, self._before)
        keys = _SHUFFLED if self._window is not None else _IN_ORDER
        counts = {_SWEEPS: self._sweeps, _SAMPLES: self._samples, _PLACE: self._place}
        return {**dict(zip(keys, where, strict=True)), **counts}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go to where `state` was given.

        Raises:
            ValueError: if it is no such state.
        """
        wanted = (
            *(_SHUFFLED if self._window is not None else _IN_ORDER),
            _SWEEPS,
            _SAMPLES,
            _PLACE,
        )
        found = [state.get(key) for key in wanted] if isinstance(state, Mapping) else []
        if not found or not all(isinstance(v, (int, np.integer)) and v >= 0 for v in found):
            raise ValueError(
                f"restore_from_checkpoint: expected {', '.join(wanted)}, as get_checkpoint_state "
                f"gives, got {state!r}"
            )
        first, second, self._sweeps, self._samples, place = (int(v) for v in found)  # type: ignore[arg-type]
        sweep, chunk = (first, second) if self._window is not None else (self._sweeps, first)
        if chunk >= self._corpus.count:
            raise ValueError(
                f"restore_from_checkpoint: there are {self._corpus.count} chunks, the state is at "
                f"chunk {chunk}"
            )
        # The place is one of the worker who goes on, which only the next request tells.
        self._workers = _UNKNOWN
        self._begin_at(sweep, chunk, 0 if self._window is not None else second, place)


def _permutation(count: int, seed: int) -> np.ndarray:
    """The numbers below a count, shuffled from the front."""
    order = list(range(count))
    for here, word in enumerate(MersenneTwister64(seed).words(count).tolist()):
        there = here + word % (count - here)
        order[here], order[there] = order[there], order[here]
    return np.array(order, np.int64)
