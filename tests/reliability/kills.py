"""Kill trainings at random moments and at every call of a checkpoint, and see that none differs
from one that nothing disturbed.

Usage: python -m tests.reliability.kills [--trainings 100] [--processes 2] [--seed 1]

Each training is killed, started again, killed again, until it ends. The losses of all minibatches,
those trained twice included, and in the end parameters and learners must equal those of the
undisturbed training to the bit, and no temporary file may be left.
"""

from __future__ import annotations

import argparse
import multiprocessing
import multiprocessing.connection
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from tests.reliability.program import Settings, quietly, write_data

# A process that has not ended after so many seconds hangs.
PATIENCE = 240
# Where processes fork, each begins as a copy of one that has loaded everything.
CONTEXT = multiprocessing.get_context(
    "fork" if hasattr(os, "fork") and sys.platform != "darwin" else "spawn"
)


@dataclass(frozen=True)
class Kill:
    """How a training is ended, each time until the last.

    Attributes:
        kind: as it is reported.
        settings: what is trained.
        how: ``SIGKILL``, ``SIGINT`` or ``SIGTERM``, sent from outside; ``call`` for a process that
            ends itself.
        call: before which call of its third checkpoint that is.
        times: how often.
        seed: of the moments.
    """

    kind: str
    settings: Settings
    how: str
    call: int = 0
    times: int = 1
    seed: int = 0


@dataclass(frozen=True)
class Outcome:
    """How a training went.

    Attributes:
        kind: that of the kill.
        kills: how often it was killed.
        fault: what differs; empty if nothing does.
    """

    kind: str
    kills: int
    fault: str


# -- what is done ----------------------------------------------------------------------------------

SESSIONS = [Settings(every=every, preserve_all=every == 4) for every in (1, 4, 12)]
LOOPS = [Settings("loop", every=every, preserve_all=every != 4) for every in (1, 4, 12)]
OTHERS = [
    Settings(learner="data_parallel"),
    Settings(learner="block_momentum"),
    Settings(network="recorded", every=12),
    Settings("loop", network="recorded", every=1),
]
AT_CALLS = [Settings(every=1), Settings("loop", preserve_all=True)]
SIGNALS = [
    name
    for name in ("SIGKILL", "SIGINT", "SIGTERM")
    if hasattr(signal, name) and hasattr(os, "fork")
] or ["kill"]


def plan(trainings: int, calls: dict[Settings, list[str]], seed: int) -> list[Kill]:
    """As many kills as wanted, at every call first.

    Args:
        trainings: how many.
        calls: the calls of a checkpoint that change the disk.
        seed: of the moments.
    """
    found = [
        Kill(f"SIGKILL at each {name}, {described(settings)}", settings, "call", call=number + 1)
        for settings, made in calls.items()
        for number, name in enumerate(made)
    ]
    draw = random.Random(seed)
    among: Iterator[Any] = iter(())
    while len(found) < trainings:
        try:
            settings, how = next(among)
        except StopIteration:
            among = iter([(s, how) for s in (*SESSIONS, *LOOPS, *OTHERS) for how in SIGNALS])
            continue
        if how == "SIGINT" and settings.program == "loop":
            settings = replace(settings, saves_on_interrupt=True)
        kind = f"{how} at random moments, {described(settings)}"
        found.append(
            Kill(kind, settings, how, times=draw.randint(1, 3), seed=draw.randrange(2**31))
        )
    return found[:trainings]


def described(settings: Settings) -> str:
    """Say in a few words what is trained."""
    words = [settings.program, f"checkpoint every {settings.every}"]
    words += ["all kept"] if settings.preserve_all else []
    words += [w for w in (settings.network, settings.learner) if w not in ("lstm", "adam")]
    return ", ".join(words)


# -- one training ----------------------------------------------------------------------------------


def lines(folder: str) -> list[str]:
    """What has been written down."""
    try:
        with open(os.path.join(folder, "log"), encoding="utf-8") as file:
            return file.read().splitlines()
    except FileNotFoundError:
        return []


def undisturbed(data: str, folder: str, settings: Settings) -> list[str]:
    """The lines of a training that nothing disturbs, with the calls of its third checkpoint.

    Raises:
        RuntimeError: if it fails.
    """
    os.makedirs(folder)
    process = CONTEXT.Process(target=quietly, args=(data, folder, settings, 0))
    process.start()
    process.join(PATIENCE)
    found = lines(folder)
    if process.exitcode != 0:
        raise RuntimeError(f"the training fails by itself: {settings}, {found[-1:]}")
    shutil.rmtree(folder)
    return found


