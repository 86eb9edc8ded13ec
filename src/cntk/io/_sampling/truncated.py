"""Long sequences in pieces, for backpropagation through time that is truncated.

A minibatch has a number of slots. Each holds sequences one after another, and every minibatch takes
so many frames of each, across the end of a sequence too. What is cut goes on in the next minibatch:
the value says which pieces do, and from which one, and a recurrence starts these from the state it
stopped at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cntk._errors import DataError
from cntk.io._corpus.chunk import Frames, StreamChunk, ends_of, joined, take
from cntk.io._corpus.streams import StreamInformation
from cntk.io._sampling.reading import POSITION, CatalogReading, Read
from cntk.io._sampling.timeline import Request

_ASKED = ("truncatedMinibatchSize", "truncatedWorkers", "truncatedRank")
# Of each sequence in a slot where it begins, how many of its frames were given, and which piece was
# the last of these.
_PLACE = (
    "truncatedSlot{}Sequence{}Position",
    "truncatedSlot{}Sequence{}Frame",
    "truncatedSlot{}Sequence{}Piece",
)


@dataclass
class _Sequence:
    """A sequence on its way.

    Attributes:
        frames: each stream's frames of the sequence.
        length: how many there are.
        position: where the source stood before it was read.
        ends_sweep: whether it is the last one of a sweep.
        given: how many frames have been given.
        piece: which of the last minibatch's pieces was its.
    """

    frames: dict[str, Frames]
    length: int
    position: int
    ends_sweep: bool
    given: int = 0
    piece: int = 0

    @property
    def left(self) -> int:
        """Frames that have not been given."""
        return self.length - self.given


@dataclass(frozen=True)
class _Piece:
    """So many of a sequence's frames from one on."""

    sequence: _Sequence
    begin: int
    count: int
    origin: int

    def frames(self, name: str) -> Frames:
        """Those of a stream."""
        ends = np.array([self.begin, self.begin + self.count])
        frames, _ = take([(StreamChunk(self.sequence.frames[name], ends), np.zeros(1, np.int64))])
        return frames


