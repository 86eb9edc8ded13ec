"""Write down what the original reads of the binary files in `binary_of_the_original.json`: run it
there.

<interpreter of the original> record_binary.py read

The files are made before by running it with this package, without an argument, from the texts in
`binary_cases.py`.
"""

import base64
import json
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FILE = os.path.join(HERE, "golden", "binary_of_the_original.json")
sys.path.insert(0, os.path.join(HERE, "cases"))
from binary_cases import CASES  # noqa: E402


def written(case, folder):
    from cntk.io import StreamDef, StreamDefs, text_to_binary

    text, binary = os.path.join(folder, "data.ctf"), os.path.join(folder, "data.bin")
    with open(text, "w") as file:
        file.write(case.text)
    streams = StreamDefs(**{s[0]: StreamDef(s[1], s[2], is_sparse=s[3]) for s in case.streams})
    text_to_binary(text, binary, streams, chunk_bytes=case.chunk_bytes)
    with open(binary, "rb") as file:
        return file.read()


def read(case, content):
    import cntk as C
    from cntk.io import CBFDeserializer, MinibatchSource

    with open("data.bin", "wb") as file:
        file.write(content)
    source = MinibatchSource(CBFDeserializer("data.bin"), **case.options)
    sparse = {s[0]: s[3] for s in case.streams}
    found = []
    for size in case.sizes:
        streams = {}
        for info, data in source.next_minibatch(size).items():
            variable = C.sequence.input_variable(
                info.m_sample_layout.dimensions(), is_sparse=sparse[info.m_name]
            )
            sequences = [
                s.toarray() if sparse[info.m_name] else s for s in data.as_sequences(variable)
            ]
            streams[info.m_name] = [[s.tolist() for s in sequences], data.end_of_sweep]
            data.data.erase()
        found.append([source.get_checkpoint_state(), streams])
    return found


if __name__ == "__main__":
    if "read" in sys.argv:
        with open(FILE) as file:
            recorded = json.load(file)
        for case in CASES:
            recorded[case.name]["read"] = read(case, base64.b64decode(recorded[case.name]["file"]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            recorded = {
                c.name: {"file": base64.b64encode(written(c, folder)).decode()} for c in CASES
            }
    with open(FILE, "w") as file:
        lines = [
            f"{json.dumps(k)}: {json.dumps(v, sort_keys=True)}" for k, v in sorted(recorded.items())
        ]
        file.write("{\n" + ",\n".join(lines) + "\n}\n")
    os._exit(0)  # The original's threads cannot always be ended otherwise.
