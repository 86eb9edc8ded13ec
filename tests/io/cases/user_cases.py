"""A program's own deserializer and ways to read it, whose minibatches are compared with the
original's.

The file is read by the original's interpreter too (Python 3.6): the recording script and the test
both run `CASES`.
"""

from collections import namedtuple

import numpy as np

from cntk.io import StreamInformation, UserDeserializer

# Sequences in each chunk, frames of each (None: single samples), options, minibatch size, how many,
# workers and rank.
Case = namedtuple("Case", "sizes lengths options size count worker")

EVEN, VARIED = [6] * 5, [1, 4, 2, 7, 3, 6]
LENGTHS = [1 + (k * 7) % 5 for k in range(23)]
SMALL = [3, 2, 2]
IN_ORDER = {"randomize": False}


def chunks(count, **options):
    return dict(randomization_window_in_chunks=count, **options)


def samples(count, **options):
    return dict(randomization_window_in_chunks=0, randomization_window_in_samples=count, **options)


CASES = [
    Case(EVEN, None, chunks(w), size, 90 // size, None)
    for w in (1, 2, 3, 4, 128)
    for size in (7, 30)
]
CASES += [Case(EVEN, None, samples(n), 9, 12, None) for n in (6, 7, 12, 13, 20, 31, 100)]
CASES += [
    Case(VARIED, lengths, o, 20, 9, None)
    for lengths in (None, LENGTHS)
    for o in (chunks(2), chunks(5), samples(15))
]
CASES += [
    Case(EVEN, None, chunks(2, randomization_seed=11), 20, 6, None),
    Case(EVEN, None, {}, 20, 6, None),
]
CASES += [
    Case([3, 2], [1, 3, 2, 4, 1], o, 4, 9, None)
    for o in (IN_ORDER, dict(IN_ORDER, max_sweeps=2), chunks(1))
]
CASES += [Case([3, 2], [1, 3, 2, 4, 1], dict(IN_ORDER, max_samples=7), 4, 4, None)]
CASES += [Case(SMALL, None, IN_ORDER, 4, 8, (2, rank)) for rank in (0, 1)]
CASES += [Case([7], None, IN_ORDER, 4, 8, (2, rank)) for rank in (0, 1)]
CASES += [Case(SMALL, None, chunks(2), size, count, worker) for size, count, worker in
          ((4, 9, None), (4, 5, (2, 0)), (6, 2, (2, 1)))]  # fmt: skip
CASES += [Case([3, 2, 2, 4, 3], None, chunks(2), 6, 9, (2, 0))]
CASES += [Case([3] * 7, None, chunks(2), 6, 9, (3, rank)) for rank in (0, 2)]


class Numbered(UserDeserializer):
    """Sequences whose samples are their numbers."""

    def __init__(self, sizes, lengths=None):
        super().__init__()
        self.sizes, self.lengths = sizes, lengths
        self.infos = [StreamInformation("x", 0, "dense", np.float32, (1,))]
        self.given = []  # The original does not keep what it was given.

    def stream_infos(self):
        return self.infos

    def num_chunks(self):
        return len(self.sizes)

    def get_chunk(self, chunk_id):
        first = sum(self.sizes[:chunk_id])
        numbers = range(first, first + self.sizes[chunk_id])
        self.given.append(
            {
                "x": [
                    np.full((self.lengths[k] if self.lengths else 1, 1), k, np.float32)
                    for k in numbers
                ]
            }
        )
        return self.given[-1]


def read(source, case, of_sequence):
    """Minibatches: sequences, whether a sweep ends, and the state behind it. None where there is
    none.
    """
    found = []
    partition = (
        {}
        if case.worker is None
        else {"num_data_partitions": case.worker[0], "partition_index": case.worker[1]}
    )
    for _ in range(case.count):
        minibatch = source.next_minibatch(case.size, **partition)
        state = source.get_checkpoint_state()
        if not minibatch:
            found.append([None, None, state])
            continue
        (data,) = minibatch.values()
        found.append([[int(s[0][0]) for s in of_sequence(data)], bool(data.end_of_sweep), state])
    return found
