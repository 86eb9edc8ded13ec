"""Write down what the layers of `layer_cases.py` are in the original: run it there, from this folder.

<interpreter of the original> record_layers.py
"""

import json
import os
import sys

import numpy as np

import cntk as C

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from layer_cases import CASES, applied, results  # noqa: E402


def numbers(values):
    return [float(f"{v:.6g}") for v in np.asarray(values, dtype=np.float64).ravel()]


def parameters(function):
    return [[p.name, list(p.shape), numbers(p.value)[:4], numbers([p.value.sum()])] for p in function.parameters]


def record(case):
    layer, function, arguments = applied(C, case)
    return {
        "unapplied": str(layer) if hasattr(layer, "arguments") else "",
        "text": str(function),
        "shapes": [list(v.shape) for v in function.outputs],
        "parameters": parameters(function),
        "constants": sorted([c.name, list(c.shape)] for c in function.constants if c.name),
        "results": [[[list(a.shape), numbers(a)] for a in value] for value in results(function, arguments)],
    }


if __name__ == "__main__":
    lines = []
    for name in CASES:
        print(name)
        lines.append(json.dumps(name) + ": " + json.dumps(record(CASES[name]), separators=(",", ":")))
    with open(os.path.join(HERE, "layers_of_the_original.json"), "w") as file:
        file.write("{\n" + ",\n".join(lines) + "\n}\n")
