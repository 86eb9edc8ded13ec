"""Records what the original CNTK 2.7 writes for TensorBoard.

Run from the root of the repository, by an interpreter that has the original:
`python -m tests.logging.record_tensorboard`. Writes tensorboard_of_the_original.json beside this
file.
"""

import json
import os
import tempfile

import cntk as C
from tests.logging.tensorboard_programs import FREQUENCIES, MODELS, PROGRAMS, graph_of, run

if __name__ == "__main__":
    if C.__version__ != "2.7":
        raise SystemExit(
            "only the original CNTK 2.7 may record reference values; this is " + C.__version__
        )
    found = {"graphs": {}, "programs": {}}
    with tempfile.TemporaryDirectory() as folder:
        for model in sorted(MODELS):
            found["graphs"][model] = graph_of(model, os.path.join(folder, model))
        for program in sorted(PROGRAMS):
            for frequency in FREQUENCIES:
                name = "%s %s" % (program, frequency)  # noqa: UP031
                found["programs"][name] = run(program, frequency, os.path.join(folder, name))
    path = os.path.join(
        os.path.dirname(os.path.abspath(__file__)), "tensorboard_of_the_original.json"
    )
    with open(path, "w") as file:
        json.dump(found, file, sort_keys=True)
        file.write("\n")
