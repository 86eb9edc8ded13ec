"""Attention between sequences of different length.

The original has none but what programs build of `sequence.unpack`; files hold it as such a graph.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cntk._arguments import as_bool, as_number, as_share
from cntk._graph.composite import Composite
from cntk._graph.op import Reach, RunKernel, StreamKernel
from cntk._graph.primitive import Primitive
from cntk._graph.types import TensorType
from cntk._graph.variable import Variable
from cntk._ops.math.arithmetic import ElementTimes
from cntk._ops.math.comparison import LessEqual, Select
from cntk._ops.math.reduction import ReduceElements
from cntk._ops.math.softmax import softmax
from cntk._ops.nn.dropout import Dropout, check_rate, drop_elements
from cntk._ops.random.distribution import as_seed
from cntk._ops.sequence.lengths import positions_of
from cntk._ops.shape.packed import need_sequence
from cntk._ops.shape.reconcile import ReconcileDynamicAxis
from cntk._ops.shape.reshape import Reshape
from cntk._ops.shape.slicing import Slice
from cntk._ops.shape.unpack import UnpackSequence
from cntk._ops.support.composite_op import Fused, compose_fused, constants_of
from cntk._ops.support.operands import apply, as_operand
from cntk._runtime.context import RunContext
from cntk._runtime.random.seeds import SentinelValueForAutoSelectRandomSeed
from cntk._runtime.random.streams import RandomStream
from cntk.axis import Axis
from cntk.errors import GraphError
from cntk.variables import Constant

__all__ = ["scaled_dot_product_attention"]

# Scores of frames that must not be looked at, before the softmax.
_NEVER = -1e30


@dataclass(frozen=True)
class Attention(Fused):
    """Attention: for each frame of a query, the mean of a value's frames, weighted by the match of
    their keys.

    Its operands are query, key and value; or the query, and key and value together, one after
    another along a first axis; or all three together.

    Attributes:
        scale: by which the products of queries and keys are multiplied.
        causal: whether a frame looks only at frames that do not stand later than itself.
        dropout_rate: the share of weights set to zero while training.
        rng_seed: seed of the random numbers for that.
        rng_offset: how many of them were drawn before the function was saved.
    """

    scale: float
    causal: bool = False
    dropout_rate: float = 0.0
    rng_seed: int = 0
    rng_offset: int = 0

    op_name = "Sequence::Attention"
    reads_operands = True
    constants = ("scale",)
    settable = ("dropoutRate", "rngSeed")
    # Each drops weights of its own.
    pure = False
    reach = Reach.WHOLE

    def check(self) -> None:
        super().check()
        check_rate(self.dropout_rate)

    def infer(self, *operands: TensorType) -> TensorType:
        for operand in operands:
            need_sequence(operand)
        if operands[-1].dynamic_axes != operands[-2 if len(operands) > 2 else -1].dynamic_axes:
            raise GraphError("key and value must lie on the same sequence axis")
        query, key, value = _apart(operands)
        if not 1 <= query.rank <= 2 or key.rank != query.rank or value.rank != query.rank:
            raise GraphError(
                "query, key and value must be vectors, or matrices with a row for each head"
            )
        if query.shape != key.shape and min(*query.shape, *key.shape) >= 0:
            raise GraphError("query and key must have the same shape")
        if value.shape[:-1] != query.shape[:-1] and min(*query.shape, *value.shape) >= 0:
            raise GraphError("query and value must have the same number of heads")
        return query.dense().with_shape((*query.shape[:-1], value.shape[-1]))

    def lower(self, *operands: TensorType) -> RunKernel | StreamKernel:
        ours, theirs = operands[0].dynamic_axes, operands[-1].dynamic_axes
        query, _, value = _apart(operands)
        heads = query.shape[0] if query.rank > 1 else 1
        width = heads * max(query.shape[-1], value.shape[-1])
        # Each operand's axes: the frames, what it holds of query, key and value, heads, elements.
        rows = [(-1, *x.shape[: x.rank - query.rank], heads, x.shape[-1]) for x in operands]

        def compute(run: RunContext, stream: RandomStream | None, *tensors: Tensor) -> Tensor:
            asking, asked = run.layout(ours), run.layout(theirs)
            if not asking.frames:
                return tensors[0].new_zeros((0, *query.shape[:-1], value.shape[-1]))
            buckets = asking.length_buckets(asked, width)
            # With causal attention no frame sees padding: it follows all frames.
            masks = (
                (None,) * len(buckets.masks)
                if self.causal and buckets.first is buckets.second
                else buckets.masks
            )
            parts = [
                blocks.split(x.reshape(shape))
                for x, shape, blocks in zip(
                    tensors,
                    rows,
                    (buckets.first, *(buckets.second,) * (len(tensors) - 1)),
                    strict=True,
                )
            ]
            results = [
                self._attend(run, stream, _unbound(tensors_of_bucket), mask)
                for tensors_of_bucket, mask in zip(zip(*parts, strict=True), masks, strict=True)
            ]
            return buckets.first.join(results).reshape(-1, *query.shape[:-1], value.shape[-1])

        if self.dropout_rate == 0:
            return RunKernel(lambda run, *tensors: compute(run, None, *tensors))
        return StreamKernel(compute, lambda: RandomStream(self.rng_seed, self.rng_offset))

    def _attend(
        self,
        run: RunContext,
        stream: RandomStream | None,
        frames: list[Tensor],
        mask: Tensor | None,
    ) -> Tensor:
        """Compute attention of padded blocks ``[sequences, length, heads, size]``.

        Args:
            run: whether weights are dropped, and the random numbers for it.
            stream: where those come from; None if nothing is ever dropped.
            frames: query, key and value.
            mask: which of the keys are there, ``[sequences, length]``; all if None.
        """
        query, key, value = (x.transpose(1, 2) for x in frames)
        visible = None if mask is None else mask[:, None, None]
        if stream is None or not run.training:
            if self.causal and visible is not None:
                visible = visible & _earlier(query, key)
            result = torch.nn.functional.scaled_dot_product_attention(
                query,
                key,
                value,
                visible,
                is_causal=self.causal and visible is None,
                scale=self.scale,
            )
            return result.transpose(1, 2)
        scores = torch.matmul(query, key.transpose(-1, -2)) * self.scale
        if self.causal:
            visible = _earlier(query, key) if visible is None else visible & _earlier(query, key)
        if visible is not None:
            scores = scores.masked_fill(~visible, _NEVER)
        weights = drop_elements(run, stream, torch.softmax(scores, -1), self.dropout_rate)
        return torch.matmul(weights, value).transpose(1, 2)

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        if not all(v.type_.has_shape for v in operands):
            raise GraphError("the operands' number of static axes must be known")
        query, key, value = _variables_apart(operands)
        rank, dtype = query.type_.rank, query.type_.dtype

        def on_query(x: Any) -> Composite:
            return apply(ReconcileDynamicAxis(), (x, query))

        keys, present = (on_query(v) for v in apply(UnpackSequence(0.0, False), (key,)).outputs)
        values = on_query(apply(UnpackSequence(0.0, True), (value,)))
        fit = apply(ReduceElements("Sum", True, Axis(-1)), (apply(ElementTimes(), (keys, query)),))
        scores = apply(ElementTimes(), (fit, Constant(self.scale, dtype=dtype)))
        if self.causal:
            key_positions = on_query(apply(UnpackSequence(0.0, True), (positions_of(key),)))
            present = apply(
                ElementTimes(), (present, apply(LessEqual(), (key_positions, positions_of(query))))
            )
        shown = apply(Reshape((-1, *(1,) * rank), Axis(-1), Axis(-2)), (present,))
        weights = softmax(
            apply(Select(), (shown, scores, Constant(_NEVER, dtype=dtype))), Axis(-1 - rank)
        )
        if self.dropout_rate:
            weights = apply(Dropout(self.dropout_rate, self.rng_seed, self.rng_offset), (weights,))
        summed = apply(
            ReduceElements("Sum", True, Axis(-1 - rank)),
            (apply(ElementTimes(), (weights, values)),),
        )
        return apply(
            Reshape((*query.shape[:-1], value.shape[-1]), Axis(-1), Axis(-2 - rank)), (summed,)
        )

    @classmethod
    def guesses(cls, inside: Sequence[Primitive]) -> Iterable[Attention]:
        causal = any(isinstance(p.op, LessEqual) for p in inside)
        dropout = next((p.op for p in inside if isinstance(p.op, Dropout)), Dropout())
        drawn = (dropout.dropout_rate, dropout.rng_seed, dropout.rng_offset)
        return [cls(scale, causal, *drawn) for scale in constants_of(inside, ElementTimes)]


def _apart(operands: Sequence[TensorType]) -> list[TensorType]:
    """Split the operands' types into query, key and value; the last operand may hold several."""
    *alone, last = operands
    count = 3 - len(alone)
    if count == 1:
        return [*alone, last]
    if last.rank == 0 or last.shape[0] != count >= 0 <= last.shape[0]:
        what = "key and value" if count == 2 else "query, key and value"
        raise GraphError(f"{what} in one operand need a first axis of {count} elements")
    return [*alone, *(last.with_shape(last.shape[1:]),) * count]


