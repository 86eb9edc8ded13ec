"""Rows of stacks of recurrent layers, with their steps written out in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

import cntk as C
from tests.ops.op_case import Misuse, OpCase, held, sequences

HIDDEN, INPUTS = 2, 3
GATES = {"lstm": 4, "gru": 3, "rnnReLU": 1, "rnnTanh": 1}


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def step(
    kind: str, from_input: np.ndarray, from_state: np.ndarray, h: np.ndarray, c: np.ndarray
) -> Any:
    """The next state and memory of one cell."""
    if kind == "lstm":
        i, f, g, o = np.split(from_input + from_state, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c
    if kind == "gru":
        (r, z, n), (hr, hz, hn) = np.split(from_input, 3), np.split(from_state, 3)
        z = sigmoid(z + hz)
        return (1 - z) * np.tanh(n + sigmoid(r + hr) * hn) + z * h, c
    total = from_input + from_state
    return (np.maximum(total, 0) if kind == "rnnReLU" else np.tanh(total)), c


def stacked(x: np.ndarray, blob: np.ndarray, kind: str, layers: int, directions: int) -> np.ndarray:
    """All layers over one sequence: matrices lie before biases, forwards before backwards."""
    rows, flat = GATES[kind] * HIDDEN, blob.ravel()
    sizes = [
        (INPUTS if k == 0 else HIDDEN * directions)
        for k in range(layers)
        for _ in range(directions)
    ]
    matrices = []
    for size in sizes:
        w, flat = flat[: rows * size].reshape(rows, size), flat[rows * size :]
        r, flat = flat[: rows * HIDDEN].reshape(rows, HIDDEN), flat[rows * HIDDEN :]
        matrices.append((w, r))
    biases = flat.reshape(len(sizes), 2, rows)
    for layer in range(layers):
        outputs = []
        for k in range(layer * directions, (layer + 1) * directions):
            h = c = np.zeros(HIDDEN)
            backwards = k % directions == 1
            states = []
            for frame in x[::-1] if backwards else x:
                h, c = step(
                    kind,
                    matrices[k][0] @ frame + biases[k, 0],
                    matrices[k][1] @ h + biases[k, 1],
                    h,
                    c,
                )
                states.append(h)
            outputs.append(np.stack(states[::-1] if backwards else states))
        x = np.concatenate(outputs, 1)
    return x


def rows(kind: str, layers: int, bidirectional: bool) -> int:
    """How long a blob of rows of ``HIDDEN`` is."""
    directions, gates = 1 + bidirectional, GATES[kind]
    later = (layers - 1) * (HIDDEN * directions + HIDDEN + 2)
    return directions * gates * (INPUTS + HIDDEN + 2 + later)


def stack(
    kind: str, layers: int, bidirectional: bool, lengths: tuple[int, ...] = (1, 4, 2), **extra: Any
) -> OpCase:
    way = "_both_ways" if bidirectional else ""
    return OpCase(
        f"optimized_rnnstack_{kind}{way}_{'_'.join(map(str, lengths))}",
        lambda x, w, size=HIDDEN, layers=layers, kind=kind: C.optimized_rnnstack(
            x, w, size, layers, bidirectional, kind
        ),
        (sequences(INPUTS, lengths=lengths), held(rows(kind, layers, bidirectional), HIDDEN)),
        lambda x, w: stacked(x, w, kind, layers, 1 + bidirectional),
        **extra,
    )


CASES = (
    stack(
        "lstm",
        1,
        False,
        errors=(
            Misuse(((5, 2), (4,)), r"must have one static axis, got \[5 x 2\]"),
            Misuse(((3,), (4,)), "the weights must be a parameter or a constant"),
            Misuse(
                ((3,), (4,)),
                "unknown recurrent_op 'LSTM'; use one of 'lstm', 'gru'",
                {"kind": "LSTM"},
            ),
            Misuse(((3,), (4,)), "got num_layers 0 and hidden_size 2", {"layers": 0}),
            Misuse(((3,), (4,)), "got num_layers 1 and hidden_size 0", {"size": 0}),
        ),
    ),
    stack("lstm", 2, True),
    stack("lstm", 2, True, (3, 3)),
    stack("gru", 2, False),
    stack("gru", 2, True),
    stack("gru", 2, True, (3, 3)),
    stack("rnnTanh", 3, False),
    stack("rnnTanh", 2, True),
    stack("rnnReLU", 2, True),
)
