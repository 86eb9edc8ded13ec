"""Sequences read in pieces, whose minibatches are compared with the original's.

The file is read by the original's interpreter too (Python 3.6): the recording script and the test
both run `CASES`.
"""

import random
from collections import namedtuple

# Frames of each sequence, frames of a second stream (None: there is none), options, the size of
# each minibatch, and workers and rank (None: there is one worker).
Case = namedtuple("Case", "lengths others options sizes worker")

FULL_DATA_SWEEP = 2**64 - 2
FRAMES = 64  # more than there are in any case


def drawn(seed, count):
    """Cases drawn at random, the same for each Python: only ``random()`` is."""
    source = random.Random(seed)

    def one_of(values):
        return values[int(source.random() * len(values))]

    cases = []
    for _ in range(count):
        lengths = [
            1 + int(source.random() * one_of((2, 5, 9)))
            for _ in range(1 + int(source.random() * 7))
        ]
        total = sum(lengths)
        options = {"truncation_length": one_of((1, 2, 3, 4, 7))}
        if source.random() < 0.5:
            options["randomize"] = False
        else:
            options["randomization_seed"] = int(source.random() * 5)
        limit = one_of(
            (
                {},
                {"max_sweeps": 1},
                {"max_sweeps": 2},
                {"max_samples": FULL_DATA_SWEEP},
                {"max_samples": -1},
            )
        )
        if limit.get("max_samples") == -1:
            limit = {"max_samples": 1 + int(source.random() * 2 * total)}
        options.update(limit)
        size = one_of((1, 2, 3, 4, 6, 8, 9, 12, 20))
        sizes = [size] * 9
        if source.random() < 0.25:
            sizes = [
                s for s in [one_of((1, 3, 4, 6, 7, 9, 12)) for _ in range(3)] for _ in range(3)
            ]
        worker = None
        if source.random() < 0.3:
            workers = one_of((2, 3))
            # Few cases have more workers than slots, which is an error.
            sizes = [
                max(size, workers * options["truncation_length"])
                if source.random() < 0.98
                else size
                for size in sizes
            ]
            worker = (workers, int(source.random() * workers))
        cases.append(Case(lengths, None, options, sizes, worker))
    return cases


ISSUE = [5, 4, 3, 2]
CASES = [
    Case(ISSUE, None, {"truncation_length": t, "randomize": False, "max_sweeps": 1}, [s] * 16, None)
    for t in (1, 2, 3, 4)
    for s in (1, 3, 6, 8)
]
CASES += drawn(7, 420)
ORDER = {"truncation_length": 2, "randomize": False, "max_sweeps": 1}
CASES += [
    Case([4, 3, 2], others, ORDER, [4] * 8, None)
    for others in ([4, 3, 2], [1, 1, 1], [2, 1, 2], [4, 5, 2], [5, 3, 2])
]


def text(case):
    """A text file whose frames are numbered, stream by stream."""
    lines, x, y = [], 0, 0
    for number, length in enumerate(case.lengths):
        other = case.others[number] if case.others else 0
        for k in range(max(length, other)):
            line = str(number)
            if k < length:
                line, x = f"{line} |x {x}", x + 1
            if k < other:
                line, y = f"{line} |y {y}", y + 1
            lines.append(line + "\n")
    return "".join(lines)


def partition(case):
    """How `next_minibatch` is asked for a worker's part."""
    if case.worker is None:
        return {}
    return {"num_data_partitions": case.worker[0], "partition_index": case.worker[1]}


def pieces(begins, continues, ends):
    """A minibatch's pieces in words: ``+first-last`` for one that begins its sequence,
    ``first-last`` for one that goes on.
    """
    starts = sorted([(b, "+") for b in begins] + [(b, "") for b in continues])
    return " ".join(f"{mark}{first}-{last}" for (first, mark), last in zip(starts, sorted(ends)))  # noqa: B905
