"""Text files read by several workers, whose minibatches are compared with the original's.

The file is read by the original's interpreter too (Python 3.6): the recording script and the test
both run `CASES`.
"""

import random
from collections import namedtuple

# Frames of each sequence, bytes of text in a chunk (None: all is one chunk), options, the size of
# each minibatch, and workers and rank.
Case = namedtuple("Case", "lengths chunk options sizes worker")

FULL_DATA_SWEEP = 2**64 - 2


def drawn(seed, count):
    """Cases drawn at random, the same for each Python: only ``random()`` is."""
    source = random.Random(seed)

    def one_of(values):
        return values[int(source.random() * len(values))]

    cases = []
    for _ in range(count):
        longest = one_of((1, 1, 3, 6))
        lengths = [1 + int(source.random() * longest) for _ in range(1 + int(source.random() * 14))]
        total = sum(lengths)
        options = {}
        if source.random() < 0.5:
            options["randomize"] = False
        else:
            options["randomization_seed"] = int(source.random() * 5)
            window = one_of((None, 1, 2, 3))
            if window:
                options["randomization_window_in_chunks"] = window
        if longest == 1 and source.random() < 0.5:
            options["frame_mode"] = True
        limit = one_of(("", "max_sweeps", "max_sweeps", "full", "max_samples", "max_samples"))
        if limit == "max_sweeps":
            options[limit] = one_of((1, 2))
        elif limit:
            options["max_samples"] = (
                FULL_DATA_SWEEP if limit == "full" else 1 + int(source.random() * 2 * total)
            )
        sizes = [one_of((1, 2, 3, 4, 5, 6, 8, 12, 20))] * 8
        if source.random() < 0.2:
            sizes = [one_of((1, 2, 3, 5, 7, 12)) for _ in range(6)]
            # With another seed the original may go on in another order after a change: it shuffles
            # the sweep again without.
            options.pop("randomization_seed", None)
        workers = one_of((1, 2, 2, 3))
        chunk = one_of((None, 20, 45, 90))
        cases.append(
            Case(lengths, chunk, options, sizes, (workers, int(source.random() * workers)))
        )
    return cases


CASES = drawn(11, 400)


def text(case):
    """A text file whose samples are their sequences' numbers."""
    return "".join(f"{k:02d} |x {k}\n" * n for k, n in enumerate(case.lengths))


def partition(case):
    """How `next_minibatch` is asked for a worker's part."""
    return {"num_data_partitions": case.worker[0], "partition_index": case.worker[1]}
