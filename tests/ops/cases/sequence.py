"""Rows of the products of tensors, of delays, and of the operations along sequences."""

from __future__ import annotations

from typing import Any

import numpy as np

import cntk as C
from tests.ops.op_case import LENGTHS, Apart, Misuse, OpCase, Sparse, held, numbers, sequences


def by_sequence(*shape: int, seed: int = 5) -> np.ndarray:
    """One row for each of the sequences that `sequences` makes."""
    return np.random.default_rng([seed, *shape]).uniform(-2, 2, (len(LENGTHS), *shape))


def one_hot(width: int) -> Sparse:
    rows = numbers(1)[:, 0]
    return Sparse(np.eye(width)[(np.abs(rows) * 100).astype(int) % width])


def weighted(width: int) -> Sparse:
    """Sparse rows of several entries, of none, and of one that is not 1."""
    rows = numbers(width)
    rows[np.abs(rows) < 1.2] = 0
    rows[2] = 0
    return Sparse(rows)


def shifted(x: np.ndarray, start: Any, steps: int) -> np.ndarray:
    """The frame ``steps`` earlier; ``start`` where there is none."""
    source = np.arange(len(x)) - steps
    present = (source >= 0) & (source < len(x))
    before = np.broadcast_to(np.asarray(start, x.dtype), x.shape)
    return np.where(
        present.reshape(-1, *(1,) * (x.ndim - 1)), x[np.clip(source, 0, len(x) - 1)], before
    )


def chosen(condition: np.ndarray) -> np.ndarray:
    """The frames that a condition selects: after each, as many as the numbers up to it come to,
    rounded up.
    """
    result: list[int] = []
    for place in range(len(condition)):
        while len(result) < condition[: place + 1].sum():
            result.append(place)
    return np.array(result)


def scattered(x: np.ndarray, condition: np.ndarray) -> np.ndarray:
    result = np.zeros((len(condition), *x.shape[1:]))
    for frame, place in zip(x, chosen(condition), strict=True):
        result[place] += frame
    return result


# At least one frame of each sequence is chosen: the engine, as the original, has no empty
# sequences.
FLAGS = [np.array([1.0]), np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.0, 1.0])]
COUNTS = [np.array([2.0]), np.array([0.0, 3.0, -1.0, 0.0]), np.array([0.0, 1.0])]
SHARES = [np.array([0.25]), np.array([0.75, 0.5, 0.5, 0.5]), np.array([1.5, 1.0])]

PRODUCTS = (
    OpCase(
        "times vector matrix",
        C.times,
        (numbers(3), held(3, 4)),
        lambda x, w: x @ w,
        errors=(
            Misuse(
                ((3,), (4, 2)),
                r"Times: the last axis of the left operand \(\[3\]\) and the first of the right",
            ),
            Misuse(((3,), (2,)), r"output rank", {"output_rank": 0}),
            Misuse(((3,), (2, 2)), r"output rank \(3\) is larger", {"output_rank": 3}),
            Misuse(((3,), (2, 3, 4)), r"summed over, and the left operand has only 1 axes"),
        ),
    ),
    OpCase(
        "times matrix matrix", C.times, (numbers(2, 3), held(3, 4)), lambda x, w: x @ w, free=(0,)
    ),
    OpCase(
        "times two axes",
        C.times,
        (numbers(5, 2, 3), held(2, 3, 4)),
        lambda x, w: np.tensordot(x, w, 2),
    ),
    OpCase(
        "times output rank 2",
        C.times,
        (numbers(3), held(3, 4, 2)),
        lambda x, w: np.tensordot(x, w, 1),
        kwargs={"output_rank": 2},
    ),
    OpCase(
        "times of two inputs", C.times, (numbers(2, 3), numbers(3, 4, seed=8)), lambda x, y: x @ y
    ),
    OpCase("times parameter first", C.times, (held(2, 3), numbers(3, 4)), lambda w, y: w @ y),
    OpCase("times outer", C.times, (numbers(3), numbers(4, seed=8)), np.outer),
    OpCase("times parameters", C.times, (held(2, 3), held(3, 4, seed=9)), lambda v, w: v @ w),
    OpCase("times one-hot", C.times, (one_hot(5), held(5, 4)), lambda x, w: x @ w, gradient=(1,)),
    OpCase("times sparse", C.times, (weighted(5), held(5, 4)), lambda x, w: x @ w, gradient=(1,)),
    OpCase(
        "times sparse output rank 2",
        C.times,
        (weighted(5), held(5, 2, 3)),
        lambda x, w: np.tensordot(x, w, 1),
        kwargs={"output_rank": 2},
        gradient=(1,),
    ),
    OpCase(
        "times row to each frame",
        C.times,
        (sequences(2, 3), by_sequence(3, 4)),
        lambda x, y: x @ y,
        on_sequences=False,
    ),
    OpCase(
        "times summed over the sequence",
        C.times,
        (sequences(2), sequences(3, seed=8)),
        lambda x, y: np.einsum("ta,tb->ab", x, y),
        kwargs={
            "infer_input_rank_to_map": C.TIMES_REDUCE_SEQUENCE_AXIS_WITHOUT_INFERRED_INPUT_RANK
        },
    ),
    OpCase(
        "times_transpose",
        C.times_transpose,
        (numbers(2, 3), held(4, 3)),
        lambda x, w: x @ w.T,
        errors=(
            Misuse(
                ((3,), (4, 2)),
                r"TransposeTimes: the last axes of the operands \(3 and 2\) must agree",
            ),
        ),
    ),
    OpCase(
        "times_transpose vector",
        C.times_transpose,
        (held(2, 3), numbers(3)),
        lambda w, x: (w @ x)[:, None],
    ),
    OpCase(
        "times_transpose of inputs",
        C.times_transpose,
        (numbers(2, 3), numbers(4, 3, seed=8)),
        lambda x, y: x @ y.T,
    ),
)

