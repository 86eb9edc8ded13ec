"""Record what the original CNTK 2.7 computes with the files of `old_models`, or check what is saved
of them here.

Run from the root of the repository, by an interpreter that has the original:
`python -m tests.persist.record.record_old_models DATA`, where DATA is the folder with the files.
Writes ``golden/old_models.json``.

With a further folder as argument it checks instead: the original loads what `test_old_models` has
saved there when the environment variable CNTK_MODELS_SAVED_HERE named the folder, and computes what
is recorded.
"""

import json
import os
import sys
import tempfile

import numpy as np

import cntk as C
from tests.persist.v1.old_models import NAMES, found, outputs

TARGET = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "golden", "old_models.json"
)


def record(folder):
    with tempfile.TemporaryDirectory() as scratch:
        paths = found(folder, scratch)
        rows = [(name, outputs(C.Function.load(paths[name]))) for name in NAMES]
    with open(TARGET, "w") as file:
        file.write(
            "{\n" + ",\n".join(json.dumps(k) + ": " + json.dumps(v) for k, v in rows) + "\n}\n"
        )


def check(folder):
    """How many of the saved files are other than recorded, or not loaded."""
    with open(TARGET) as file:
        recorded = json.load(file)
    wrong = 0
    saved = sorted(os.listdir(folder))
    for name in saved:
        wanted = recorded[name.rpartition(".")[0]]
        try:
            computed = outputs(C.Function.load(os.path.join(folder, name)))
        except (RuntimeError, ValueError) as error:
            print(name, "is refused:", str(error).splitlines()[0])
            wrong += 1
            continue
        same = [
            computed[key]["numbers"] is None
            if wanted[key]["numbers"] is None
            else np.allclose(computed[key]["numbers"], wanted[key]["numbers"], rtol=1e-3, atol=1e-4)
            for key in wanted
        ]
        if not all(same):
            print(name, "differs", [key for key, fits in zip(wanted, same) if not fits])  # noqa: B905
            wrong += 1
    print(len(saved), "files, of which", wrong, "differ or are refused")
    return wrong


if __name__ == "__main__":
    if C.__version__ != "2.7":
        raise SystemExit(
            "only the original CNTK 2.7 may record reference values; this is " + C.__version__
        )
    if len(sys.argv) > 2:
        sys.exit(check(sys.argv[2]) != 0)
    record(sys.argv[1])