class TruncatedReading:
    """Reads sequences piece by piece.

    Minibatches of a size have ``size // length`` slots, one at least, which are dealt out among
    workers. A slot reads sequences until it has more frames than a minibatch takes of it. When the
    data end, each slot gives what it has left. With another size or another worker new slots begin,
    at the next sequence; as in the original, what was left in the slots before is not read.

    Args:
        reading: reads whole sequences.
        length: frames that a minibatch takes of a slot.
    """

    def __init__(self, reading: CatalogReading, length: int) -> None:
        self._reading = reading
        self._length = length
        self._slots: list[list[_Sequence]] = []
        self._asked: Request | None = None
        self._places: list[list[tuple[int, ...]]] | None = None

    @property
    def streams(self) -> tuple[StreamInformation, ...]:
        """What is read."""
        return self._reading.streams

    @property
    def is_infinite(self) -> bool:
        """Whether there is always a next minibatch."""
        return self._reading.is_infinite

    def next(self, request: Request, names: set[str]) -> Read:
        """The next pieces of some streams.

        Raises:
            DataError: if there are more workers than slots, or a sequence's streams differ in
                length.
        """
        if request != self._asked:
            if self._reading.is_over and not any(self._slots):
                return Read({}, False)
            self._slots = [[] for _ in range(self._count(request))]
            self._asked, self._places = request, None
            for slot in self._slots:
                self._fill(slot, request)
        self._go_back(request)
        for slot in self._slots:
            self._fill(slot, request)
        pieces: list[_Piece] = []
        for slot in self._slots:
            pieces += self._cut(slot, len(pieces))
        if not pieces:
            return Read({}, False)
        ends = ends_of(np.array([p.count for p in pieces]))
        parts = {
            name: [
                (
                    StreamChunk(joined([p.frames(name) for p in pieces]), ends),
                    np.arange(len(pieces)),
                )
            ]
            for name in names
        }
        ends_sweep = any(
            p.sequence.ends_sweep and p.begin + p.count == p.sequence.length for p in pieces
        )
        return Read(
            parts, ends_sweep, tuple(not p.begin for p in pieces), tuple(p.origin for p in pieces)
        )

    def _count(self, request: Request) -> int:
        """How many slots this worker has."""
        slots = max(request.size // self._length, 1)
        if request.workers > slots:
            raise DataError(
                f"MinibatchSource: minibatches of {request.size} samples hold {slots} sequences of "
                f"truncation_length "
                f"{self._length}, and there are {request.workers} workers; give a larger minibatch "
                f"size or less workers"
            )
        return request.share(slots)

    def _fill(self, slot: list[_Sequence], request: Request) -> None:
        """Read on until a slot has more than a minibatch takes, or the data end."""
        while sum(s.left for s in slot) <= self._length:
            sequence = self._fetch(request)
            if sequence is None:
                return
            slot.append(sequence)

    def _cut(self, slot: list[_Sequence], first: int) -> list[_Piece]:
        """What a minibatch takes of a slot, whose pieces are numbered from `first` on."""
        pieces: list[_Piece] = []
        room = self._length
        while slot and room:
            sequence = slot[0]
            count = min(sequence.left, room)
            pieces.append(_Piece(sequence, sequence.given, count, sequence.piece))
            sequence.given, sequence.piece = sequence.given + count, first + len(pieces) - 1
            room -= count
            if not sequence.left:
                del slot[0]
        return pieces

    def _fetch(self, request: Request) -> _Sequence | None:
        """This worker's next sequence; None at the end of the data."""
        position = self._reading.state()[POSITION]
        read = self._reading.next(request.for_one(), {s.name for s in self.streams})
        if not read.parts:
            return None
        taken = {name: take(parts) for name, parts in read.parts.items()}
        lengths = {name: int(found[1][0]) for name, found in taken.items()}
        if len(set(lengths.values())) != 1:
            raise DataError(
                "MinibatchSource: with truncation_length all streams must have a sequence's every "
                "frame; one has " + ", ".join(f"{n} in {name}" for name, n in lengths.items())
            )
        frames = {name: found[0] for name, found in taken.items()}
        return _Sequence(frames, max(lengths.values()), position, read.ends_sweep)

    def state(self) -> dict[str, int]:
        """The source's position, and for each slot where its sequences begin and how much of the
        first was given.
        """
        state = self._reading.state()
        if self._asked is None:
            return state
        state.update(
            zip(_ASKED, (self._asked.size, self._asked.workers, self._asked.rank), strict=True)
        )
        places = self._places or [
            [(s.position, s.given, s.piece) for s in slot] for slot in self._slots
        ]
        for k, slot in enumerate(places):
            for j, place in enumerate(slot):
                state.update(
                    (key.format(k, j), value) for key, value in zip(_PLACE, place, strict=True)
                )
        return state

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go to where `state` was given. A state without slots, as the original's, begins with new
        sequences.

        Raises:
            ValueError: if it is no such state.
        """
        self._reading.restore(state)
        self._slots, self._asked, self._places = [], None, None
        if _ASKED[0] not in state:
            return
        asked = [_whole(state, key, least) for key, least in zip(_ASKED, (1, 1, 0), strict=True)]
        request = Request(*asked)
        places: list[list[tuple[int, ...]]] = []
        for k in range(self._count(request)):
            places.append([])
            while _PLACE[0].format(k, len(places[k])) in state:
                keys = (key.format(k, len(places[k])) for key in _PLACE)
                places[k].append(tuple(_whole(state, key, 0) for key in keys))
        self._asked, self._places = request, places

    def _go_back(self, request: Request) -> None:
        """Read again the sequences that a state has begun."""
        if self._places is None:
            return
        here = self._reading.state()
        self._slots = []
        for places in self._places:
            self._slots.append([])
            for position, given, piece in places:
                self._reading.restore({POSITION: position})
                sequence = self._fetch(request)
                if sequence is None or given >= sequence.length:
                    raise ValueError(
                        f"restore_from_checkpoint: the state has {given} frames of a sequence at "
                        f"{position}, which is not so long"
                    )
                sequence.given, sequence.piece = given, piece
                self._slots[-1].append(sequence)
        self._places = None
        self._reading.restore(here)


def _whole(state: Mapping[str, Any], key: str, least: int) -> int:
    value = state.get(key)
    if not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(
            f"restore_from_checkpoint: {key} must be an integer of at least {least}, got {value!r}"
        )
    return int(value)
