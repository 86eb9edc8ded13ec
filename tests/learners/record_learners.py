"""Records what the original CNTK 2.7 makes of parameters in a few steps of each learner.

Run from the root of the repository, by an interpreter that has the original:
`python -m tests.learners.record_learners`. Writes golden_learners.npz beside this file: for each case the values after
each step, computed in double precision and kept in single, the learning rates, and whether there was an update.
"""

import os

import numpy as np

import cntk as C
import cntk.learners
from tests.learners.learner_cases import NOISE_SEED, SHAPES, cases, initial_values, run

if __name__ == "__main__":
    if C.__version__ != "2.7":
        raise SystemExit("only the original CNTK 2.7 may record reference values; this is " + C.__version__)
    names, values, rates, updated = sorted(cases(C.learners)), [], [], []
    for name in names:
        shaped = zip(SHAPES, initial_values())  # noqa: B905
        parameters = [C.Parameter(shape, init=value, dtype=np.float64) for shape, value in shaped]
        C.cntk_py.reset_random_seed(NOISE_SEED)
        learner = cases(C.learners)[name](parameters)  # made anew: the original's learners change their schedules
        after, rate, was_updated = run(learner, parameters)
        values.append(after)
        rates.append(rate)
        updated.append(was_updated)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden_learners.npz")
    np.savez_compressed(path, names=names, values=np.float32(values), rates=rates, updated=updated)
    print(f"{len(names)} cases, {os.path.getsize(path)} bytes")
