"""Write down what the original makes of the mistakes in `text_error_cases.py`, and from how many
allowed errors on.

<interpreter of the original> record_text_errors.py; each refusal takes it some seconds.
"""

import json
import os
import sys
import tempfile

import cntk as C
from cntk.io import CTFDeserializer, MinibatchSource, StreamDef, StreamDefs

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(HERE, "cases"))
from text_error_cases import AFTER, BEFORE, CASES  # noqa: E402

MOST = 4


def read(errors):
    streams = StreamDefs(A=StreamDef("A", 1), B=StreamDef("B", 10, is_sparse=True))
    deserializer = CTFDeserializer("data.ctf", streams)
    deserializer["maxErrors"] = C.cntk_py.SizeTWrapper(errors)
    source = MinibatchSource(deserializer, randomize=False, max_sweeps=1)
    minibatch = source.next_minibatch(100)
    dense = minibatch[source.streams.A].as_sequences(C.sequence.input_variable(1))
    sparse = minibatch[source.streams.B].as_sequences(C.sequence.input_variable(10, is_sparse=True))
    entries = []
    for s in sparse:
        pairs = [[int(k), float(v)] for k, v in zip(s.indices, s.data)]  # noqa: B905
        entries.append([pairs[a:b] for a, b in zip(s.indptr, s.indptr[1:])])  # noqa: B905
    return {"A": [[float(v) for v in s.ravel()] for s in dense], "B": entries}


def record(text):
    with open("data.ctf", "w") as file:
        file.write(BEFORE + text + AFTER)
    for errors in range(MOST + 1):
        try:
            return [errors, read(errors)]
        except RuntimeError:
            pass
    return [MOST, None]


if __name__ == "__main__":
    os.chdir(tempfile.mkdtemp())
    lines = []
    for name, text in CASES.items():
        lines.append(f"{json.dumps(name)}: {json.dumps(record(text))}")
        print(lines[-1], flush=True)
    with open(os.path.join(HERE, "golden", "text_errors_of_the_original.json"), "w") as file:
        file.write("{\n" + ",\n".join(lines) + "\n}\n")
