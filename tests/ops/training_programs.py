"""Small trainings around one operation: operands that lie in memory as graphs leave them, and
several ways to a loss.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse

import cntk as C
from tests.ops.op_case import ROWS, Apart, Built, Held, OpCase, Sparse

# Data before an operation of the graph that gives the operand, and that operation; None for
# operands it is not for.
Way = tuple[np.ndarray, Callable[[Any], Any]] | None


def as_it_is(data: np.ndarray) -> Way:
    return data, lambda v: v


def transposed(data: np.ndarray) -> Way:
    """From axes in reverse, or as every other element."""
    rank = data.ndim - 1
    if rank < 2:
        pairs = np.stack([data, data + 1], -1)
        return pairs, lambda v: C.reshape(C.slice(v, rank, 0, 1), data.shape[1:])
    return data.transpose(0, *range(rank, 0, -1)), lambda v: C.transpose(
        v, tuple(range(rank - 1, -1, -1))
    )


def channels_last(data: np.ndarray) -> Way:
    """Images out of a convolution, which lie with channels last."""
    if data.ndim != 4:
        return None
    kernel = np.eye(data.shape[1]).reshape(data.shape[1], data.shape[1], 1, 1)
    return data, lambda v: C.convolution(C.constant(kernel), v, auto_padding=[False])


def sliced(data: np.ndarray) -> Way:
    """The inner part of a wider axis."""
    if data.ndim < 2:
        return None
    wide = np.concatenate([data[..., :1] + 1, data, data[..., :1] - 1], -1)
    return wide, lambda v: C.slice(v, data.ndim - 2, 1, data.shape[-1] + 1)


def broadcast(data: np.ndarray) -> Way:
    """The same for the whole last axis."""
    if data.ndim < 2:
        return None
    return data[..., :1], lambda v: C.splice(*[v] * data.shape[-1], axis=data.ndim - 2)


def reshaped(data: np.ndarray) -> Way:
    return data.reshape(len(data), -1), lambda v: C.reshape(v, data.shape[1:])


WAYS = (as_it_is, transposed, channels_last, sliced, broadcast, reshaped)


def weights(*shape: int) -> np.ndarray:
    return np.random.default_rng(list(shape)).uniform(0.3, 0.8, shape)


def size(f: Any) -> int:
    return int(np.prod(f.shape))


def dense(f: Any) -> Any:
    z = C.times(C.reshape(f, (size(f),)), C.parameter(init=weights(size(f), 2)))
    return C.reduce_sum(z * z)


def total(f: Any) -> Any:
    """Its gradient is one number everywhere."""
    return C.reduce_sum(f * C.parameter(init=weights(1)), axis=C.Axis.all_static_axes())


def turned(f: Any) -> Any:
    """Its gradient comes back transposed."""
    back = C.transpose(f, tuple(range(len(f.shape) - 1, -1, -1))) if len(f.shape) > 1 else f
    return C.reduce_sum(C.square(C.reshape(back, (size(f),))) * C.parameter(init=weights(size(f))))


def first_part(f: Any) -> Any:
    """Its gradient has zeros behind."""
    part = C.slice(f, len(f.shape) - 1, 0, 1) if f.shape else f
    return C.reduce_sum(
        C.square(part) * C.parameter(init=weights(1)), axis=C.Axis.all_static_axes()
    )


LOSSES = (dense, total, turned, first_part)


@dataclass
class Program:
    """Something to train.

    Attributes:
        output: what the operation gives.
        loss: what is minimised.
        feed: the data of each minibatch.
    """

    output: C.Function
    loss: C.Function
    feed: dict[Any, Any]


def is_learned(case: OpCase, k: int) -> bool:
    """Whether an operand has a gradient."""
    return not isinstance(case.inputs[k], Sparse) and (case.gradient is None or k in case.gradient)


def held(value: np.ndarray, way: Callable[[np.ndarray], Way]) -> Any:
    """A parameter that becomes an operand."""
    data, undo = way(value[None]) or (value[None], lambda v: v)
    return undo(C.parameter(init=np.array(data[0])))


def straight(
    case: OpCase, way: Callable[[np.ndarray], Way], loss: Callable[[Any], Any], alone: bool
) -> Program:
    """The operation between its operands and a loss.

    Args:
        case: the operation.
        way: how operands come about.
        loss: how the loss does.
        alone: whether a minibatch is one sample or sequence.
    """
    feed: dict[Any, Any] = {}
    operands = []
    for k, operand in enumerate(case.inputs):
        if isinstance(operand, Held):
            operands.append(held(operand.value, way))
            continue
        if isinstance(operand, Sparse):
            v = C.input_variable(operand.value.shape[1:], np.float64, is_sparse=True)
            feed[v] = scipy.sparse.csr_matrix(operand.value[:1] if alone else operand.value)
            operands.append(v)
            continue
        rows = np.concatenate(operand) if isinstance(operand, list) else operand
        # What may have special values, as labels, keeps them.
        data, undo = (way(rows) if way is not broadcast or is_learned(case, k) else None) or (
            rows,
            lambda v: v,
        )
        make = C.input_variable
        if isinstance(operand, list):
            make = C.sequence.input_variable
            data = np.split(data, np.cumsum([len(x) for x in operand])[:-1])  # type: ignore[assignment]
        if isinstance(operand, Apart):
            make = functools.partial(make, sequence_axis=C.Axis(f"axis{k}"))
        v = make(data[0].shape[1 if isinstance(data, list) else 0 :], np.float64)
        feed[v] = data[:1] if alone else data
        shifted = v + C.parameter(init=np.zeros(v.shape)) if is_learned(case, k) else v
        operands.append(undo(shifted))
    output = case.op(*operands, **case.kwargs).outputs[0]
    found = loss(output)
    if not feed:
        v = C.input_variable((), np.float64)
        feed[v], found = np.ones(3), found * v
    return Program(C.alias(output), found, feed)


def looped(case: OpCase, way: Callable[[np.ndarray], Way], lengths: Sequence[int]) -> Program:
    """The operation inside a recurrence, which its operands and its result depend on."""
    state = C.placeholder(())
    before = C.sequence.past_value(state, 0.2)
    feed: dict[Any, Any] = {}
    operands = []
    for k, operand in enumerate(case.inputs):
        if isinstance(operand, Held):
            operands.append(held(operand.value, way))
            continue
        assert isinstance(operand, np.ndarray)
        rows = np.stack(list(itertools.islice(itertools.cycle(operand), sum(lengths))))
        data, undo = (way(rows) if way is not broadcast or is_learned(case, k) else None) or (
            rows,
            lambda v: v,
        )
        v = C.sequence.input_variable(data.shape[1:], np.float64)
        feed[v] = np.split(data, np.cumsum(lengths)[:-1])
        shifted = v + C.parameter(init=np.zeros(v.shape)) if is_learned(case, k) else v
        operands.append(undo(shifted + before * (0.01 if is_learned(case, k) else 0)))
    output = case.op(*operands, **case.kwargs).outputs[0]
    column = C.parameter(init=weights(size(output), 1) / size(output))
    now = C.reshape(C.times(C.reshape(output, (size(output),)), column), ()) + 0.3 * before
    now = now.replace_placeholders({state: now.output})
    return Program(now, C.square(now), feed)


def fits_in_loop(case: OpCase) -> bool:
    """Whether a row's operation can be one of a loop's step."""
    return (
        case.count == ROWS
        and case.on_sequences
        and not case.has_sequences
        and not case.whole
        and not any(isinstance(x, Sparse) for x in case.inputs)
        and len(Built(case, as_frames=True).function.outputs[0].dynamic_axes) > 1
    )
