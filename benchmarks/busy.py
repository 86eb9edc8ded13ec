"""Small training steps beside two busy processes: how many times as long they take as alone, here
and in PyTorch.

Each side trains in a process of its own: what OpenMP's threads do while they wait is settled when
torch is loaded, and PyTorch's side is to have what PyTorch's users have. One busy process runs a
loop in Python, the other multiplies matrices with all threads.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

# The seven workloads whose steps are smallest.
NAMES = ("tiny", "logistic", "evaluation", "perceptron", "rnn.lengths", "lstm", "words")
SIDES = ("cntk", "pytorch")
SPINNING = "while True: pass"
MULTIPLYING = "import torch\na = torch.ones(700, 700)\nprint(flush=True)\nwhile True: a @ a"


class Side:
    """One side's training in a process of its own; use it in a `with` statement."""

    def __init__(self, name: str, side: str, threads: int) -> None:
        first = "cntk" if side == "cntk" else "torch"
        code = (
            f"import {first}, benchmarks.busy; benchmarks.busy.answer({name!r}, {side!r}, "
            f"{threads})"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=many_threads(),
        )

    def seconds_a_step(self, seconds: float) -> float:
        """Train for about so many seconds; the time of a step."""
        assert self._process.stdin is not None and self._process.stdout is not None
        print(seconds, file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("a process ended instead of training")
        found: float = json.loads(line)
        return found

    def __enter__(self) -> Side:
        return self

    def __exit__(self, *_: Any) -> None:
        self._process.kill()
        self._process.communicate()


def answer(name: str, side: str, threads: int) -> None:
    """Be a side's process: train whenever a line with a number of seconds comes."""
    import torch

    from .__main__ import NETWORKS
    from .timing import WARM_UP_STEPS

    torch.set_num_threads(threads)
    run = NETWORKS[name].build().named()[side]
    for _ in range(3):
        run(WARM_UP_STEPS)
    for line in sys.stdin:
        begun, steps, spent = time.perf_counter(), 0, 0.0
        while spent < float(line):
            run(1)
            steps, spent = steps + 1, time.perf_counter() - begun
        print(json.dumps(spent / steps), flush=True)


@contextmanager
def busy_processes() -> Iterator[None]:
    """Two other processes that use all the time they get."""
    with ExitStack() as stack:
        for code in (MULTIPLYING, SPINNING):
            process = subprocess.Popen(
                [sys.executable, "-c", code], stdout=subprocess.PIPE, env=many_threads()
            )
            stack.callback(process.communicate)
            stack.callback(process.kill)
            if code == MULTIPLYING:
                assert process.stdout is not None
                process.stdout.readline()
        yield


def many_threads() -> dict[str, str]:
    """The environment without a limit on threads."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OMP_", "MKL_", "GOMP_"))
    }


def measured(
    name: str, rounds: int, seconds: float, threads: int
) -> dict[str, tuple[list[float], list[float]]]:
    """For each side the times of a step alone, and beside busy processes; the sides take turns."""
    found: dict[str, tuple[list[float], list[float]]] = {side: ([], []) for side in SIDES}
    with ExitStack() as stack:
        sides = {side: stack.enter_context(Side(name, side, threads)) for side in SIDES}
        for _ in range(rounds):
            for side, training in sides.items():
                found[side][0].append(training.seconds_a_step(seconds))
            with busy_processes():
                for side, training in sides.items():
                    found[side][1].append(training.seconds_a_step(seconds))
    return found


def print_table(names: Sequence[str], rounds: int, seconds: float, threads: int) -> None:
    """Print each row as soon as it is measured."""
    print(
        f"Beside two busy processes; {threads} threads. Alone the best round counts, beside them "
        f"the median."
    )
    print(f"{'busy':12}" + "".join(f"  {side:>10}  {'busy':>10}  {'times':>6}" for side in SIDES))
    for name in names:
        row = ""
        for alone, beside in measured(name, rounds, seconds, threads).values():
            idle, busy = min(alone), statistics.median(beside)
            row += f"  {idle * 1e6:7.0f} us  {busy * 1e6:7.0f} us  {busy / idle:6.2f}"
        print(f"{name:12}{row}", flush=True)
