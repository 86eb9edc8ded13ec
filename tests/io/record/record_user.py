"""Write down what the original reads of the deserializers in `user_cases.py`: run it there.

<interpreter of the original> record_user.py
"""

import json
import os
import sys

import cntk as C
from cntk.io import MinibatchSource

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(HERE, "cases"), os.path.join(HERE, "record")]
from recording_apart import write  # noqa: E402
from user_cases import CASES, Numbered, read  # noqa: E402


def sequences(data):
    found = [s.copy() for s in data.as_sequences(C.sequence.input_variable(1))]
    data.data.erase()  # Else the original cannot go on.
    return found


def record(case):
    source = MinibatchSource(Numbered(case.sizes, case.lengths), **case.options)
    return json.dumps(read(source, case, sequences), sort_keys=True)


if __name__ == "__main__":
    write("user_of_the_original.json", record, CASES)
