"""Write down what the original reads of the files in `truncated_cases.py`: run it there, from an
empty folder.

<interpreter of the original> record_truncated.py

The original shows no frames of a sequence that is cut; but it trains with them. So a training step
counts, for each frame, which frames come before and after it: the gradients of two tables, of which
each frame reads one element.
"""

import json
import os
import sys

import numpy as np

import cntk as C
from cntk.io import CTFDeserializer, MinibatchSource, StreamDef, StreamDefs

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(HERE, "cases"), os.path.join(HERE, "record")]
from recording_apart import write  # noqa: E402
from truncated_cases import CASES, FRAMES, partition, pieces, text  # noqa: E402

SIZE = FRAMES + 1  # numbers of frames, and -1 for none


def counted(one, other):
    """A table's elements, of which each frame reads that of a pair of numbers."""
    table = C.parameter((SIZE, SIZE), init=0)
    row, column = (C.one_hot(C.reshape(v + 1, ()), SIZE) for v in (one, other))
    return table, table * C.reshape(row, (SIZE, 1)) * C.reshape(column, (1, SIZE))


class Looker:
    """Finds a minibatch's pieces."""

    def __init__(self):
        self.x = C.sequence.input_variable(1)
        self.before, read_before = counted(C.sequence.past_value(self.x, initial_state=-1), self.x)
        self.after, read_after = counted(self.x, C.sequence.future_value(self.x, initial_state=-1))
        loss = C.reduce_sum(read_before + read_after)
        learner = C.sgd([self.before, self.after], C.learning_parameter_schedule_per_sample(1))
        self.trainer = C.Trainer(loss, loss, [learner])

    def pieces(self, data):
        for table in (self.before, self.after):
            table.value = np.zeros((SIZE, SIZE), np.float32)
        self.trainer.train_minibatch({self.x: data})
        before, after = (np.rint(-t.value).astype(int) for t in (self.before, self.after))
        begins, continues, ends = [], [], []
        for k in range(FRAMES):
            begins += [k] * before[0, k + 1]
            within = after[k, k + 1] if k else 0
            continues += [k] * (before[1:, k + 1].sum() - within)
            ends += [k] * (after[k + 1].sum() - (after[k + 1, k + 2] if k + 2 < SIZE else 0))
        return pieces(begins, continues, ends)


def record(case):
    with open("data.ctf", "w") as file:
        file.write(text(case))
    streams = {"x": StreamDef("x", 1)}
    if case.others:
        streams["y"] = StreamDef("y", 1)
    looker = Looker()
    found = []
    try:
        source = MinibatchSource(CTFDeserializer("data.ctf", StreamDefs(**streams)), **case.options)
        for size in case.sizes:
            minibatch = source.next_minibatch(size, **partition(case))
            if not minibatch:
                found.append(None)
                break
            data = {info.m_name: data for info, data in minibatch.items()}
            position = source.get_checkpoint_state()["minibatchSourcePosition"]
            row = [
                data["x"].num_sequences,
                data["x"].num_samples,
                int(data["x"].end_of_sweep),
                position,
            ]
            found.append(row + [looker.pieces(data[name]) for name in sorted(data)])
    except Exception as error:
        found.append(type(error).__name__ + ": " + str(error).split("\n")[0])
    return json.dumps(found)


if __name__ == "__main__":
    write("truncated_of_the_original.json", record, CASES)