DELAYS = (
    OpCase(
        "past_value",
        C.sequence.past_value,
        (sequences(2, 3),),
        lambda x: shifted(x, 0, 1),
        errors=(
            Misuse(((3,),), r"PastValue: a delay needs an operand with a sequence axis"),
            Misuse(
                ((3,),),
                r"PastValue: the time step must be an integer of at least 1, got 0",
                {"time_step": 0},
            ),
        ),
    ),
    OpCase(
        "past_value number",
        C.sequence.past_value,
        (sequences(3),),
        lambda x: shifted(x, 0.5, 2),
        kwargs={"initial_state": 0.5, "time_step": 2},
    ),
    OpCase(
        "past_value vector",
        C.sequence.past_value,
        (sequences(3), held(3)),
        lambda x, start: shifted(x, start, 1),
    ),
    OpCase(
        "past_value row",
        C.sequence.past_value,
        (sequences(3), by_sequence(3)),
        lambda x, start: shifted(x, start, 1),
    ),
    OpCase(
        "future_value",
        C.sequence.future_value,
        (sequences(3),),
        lambda x: shifted(x, 0, -1),
        errors=(Misuse(((3,),), r"FutureValue: a delay needs an operand with a sequence axis"),),
    ),
    OpCase(
        "future_value row",
        C.sequence.future_value,
        (sequences(2, 3), by_sequence(2, 3)),
        lambda x, start: shifted(x, start, -3),
        kwargs={"time_step": 3},
    ),
)

NEEDS_SEQUENCE = Misuse(
    ((3,),),
    r"expected an operand with a sequence axis; make its input with sequence.input_variable",
)