def _variables_apart(operands: Sequence[Variable]) -> list[Variable]:
    """Split operands into query, key and value by operations of the graph; see `_apart`."""
    *alone, last = operands
    count = 3 - len(alone)
    if count == 1:
        return list(operands)
    rank = last.type_.rank
    # Counted from the last axis, as files do.
    drop = Reshape(last.shape[1:], Axis(-1), Axis(-1 - rank))
    parts = (apply(Slice(Axis(-rank), k, k + 1, 1), (last,)) for k in range(count))
    return [*alone, *(apply(drop, (part,)).output for part in parts)]


def _unbound(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Split tensors into query, key and value ``[sequences, length, heads, size]``; the last one
    may hold several.
    """
    *alone, last = tensors
    return [*alone, *(last.unbind(2) if last.dim() > 4 else [last])]


def _earlier(query: Tensor, key: Tensor) -> Tensor:
    """Return a causal mask: which keys are not later than each query, bool ``[queries, keys]``."""
    shape = (query.shape[-2], key.shape[-2])
    return torch.ones(shape, dtype=torch.bool, device=query.device).tril_()


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    causal: bool = False,
    scale: float | None = None,
    dropout_rate: float = 0.0,
    seed: int = SentinelValueForAutoSelectRandomSeed,
    name: str = "",
) -> Composite:
    """Compute attention between sequences (Vaswani et al., 2017). An addition: the original has
    none.

    Each frame of the query gets the sum of the value's frames, weighted by the softmax of ``scale``
    times the products of the query with the keys. Sequences of a batch do not see each other, and
    long ones are not padded: each is a call of torch's kernel on the frames in place. Short
    ones of similar length share a call.

    Args:
        query: a sequence of vectors ``[size]``, or ``[heads, size]`` for several heads beside each
            other.
        key: a sequence of the same shape; it may be on another sequence axis.
        value: a sequence ``[out]`` or ``[heads, out]`` on the key's axis.
        causal: whether a frame looks only at the frames of the value that stand no later in their
            sequence than the frame in its own.
        scale: 1 / sqrt(size) if not given; ``size`` must be known then.
        dropout_rate: probability of a weight to be set to zero while training, from 0 to less than
            1; those that stay are divided by 1 minus it.
        seed: seed of the random numbers for that; chosen if not given.
        name: its name in the graph.

    Returns:
        A function of shape ``[out]`` or ``[heads, out]`` on the query's axes.

    Raises:
        GraphError: if an operand is no sequence, key and value are on different axes, or the shapes
            do not fit.
        ValueError: if the rate is not in [0, 1).

    Example:
        >>> import cntk as C
        >>> source, target = C.Axis("source"), C.Axis("target")
        >>> memory = C.sequence.input_variable(2, sequence_axis=source)
        >>> query = C.sequence.input_variable(2, sequence_axis=target)
        >>> attend = C.sequence.scaled_dot_product_attention(query, memory, memory)
        >>> attend.eval({query: [[[0, 0]]], memory: [[[1, 2], [3, 4]]]})
        [array([[2., 3.]], dtype=float32)]
    """
    if scale is None:
        shape = as_operand(query, op_name="sequence.scaled_dot_product_attention").shape
        if not shape or shape[-1] < 1:
            raise GraphError(
                "sequence.scaled_dot_product_attention: the query's size is not known yet; give "
                "the scale, or apply it to a query of known shape"
            )
        scale = 1 / math.sqrt(shape[-1])
    return attention((query, key, value), scale, causal, dropout_rate, seed, name)


def attention(
    operands: Sequence[Any],
    scale: float,
    causal: bool = False,
    dropout_rate: float = 0.0,
    seed: int = SentinelValueForAutoSelectRandomSeed,
    name: str = "",
) -> Composite:
    """Compute attention of operands that may hold several: all three in one, or key and value; see
    `Attention`.

    What comes out of one product stays together, and so does its gradient.
    """
    called = "sequence.scaled_dot_product_attention"
    rate = as_share(dropout_rate, f"{called}: dropout_rate")
    if rate or seed != SentinelValueForAutoSelectRandomSeed:
        seed = as_seed(seed, called)
    scale = as_number(scale, f"{called}: scale")
    op = Attention(scale, as_bool(causal, f"{called}: causal"), rate, seed if rate else 0)
    return compose_fused(op.op_name, op, operands, name, aligned=False)
