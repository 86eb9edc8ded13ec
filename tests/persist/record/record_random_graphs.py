"""Records what the original CNTK 2.7 makes of the graphs of `random_graphs`: its model files, and
what they compute.

Run from the root of the repository, by an interpreter that has the original:
`python -m tests.persist.record.record_random_graphs`. Writes ``golden/random_graphs.zip`` with one
model for each seed, and with the outputs on the data that `data` makes.

With a folder as argument it checks instead: the original loads every model that
`test_random_graphs` has saved there when the environment variable CNTK_MODELS_SAVED_HERE named the
folder, and computes the recorded outputs.
"""

import io
import os
import sys
import zipfile

import numpy as np

import cntk as C
from tests.persist.random_graphs import data, drawn, evaluate

ARCHIVE = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "golden", "random_graphs.zip"
)
# These two the original cannot build.
SEEDS = [seed for seed in range(162) if seed not in (38, 121)]


def record(archive, folder):
    results = {}
    for seed in SEEDS:
        function, names = drawn(seed)
        path = os.path.join(folder, "graph.model")
        function.save(path)
        archive.write(path, f"{seed}.model")
        for k, output in enumerate(evaluate(function, data(function))):
            results[f"{seed}/output_{k}"] = output
        print(seed, *names)
    held = io.BytesIO()
    np.savez(held, **results)
    archive.writestr("results.npz", held.getvalue())


def check(folder):
    """How many models the original computes otherwise than it did its own."""
    with zipfile.ZipFile(ARCHIVE) as archive:
        results = dict(np.load(io.BytesIO(archive.read("results.npz"))))
    wrong = []
    for seed in SEEDS:
        try:
            function = C.Function.load(os.path.join(folder, f"{seed}.model"))
            outputs = evaluate(function, data(function))
        except (RuntimeError, ValueError) as error:
            print(seed, str(error).splitlines()[0])
            wrong.append(seed)
            continue
        wanted = [results[f"{seed}/output_{k}"] for k in range(len(outputs))]
        if not all(
            a.shape == b.shape and np.allclose(a, b, rtol=1e-5, atol=1e-5, equal_nan=True)
            for a, b in zip(outputs, wanted)  # noqa: B905
        ):
            wrong.append(seed)
    print(f"{len(SEEDS)} models, of which {len(wrong)} differ: {wrong}")
    return len(wrong)


if __name__ == "__main__":
    if C.__version__ != "2.7":
        raise SystemExit(
            "only the original CNTK 2.7 may record reference values; this is " + C.__version__
        )
    if len(sys.argv) > 1:
        sys.exit(check(sys.argv[1]) != 0)
    import tempfile

    with (
        tempfile.TemporaryDirectory() as scratch,
        zipfile.ZipFile(ARCHIVE, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        record(target, scratch)
