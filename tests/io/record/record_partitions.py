"""Write down what the original reads of the files in `partition_cases.py`: run it there, from an
empty folder.

<interpreter of the original> record_partitions.py
"""

import json
import os
import sys

import cntk as C
from cntk.io import CTFDeserializer, MinibatchSource, StreamDef, StreamDefs

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(HERE, "cases"), os.path.join(HERE, "record")]
from partition_cases import CASES, partition, text  # noqa: E402
from recording_apart import write  # noqa: E402


def record(case):
    with open("data.ctf", "w") as file:
        file.write(text(case))
    deserializer = CTFDeserializer("data.ctf", StreamDefs(x=StreamDef("x", 1)))
    if case.chunk is not None:
        deserializer["chunkSizeInBytes"] = C.cntk_py.SizeTWrapper(case.chunk)
    source = MinibatchSource(deserializer, **case.options)
    found = []
    for size in case.sizes:
        try:
            minibatch = source.next_minibatch(size, **partition(case))
        except Exception as error:
            found.append(type(error).__name__ + ": " + str(error).split("\n")[0])
            break
        if not minibatch:
            found.append(None)
            break
        position = source.get_checkpoint_state()["minibatchSourcePosition"]
        (data,) = minibatch.values()
        numbers = [int(s[0][0]) for s in data.as_sequences(C.sequence.input_variable(1))]
        found.append([position, int(data.end_of_sweep), numbers])
        data.data.erase()  # Else the original cannot go on.
    return json.dumps(found)


if __name__ == "__main__":
    write("partitions_of_the_original.json", record, CASES)
