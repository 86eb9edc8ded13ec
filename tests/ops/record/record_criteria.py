"""Write down what criteria of sequences and rankings give in the original.

Run from the root of the repository, by an interpreter that has the original:
`python -m tests.ops.record.record_criteria`. Writes criteria_of_the_original.npz: the numbers of
all cases' arrays one after another, computed in double precision, and each case's first value
computed in single precision.
"""

import os

import numpy as np

import cntk as C
from tests.ops.loss.criteria_cases import CASES

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

if __name__ == "__main__":
    if C.__version__ != "2.7":
        raise SystemExit(
            "only the original CNTK 2.7 may record reference values; this is " + C.__version__
        )
    arrays = [array for run in CASES.values() for array in run(np.float64)]
    np.savez_compressed(
        os.path.join(HERE, "golden", "criteria_of_the_original.npz"),
        numbers=np.concatenate([np.ravel(array) for array in arrays]),
        single=np.array([run(np.float32)[0] for run in CASES.values()]),
    )
    print(len(CASES), "cases")
