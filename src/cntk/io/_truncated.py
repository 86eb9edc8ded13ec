"""Long sequences in pieces, for backpropagation through time that is truncated.

A minibatch has a number of slots, each with the next piece of its sequence; a slot whose sequence has ended takes the next
one with the following minibatch. Sequence k of a minibatch goes on in sequence k of the next: the value says which ones begin
(its mask), and a recurrence starts the others from the state it stopped at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cntk._errors import DataError
from cntk.io._chunk import Frames, StreamChunk, joined, take
from cntk.io._reading import POSITION, CatalogReading, Read
from cntk.io._streams import StreamInformation

_ASKED, _BEGIN, _GIVEN = "truncatedSlots", "truncatedSlot{}Position", "truncatedSlot{}Frame"


@dataclass
class _Slot:
    """A sequence on its way.

    Attributes:
        frames: each stream's frames of the sequence.
        length: how many there are.
        position: where the source stood before it was read.
        ends_sweep: whether it is the last one of a sweep.
        given: how many frames have been given.
    """

    frames: dict[str, Frames]
    length: int
    position: int
    ends_sweep: bool
    given: int = 0

    @property
    def left(self) -> int:
        """Frames that have not been given."""
        return self.length - self.given

    def piece(self, name: str, count: int) -> Frames:
        """The next frames of a stream."""
        ends = np.array([self.given, self.given + count])
        frames, _ = take([(StreamChunk(self.frames[name], ends), np.zeros(1, np.int64))])
        return frames


class TruncatedReading:
    """Reads sequences piece by piece.

    Minibatches of a size have ``size // length`` slots, one at least, less if there are not so many sequences. When the data
    end, or the size changes, one minibatch gives all that is left of the sequences begun, in longer pieces: so
    their number changes only where all sequences begin, and none loses its state.

    Args:
        reading: reads whole sequences.
        length: frames in a piece.
    """

    def __init__(self, reading: CatalogReading, length: int) -> None:
        self._reading = reading
        self._length = length
        self._slots: list[_Slot] = []
        self._asked = 0
        self._places: list[tuple[int, int]] = []

    @property
    def streams(self) -> tuple[StreamInformation, ...]:
        """What is read."""
        return self._reading.streams

    @property
    def is_infinite(self) -> bool:
        """Whether there is always a next minibatch."""
        return self._reading.is_infinite

    def next(self, size: int, workers: int, rank: int, names: set[str]) -> Read:
        """The next pieces of some streams."""
        self._go_back(workers, rank)
        wanted = max(size // self._length, 1)
        begun = any(s.given for s in self._slots)
        if begun and wanted != self._asked:
            self._asked = wanted
            return self._give(names, None, [])
        self._asked = wanted
        if len(self._slots) > wanted and not begun:
            self._reading.restore({POSITION: self._slots[wanted].position})
            del self._slots[wanted:]
        if not begun:
            self._slots += self._fetch(wanted - len(self._slots), workers, rank)
        if not self._slots:
            return Read({}, False)
        ending = sum(s.left <= self._length for s in self._slots)
        following = self._fetch(ending, workers, rank)
        return self._give(names, self._length if len(following) == ending else None, following)

    def _fetch(self, count: int, workers: int, rank: int) -> list[_Slot]:
        """The next sequences; less at the end of the data."""
        slots: list[_Slot] = []
        names = {s.name for s in self.streams}
        for _ in range(count):
            position = self._reading.state()[POSITION]
            read = self._reading.next(1, workers, rank, names)
            if not read.parts:
                break
            taken = {name: take(parts) for name, parts in read.parts.items()}
            lengths = {name: int(found[1][0]) for name, found in taken.items()}
            if len(set(lengths.values())) != 1:
                raise DataError(
                    "MinibatchSource: with truncation_length all streams must have a sequence's every frame; one has "
                    + ", ".join(f"{n} in {name}" for name, n in lengths.items())
                )
            frames = {name: found[0] for name, found in taken.items()}
            slots.append(_Slot(frames, max(lengths.values()), position, read.ends_sweep))
        return slots

    def _give(self, names: set[str], length: int | None, following: list[_Slot]) -> Read:
        """Pieces of a length, or all that is left. Slots whose sequences have ended are filled with others."""
        slots = self._slots
        counts = [s.left if length is None else min(s.left, length) for s in slots]
        ends = np.concatenate([[0], np.cumsum(counts)])
        numbers = np.arange(len(slots))
        parts = {
            name: [(StreamChunk(joined([s.piece(name, n) for s, n in zip(slots, counts, strict=True)]), ends), numbers)]
            for name in names
        }
        starts = tuple(not s.given for s in slots)
        for slot, count in zip(slots, counts, strict=True):
            slot.given += count
        ends_sweep = any(s.ends_sweep and not s.left for s in slots)
        if length is None:
            self._slots = following
        else:
            others = iter(following)
            self._slots = [s if s.left else next(others) for s in slots]
        return Read(parts, ends_sweep, starts)

    def state(self) -> dict[str, int]:
        """The source's position, and for each slot where its sequence begins and how much of it was given."""
        places = self._places or [(s.position, s.given) for s in self._slots]
        state = {**self._reading.state(), _ASKED: self._asked}
        for number, (position, given) in enumerate(places):
            state[_BEGIN.format(number)], state[_GIVEN.format(number)] = position, given
        return state

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go to where `state` was given. A state without slots begins with new sequences.

        Raises:
            ValueError: if it is no such state.
        """
        self._reading.restore(state)
        places, number = [], 0
        while _BEGIN.format(number) in state:
            place = state[_BEGIN.format(number)], state.get(_GIVEN.format(number))
            if not all(isinstance(v, (int, np.integer)) and v >= 0 for v in place):
                raise ValueError(f"restore_from_checkpoint: slot {number} stands at {place}, which is no place")
            places.append((int(place[0]), int(place[1] or 0)))
            number += 1
        self._asked = int(state.get(_ASKED, 0))
        self._slots, self._places = [], places

    def _go_back(self, workers: int, rank: int) -> None:
        """Read again the sequences that a state has begun."""
        if not self._places:
            return
        here = self._reading.state()
        for position, given in self._places:
            self._reading.restore({POSITION: position})
            (slot,) = self._fetch(1, workers, rank)
            if given >= slot.length:
                raise ValueError(
                    f"restore_from_checkpoint: the state has {given} frames of a sequence of {slot.length}"
                )
            slot.given = given
            self._slots.append(slot)
        self._places = []
        self._reading.restore(here)
