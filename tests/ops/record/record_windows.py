"""Write down where windows stand in the original: run it there, from this folder.

    <interpreter of the original> record_windows.py

A row: length, window, stride, padded, whether one that hangs over counts; where the first window
begins; their number.
"""

import json
import os

import numpy as np

import cntk as C

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def first_and_count(length, window, stride, padded, ceil):
    """From means that count padding, of one-hot rows: which elements the first window that sees one
    looks at.
    """
    x = C.input_variable((1, length))
    f = C.pooling(
        x, C.AVG_POOLING, (window,), (stride,), [padded], ceil_out_dim=ceil, include_pad=True
    )
    seen = f.eval({x: np.eye(length, dtype=np.float32).reshape(length, 1, length)})[:, 0, :] > 0
    for k in range(seen.shape[1]):
        places = np.nonzero(seen[:, k])[0]
        if len(places) == window or (len(places) and places[-1] < length - 1):
            return int(places[-1]) - window + 1 - k * stride, seen.shape[1]
        if len(places) and places[0] > 0:
            return int(places[0]) - k * stride, seen.shape[1]
    return None


if __name__ == "__main__":
    rows = []
    for length in range(1, 10):
        for window in range(1, min(length, 5) + 1):
            for stride in range(1, 5):
                for padded in (False, True):
                    for ceil in (False, True):
                        found = first_and_count(length, window, stride, padded, ceil)
                        if found:
                            rows.append(
                                [length, window, stride, int(padded), int(ceil), found[0], found[1]]
                            )
    with open(os.path.join(HERE, "golden", "windows_of_the_original.json"), "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
    print(len(rows), "rows")