ALONG = (
    OpCase(
        "sequence.first",
        C.sequence.first,
        (sequences(2, 3),),
        lambda x: x[0],
        errors=(NEEDS_SEQUENCE,),
    ),
    OpCase(
        "sequence.last",
        C.sequence.last,
        (sequences(2, 3),),
        lambda x: x[-1],
        errors=(NEEDS_SEQUENCE,),
    ),
    OpCase(
        "sequence.slice last frame",
        C.sequence.slice,
        (sequences(3),),
        lambda x: x[-1],
        kwargs={"begin_index": -1, "end_index": 0},
        errors=(
            Misuse(
                ((3,),),
                r"expected an operand with a sequence axis",
                {"begin_index": 1, "end_index": 3},
            ),
        ),
    ),
    OpCase(
        "sequence.slice middle",
        C.sequence.slice,
        (sequences(3, lengths=(3, 5, 2)),),
        lambda x: x[1:4],
        kwargs={"begin_index": 1, "end_index": 4},
    ),
    OpCase(
        "sequence.slice frame",
        C.sequence.slice,
        (sequences(3, lengths=(3, 5, 2)),),
        lambda x: x[1],
        kwargs={"begin_index": 1, "end_index": 2},
    ),
    OpCase(
        "sequence.reduce_sum",
        C.sequence.reduce_sum,
        (sequences(2, 3),),
        lambda x: x.sum(0),
        errors=(NEEDS_SEQUENCE,),
    ),
    OpCase(
        "sequence.reduce_max",
        C.sequence.reduce_max,
        (sequences(2, 3),),
        lambda x: x.max(0),
        errors=(NEEDS_SEQUENCE,),
    ),
    OpCase(
        "sequence.reduce_max ties",
        C.sequence.reduce_max,
        ([np.array([[1.0], [3.0], [3.0]]), np.array([[2.0]])],),
        lambda x: x.max(0),
        slope=lambda x, g: (np.where(x == x.max(0), g, 0.0),),
    ),
    OpCase(
        "sequence.softmax",
        C.sequence.softmax,
        (sequences(2, 3),),
        lambda x: np.exp(x) / np.exp(x).sum(0),
        errors=(NEEDS_SEQUENCE,),
    ),
    OpCase(
        "sequence.is_first",
        C.sequence.is_first,
        (sequences(3),),
        lambda x: np.eye(len(x))[0],
        errors=(NEEDS_SEQUENCE,),
    ),
    OpCase(
        "sequence.is_last",
        C.sequence.is_last,
        (sequences(3),),
        lambda x: np.eye(len(x))[-1],
        errors=(NEEDS_SEQUENCE,),
    ),
    OpCase(
        "sequence.broadcast_as",
        C.sequence.broadcast_as,
        (by_sequence(3), sequences(2)),
        lambda y, x: np.tile(y, (len(x), 1)),
    ),
    OpCase(
        "reconcile_dynamic_axes",
        C.reconcile_dynamic_axes,
        (by_sequence(2, 3), sequences(2)),
        lambda y, x: np.tile(y, (len(x), 1, 1)),
    ),
    *(
        OpCase(
            f"sequence.where {what}",
            C.sequence.where,
            (condition,),
            lambda c: chosen(c).astype(float),
            slope=lambda c, g: (np.zeros_like(c),),
            errors=(NEEDS_SEQUENCE,),
        )
        for what, condition in (("flags", FLAGS), ("counts", COUNTS), ("shares", SHARES))
    ),
    *(
        OpCase(
            f"sequence.gather {what}",
            C.sequence.gather,
            (sequences(2, 3), condition),
            lambda x, c: x[chosen(c)],
            gradient=(0,),
            errors=(
                Misuse(((3,), ()), r"Sequence::Gather: expected an operand with a sequence axis"),
            ),
        )
        for what, condition in (("flags", FLAGS), ("counts", COUNTS), ("shares", SHARES))
    ),
    *(
        OpCase(
            f"sequence.scatter {what}",
            C.sequence.scatter,
            (Apart(sequences(2, 3, lengths=[len(chosen(c)) for c in condition])), condition),
            scattered,
            gradient=(0,),
            errors=(
                Misuse(((3,), ()), r"Sequence::Scatter: expected an operand with a sequence axis"),
            ),
        )
        for what, condition in (("flags", FLAGS), ("counts", COUNTS))
    ),
    OpCase(
        "sequence.broadcast_as of single frames",
        C.sequence.broadcast_as,
        (Apart(sequences(3, lengths=(1, 1, 1))), sequences(2)),
        lambda y, x: np.tile(y, (len(x), 1)),
    ),
    OpCase(
        "reconcile_dynamic_axes of another sequence",
        C.reconcile_dynamic_axes,
        (Apart(sequences(3)), sequences(2)),
        lambda y, x: y,
    ),
    OpCase(
        "reconcile_dynamic_axes of single frames",
        C.reconcile_dynamic_axes,
        (sequences(3, lengths=(1,) * 7), numbers(2)),
        lambda y, x: y[0],
    ),
)

CASES = (*PRODUCTS, *DELAYS, *ALONG)
