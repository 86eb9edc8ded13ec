"""Records models that the original CNTK 2.7 saves, and what they compute.

Run from the root of the repository, by an interpreter that has the original:
`python -m tests.persist.record.record_models`. Writes ``golden/<program>.model`` for each of
`programs`, and one file with the outputs of all on the data that `programs.data` makes, and what
their parameters, arguments and outputs are called.
"""

import os

import numpy as np

import cntk as C
from tests.persist.programs import PROGRAMS, data, evaluate

GOLDEN = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "golden")


def described(variables):
    return np.array([repr((v.name, tuple(v.shape))) for v in variables])


def record(name, function):
    function.save(os.path.join(GOLDEN, name + ".model"))
    results = {f"{name}/output_{k}": a for k, a in enumerate(evaluate(function, data(function)))}
    for what in ("parameters", "arguments", "outputs"):
        results[f"{name}/{what}"] = described(getattr(function, what))
    return results


if __name__ == "__main__":
    if C.__version__ != "2.7":
        raise SystemExit(
            "only the original CNTK 2.7 may record reference values; this is " + C.__version__
        )
    if not os.path.isdir(GOLDEN):
        os.mkdir(GOLDEN)
    results = {}
    for name, build in PROGRAMS.items():
        results.update(record(name, build()))
        print(name, os.path.getsize(os.path.join(GOLDEN, name + ".model")), "bytes")
    np.savez_compressed(os.path.join(GOLDEN, "results.npz"), **results)
