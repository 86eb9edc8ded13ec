"""Records what the original CNTK 2.7 gives for every drawn call: run it there, from the root of the
repository.

    python -m tests.against_original.record

Calls whose description is recorded already are kept. The others run in child processes, many in
each. Where the original breaks down, that call is tried once more without gradients; if that fails
as well, it is recorded as a `crash`. Each call runs twice, in different company, since the original
sometimes reads memory that nobody has set: a call whose two results differ runs a third time,
alone. If that is not the first result either, or if a call is known to differ at times, it is
recorded as `unsteady`, without numbers.
"""

import json
import os
import subprocess
import sys
import tempfile

import numpy as np

from tests.against_original import draw, recording
from tests.against_original.agreement import difference
from tests.against_original.known import UNSTEADY

TOGETHER = 60  # calls in one child process
PATIENCE = 120  # seconds for all of them
FAILED = {"outputs": [], "training": [], "gradients": [], "after": []}
UNSTEADY_ERROR = ["forward", "unsteady"]


def work(wanted, with_gradients, folder):
    """The child: each call's result goes to a file of its own as soon as it is known."""
    from tests.against_original.calls import run

    calls = draw.descriptions()
    unfinished = os.path.join(folder, "unfinished.npz")
    for k, name in enumerate(wanted):
        found = run(calls[name], with_gradients)
        for key in ("message", "kinds"):
            found.pop(key, None)
        recording.write({name: (calls[name], found)}, unfinished)
        os.rename(unfinished, os.path.join(folder, f"{k}.npz"))


def by_child(names, with_gradients=True):
    """The results of the first of these calls, up to the end or to one where the child breaks
    down.
    """
    with tempfile.TemporaryDirectory() as folder:
        arguments = [sys.executable, "-m", "tests.against_original.record", folder]
        wanted = json.dumps([names, with_gradients]).encode()
        try:
            subprocess.run(arguments, input=wanted, timeout=PATIENCE, stderr=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            pass
        files = [os.path.join(folder, f"{k}.npz") for k in range(len(names))]
        results = {}
        for path in files:
            if os.path.exists(path):
                results.update(recording.read(path))
        return results


def recorded(names):
    """The results of these calls."""
    calls, results = draw.descriptions(), {}
    while names:
        results.update(by_child(names[:TOGETHER]))
        batch, names = names[:TOGETHER], [name for name in names if name not in results]
        if names and names[0] in batch:
            broken = names.pop(0)
            results.update(by_child([broken], with_gradients=False))
            if broken in results:
                results[broken][1]["error"] = results[broken][1].get("error", ["gradient", "crash"])
            else:
                results[broken] = (calls[broken], dict(FAILED, error=["forward", "crash"]))
        print(len(names), "left", flush=True)
    return results


def steady(one, other):
    """The call's result, if the two agree."""
    description, found = one
    if description["name"] not in UNSTEADY and difference(description, found, other[1]) is None:
        return one
    return description, dict(FAILED, error=UNSTEADY_ERROR)


def main():
    calls = draw.descriptions()
    old = recording.read() if os.path.exists(recording.PATH) else {}
    known = {name: old[name] for name in calls if name in old and old[name][0] == calls[name]}
    wanted = [name for name in calls if name not in known]
    first, second = recorded(wanted), recorded(wanted[::-1])
    for name in wanted:
        known[name] = steady(first[name], second[name])
        if known[name][1].get("error") == UNSTEADY_ERROR and name not in UNSTEADY:
            # It may be the company: what writes where it must not spoils others.
            known[name] = steady(first[name], by_child([name]).get(name, second[name]))
    for name, (_, found) in sorted(known.items()):
        if found.get("error", ["", ""])[1] in ("crash", "unsteady"):
            print(found["error"], name)
    recording.write(known)
    print(len(known), "calls,", os.path.getsize(recording.PATH), "bytes")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        np.seterr(all="ignore")
        work(*json.load(sys.stdin) + [sys.argv[1]])
    else:
        import cntk

        if cntk.__version__ != "2.7":
            raise SystemExit(
                f"only the original CNTK 2.7 may record reference values; this is "
                f"{cntk.__version__}"
            )
        main()
