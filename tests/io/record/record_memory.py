"""Write down what the original gives of the data in `memory_cases.py`: run it there.

<interpreter of the original> record_memory.py
"""

import json
import os
import sys

from cntk.io import MinibatchSourceFromData
from cntk.layers.typing import Sequence, Tensor

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(HERE, "cases"))
from memory_cases import CASES, read, streams  # noqa: E402


def record(case):
    try:
        return read(
            MinibatchSourceFromData(streams(case, Sequence[Tensor[1]]), **case.options), case
        )
    except Exception as error:
        return type(error).__name__ + ": " + str(error).split("\n")[0]


if __name__ == "__main__":
    lines = [json.dumps(record(case)) for case in CASES]
    with open(os.path.join(HERE, "golden", "memory_of_the_original.json"), "w") as file:
        file.write("[\n" + ",\n".join(lines) + "\n]\n")
