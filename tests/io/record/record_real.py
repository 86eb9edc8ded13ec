"""Write down what the original reads of the real data in `real_cases.py`: run it there, from an
empty folder.

<interpreter of the original> record_real.py FOLDER_OF_DATA
"""

import gc
import json
import os
import sys

import cntk as C
import cntk.io as readers

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(HERE, "cases"))
from made_readers import made  # noqa: E402
from real_cases import CASES, Summary, unpack  # noqa: E402


def record(case):
    try:
        source = readers.MinibatchSource([made(*r) for r in case.readers], **case.options)
    except RuntimeError:
        return None  # The original reads no binary files of doubles.
    found, positions, k = {}, [], 0
    while True:
        minibatch = source.next_minibatch(case.sizes[k % len(case.sizes)])
        k += 1
        if not minibatch:
            break
        positions.append(source.get_checkpoint_state()["minibatchSourcePosition"])
        for info, data in minibatch.items():
            is_sparse = info.m_storage_format != 0
            variable = C.sequence.input_variable(
                info.m_sample_layout.dimensions(), is_sparse=is_sparse
            )
            found.setdefault(info.m_name, Summary()).add(
                data.num_samples, data.end_of_sweep, data.as_sequences(variable)
            )
        # The original cannot go on while results are looked at.
        minibatch = data = None
        gc.collect()
    return {
        "minibatches": k - 1,
        "position": positions[-1],
        "streams": {n: s.found() for n, s in sorted(found.items())},
    }


if __name__ == "__main__":
    start, lines = os.getcwd(), []
    for case in CASES:
        os.chdir(unpack(case, sys.argv[1], start))
        lines.append(json.dumps(case.name) + ": " + json.dumps(record(case), sort_keys=True))
        print(lines[-1])
        sys.stdout.flush()
        os.chdir(start)
    with open(os.path.join(HERE, "golden", "real_of_the_original.json"), "w") as file:
        file.write("{\n" + ",\n".join(lines) + "\n}\n")
