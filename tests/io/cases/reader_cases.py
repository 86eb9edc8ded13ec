"""Files and minibatch sources whose minibatches are compared with the original's.

The file is read by the original's interpreter too (Python 3.6): the recording script and the test
both run `CASES`.
"""

from collections import namedtuple

Case = namedtuple("Case", "name text streams options sizes")

# Streams: name, field, shape, sparse, defines the minibatch size.
XY = [("x", "x", 2, False, False), ("y", "y", 1, False, False)]
SPARSE = [("x", "x", 5, True, False), ("y", "y", 1, False, False)]
BY_Y = [("x", "x", 2, False, False), ("y", "y", 1, False, True)]
IN_ORDER = {"randomize": False}
ONCE = {"randomize": False, "max_sweeps": 1}

SAMPLES = "|x 1 2 |y 1\n|x 3 4 |y 2\n|x 5 6 |y 3\n"
LENGTHS = (3, 1, 2, 4)
VARIED = "".join(
    f"{k} |x {k} {t} |y {k * 10 + t}\n" for k, n in enumerate(LENGTHS) for t in range(n)
)
FOURS = "".join(f"{k // 4} |x {k} 0 |y {k}\n" for k in range(12))
UNEQUAL = "0 |x 1 0 |y 1\n0 |x 2 0\n1 |x 4 0 |y 4\n2 |x 5 0|y 5\n2 |x 6 0\n"

CASES = [
    Case("samples", SAMPLES, XY, IN_ORDER, [2, 2, 2]),
    Case("samples_once", SAMPLES, XY, ONCE, [2, 2, 2]),
    Case("no_newline_at_the_end", SAMPLES[:-1], XY, IN_ORDER, [5]),
    Case("carriage_returns", SAMPLES.replace("\n", "\r\n"), XY, IN_ORDER, [3]),
    Case("white_space", "0\t |x  1\t2   |y 1\t\n1|x 5 6|y 2\n", XY, IN_ORDER, [2]),
    Case("comments", "|x 1 2 |# a note |y 1\n|# another|x 3 4 |y 2|# <s>\n", XY, IN_ORDER, [2]),
    Case("unknown_fields", "|z 7 8 9 |x 1 2 |y 1\n|xx 1 |x 3 4 |yy abc |y 2\n", XY, IN_ORDER, [2]),
    Case("order_of_fields", "|y 1 |x 1 2\n|x 3 4 |y 2\n", XY, IN_ORDER, [2]),
    Case(
        "numbers",
        "|x 1e2 -2.5E-3 |y +7\n|x 5. 0.25 |y -0\n|x 007 1.5e+1 |y 123456789\n",
        XY,
        IN_ORDER,
        [3],
    ),
    Case(
        "many_digits",
        "|x 0.1234567890123456789 -3.14159265358979 |y 12345678901234567890\n",
        XY,
        ONCE,
        [1],
    ),
    Case("beyond_float32", "|x 1e400 1e-400 |y -1e39\n", XY, ONCE, [1]),
    Case("short_dense_samples", "|x 1 |y 1\n|x |y 2\n|x 3 4 |y 3\n", XY, ONCE, [3]),
    Case("blank_lines_first", "\n\n  \n|x 1 2 |y 1\n", XY, ONCE, [1]),
    Case("byte_order_mark", "\ufeff|x 1 2 |y 1\n", XY, ONCE, [1]),
    Case("ids", VARIED, XY, IN_ORDER, [1, 1, 1, 1, 1]),
    Case("ids_only_on_first_lines", "0 |x 1 2 |y 1\n|x 3 4\n1 |x 5 6 |y 2\n", XY, IN_ORDER, [1, 1]),
    Case("ids_descending", "5 |x 1 2 |y 1\n2 |x 5 6 |y 2\n", XY, ONCE, [5]),
    Case("an_id_comes_again", "0 |x 1 2 |y 1\n1 |x 5 6 |y 2\n0 |x 3 4|y 3\n", XY, ONCE, [1, 1, 1]),
    Case("two_samples_on_a_line", "0 |x 1 2 |x 3 4\n0 |y 1\n1 |x 5 6 |y 2\n", XY, ONCE, [3]),
    Case(
        "sparse",
        "|x 0:1 3:2.5 |y 1\n|x 4:-1 |y 2\n|x |y 3\n|x 3:1 0:2.5e1 |y 4\n",
        SPARSE,
        ONCE,
        [2, 2],
    ),
    Case("sparse_sequences", "0 |x 1:1 |y 3\n0 |x 04:2 2:1\n1 |x 0:1 |y 5\n", SPARSE, ONCE, [3]),
    Case("unequal_streams", UNEQUAL, XY, IN_ORDER, [2, 2, 2, 2]),
    Case("defines_mb_size", UNEQUAL, BY_Y, IN_ORDER, [2, 2, 2, 2]),
    Case(
        "defines_mb_size_in_samples",
        "0 |x 1 2 |y 1\n0 |y 2\n0 |x 3 4\n1 |x 5 6 |y 2\n",
        BY_Y,
        IN_ORDER,
        [1, 1, 1],
    ),
    Case("size_3", VARIED, XY, IN_ORDER, [3] * 6),
    Case("size_4", VARIED, XY, IN_ORDER, [4] * 6),
    Case("size_5", VARIED, XY, IN_ORDER, [5] * 6),
    Case("several_sweeps_at_once", VARIED, XY, IN_ORDER, [25, 25]),
    Case("changing_sizes", VARIED, XY, IN_ORDER, [1, 6, 2, 30, 3]),
    Case("max_sweeps", FOURS, XY, {"randomize": False, "max_sweeps": 2}, [7] * 7),
    Case("max_samples_1", SAMPLES, XY, {"randomize": False, "max_samples": 1}, [10, 10]),
    Case(
        "max_samples_within_a_sequence", FOURS, XY, {"randomize": False, "max_samples": 5}, [10, 10]
    ),
    Case(
        "max_samples_beyond_a_sweep", FOURS, XY, {"randomize": False, "max_samples": 30}, [100, 100]
    ),
    Case("max_samples_at_a_sweep", FOURS, XY, {"randomize": False, "max_samples": 12}, [8, 8, 8]),
    Case("full_data_sweep", FOURS, XY, {"randomize": False, "max_samples": 2**64 - 2}, [8, 8, 8]),
    Case("window_of_no_chunks", FOURS, XY, {"randomization_window_in_chunks": 0}, [4, 8, 12, 12]),
    Case("shuffled", FOURS + SAMPLES.replace("|x", "9 |x", 1), XY, {}, [4, 8, 12, 12]),
    Case("shuffled_by_seed", VARIED, XY, {"randomization_seed": 3}, [5] * 8),
    Case("frame_mode", SAMPLES, XY, {"frame_mode": True}, [2] * 5),
]

# Order of 40 sequences in two sweeps: frames in sequence k (all 1, or 1 to 5), bytes in a chunk,
# options.
WINDOWS = [{"randomization_window_in_chunks": n} for n in (1, 2, 3, 4, 5, 6, 128)]
WINDOWS += [
    {
        "randomization_window_in_chunks": 0,
        "randomization_window_in_samples": n,
        "randomization_seed": 5,
    }
    for n in (4, 12, 25, 40)
]
ORDERS = [
    (varied, size, options)
    for varied in (False, True)
    for size in (45, 90, 150)
    for options in WINDOWS
]


def ordered_text(varied):
    """A file of 40 sequences whose samples are their numbers."""
    return "".join(f"{k:02d} |x {k:02d}\n" * (1 + (k * 7) % 5 if varied else 1) for k in range(40))