def disturbed(data: str, folder: str, kill: Kill, wanted: list[str]) -> Outcome:
    """Kill a training until it ends, and compare."""
    os.makedirs(folder)
    draw, killed = random.Random(kill.seed), 0
    total = sum(line[0].isdigit() for line in wanted)
    for start in range(kill.times + 3):
        fatal = kill.call if kill.how == "call" and killed < kill.times else None
        before = len(lines(folder))
        process = CONTEXT.Process(target=quietly, args=(data, folder, kill.settings, fatal, start))
        process.start()
        if kill.how != "call" and killed < kill.times:
            # Not before it hears signals as any program does.
            wait(process, lambda: len(lines(folder)), before + 1)
            wait(
                process,
                lambda: len(lines(folder)),
                before + 1 + draw.randrange(-total // 8, total * 2 // 3),
            )
            time.sleep(draw.random() ** 2 * 0.1)
            end(process, kill.how)
        process.join(PATIENCE)
        if process.exitcode is None:
            process.kill()
            return Outcome(kill.kind, killed, "it hangs")
        if process.exitcode == 0:
            break
        killed += 1
        if process.exitcode == 3:
            break
    found = lines(folder)
    left = sorted(name for name in os.listdir(folder) if ".part" in name)
    fault = compared(found, wanted, kill.settings.saves_on_interrupt)
    if left and not fault:
        fault = f"{left} are left"
    shutil.rmtree(folder)
    return Outcome(kill.kind, killed, fault)


def wait(process: Any, count: Callable[[], int], until: int) -> None:
    """Wait until there are so many lines, or the process has ended."""
    while process.is_alive() and count() < until:
        time.sleep(0.002)


def end(process: Any, how: str) -> None:
    """End a process from outside."""
    if not process.is_alive():
        return
    if how == "kill":
        process.kill()
    else:
        os.kill(process.pid, getattr(signal, how))


def compared(found: list[str], wanted: list[str], may_lack: bool) -> str:
    """Say what differs between what two trainings have written; nothing if nothing does.

    Args:
        found, wanted: what they have written.
        may_lack: whether a minibatch that Ctrl-C interrupted may have been trained and saved, and
            not written down.
    """
    losses = dict(line.split() for line in wanted if line[0].isdigit())
    seen = set()
    for line in found:
        if line.startswith("started"):
            continue
        if line.startswith("error"):
            return line
        if line[0].isdigit():
            number, loss = line.split()
            seen.add(number)
            if losses.get(number) != loss:
                return f"minibatch {number} gives {loss}, and undisturbed {losses.get(number)}"
    if len(seen) != len(losses) and not may_lack:
        return f"{len(losses) - len(seen)} minibatches are missing"
    finals = [[line for line in each if line.startswith("final")][-1:] for each in (found, wanted)]
    return (
        "" if finals[0] == finals[1] else f"it ends as {finals[0]}, and undisturbed as {finals[1]}"
    )


# -- many ------------------------------------------------------------------------------------------


def work(
    data: str, folder: str, kills: list[Any], references: dict[Settings, list[str]], answers: Any
) -> None:
    """Do one kill after another. Nothing here may begin a thread: a copy of a process with threads
    may hang.
    """
    for number, kill in kills:
        wanted = references[replace(kill.settings, saves_on_interrupt=False)]
        answers.send((number, disturbed(data, os.path.join(folder, str(number)), kill, wanted)))
    answers.close()


def kill_all(folder: str, trainings: int, processes: int, seed: int) -> list[Outcome]:
    """Kill that many trainings.

    Args:
        folder: for the data and the checkpoints.
        trainings: how many.
        processes: at how many at the same time.
        seed: of the moments.
    """
    data = os.path.join(folder, "data")
    os.makedirs(data)
    write_data(data)
    at_calls = {s: undisturbed(data, os.path.join(folder, "whole"), s) for s in AT_CALLS}
    calls = {
        s: next(line for line in found if line.startswith("calls")).split()[1:]
        for s, found in at_calls.items()
    }
    planned = plan(trainings, calls, seed)
    rest = dict.fromkeys(replace(kill.settings, saves_on_interrupt=False) for kill in planned)
    references = at_calls | {
        s: undisturbed(data, os.path.join(folder, "whole"), s) for s in rest if s not in at_calls
    }
    found: dict[int, Outcome] = {}
    workers = {}
    for k in range(processes):
        receiving, sending = CONTEXT.Pipe(duplex=False)
        share = [*enumerate(planned)][k::processes]
        worker = CONTEXT.Process(target=work, args=(data, folder, share, references, sending))
        worker.start()
        sending.close()
        workers[receiving] = worker
    open_ends = list(workers)
    while open_ends:
        for each in multiprocessing.connection.wait(open_ends):
            try:
                number, outcome = each.recv()
                found[number] = outcome
                if outcome.fault:
                    print(f"FAULT  {outcome.kind}: {outcome.fault}", file=sys.stderr, flush=True)
            except EOFError:
                open_ends.remove(each)
    for worker in workers.values():
        worker.join()
    return [found[number] for number in range(len(planned))]


def report(outcomes: list[Outcome]) -> str:
    """Say for each kind how many of how many trainings ended as the undisturbed one."""
    whole, equal = (
        Counter(o.kind for o in outcomes),
        Counter(o.kind for o in outcomes if not o.fault),
    )
    said = [f"{equal[kind]:4d} of {count:3d}  {kind}" for kind, count in whole.items()]
    said += [f"FAULT  {o.kind}: {o.fault}" for o in outcomes if o.fault]
    kills = sum(o.kills for o in outcomes)
    said.append(
        f"{sum(equal.values()):4d} of {len(outcomes):3d}  trainings equal to the bit, after "
        f"{kills} kills"
    )
    return "\n".join(said)


def main() -> int:
    """Run as a program; 1 if a training differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.kills", description=__doc__)
    parser.add_argument("--trainings", type=int, default=100)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        outcomes = kill_all(folder, given.trainings, given.processes, given.seed)
    print(report(outcomes))
    print(f"{time.monotonic() - begun:.0f} s, seed {given.seed}")
    return int(any(o.fault for o in outcomes))


if __name__ == "__main__":
    sys.exit(main())
