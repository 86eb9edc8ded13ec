"""Long sequences cut into segments, for truncated backpropagation through time.

A minibatch has a number of lanes. Each lane has sequences one after another, and every minibatch
takes the same number of frames of each lane, across the end of a sequence too. A sequence that is
cut goes on in the next minibatch: the minibatch says which segments do, and from which segment of
the minibatch before, so that a recurrence starts from the state at which it stopped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cntk.errors import DataError
from cntk.io._corpus.chunk import Frames, StreamChunk, ends_of, joined, take
from cntk.io._corpus.streams import StreamInformation
from cntk.io._sampling.reading import POSITION, CatalogReading, Read
from cntk.io._sampling.timeline import Request

# Keys of checkpoint states.
_REQUEST = ("truncatedMinibatchSize", "truncatedWorkers", "truncatedRank")
# For each sequence in a lane ("slot") its begin, how many of its frames were read, and the index of
# the segment ("piece") with the last of these.
_SEQUENCE = (
    "truncatedSlot{}Sequence{}Position",
    "truncatedSlot{}Sequence{}Frame",
    "truncatedSlot{}Sequence{}Piece",
)


@dataclass
class _Sequence:
    """Sequence in a lane, of which minibatches take segments.

    Attributes:
        frames: each stream's frames of the sequence.
        length: number of frames.
        position: position of the source before it was read.
        ends_sweep: whether it is the last one of a sweep.
        consumed: number of frames that minibatches have taken.
        segment: index of its segment in the last minibatch.
    """

    frames: dict[str, Frames]
    length: int
    position: int
    ends_sweep: bool
    consumed: int = 0
    segment: int = 0

    @property
    def left(self) -> int:
        """Number of frames that no minibatch has taken yet."""
        return self.length - self.consumed


@dataclass(frozen=True)
class _Segment:
    """Segment of a sequence: ``count`` frames from ``begin`` on.

    ``origin`` is the index of the sequence's segment in the minibatch before.
    """

    sequence: _Sequence
    begin: int
    count: int
    origin: int

    def frames(self, name: str) -> Frames:
        """Return the segment's frames of a stream."""
        ends = np.array([self.begin, self.begin + self.count])
        frames, _ = take([(StreamChunk(self.sequence.frames[name], ends), np.zeros(1, np.int64))])
        return frames


