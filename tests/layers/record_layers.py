"""Write down what the layers of the tables are in the original: run it there, from the root of the
repository.

    <interpreter of the original> -m tests.layers.record_layers

`layers_of_the_original.npz` holds facts as JSON, and all numbers one after another with their
shapes in the facts. Layers that the original refuses are written down with the error's type.
"""

import json
import os

import numpy as np

import cntk as C
from tests.layers.layer_cases import applied, facts, numbers
from tests.layers.layer_tables import CASES

HERE = os.path.dirname(os.path.abspath(__file__))


def record(case):
    """Facts about a layer, and its numbers."""
    try:
        layer, function, arguments = applied(C, case)
        found = facts(C, layer, function)
        return found, numbers(C, function, arguments, dense_gradients=True)
    except (RuntimeError, ValueError, TypeError, NotImplementedError) as error:
        print("    refused:", type(error).__name__, str(error).splitlines()[0])
        return {"refused": type(error).__name__}, []


if __name__ == "__main__":
    if C.__version__ != "2.7":
        raise SystemExit(
            "only the original CNTK 2.7 may record reference values; this is " + C.__version__
        )
    written, held = {}, []
    for name in CASES:
        print(name, flush=True)
        written[name], groups = record(CASES[name])
        if groups:
            written[name]["numbers"] = [[list(array.shape) for array in group] for group in groups]
        held += [array.astype(np.float32).ravel() for group in groups for array in group]
    text = np.frombuffer(json.dumps(written, separators=(",", ":")).encode(), np.uint8)
    path = os.path.join(HERE, "layers_of_the_original.npz")
    np.savez_compressed(path, facts=text, numbers=np.concatenate(held))
    print(
        len(written),
        "layers,",
        sum("refused" in w for w in written.values()),
        "refused,",
        os.path.getsize(path),
    )
