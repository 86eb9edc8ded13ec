"""Records what cntkx gives on the original CNTK 2.7: run it there, from the root of the repository.

    python -m tests.against_original.record_cntkx

The library (version 0.1.54) must be installed there, or lie on the path, and OMP_NUM_THREADS not be
set: with one thread the original's convolutions break down. Each case runs in a process of its own:
one that breaks down is recorded as a `crash`.
"""

import json
import os
import subprocess
import sys
import tempfile

import numpy as np

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cntkx.npz")


def write(results, path):
    """Keep `{name: {stage: arrays or kind of error}}` in one archive; errors without their
    words.
    """
    index, pool = {}, []
    for name, stages in sorted(results.items()):
        kept = {key: found for key, found in stages.items() if not key.endswith(" message")}
        index[name] = {
            k: f if isinstance(f, str) else [list(np.shape(x)) for x in f]
            for k, f in sorted(kept.items())
        }
        pool += [np.ravel(x) for _, f in sorted(kept.items()) if not isinstance(f, str) for x in f]
    text = json.dumps(index, sort_keys=True).encode()
    np.savez_compressed(
        path,
        index=np.frombuffer(text, np.uint8),
        pool=np.concatenate(pool + [np.zeros(0)]).astype("f"),
    )


def read(path=PATH):
    """What `write` was given."""
    with np.load(path) as archive:
        index, pool, position = json.loads(archive["index"].tobytes().decode()), archive["pool"], 0
    results = {}
    for name, stages in sorted(index.items()):
        results[name] = {}
        for key, shapes in sorted(stages.items()):
            results[name][key] = shapes if isinstance(shapes, str) else []
            for shape in () if isinstance(shapes, str) else shapes:
                size = int(np.prod(shape))
                results[name][key].append(pool[position : position + size].reshape(shape))
                position += size
    return results


def recorded(name):
    """A case's results, of a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "one.npz")
        arguments = [sys.executable, "-m", "tests.against_original.record_cntkx", name, path]
        done = subprocess.run(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return (
            read(path)[name]
            if done.returncode == 0 and os.path.exists(path)
            else {"build": "crash"}
        )


def main():
    from tests.against_original.cntkx_calls import ALONE, CASES

    results = {}
    for name in list(CASES) + list(ALONE):
        results[name] = recorded(name)
        wrong = {key: found for key, found in results[name].items() if isinstance(found, str)}
        if wrong:
            print(name, wrong, flush=True)
    write(results, PATH)
    print(len(results), "cases,", os.path.getsize(PATH), "bytes")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        from tests.against_original.cntkx_calls import result

        write({sys.argv[1]: result(sys.argv[1])}, sys.argv[2])
    else:
        main()
