"""Rows of the operations along sequences that the original does not have."""

from __future__ import annotations

from typing import Any

import numpy as np

import cntk as C
from cntk._ops.sequence.attention import attention as packed_attention
from tests.ops.op_case import LENGTHS, Apart, Misuse, OpCase, sequences

NEEDS_SEQUENCE = Misuse(((3,),), r"expected an operand with a sequence axis")
OTHER_LENGTHS = (3, 1, 5)


def per_sequence(*shape: int) -> np.ndarray:
    """One row for each of the sequences that `sequences` makes."""
    return np.random.default_rng([6, *shape]).uniform(-2, 2, (len(LENGTHS), *shape))


def windows(x: np.ndarray, size: int, ahead: int = 0, padding: float = 0.0) -> np.ndarray:
    frame = x.shape[1:]
    margin = size + abs(ahead)
    padded = np.concatenate(
        [np.full((margin, *frame), padding), x, np.full((margin, *frame), padding)]
    )
    begins = [margin + t + ahead + 1 - size for t in range(len(x))]
    return np.stack([padded[b : b + size] for b in begins])


def attention(
    query: np.ndarray, key: np.ndarray, value: np.ndarray, causal: bool = False, scale: Any = None
) -> Any:
    if query.ndim == 3:
        heads = [
            attention(*(x[:, h] for x in (query, key, value)), causal, scale)
            for h in range(query.shape[1])
        ]
        return np.stack(heads, 1)
    scores = query @ key.T * (scale or query.shape[-1] ** -0.5)
    if causal:
        scores[np.arange(len(query))[:, None] < np.arange(len(key))] = -np.inf
    weights = np.exp(scores - scores.max(1, keepdims=True))
    return weights / weights.sum(1, keepdims=True) @ value


