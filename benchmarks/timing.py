"""How two implementations of one workload are timed: in one process, in alternating rounds, the best round of each.

Noise on a shared machine only ever adds time, so the fastest round says most about the code.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

Run = Callable[[int], object]
"""Does so many steps and reads the result at the end, so that no work is left under way."""


class Contestants(NamedTuple):
    """The two implementations of a workload, ready to run."""

    pytorch: Run
    cntk: Run


@dataclass(frozen=True)
class Workload:
    """A name to select it by, one line on what a step is, and how to build both implementations."""

    name: str
    description: str
    build: Callable[[], Contestants]


@dataclass(frozen=True)
class Result:
    """Seconds a step of each implementation."""

    pytorch: float
    cntk: float

    @property
    def ratio(self) -> float:
        """How many times as fast this package is."""
        return self.pytorch / self.cntk


def faster(*runs: Run) -> Run:
    """The fastest of several implementations of one side, by their own clock."""
    if len(runs) == 1:
        return runs[0]
    for run in runs:
        run(WARM_UP_STEPS)
    return min(runs, key=lambda run: min(seconds_a_step(run, WARM_UP_STEPS) for _ in range(3)))


WARM_UP_STEPS = 20  # more than any just-in-time preparation of either side waits for


def compare(workload: Workload, rounds: int, seconds: float) -> Result:
    """Times both implementations; a round of the slower one takes about the given number of seconds."""
    contestants = workload.build()
    for run in contestants:
        run(WARM_UP_STEPS)
    steps = steps_within(contestants, seconds)
    best = dict.fromkeys(Contestants._fields, float("inf"))
    for number in range(rounds):
        order = Contestants._fields if number % 2 == 0 else Contestants._fields[::-1]
        for name in order:
            best[name] = min(best[name], seconds_a_step(getattr(contestants, name), steps))
    return Result(**best)


def steps_within(contestants: Contestants, seconds: float) -> int:
    """Steps that the slower one does in the time, found by doubling."""
    steps = 1
    while True:
        slowest = max(seconds_a_step(run, steps) for run in contestants)
        if slowest * steps >= seconds / 2:
            return max(1, round(seconds / slowest))
        steps *= 2


def seconds_a_step(run: Run, steps: int) -> float:
    """Average time of a step in one round, without the garbage that earlier rounds left."""
    gc.collect()
    start = time.perf_counter()
    run(steps)
    return (time.perf_counter() - start) / steps
