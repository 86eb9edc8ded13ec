"""Two checkouts of this project beside each other: `python -m benchmarks --against FOLDER`.

Each checkout trains in a process of its own, and the two take turns, so that what else the machine
does meets both. The workloads are this checkout's on both sides; only the package differs.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .elsewhere import limits
from .readers import FILES
from .timing import WARM_UP_STEPS, Clock, Workload, seconds_a_step, steps_within

ROOT = Path(__file__).resolve().parent.parent


class NotThereError(SystemExit):
    """A checkout cannot run a workload: the message says why."""


@dataclass
class Row:
    """Seconds a step of each round, of this checkout and of the other."""

    name: str
    this: list[float] = field(default_factory=list)
    other: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """How many times as long as the other this checkout takes, best round beside best round."""
        return min(self.this) / min(self.other)

    def text(self, width: int) -> str:
        times = "  ".join(
            f"{min(found) * 1e6:9.1f} us  {max(found) / min(found):6.2f}"
            for found in (self.this, self.other)
        )
        return f"{self.name:{width}}  {times}  {len(self.this):6}  {self.ratio:10.3f}"


def heading(width: int) -> str:
    sides = "  ".join(f"{side:>12}  {'spread':>6}" for side in ("this", "other"))
    return f"{'workload':{width}}  {sides}  {'rounds':>6}  {'this/other':>10}"


def summary(rows: Sequence[Row], limit: float | None) -> tuple[list[str], int]:
    """The lines below the table, and the exit code: 1 if a row is above the limit, else 0."""
    if not rows:
        return ["no workload runs in both"], 1 if limit is not None else 0
    mean = math.exp(sum(math.log(row.ratio) for row in rows) / len(rows))
    lines = [f"geometric mean of {len(rows)} row(s): {mean:.3f}"]
    slow = [row for row in rows if limit is not None and row.ratio > limit]
    if slow:
        named = ", ".join(f"{row.name} ({row.ratio:.3f})" for row in slow)
        lines.append(f"above {limit:g}: {named}")
    elif limit is not None:
        lines.append(f"no row is above {limit:g}")
    return lines, 1 if slow else 0


class Side:
    """One checkout that runs a workload in a process of its own; use it in a `with` statement.

    Args:
        folder: the checkout's root.
        family: the module of the workload.
        name: the workload.
        threads: of the process.
        files: a folder for the data files that both sides read.
    """

    def __init__(self, folder: Path, family: str, name: str, threads: int, files: str) -> None:
        self._complaints = tempfile.TemporaryFile("w+")
        self._source = folder.resolve() / "src"
        given = {"PYTHONPATH": str(self._source), FILES: files}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.against", family, name, str(threads)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._complaints, text=True,
            cwd=ROOT, env=os.environ | limits(threads) | given,
        )  # fmt: skip

    def expect_package(self) -> None:
        """Wait until it is ready, and make sure that it is this checkout's package."""
        found = Path(self._read())
        if self._source not in found.parents:
            raise SystemExit(f"{found} was imported, and {self._source} was to be measured")

    def seconds_a_step(self, steps: int) -> float:
        """The time of a step, averaged over so many."""
        if self._process.stdin is not None:
            print(steps, file=self._process.stdin, flush=True)
        return float(self._read())

    def _read(self) -> Any:
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if not line:
            self._complaints.seek(0)
            reason = (self._complaints.read().strip() or "it ended").splitlines()[-1]
            raise NotThereError(f"does not run in {self._source.parent}: {reason}")
        return json.loads(line)

    def __enter__(self) -> Side:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._complaints.close()


def answer(family: str, name: str, threads: int) -> None:
    """Be a side's process: say which package it is, then time as many steps as each line says."""
    import torch

    import cntk

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    workloads: Iterable[Workload] = importlib.import_module(family).WORKLOADS
    run = next(w for w in workloads if w.name == name).build_alone()
    for _ in range(3):
        run(WARM_UP_STEPS if family != "benchmarks.readers" else 1)
    for thread in threading.enumerate():
        if thread.name == "cntk-compiler":
            thread.join()
    print(json.dumps(str(cntk.__file__)), flush=True)
    for line in sys.stdin:
        print(json.dumps(seconds_a_step(run, int(line))), flush=True)


def print_table(
    workloads: dict[str, str],
    folder: Path,
    rounds: int,
    seconds: float,
    threads: int,
    limit: float | None,
) -> int:
    """Print each row as soon as it is measured, and the mean; the exit code.

    Args:
        workloads: names, and the module of each.
        folder: the other checkout's root.
        rounds: how often the sides take turns.
        seconds: length of a round of the slower side, about.
        threads: of each side.
        limit: how many times as long as the other this checkout may take; None if any.
    """
    width = max(8, *map(len, workloads))
    print(heading(width))
    rows = []
    with tempfile.TemporaryDirectory(prefix="cntk-benchmark-") as files:
        for name, family in workloads.items():
            with ExitStack() as stack:
                this, other = (
                    stack.enter_context(Side(root, family, name, threads, files))
                    for root in (ROOT, folder)
                )
                this.expect_package()
                try:
                    other.expect_package()
                except NotThereError as error:
                    print(f"{name:{width}}  {error}", flush=True)
                    continue
                clocks = this.seconds_a_step, other.seconds_a_step
                row = measured(name, *clocks, rounds, seconds, limit)
                print(row.text(width), flush=True)
                rows.append(row)
    lines, code = summary(rows, limit)
    print("\n".join(lines))
    return code


def measured(
    name: str, this: Clock, other: Clock, rounds: int, seconds: float, limit: float | None
) -> Row:
    """A row's rounds. One above the limit gets as many again: noise only ever adds time."""
    row = Row(name)
    steps = steps_within([this, other], seconds)
    for _ in range(2):
        for number in range(rounds):
            turns = [(row.this, this), (row.other, other)]
            for found, clock in turns if number % 2 == 0 else reversed(turns):
                found.append(clock(steps))
        if limit is None or row.ratio <= limit:
            break
    return row


if __name__ == "__main__":
    answer(sys.argv[1], sys.argv[2], int(sys.argv[3]))