class TruncatedReading:
    """Reading of sequences segment by segment.

    Minibatches of a size have ``size // length`` lanes, at least one, which workers share. A lane
    reads sequences until it has more frames than a minibatch takes of it. At the end of the data
    each lane yields its rest. With another size or another worker new lanes begin at the next
    sequence; as in the original, the rest of the lanes before is not read.

    Args:
        reading: reads whole sequences.
        length: number of frames that a minibatch takes of a lane.
    """

    def __init__(self, reading: CatalogReading, length: int) -> None:
        self._reading = reading
        self._length = length
        self._lanes: list[list[_Sequence]] = []
        self._request: Request | None = None
        self._saved_lanes: list[list[tuple[int, ...]]] | None = None

    @property
    def streams(self) -> tuple[StreamInformation, ...]:
        """The streams that can be read."""
        return self._reading.streams

    @property
    def is_infinite(self) -> bool:
        """True if there is always a next minibatch."""
        return self._reading.is_infinite

    def next(self, request: Request, names: set[str]) -> Read:
        """Read the next segments of some streams.

        Raises:
            DataError: if there are more workers than lanes, or a sequence's streams differ in
                length.
        """
        if request != self._request:
            if self._reading.is_over and not any(self._lanes):
                return Read({}, False)
            self._lanes = [[] for _ in range(self._count(request))]
            self._request, self._saved_lanes = request, None
            for lane in self._lanes:
                self._fill(lane, request)
        self._go_back(request)
        for lane in self._lanes:
            self._fill(lane, request)
        segments: list[_Segment] = []
        for lane in self._lanes:
            segments += self._cut(lane, len(segments))
        if not segments:
            return Read({}, False)
        ends = ends_of(np.array([p.count for p in segments]))
        parts = {
            name: [
                (
                    StreamChunk(joined([p.frames(name) for p in segments]), ends),
                    np.arange(len(segments)),
                )
            ]
            for name in names
        }
        ends_sweep = any(
            p.sequence.ends_sweep and p.begin + p.count == p.sequence.length for p in segments
        )
        return Read(
            parts,
            ends_sweep,
            tuple(not p.begin for p in segments),
            tuple(p.origin for p in segments),
        )

    def _count(self, request: Request) -> int:
        """Return the number of lanes of this worker."""
        lanes = max(request.size // self._length, 1)
        if request.workers > lanes:
            raise DataError(
                f"MinibatchSource: minibatches of {request.size} samples hold {lanes} sequences of "
                f"truncation_length {self._length}, and there are {request.workers} workers; give "
                f"a larger minibatch size or fewer workers"
            )
        return request.share(lanes)

    def _fill(self, lane: list[_Sequence], request: Request) -> None:
        """Read sequences until a lane has more frames than a minibatch takes, or the data end."""
        while sum(s.left for s in lane) <= self._length:
            sequence = self._fetch(request)
            if sequence is None:
                return
            lane.append(sequence)

    def _cut(self, lane: list[_Sequence], first: int) -> list[_Segment]:
        """Cut off what a minibatch takes of a lane; its segments are numbered from `first` on."""
        segments: list[_Segment] = []
        room = self._length
        while lane and room:
            sequence = lane[0]
            count = min(sequence.left, room)
            segments.append(_Segment(sequence, sequence.consumed, count, sequence.segment))
            sequence.consumed, sequence.segment = (
                sequence.consumed + count,
                first + len(segments) - 1,
            )
            room -= count
            if not sequence.left:
                del lane[0]
        return segments

    def _fetch(self, request: Request) -> _Sequence | None:
        """Read this worker's next sequence; None at the end of the data."""
        position = self._reading.state()[POSITION]
        read = self._reading.next(request.for_one(), {s.name for s in self.streams})
        if not read.parts:
            return None
        taken = {name: take(parts) for name, parts in read.parts.items()}
        lengths = {name: int(counts[0]) for name, (_, counts) in taken.items()}
        if len(set(lengths.values())) != 1:
            raise DataError(
                "MinibatchSource: with truncation_length all streams must have a sequence's every "
                "frame; one has " + ", ".join(f"{n} in {name}" for name, n in lengths.items())
            )
        frames = {name: part for name, (part, _) in taken.items()}
        return _Sequence(frames, max(lengths.values()), position, read.ends_sweep)

    def state(self) -> dict[str, int]:
        """Return the source's position and the sequences of each lane, as a checkpoint state."""
        state = self._reading.state()
        if self._request is None:
            return state
        state.update(
            zip(
                _REQUEST,
                (self._request.size, self._request.workers, self._request.rank),
                strict=True,
            )
        )
        lanes = self._saved_lanes or [
            [(s.position, s.consumed, s.segment) for s in lane] for lane in self._lanes
        ]
        for k, lane in enumerate(lanes):
            for j, sequence in enumerate(lane):
                state.update(
                    (key.format(k, j), value)
                    for key, value in zip(_SEQUENCE, sequence, strict=True)
                )
        return state

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go to the position of a checkpoint state.

        A state without lanes, as the original's, begins with new sequences.

        Raises:
            ValueError: if ``state`` is not such a state.
        """
        self._reading.restore(state)
        self._lanes, self._request, self._saved_lanes = [], None, None
        if _REQUEST[0] not in state:
            return
        numbers = [
            _integer(state, key, least) for key, least in zip(_REQUEST, (1, 1, 0), strict=True)
        ]
        request = Request(*numbers)
        lanes: list[list[tuple[int, ...]]] = []
        for k in range(self._count(request)):
            lanes.append([])
            while _SEQUENCE[0].format(k, len(lanes[k])) in state:
                keys = (key.format(k, len(lanes[k])) for key in _SEQUENCE)
                lanes[k].append(tuple(_integer(state, key, 0) for key in keys))
        self._request, self._saved_lanes = request, lanes

    def _go_back(self, request: Request) -> None:
        """Read the sequences of a restored state's lanes again."""
        if self._saved_lanes is None:
            return
        here = self._reading.state()
        self._lanes = []
        for lane in self._saved_lanes:
            self._lanes.append([])
            for position, consumed, segment in lane:
                self._reading.restore({POSITION: position})
                sequence = self._fetch(request)
                if sequence is None or consumed >= sequence.length:
                    raise ValueError(
                        f"restore_from_checkpoint: the state has {consumed} frames of a sequence "
                        f"at {position}, which is not so long"
                    )
                sequence.consumed, sequence.segment = consumed, segment
                self._lanes[-1].append(sequence)
        self._saved_lanes = None
        self._reading.restore(here)


def _integer(state: Mapping[str, Any], key: str, least: int) -> int:
    value = state.get(key)
    if not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(
            f"restore_from_checkpoint: {key} must be an integer of at least {least}, got {value!r}"
        )
    return int(value)