def waves(x: np.ndarray, base: float = 10000.0) -> np.ndarray:
    k = np.arange(x.shape[1])
    return np.sin(np.arange(len(x))[:, None] / base ** (k // 2 * 2 / len(k)) + k % 2 * np.pi / 2)


BY_LENGTH = (
    OpCase(
        "sequence.length",
        C.sequence.length,
        (sequences(2, 3),),
        lambda x: np.array(float(len(x))),
        errors=(NEEDS_SEQUENCE,),
    ),
    OpCase(
        "sequence.position",
        C.sequence.position,
        (sequences(2, 3),),
        lambda x: np.arange(float(len(x))),
        errors=(NEEDS_SEQUENCE,),
    ),
    OpCase(
        "sequence.positional_encoding",
        C.sequence.positional_encoding,
        (sequences(5),),
        waves,
        errors=(
            Misuse(((5,),), r"expected an operand with a sequence axis"),
            Misuse(((5,),), r"expected a positive base, got -1", {"base": -1}),
        ),
    ),
    OpCase(
        "sequence.positional_encoding with another base",
        C.sequence.positional_encoding,
        (sequences(4),),
        lambda x: waves(x, 12.5),
        kwargs={"base": 12.5},
    ),
    OpCase(
        "sequence.reduce_mean",
        C.sequence.reduce_mean,
        (sequences(2, 3),),
        lambda x: x.mean(0),
        errors=(NEEDS_SEQUENCE,),
    ),
    OpCase(
        "sequence.reduce_mean of equally long ones",
        C.sequence.reduce_mean,
        (sequences(2, 3, lengths=(4, 4, 4)),),
        lambda x: x.mean(0),
    ),
    OpCase(
        "sequence.reverse",
        C.sequence.reverse,
        (sequences(2, 3),),
        lambda x: x[::-1],
        errors=(NEEDS_SEQUENCE,),
    ),
    OpCase(
        "sequence.stride",
        C.sequence.stride,
        (sequences(2, 3, lengths=(1, 7, 6)),),
        lambda x: x[::3],
        kwargs={"step": 3},
        errors=(
            Misuse(((3,),), r"expected an operand with a sequence axis", {"step": 2}),
            Misuse(((3,),), r"the step must be an integer of at least 1, got 0", {"step": 0}),
            Misuse(((3,),), r"the step must be an integer of at least 1, got 1.5", {"step": 1.5}),
        ),
    ),
    OpCase(
        "sequence.stride 1", C.sequence.stride, (sequences(3),), lambda x: x, kwargs={"step": 1}
    ),
)

TOGETHER = (
    OpCase(
        "sequence.join",
        C.sequence.join,
        (sequences(2, 3), Apart(sequences(2, 3, lengths=OTHER_LENGTHS, seed=9))),
        lambda x, y: np.concatenate([x, y]),
        errors=(
            Misuse(((3,), (3,)), r"Sequence::Join: at least one of the two must be a sequence"),
        ),
    ),
    OpCase(
        "sequence.join of the same axis",
        C.sequence.join,
        (sequences(3), sequences(3, seed=9)),
        lambda x, y: np.concatenate([x, y]),
    ),
    OpCase(
        "sequence.join of equally long ones",
        C.sequence.join,
        (sequences(3, lengths=(2, 2, 2)), Apart(sequences(3, lengths=(4, 4, 4), seed=9))),
        lambda x, y: np.concatenate([x, y]),
    ),
    OpCase(
        "sequence.join frame before",
        C.sequence.join,
        (per_sequence(3), sequences(3)),
        lambda x, y: np.concatenate([x[None], y]),
    ),
    OpCase(
        "sequence.join frame behind",
        C.sequence.join,
        (sequences(3), per_sequence(3)),
        lambda x, y: np.concatenate([x, y[None]]),
    ),
    OpCase(
        "sequence.window",
        C.sequence.window,
        (sequences(2, 3),),
        lambda x: windows(x, 3),
        kwargs={"size": 3},
        errors=(
            Misuse(((3,),), r"expected an operand with a sequence axis", {"size": 2}),
            Misuse(((3,),), r"the size must be an integer of at least 1, got 0", {"size": 0}),
        ),
    ),
    OpCase(
        "sequence.window around",
        C.sequence.window,
        (sequences(3),),
        lambda x: windows(x, 5, 2, -1.5),
        kwargs={"size": 5, "ahead": 2, "padding": -1.5},
    ),
    OpCase(
        "sequence.window ahead",
        C.sequence.window,
        (sequences(3),),
        lambda x: windows(x, 2, 3, 0.5),
        kwargs={"size": 2, "ahead": 3, "padding": 0.5},
    ),
    OpCase(
        "sequence.window behind",
        C.sequence.window,
        (sequences(3),),
        lambda x: windows(x, 2, -1, 0.5),
        kwargs={"size": 2, "ahead": -1, "padding": 0.5},
    ),
    OpCase(
        "sequence.window of one",
        C.sequence.window,
        (sequences(3),),
        lambda x: x[:, None],
        kwargs={"size": 1},
    ),
)

ATTENTION_MISUSES = (
    Misuse(((3,), (3,), (3,)), r"Sequence::Attention: expected an operand with a sequence axis"),
    Misuse(
        ((3,), (3,), (3,)),
        r"dropout_rate must be in the interval \[0, 1\), got 1",
        {"dropout_rate": 1},
    ),
)
ATTENTION = (
    OpCase(
        "sequence.scaled_dot_product_attention",
        C.sequence.scaled_dot_product_attention,
        (sequences(3), sequences(3, seed=8), sequences(2, seed=9)),
        attention,
        tolerance=1e-7,
        errors=ATTENTION_MISUSES,
    ),
    OpCase(
        "sequence.scaled_dot_product_attention causal",
        C.sequence.scaled_dot_product_attention,
        (sequences(3), sequences(3, seed=8), sequences(2, seed=9)),
        lambda q, k, v: attention(q, k, v, causal=True),
        kwargs={"causal": True},
        tolerance=1e-7,
    ),
    OpCase(
        "sequence.scaled_dot_product_attention of equally long ones",
        C.sequence.scaled_dot_product_attention,
        tuple(sequences(4, lengths=(3, 3), seed=k) for k in (3, 8, 9)),
        lambda q, k, v: attention(q, k, v, scale=0.3),
        kwargs={"scale": 0.3},
        tolerance=1e-7,
    ),
    OpCase(
        "sequence.scaled_dot_product_attention with heads",
        C.sequence.scaled_dot_product_attention,
        (
            sequences(2, 3, lengths=(1, 4, 1, 4)),
            *(sequences(2, n, lengths=(1, 4, 1, 4), seed=n) for n in (3, 5)),
        ),
        attention,
        tolerance=1e-7,
    ),
)


def attend_together(*operands: Any, causal: bool = False) -> Any:
    """Query, key and value in fewer than three operands."""
    return packed_attention(operands, scale=0.5, causal=causal)


TOGETHER_IN_ONE = (
    OpCase(
        "attention with all in one operand",
        attend_together,
        (sequences(3, 2, 4),),
        lambda x: attention(*x.swapaxes(0, 1), scale=0.5),
        tolerance=1e-7,
        errors=(
            Misuse(((3, 2),), "Sequence::Attention: expected an operand with a sequence axis"),
        ),
    ),
    OpCase(
        "attention with all in one operand, causal, without heads",
        attend_together,
        (sequences(3, 4, lengths=(3, 1, 5, 4, 2)),),
        lambda x: attention(*x.swapaxes(0, 1), causal=True, scale=0.5),
        kwargs={"causal": True},
        tolerance=1e-7,
    ),
    OpCase(
        "attention to key and value in one operand on another axis",
        attend_together,
        (
            sequences(2, 3, lengths=(1, 4, 2, 4)),
            Apart(sequences(2, 2, 3, lengths=(3, 1, 5, 1), seed=8)),
        ),
        lambda q, kv: attention(q, *kv.swapaxes(0, 1), scale=0.5),
        tolerance=1e-7,
    ),
    OpCase(
        "attention to key and value in one operand on another axis, causal",
        attend_together,
        (
            sequences(2, 3, lengths=(1, 4, 2, 4)),
            Apart(sequences(2, 2, 3, lengths=(3, 2, 5, 1), seed=8)),
        ),
        lambda q, kv: attention(q, *kv.swapaxes(0, 1), causal=True, scale=0.5),
        kwargs={"causal": True},
        tolerance=1e-7,
    ),
)


def attend_apart(query: Any, memory: Any) -> Any:
    """Keys and values made of a sequence on another axis."""
    return C.sequence.scaled_dot_product_attention(query, memory, C.tanh(memory))


APART = (
    OpCase(
        "sequence.scaled_dot_product_attention to another axis",
        attend_apart,
        (sequences(3, lengths=(1, 4, 2, 4)), Apart(sequences(3, lengths=(3, 1, 5, 1), seed=8))),
        lambda q, m: attention(q, m, np.tanh(m)),
        tolerance=1e-7,
    ),
    OpCase(
        "sequence.scaled_dot_product_attention with heads to another axis",
        attend_apart,
        (sequences(2, 3), Apart(sequences(2, 3, lengths=OTHER_LENGTHS, seed=8))),
        lambda q, m: attention(q, m, np.tanh(m)),
        tolerance=1e-7,
    ),
)

CASES = (*BY_LENGTH, *TOGETHER, *ATTENTION, *TOGETHER_IN_ONE, *APART)
