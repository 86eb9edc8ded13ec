"""Write down what the original makes of numbers at the ends of floating point: run it there, from
the repository's root.

<interpreter of the original> -m tests.ops.record.record_extremes
"""

import os

import numpy as np

import cntk as C
from tests.ops.extreme_numbers import ROWS, results

if __name__ == "__main__":
    if C.__version__ != "2.7":
        raise SystemExit(
            "only the original CNTK 2.7 may record reference values; this is " + C.__version__
        )
    path = os.path.join(
        os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
        "golden",
        "extremes_of_the_original.npz",
    )
    np.savez_compressed(
        path, **{name + " " + dtype: results(C, name, dtype) for name, dtype in ROWS}
    )
    print(len(ROWS), "operations,", os.path.getsize(path), "bytes")
