"""Write down what the original reads of the deserializers in `user_cases.py`: run it there.

<interpreter of the original> record_user.py
"""

import json
import os
import sys

import cntk as C
from cntk.io import MinibatchSource

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from user_cases import CASES, Numbered, read  # noqa: E402


def sequences(data):
    found = [s.copy() for s in data.as_sequences(C.sequence.input_variable(1))]
    data.data.erase()  # Else the original cannot go on.
    return found


def record(case):
    source = MinibatchSource(Numbered(case.sizes, case.lengths), **case.options)
    return json.dumps(read(source, case, sequences), sort_keys=True)


def apart(case):
    """In a process of its own: the original's sources cannot always be taken down."""
    reading, writing = os.pipe()
    if not os.fork():
        os.write(writing, record(case).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        return pipe.read() or "null"  # It crashed.


if __name__ == "__main__":
    lines = [apart(case) for case in CASES]
    with open(os.path.join(HERE, "user_of_the_original.json"), "w") as file:
        file.write("[\n" + ",\n".join(lines) + "\n]\n")
