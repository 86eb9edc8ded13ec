"""Binary files and ways to read them, whose minibatches are compared with the original's.

The file is read by the original's interpreter too (Python 3.6). The files themselves stand in
`binary_of_the_original.json`: this package wrote them, and the original read them.
"""

from collections import namedtuple

# Text, streams (name, field, width, sparse), bytes of text in a chunk, options, minibatch sizes.
Case = namedtuple("Case", "name text streams chunk_bytes options sizes")

XY = [("x", "a", 2, False), ("y", "b", 1, False)]
IN_ORDER = {"randomize": False}
SEQUENCES = "0 |a 1 2 |b 5\n0 |a 3 4\n1 |a 11 12 |b 15\n1 |b 16\n1 |b 17\n2 |a 21 22 |b 25\n"
SPARSE = "0 |s 1:1.5 3:-2 |y 1\n0 |s\n1 |s 0:7 |y 2\n2 |s 4:1 |y 3\n2 |s 0:1 1:2 2:3 |y 4\n"
MANY = "".join(f"{k} |a {k} {t} |b {k * 10 + t}\n" for k in range(20) for t in range(1 + k * 7 % 5))

CASES = [
    Case("dense", SEQUENCES, XY, 1 << 20, IN_ORDER, [3, 3, 3, 9]),
    Case("samples", "|a 1 2 |b 3\n|a 4 5 |b 6\n|a 7 8 |b 9\n", XY, 1 << 20, IN_ORDER, [2, 2]),
    Case(
        "sparse", SPARSE, [("s", "s", 5, True), ("y", "y", 1, False)], 1 << 20, IN_ORDER, [2, 2, 2]
    ),
    Case("chunks", MANY, XY, 60, IN_ORDER, [7, 30, 50]),
    Case("shuffled", MANY, XY, 60, {"randomization_window_in_chunks": 3}, [7, 30, 90]),
    Case("one_sweep", MANY, XY, 200, {"max_sweeps": 1, "randomization_seed": 3}, [30, 30, 30]),
]
