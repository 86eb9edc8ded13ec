"""Rows of the operations that turn sequence and batch axes into static ones and back.

What has a free axis is reduced to definite sizes here; `test_unpack.py` looks at the axes
themselves.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import cntk as C
from tests.ops.op_case import LENGTHS, Apart, Misuse, OpCase, numbers, sequences

FRAMES = np.random.default_rng(11).uniform(-2, 2, (len(LENGTHS), 5, 2))


def summed_squares(x: Any) -> Any:
    """The unpacked frames with what stands behind them, squared and summed."""
    return C.reduce_sum(
        C.square(C.sequence.unpack(x, 3.0, no_mask_output=True)), axis=0, keepdims=False
    )


def mean_frame(x: Any) -> Any:
    """The mean over the frames alone, by the mask."""
    values, mask = C.sequence.unpack(x, 100.0).outputs
    mask = C.reshape(mask, (C.InferredDimension, 1))
    return C.reduce_sum(values * mask, axis=0) / C.reduce_sum(mask, axis=0)


def attended(query: Any, memory: Any) -> Any:
    """Each frame of one sequence's sum of another's frames, weighted by how they fit: as programs
    write attention.
    """
    values, mask = C.sequence.unpack(memory, 0.0).outputs
    keys = C.sequence.broadcast_as(values, query)
    present = C.sequence.broadcast_as(mask, query)
    scores = C.times_transpose(query, keys)
    weights = C.softmax(C.element_select(present, scores, C.constant(-1e30)))
    return C.times(weights, keys)


def attention(query: np.ndarray, memory: np.ndarray) -> np.ndarray:
    scores = query @ memory.T
    weights = np.exp(scores - scores.max(1, keepdims=True))
    return weights / weights.sum(1, keepdims=True) @ memory


CASES = (
    OpCase(
        "sequence.unpack",
        summed_squares,
        (sequences(2, 3, lengths=(4, 4, 4)),),
        lambda x: (x**2).sum(0),
        errors=(Misuse(((3,),), r"UnpackSequenceOp: expected an operand with a sequence axis"),),
    ),
    OpCase("sequence.unpack and mask", mean_frame, (sequences(3),), lambda x: x.mean(0)[None]),
    OpCase(
        "sequence.unpack for attention",
        attended,
        (sequences(3), Apart(sequences(3, lengths=(3, 2, 5), seed=8))),
        attention,
        tolerance=1e-7,
    ),
    OpCase(
        "to_sequence",
        C.to_sequence,
        (FRAMES,),
        lambda x: x,
        errors=(
            Misuse(((),), r"ToSequenceOp: to_sequence: the operand is a number"),
            Misuse(((5, 2), (3,)), r"the sequence lengths must be one number for each sequence"),
        ),
    ),
    OpCase(
        "to_sequence lengths",
        C.to_sequence,
        (FRAMES, np.array([5.0, 1.0, 3.0])),
        lambda x, n: x[: int(n)],
        gradient=(0,),
    ),
    OpCase(
        "to_sequence_like",
        C.to_sequence_like,
        (FRAMES, sequences(3)),
        lambda x, like: x[: len(like)],
        errors=(
            Misuse(((5, 2), (3,)), r"ToSequenceLikeOp: expected an operand with a sequence axis"),
            Misuse(((), (3,)), r"to_sequence_like: the operand is a number and has no axis"),
        ),
    ),
    OpCase(
        "to_sequence_like of unpacked",
        lambda x: C.to_sequence_like(C.sequence.unpack(x, 9.0, True) * 2, x),
        (sequences(2, 3),),
        lambda x: 2 * x,
    ),
    OpCase(
        "unpack_batch and to_batch",
        lambda x: C.to_batch(C.unpack_batch(x) * 2),
        (numbers(2, 3),),
        lambda x: 2 * x,
        on_sequences=False,
    ),
    OpCase(
        "unpack_batch",
        lambda x: C.reduce_mean(C.unpack_batch(x), axis=0),
        (numbers(2, 3),),
        lambda x: x.mean(0, keepdims=True),
        whole=True,
    ),
)
