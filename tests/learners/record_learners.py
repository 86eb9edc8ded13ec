"""Records what the original CNTK 2.7 makes of parameters in a few steps of each learner.

Run from the root of the repository, by an interpreter that has the original:
`python -m tests.learners.record_learners`. Writes golden_learners.npz beside this file: for each
case the values after each step, computed in double precision and kept in single, the learning
rates, and whether there was an update; for some cases the values computed in single precision as
well. Beside them what whole trainings end with.
"""

import os

import numpy as np

import cntk as C
import cntk.learners
from tests.learners import trained_cases
from tests.learners.learner_cases import (
    NOISE_SEED,
    SHAPES,
    cases,
    initial_values,
    run,
    single_cases,
)


def record(which, dtype):
    """Names of the cases, and for each the values, rates and updates of its steps."""
    names, recorded = sorted(which(C.learners)), []
    for name in names:
        shaped = zip(SHAPES, initial_values())  # noqa: B905
        parameters = [
            C.Parameter(shape, init=value.astype(dtype), dtype=dtype) for shape, value in shaped
        ]
        C.cntk_py.reset_random_seed(NOISE_SEED)
        # Made anew: the original's learners change their schedules.
        learner = which(C.learners)[name](parameters)
        recorded.append(run(learner, parameters))
    return [names] + [np.array(arrays) for arrays in zip(*recorded)]  # noqa: B905


if __name__ == "__main__":
    if C.__version__ != "2.7":
        raise SystemExit(
            "only the original CNTK 2.7 may record reference values; this is " + C.__version__
        )
    names, values, rates, updated = record(cases, np.float64)
    single_names, single_values, _, _ = record(single_cases, np.float32)
    trained = trained_cases.cases(cntk.learners)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden_learners.npz")
    np.savez_compressed(
        path,
        names=names,
        values=np.float32(values),
        rates=rates,
        updated=updated,
        single_names=single_names,
        single_values=single_values,
        trained_names=sorted(trained),
        trained_values=np.array(
            [trained_cases.train(C, *trained[name]) for name in sorted(trained)]
        ),
    )
    print(f"{len(names)} cases, {os.path.getsize(path)} bytes")
