"""Write down what the original reads of the files in `reader_cases.py`: run it there, from an empty
folder.

<interpreter of the original> record_readers.py
"""

import json
import os
import sys

import cntk as C
from cntk.io import CTFDeserializer, MinibatchSource, StreamDef, StreamDefs

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(HERE, "cases"))
from reader_cases import CASES, ORDERS, ordered_text  # noqa: E402


def stream(data, info, sparse):
    variable = C.sequence.input_variable(info.m_sample_layout.dimensions(), is_sparse=sparse)
    sequences = [s.toarray() if sparse else s for s in data.as_sequences(variable)]
    return {
        "samples": data.num_samples,
        "sequences": data.num_sequences,
        "end": data.end_of_sweep,
        "shape": list(data.shape),
        "values": [[[float(repr(v)) for v in frame] for frame in s] for s in sequences],
    }


def record(case):
    name = case.name + ".ctf"
    with open(name, "w", newline="", encoding="utf-8") as file:
        file.write(case.text)
    defs = {s[0]: StreamDef(s[1], s[2], is_sparse=s[3], defines_mb_size=s[4]) for s in case.streams}
    sparse = {s[0]: s[3] for s in case.streams}
    source = MinibatchSource(CTFDeserializer(name, StreamDefs(**defs)), **case.options)
    found = []
    for size in case.sizes:
        minibatch = source.next_minibatch(size)
        streams = {i.m_name: stream(d, i, sparse[i.m_name]) for i, d in minibatch.items()}
        found.append([source.get_checkpoint_state()["minibatchSourcePosition"], streams])
    return found


def order(varied, size, options):
    with open("order.ctf", "w") as file:
        file.write(ordered_text(varied))
    deserializer = CTFDeserializer("order.ctf", StreamDefs(x=StreamDef("x", 1)))
    deserializer["chunkSizeInBytes"] = C.cntk_py.SizeTWrapper(size)
    # In one piece: the original cannot go on once results were looked at.
    (data,) = MinibatchSource(deserializer, **options).next_minibatch(1000).values()
    return [int(s[0]) for s in data.as_sequences(C.sequence.input_variable(1))][:80]


if __name__ == "__main__":
    lines = [f"{json.dumps(c.name)}: {json.dumps(record(c), sort_keys=True)}" for c in CASES]
    lines.append(f'"orders": {json.dumps([order(*o) for o in ORDERS])}')
    with open(os.path.join(HERE, "golden", "readers_of_the_original.json"), "w") as file:
        file.write("{\n" + ",\n".join(lines) + "\n}\n")
