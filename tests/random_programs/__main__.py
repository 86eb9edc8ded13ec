"""Train random programs, recorded and eager, or compare their gradients with finite differences.

``python -m tests.random_programs 10000`` trains so many; ``--gradients`` differentiates instead;
``--first N`` begins with another seed; ``--processes 2`` shares the work; ``--show SEED`` prints
one program. The exit status is 1 if one is at fault.
"""

from __future__ import annotations

import argparse
import collections
import multiprocessing
import sys
import time

from tests.random_programs.comparison import MINIBATCHES, compare, differentiate
from tests.random_programs.program import draw


def show(seed: int, gradients: bool) -> None:
    """Print what one program is, and what it comes to."""
    try:
        program = draw(seed, smooth=gradients, minibatches=1 if gradients else MINIBATCHES)
        print(
            "\n".join(program.said),
            f"learner: {program.learner}; outputs: {program.outputs}",
            sep="\n",
        )
    except Exception as error:
        print(f"it cannot be built: {error}")
    print((differentiate if gradients else compare)(seed))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.random_programs", description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=100, help="how many programs")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument(
        "--gradients", action="store_true", help="finite differences instead of recordings"
    )
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--show", type=int, help="print one program and what it comes to")
    options = parser.parse_args()
    if options.show is not None:
        show(options.show, options.gradients)
        return 0
    begun, kinds, reasons, recorded, faults = (
        time.monotonic(),
        collections.Counter(),
        collections.Counter(),
        0,
        0,
    )
    seeds = range(options.first, options.first + options.count)
    run = differentiate if options.gradients else compare
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        for done, (seed, outcome) in enumerate(
            zip(seeds, pool.imap(run, seeds, chunksize=4), strict=True), 1
        ):
            kinds[outcome.kind] += 1
            recorded += outcome.recorded
            reasons.update(outcome.reasons)
            if outcome.kind == "invalid":
                reasons[f"invalid: {outcome.text.splitlines()[0][:100]} (seed {seed})"] += 1
            if outcome.is_fault:
                faults += 1
                print(f"seed {seed}: {outcome.kind}: {outcome.text[:600]}", flush=True)
            if done % 500 == 0:
                print(
                    f"{done} programs, {time.monotonic() - begun:.0f} s: {dict(kinds)}", flush=True
                )
    print(
        f"{options.count} programs, {recorded} with recorded steps, {time.monotonic() - begun:.0f} "
        f"s: {dict(kinds)}"
    )
    for reason, times in reasons.most_common(30):
        print(f"  {times:5} {reason}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
