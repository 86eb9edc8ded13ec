"""Streams of random numbers that an operation goes on in from run to run: the original's own
numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor

from cntk._runtime.random.mersenne_twister import MersenneTwister64

if TYPE_CHECKING:
    from cntk._graph.composite import Composite

T = TypeVar("T")

# How many numbers a stream has taken, and where other devices' generators are.
Mark = tuple[int, dict[torch.device, Tensor]]


def restore_generators(
    generators: dict[torch.device, torch.Generator], states: dict[torch.device, Tensor]
) -> None:
    """Have generators go on from their states; those that have none are to be made anew."""
    for device in list(generators):
        if device in states:
            generators[device].set_state(states[device])
        else:
            del generators[device]


class TwisterStream:
    """Random numbers of one operation in one graph.

    On the processor they are the original's for the same seed. On other devices the device's own
    generator makes them: as random, but others.

    Args:
        seed: a number of up to 64 bits.
        offset: how many numbers were taken before, as files count them.

    Attributes:
        offset: how many numbers have been taken.
    """

    def __init__(self, seed: int, offset: int = 0) -> None:
        self._seed, self.offset, self._begin = seed, offset, offset
        self._twister: MersenneTwister64 | None = None
        self._generators: dict[torch.device, torch.Generator] = {}

    @property
    def twister(self) -> MersenneTwister64:
        """The generator on the processor."""
        if self._twister is None:
            self._twister = MersenneTwister64(self._seed)
            self._twister.skip(self.offset)
        return self._twister

    def mark(self) -> Mark:
        """Return where it is, for `go_back`."""
        return self.offset, {device: g.get_state() for device, g in self._generators.items()}

    def go_back(self, mark: Mark | None) -> None:
        """Go on from a mark; from where it began if there is none."""
        self.offset, states = mark or (self._begin, {})
        self._twister = None
        restore_generators(self._generators, states)

    def uniform(self, count: int, device: torch.device) -> Tensor:
        """The next numbers uniform on [0, 1), float64 ``[count]``."""
        if device.type == "cpu":
            numbers = torch.from_numpy(self.twister.uniform(count))
        else:
            numbers = torch.rand(
                count, generator=self._generator(device), dtype=torch.float64, device=device
            )
        self.offset += count
        return numbers

    def normal(self, count: int, device: torch.device) -> Tensor:
        """The next standard normal numbers, float64 ``[count]``; an even number of them is taken,
        as in the original.
        """
        even = count + count % 2
        if device.type == "cpu":
            numbers = torch.from_numpy(self.twister.normal(even))
        else:
            numbers = torch.randn(
                even, generator=self._generator(device), dtype=torch.float64, device=device
            )
        self.offset += even
        return numbers[:count]

    def _generator(self, device: torch.device) -> torch.Generator:
        if device not in self._generators:
            seed = (self._seed + 0x9E3779B97F4A7C15 * self.offset) % 2**63
            self._generators[device] = torch.Generator(device=device).manual_seed(seed)
        return self._generators[device]


class Streams:
    """The streams of one graph: all of its plans go on in the same ones."""

    def __init__(self) -> None:
        self._kept: dict[Any, tuple[Any, Any]] = {}

    def find(self, place: Any, kind: type, begin: Callable[[], T]) -> T:
        """The stream of an operation, begun anew where its seed has been set since.

        Args:
            place: where in the graph the operation stands.
            kind: the operation's class.
            begin: makes the stream.
        """
        kept = self._kept.get((place, kind))
        if kept is None or kept[0] != place[0].times_seeded:
            kept = self._kept[place, kind] = (place[0].times_seeded, begin())
        return kept[1]

    def mark(self) -> dict[Any, tuple[int, Mark]]:
        """Return where all of them are, for `go_back`."""
        return {key: (times, stream.mark()) for key, (times, stream) in self._kept.items()}

    def go_back(self, marks: dict[Any, tuple[int, Mark]]) -> None:
        """Go on from marks, so that the same numbers come again."""
        for key, (times, stream) in self._kept.items():
            seeded, mark = marks.get(key, (times, None))
            stream.go_back(mark if seeded == times else None)

    def offsets(self) -> dict[int, int]:
        """How many numbers each operation has taken, by the identity of its primitive."""
        kept = ((place[0], times, stream) for (place, _), (times, stream) in self._kept.items())
        return {
            id(primitive): stream.offset
            for primitive, times, stream in kept
            if primitive.times_seeded == times
        }


def offsets_of(graph: Composite) -> dict[int, int]:
    """How many random numbers the operations of a graph have taken; see `Streams.offsets`."""
    streams = graph._plans.get("streams")
    return {} if streams is None else streams.offsets()
