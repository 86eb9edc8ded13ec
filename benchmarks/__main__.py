"""Command line of the benchmarks: choose workloads, run them, print one table."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import torch

from . import (
    against,
    attention,
    busy,
    convolution,
    dense,
    evaluation,
    memory,
    operations,
    readers,
    sequences,
)
from .elsewhere import Elsewhere
from .programs_of_cntk import PROGRAMS
from .timing import Result, Workload, compare

FAMILIES = (dense, convolution, sequences, attention, evaluation)
NETWORKS = {workload.name: workload for family in FAMILIES for workload in family.WORKLOADS}
OPERATIONS = {workload.name: workload for workload in operations.WORKLOADS}
READERS = {workload.name: workload for workload in readers.WORKLOADS}
GROUPS = {"networks": NETWORKS, "operations": OPERATIONS, "readers": READERS}
TABLES = ("busy", "memory")
WORKLOADS = NETWORKS | OPERATIONS | READERS
HOMES = {
    workload.name: family.__name__
    for family in (*FAMILIES, operations, readers)
    for workload in family.WORKLOADS
}
BESIDE_THE_ORIGINAL = {workload.name for workload in readers.BESIDE_THE_ORIGINAL}


def parse_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    names = ", ".join((*GROUPS, *TABLES, *WORKLOADS))
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=(
            "Times this package beside hand-written PyTorch, and beside CNTK 2.7 where its "
            "interpreter is named; or beside another checkout of itself, with --against."
        ),
    )
    parser.add_argument(
        "workloads",
        nargs="*",
        metavar="workload",
        help=f"which to run; networks if none is given: {names}",
    )
    parser.add_argument(
        "--rounds",
        type=int,
        help="timed rounds, of which the best counts (default: 5; 20 with --against)",
    )
    parser.add_argument(
        "--seconds",
        type=float,
        help="length of a round, about (default: 0.5; 0.1 with --against)",
    )
    parser.add_argument("--threads", type=int, default=1, help="threads of each side (default: 1)")
    parser.add_argument(
        "--original",
        metavar="PYTHON",
        default=os.environ.get("CNTK_ORIGINAL"),
        help=(
            "interpreter with CNTK 2.7: adds what it takes for the same programs (default: "
            "$CNTK_ORIGINAL)"
        ),
    )
    parser.add_argument(
        "--against",
        metavar="FOLDER",
        type=Path,
        help=(
            "another checkout's root: times the two packages in turns, each in a process of its "
            "own, on the workloads of this checkout; a ratio below 1: this checkout is faster. The "
            "spread is the slowest round by the fastest"
        ),
    )
    parser.add_argument(
        "--limit",
        metavar="RATIO",
        type=float,
        help=(
            "with --against: exit with 1 if a workload takes more than so many times as long as in "
            "the other checkout, in twice as many rounds, too (1.03, say)"
        ),
    )
    arguments = parser.parse_args(given)
    for name in arguments.workloads:
        if name not in (*WORKLOADS, *GROUPS, *TABLES):
            parser.error(f"there is no workload {name!r}; there are {names}")
    if arguments.against is not None:
        if not (arguments.against / "src" / "cntk" / "__init__.py").is_file():
            parser.error(f"--against: {arguments.against} is no checkout, it has no src/cntk")
        if tables := [name for name in arguments.workloads if name in TABLES]:
            parser.error(f"--against: {tables[0]} does not compare two checkouts")
    elif arguments.limit is not None:
        parser.error("--limit: there is one only with --against")
    elif lone := [name for name in arguments.workloads if name in BESIDE_THE_ORIGINAL]:
        if not readers.ORIGINAL:
            parser.error(f"{lone[0]}: runs beside the original; name it in $CNTK_ORIGINAL")
    if arguments.original and not shutil.which(arguments.original):
        parser.error(f"--original: there is no program {arguments.original!r}")
    rounds, seconds = (5, 0.5) if arguments.against is None else (20, 0.1)
    arguments.rounds = rounds if arguments.rounds is None else arguments.rounds
    arguments.seconds = seconds if arguments.seconds is None else arguments.seconds
    for option in ("rounds", "seconds", "threads"):
        if getattr(arguments, option) <= 0:
            parser.error(f"--{option} must be more than 0")
    return arguments


def print_table(workloads: list[Workload], arguments: argparse.Namespace) -> None:
    """Prints each row as soon as it is measured."""
    width = max(8, *(len(workload.name) for workload in workloads))
    originals = f"  {'CNTK 2.7':>10}  {'ratio':>6}" if arguments.original else ""
    print(
        f"{'workload':{width}}  {'rival':>10}  {'cntk':>10}  {'ratio':>6}{originals}   one step is"
    )
    for workload in workloads:
        result = measured(workload, arguments)
        times = (
            f"{microseconds(result.pytorch)}  {microseconds(result.cntk)}  "
            f"{result.pytorch / result.cntk:6.2f}"
        )
        if result.original is not None:
            times += f"  {microseconds(result.original)}  {result.original / result.cntk:6.2f}"
        elif arguments.original:
            times += f"  {'-':>10}  {'-':>6}"
        print(f"{workload.name:{width}}  {times}   {workload.description}", flush=True)


def measured(workload: Workload, arguments: argparse.Namespace) -> Result:
    with ExitStack() as processes:
        contestants = workload.build()
        if arguments.original and workload.name in PROGRAMS:
            original = Elsewhere(arguments.original, workload.name, arguments.threads)
            contestants = contestants._replace(original=processes.enter_context(original))
        return compare(contestants, arguments.rounds, arguments.seconds)


def microseconds(seconds: float) -> str:
    return f"{seconds * 1e6:7.1f} us"


def chosen_by(arguments: argparse.Namespace) -> dict[str, Workload]:
    """The workloads that are asked for; those beside the original only where there is one."""
    found: dict[str, Workload] = {}
    for name in arguments.workloads or ["networks"]:
        if name not in TABLES:
            found |= GROUPS.get(name) or {name: WORKLOADS[name]}
    if arguments.against is None and not readers.ORIGINAL:
        return {name: found[name] for name in found if name not in BESIDE_THE_ORIGINAL}
    return found


def main() -> None:
    arguments = parse_arguments()
    if arguments.against is not None:
        homes = {name: HOMES[name] for name in chosen_by(arguments)}
        given = arguments.rounds, arguments.seconds, arguments.threads, arguments.limit
        sys.exit(against.print_table(homes, arguments.against, *given))
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    print(
        f"PyTorch {torch.__version__}, Python {platform.python_version()}, {arguments.threads} "
        f"thread(s);"
    )
    print("time a step, best of the rounds; a ratio above 1: this package is faster.")
    print(
        "The rival is hand-written PyTorch; of text and binary files it is the original's reader.\n"
    )
    chosen = chosen_by(arguments)
    if chosen:
        print_table(list(chosen.values()), arguments)
    if "busy" in arguments.workloads:
        busy.print_table(busy.NAMES, arguments.rounds, arguments.seconds, max(2, arguments.threads))
    if "memory" in arguments.workloads:
        memory.print_table(arguments.original, arguments.threads)


if __name__ == "__main__":
    main()
