"""How the implementations of one workload are timed: in one run, in alternating rounds, the best
round of each.

Noise on a shared machine only ever adds time, so the fastest round says most about the code.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

Run = Callable[[int], object]
"""Does so many steps and reads the result at the end, so that no work is left under way."""

Clock = Callable[[int], float]
"""Does so many steps; the time of one."""


class Contestants(NamedTuple):
    """The implementations of a workload, ready to run; the original's is there only if asked
    for.
    """

    pytorch: Run
    cntk: Run
    original: Run | None = None

    def named(self) -> dict[str, Run]:
        return {name: run for name, run in self._asdict().items() if run is not None}


@dataclass(frozen=True)
class Workload:
    """One row of the tables.

    Attributes:
        name: to select it by.
        description: one line on what a step is.
        build: how to make all implementations.
        alone: how to make this package's alone, to run in this process; by `build` if None.
    """

    name: str
    description: str
    build: Callable[[], Contestants]
    alone: Callable[[], Run] | None = None

    def build_alone(self) -> Run:
        """This package's implementation, in this process."""
        return self.alone() if self.alone is not None else self.build().cntk


@dataclass(frozen=True)
class Result:
    """Seconds a step of each implementation."""

    pytorch: float
    cntk: float
    original: float | None = None


def faster(*runs: Run) -> Run:
    """The fastest of several implementations of one side, by their own clock."""
    if len(runs) == 1:
        return runs[0]
    for run in runs:
        run(WARM_UP_STEPS)
    return min(runs, key=lambda run: min(seconds_a_step(run, WARM_UP_STEPS) for _ in range(3)))


WARM_UP_STEPS = 20  # more than any just-in-time preparation of either side waits for


def compare(contestants: Contestants, rounds: int, seconds: float) -> Result:
    """Times the implementations; a round of the slowest one takes about the given number of
    seconds.
    """
    runs = contestants.named()
    returned = {name: run(WARM_UP_STEPS) for name, run in runs.items()}
    if "original" in runs:
        expect_same_training(returned["cntk"], returned["original"])
    steps = steps_within([partial(seconds_a_step, run) for run in runs.values()], seconds)
    best = dict.fromkeys(runs, float("inf"))
    for number in range(rounds):
        for name in runs if number % 2 == 0 else reversed(runs):
            best[name] = min(best[name], seconds_a_step(runs[name], steps))
    return Result(**best)


def expect_same_training(ours: object, theirs: object) -> None:
    """Both start with the same parameters: after the same steps, the losses show whether they do
    the same work.
    """
    if not np.allclose(ours, theirs, rtol=1e-3):
        raise SystemExit(
            f"not the same training: after {WARM_UP_STEPS} steps {ours}, with the original {theirs}"
        )


def steps_within(clocks: Iterable[Clock], seconds: float) -> int:
    """Steps that the slowest one does in the time, found by doubling."""
    clocks = list(clocks)
    steps = 1
    while True:
        # The better of two: a pause of the machine would be taken for a slow step.
        slowest = max(min(clock(steps) for _ in range(2)) for clock in clocks)
        if slowest * steps >= seconds / 2:
            return max(1, round(seconds / slowest))
        steps *= 2


def seconds_a_step(run: Run, steps: int) -> float:
    """Average time of a step in one round, without the garbage that earlier rounds left."""
    gc.collect()
    start = time.perf_counter()
    run(steps)
    return (time.perf_counter() - start) / steps
