"""How the implementations of one workload are timed: in one run, in alternating rounds, the best
round of each.

Noise on a shared machine only ever adds time, so the fastest round says most about the code.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

RunContext = Callable[[int], object]
"""Does so many steps and reads the result at the end, so that no work is left under way."""


class Contestants(NamedTuple):
    """The implementations of a workload, ready to run; the original's is there only if asked
    for.
    """

    pytorch: RunContext
    cntk: RunContext
    original: RunContext | None = None

    def named(self) -> dict[str, RunContext]:
        return {name: run for name, run in self._asdict().items() if run is not None}


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
    original: float | None = None


def faster(*runs: RunContext) -> RunContext:
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
    steps = steps_within(runs, seconds)
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


def steps_within(runs: Mapping[str, RunContext], seconds: float) -> int:
    """Steps that the slowest one does in the time, found by doubling."""
    steps = 1
    while True:
        slowest = max(seconds_a_step(run, steps) for run in runs.values())
        if slowest * steps >= seconds / 2:
            return max(1, round(seconds / slowest))
        steps *= 2


def seconds_a_step(run: RunContext, steps: int) -> float:
    """Average time of a step in one round, without the garbage that earlier rounds left."""
    gc.collect()
    start = time.perf_counter()
    run(steps)
    return (time.perf_counter() - start) / steps
