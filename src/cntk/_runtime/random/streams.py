"""Streams of random numbers, which operations go on in from run to run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from cntk._runtime.random.mersenne_twister import MersenneTwister64

T = TypeVar("T")

# How many numbers a stream has taken, and where other devices' generators are.
Mark = tuple[int, dict[torch.device, Tensor]]


class SeededStream(ABC):
    """Random numbers of one operation in one graph, which it goes on in from run to run.

    Args:
        seed: any integer.
        offset: how many numbers were taken before.

    Attributes:
        offset: how many numbers have been taken.
    """

    def __init__(self, seed: int, offset: int) -> None:
        self.seed, self.offset, self._begin = seed, offset, offset
        self._generators: dict[torch.device, torch.Generator] = {}

    @abstractmethod
    def _forget(self) -> None:
        """Drop the CPU's generator: `offset` says where the next one begins."""

    def mark(self) -> Mark:
        """Return where the stream is, for `go_back`."""
        return self.offset, {device: g.get_state() for device, g in self._generators.items()}

    def go_back(self, mark: Mark | None) -> None:
        """Go on from a mark; from where the stream began if there is none."""
        self.offset, states = mark or (self._begin, {})
        self._forget()
        for device in list(self._generators):
            if device in states:
                self._generators[device].set_state(states[device])
            else:
                del self._generators[device]

    def generator(self, device: torch.device) -> torch.Generator:
        """Return the stream's own generator of a device, seeded once."""
        if device not in self._generators:
            seed = (self.seed + 0x9E3779B97F4A7C15 * self.offset) % 2**63
            self._generators[device] = torch.Generator(device=device).manual_seed(seed)
        return self._generators[device]


class TwisterStream(SeededStream):
    """The original's random numbers (a 64-bit Mersenne Twister) on the CPU.

    On other devices the device's own generator makes them: as random, but others.

    Args:
        seed: a number of up to 64 bits.
        offset: how many numbers were taken before, as files count them.

    Attributes:
        offset: how many numbers have been taken.
    """

    def __init__(self, seed: int, offset: int = 0) -> None:
        super().__init__(seed, offset)
        self._twister: MersenneTwister64 | None = None

    @property
    def twister(self) -> MersenneTwister64:
        """The CPU's generator."""
        if self._twister is None:
            self._twister = MersenneTwister64(self.seed)
            self._twister.skip(self.offset)
        return self._twister

    def _forget(self) -> None:
        self._twister = None

    def uniform(self, count: int, device: torch.device) -> Tensor:
        """Return the next numbers uniform on [0, 1), float64 ``[count]``."""
        if device.type == "cpu":
            numbers = torch.from_numpy(self.twister.uniform(count))
        else:
            numbers = torch.rand(
                count, generator=self.generator(device), dtype=torch.float64, device=device
            )
        self.offset += count
        return numbers

    def normal(self, count: int, device: torch.device) -> Tensor:
        """Return the next standard normal numbers, float64 ``[count]``; an even number of them is
        taken, as in the original.
        """
        even = count + count % 2
        if device.type == "cpu":
            numbers = torch.from_numpy(self.twister.normal(even))
        else:
            numbers = torch.randn(
                even, generator=self.generator(device), dtype=torch.float64, device=device
            )
        self.offset += even
        return numbers[:count]


class RandomStream(SeededStream):
    """Random 16-bit words, made faster than the original's numbers.

    Args:
        seed: any integer.
        offset: how many words were taken before. On the CPU they go on exactly there; other
            devices' own generators are seeded anew.

    Attributes:
        offset: how many words have been taken; always some more where a number of them is no
            multiple of 4.
    """

    # The generator cannot jump: it begins anew after so many raw words of 64 bits, to be found
    # again in little time.
    block = 2**26

    def __init__(self, seed: int, offset: int = 0) -> None:
        super().__init__(int(seed) % 2**63, _whole(offset))
        self._raw: np.random.SFC64 | None = None

    def _forget(self) -> None:
        self._raw = None

    def uint16(self, count: int, device: torch.device) -> Tensor:
        """Uniform 16-bit random numbers as int16 from -32768 to 32767, ``[count]``."""
        if device.type == "cpu":
            return torch.from_numpy(self._words(_whole(count) // 4).view(np.int16))[:count]
        words = torch.empty(_whole(count) // 4, dtype=torch.int64, device=device)
        words.random_(-(2**63), None, generator=self.generator(device))
        self.offset += _whole(count)
        return words.view(torch.int16)[:count]

    def _words(self, count: int) -> np.ndarray:
        """Return the next raw words, uint64 ``[count]``."""
        position = self.offset // 4 % self.block
        if self._raw is None or position == 0:
            self._raw = self._seeded(self.offset // 4 // self.block, position)
        # NumPy's SFC64 gives raw words several times faster than torch's CPU generator.
        words = self._raw.random_raw(min(count, self.block - position))
        self.offset += 4 * len(words)
        return (
            words
            if len(words) == count
            else np.concatenate([words, self._words(count - len(words))])
        )

    def _seeded(self, block: int, position: int) -> np.random.SFC64:
        generator = np.random.SFC64(
            np.random.SeedSequence([self.seed, block]) if block else self.seed
        )
        for begin in range(0, position, 2**20):
            generator.random_raw(min(2**20, position - begin))
        return generator


def _whole(count: int) -> int:
    """Return a number of words, rounded up to whole raw words of 64 bits."""
    return -(-count // 4) * 4


class Streams:
    """The streams of one graph: all of its plans go on in the same ones.

    Attributes:
        begun: for each place in the graph and class of operation how often its seed had been set
            when its stream began, and the stream.
    """

    def __init__(self) -> None:
        self.begun: dict[Any, tuple[Any, Any]] = {}

    def find(self, place: Any, kind: type, begin: Callable[[], T]) -> T:
        """Return the stream of an operation, begun anew if its seed has been set since.

        Args:
            place: where in the graph the operation stands.
            kind: the operation's class.
            begin: makes the stream.
        """
        entry = self.begun.get((place, kind))
        if entry is None or entry[0] != place[0].times_seeded:
            entry = self.begun[place, kind] = (place[0].times_seeded, begin())
        return entry[1]

    def mark(self) -> dict[Any, tuple[int, Mark]]:
        """Return where all of them are, for `go_back`."""
        return {key: (times, stream.mark()) for key, (times, stream) in self.begun.items()}

    def go_back(self, marks: dict[Any, tuple[int, Mark]]) -> None:
        """Go on from marks, so that the same numbers come again."""
        for key, (times, stream) in self.begun.items():
            seeded, mark = marks.get(key, (times, None))
            stream.go_back(mark if seeded == times else None)

    def offsets(self) -> dict[int, int]:
        """Return how many numbers each operation has taken, by the identity of its primitive."""
        entries = ((place[0], times, stream) for (place, _), (times, stream) in self.begun.items())
        return {
            id(primitive): stream.offset
            for primitive, times, stream in entries
            if primitive.times_seeded == times
        }
