"""Write down what the original reads of the files in `htk_cases.py`: run it there, from an empty
folder.

<interpreter of the original> record_htk.py

For real speech too, the folder must hold the training part of AN4 as unpacked files, and its list
of states.
"""

import gc
import json
import os
import sys

import cntk as C
import cntk.io as readers

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
START = os.getcwd()
sys.path.insert(0, os.path.join(HERE, "cases"))
from htk_cases import CASES, MANY, archive  # noqa: E402
from made_readers import made  # noqa: E402


def stream(data, info, sparse):
    variable = C.sequence.input_variable(info.m_sample_layout.dimensions(), is_sparse=sparse)
    sequences = [s.toarray() if sparse else s for s in data.as_sequences(variable)]
    return [
        data.num_samples,
        data.num_sequences,
        data.end_of_sweep,
        [[[float(repr(v)) for v in frame] for frame in s] for s in sequences],
    ]


def record(case):
    # Each in a folder of its own: the sources before read ahead still.
    os.makedirs(os.path.join(START, case.name))
    os.chdir(os.path.join(START, case.name))
    for name, content in case.files.items():
        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
        with open(name, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
    sparse = {
        name: "mlf" in given for _, _, streams in case.readers for name, given in streams.items()
    }
    source = readers.MinibatchSource([made(*r) for r in case.readers], **case.options)
    found = []
    for size in case.sizes:
        minibatch = source.next_minibatch(size)
        streams = {}
        for info, data in minibatch.items():
            streams[info.m_name] = stream(data, info, sparse[info.m_name])
        found.append([source.get_checkpoint_state()["minibatchSourcePosition"], streams])
        # The original cannot go on while results are looked at.
        minibatch = data = None
        gc.collect()
    os.chdir(START)
    return found


def order(lengths, seed):
    with open("many.chunk", "wb") as file:
        file.write(archive([[float(t)] for t in range(sum(lengths))]))
    begins = [sum(lengths[:k]) for k in range(len(lengths))]
    with open("many.scp", "w") as file:
        file.writelines(
            f"u{k}=many.chunk[{b},{b + lengths[k] - 1}]\n" for k, b in enumerate(begins)
        )
    deserializer = made("htk", (), {"f": {"shape": 1, "scp": "many.scp"}})
    source = readers.MinibatchSource(
        deserializer, randomization_window_in_chunks=2, randomization_seed=seed, max_sweeps=2
    )
    found = []
    while True:
        minibatch = source.next_minibatch(1)
        if not minibatch:
            return found
        (data,) = minibatch.values()
        found.append(begins.index(int(data.as_sequences(C.sequence.input_variable(1))[0][0])))
        minibatch = data = None
        gc.collect()


def speech(options, size):
    """Sums of each minibatch of a sweep through real speech."""
    features = made("htk", (), {"f": {"shape": 33, "scp": "glob_0000.scp", "context": (2, 2)}})
    states = made("mlf", ("state.list",), {"l": {"shape": 132, "mlf": "glob_0000.mlf"}})
    source = readers.MinibatchSource([features, states], **options)
    found = []
    for _ in range(12):
        minibatch = {i.m_name: d for i, d in source.next_minibatch(size).items()}
        frames = minibatch["f"].as_sequences(C.sequence.input_variable(165))
        classes = minibatch["l"].as_sequences(C.sequence.input_variable(132, is_sparse=True))
        sums = [
            float(sum(s.astype("f8").sum() for s in frames)),
            int(sum(int(s.indices.sum()) for s in classes)),
        ]
        found.append([minibatch["f"].num_samples, minibatch["l"].num_sequences] + sums)
        minibatch = frames = classes = None
        gc.collect()
    return found


SPEECH = [[{"randomize": False}, 3000], [{}, 3000], [{"frame_mode": True}, 256]]

if __name__ == "__main__":
    lines = [f"{json.dumps(c.name)}: {json.dumps(record(c), sort_keys=True)}" for c in CASES]
    lines.append(f'"many": {json.dumps([order(*m) for m in MANY])}')
    if os.path.exists("glob_0000.mlf"):
        lines.append(f'"speech": {json.dumps([[o, n, speech(o, n)] for o, n in SPEECH])}')
    with open(os.path.join(HERE, "golden", "htk_of_the_original.json"), "w") as file:
        file.write("{\n" + ",\n".join(lines) + "\n}\n")
