"""Command line of the benchmarks: choose workloads, run them, print one table."""

from __future__ import annotations

import argparse
import platform

import torch

from . import attention, convolution, dense, evaluation, operations, readers, sequences
from .timing import Workload, compare

NETWORKS = {
    workload.name: workload
    for family in (dense, convolution, sequences, attention, evaluation)
    for workload in family.WORKLOADS
}
OPERATIONS = {workload.name: workload for workload in operations.WORKLOADS}
READERS = {workload.name: workload for workload in readers.WORKLOADS}
GROUPS = {"networks": NETWORKS, "operations": OPERATIONS, "readers": READERS}
WORKLOADS = NETWORKS | OPERATIONS | READERS


def parse_arguments() -> argparse.Namespace:
    names = ", ".join((*GROUPS, *WORKLOADS))
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Times training and evaluation with this package beside the same network in hand-written PyTorch.",
    )
    parser.add_argument(
        "workloads", nargs="*", metavar="workload", help=f"which to run; networks if none is given: {names}"
    )
    parser.add_argument("--rounds", type=int, default=5, help="timed rounds, of which the best counts (default: 5)")
    parser.add_argument("--seconds", type=float, default=0.5, help="length of a round, about (default: 0.5)")
    parser.add_argument("--threads", type=int, default=1, help="threads of each side (default: 1)")
    arguments = parser.parse_args()
    for name in arguments.workloads:
        if name not in WORKLOADS and name not in GROUPS:
            parser.error(f"there is no workload {name!r}; there are {names}")
    for option in ("rounds", "seconds", "threads"):
        if getattr(arguments, option) <= 0:
            parser.error(f"--{option} must be more than 0")
    return arguments


def print_table(workloads: list[Workload], rounds: int, seconds: float) -> None:
    """Prints each row as soon as it is measured."""
    width = max(len(workload.name) for workload in workloads)
    print(f"{'workload':{max(width, 8)}}  {'PyTorch':>10}  {'cntk':>10}  {'ratio':>6}   one step is")
    for workload in workloads:
        result = compare(workload, rounds, seconds)
        times = f"{microseconds(result.pytorch)}  {microseconds(result.cntk)}  {result.ratio:6.2f}"
        print(f"{workload.name:{max(width, 8)}}  {times}   {workload.description}", flush=True)


def microseconds(seconds: float) -> str:
    return f"{seconds * 1e6:7.1f} us"


def main() -> None:
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    print(f"PyTorch {torch.__version__}, Python {platform.python_version()}, {arguments.threads} thread(s);")
    print("time a step, best of the rounds; a ratio above 1: this package is faster\n")
    chosen: dict[str, Workload] = {}
    for name in arguments.workloads or ["networks"]:
        chosen |= GROUPS.get(name) or {name: WORKLOADS[name]}
    print_table(list(chosen.values()), arguments.rounds, arguments.seconds)


if __name__ == "__main__":
    main()
