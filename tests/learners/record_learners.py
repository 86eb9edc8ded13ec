"""Records what the original CNTK 2.7 makes of parameters in a few steps of each learner.

Run from the root of the repository, by an interpreter that has the original: `python -m tests.learners.record_learners`.
Writes golden_learners.npz beside this file: for each case, in double precision, the values after each step, the
learning rates and whether there was an update.
"""

import os

import numpy as np

import cntk as C
import cntk.learners
from tests.learners.learner_cases import SHAPES, cases, initial_values, run

NOISE_SEED = 11

if __name__ == "__main__":
    if C.__version__ != "2.7":
        raise SystemExit("only the original CNTK 2.7 may record reference values; this is " + C.__version__)
    recorded = {"names": np.array(sorted(cases(C.learners)))}
    for number, name in enumerate(recorded["names"]):
        make = cases(C.learners)[name]
        parameters = [C.Parameter(s, init=v, dtype=np.float64) for s, v in zip(SHAPES, initial_values())]
        C.cntk_py.reset_random_seed(NOISE_SEED)
        values, rates, updated = run(make(parameters), parameters)
        recorded["values_%d" % number] = values
        recorded["rates_%d" % number] = rates
        recorded["updated_%d" % number] = updated
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden_learners.npz")
    np.savez_compressed(path, **recorded)
    print("%d cases, %d bytes" % (len(recorded["names"]), os.path.getsize(path)))
