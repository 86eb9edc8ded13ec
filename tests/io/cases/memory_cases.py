"""Arrays and sequences in memory as minibatch sources, whose minibatches are compared with the
original's.

The file is read by the original's interpreter too (Python 3.6): the recording script and the test
both run `CASES`.
"""

import random
from collections import namedtuple

import numpy as np

# Frames of each sequence of each stream (None: the stream is an array of so many samples as
# `count`), options, the size of each minibatch, and workers and rank.
Case = namedtuple("Case", "count lengths options sizes worker")

INFINITELY_REPEAT, FULL_DATA_SWEEP = 2**64 - 1, 2**64 - 2


def drawn(seed, number):
    """Cases drawn at random, the same for each Python: only ``random()`` is."""
    source = random.Random(seed)

    def one_of(values):
        return values[int(source.random() * len(values))]

    cases = []
    for _ in range(number):
        count = 1 + int(source.random() * 7)
        lengths = one_of(([None], [None, None], [1], [1, None], [1, 1]))
        lengths = [
            None if n is None else [1 + int(source.random() * 4) for _ in range(count)]
            for n in lengths
        ]
        total = sum(max(n[k] if n else 1 for n in lengths) for k in range(count))
        options = one_of(
            (
                {},
                {"max_samples": INFINITELY_REPEAT},
                {"max_samples": FULL_DATA_SWEEP},
                None,
                None,
                None,
            )
        )
        if options is None:
            options = {"max_samples": 1 + int(source.random() * 3 * total)}
        sizes = [one_of((1, 2, 3, 4, 5, 8, 20))] * 8
        if source.random() < 0.3:
            sizes = [one_of((1, 2, 3, 5, 7)) for _ in range(8)]
        worker = None
        if source.random() < 0.3:
            workers = one_of((1, 2, 3))
            worker = (workers, int(source.random() * workers))
        cases.append(Case(count, lengths, options, sizes, worker))
    return cases


CASES = drawn(3, 300)


def streams(case, sequence_type):
    """Data of each stream; samples are items' numbers."""
    found = {}
    for name, lengths in zip("xyz", case.lengths):  # noqa: B905
        if lengths is None:
            found[name] = np.arange(case.count, dtype=np.float32).reshape(-1, 1)
        else:
            found[name] = (
                [np.full((n, 1), k, np.float32) for k, n in enumerate(lengths)],
                sequence_type,
            )
    return found


def read(source, case):
    """Whether there is no end, then of each minibatch for each stream sequences, samples, end of
    the sweep and values; states.
    """
    found = [bool(source.is_infinite())]
    for size in case.sizes:
        try:
            minibatch = source.next_minibatch(size, *(case.worker or ()))
        except ValueError:  # The original, where the next sequence is longer than the size.
            found.append(None)
            break
        row = []
        for info in sorted(minibatch, key=lambda info: info.name):
            data = minibatch[info]
            values = np.asarray(data.asarray()).ravel()
            row.append(
                [
                    data.num_sequences,
                    data.num_samples,
                    int(data.end_of_sweep),
                    [int(v) for v in values],
                ]
            )
        state = source.get_checkpoint_state()
        found.append([row, int(state["cursor"]), int(state["total_num_samples"])])
    return found
