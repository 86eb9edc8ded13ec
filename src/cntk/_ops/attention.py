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

from cntk._engine.layout import Layout
from cntk._engine.run import Run
from cntk._errors import GraphError
from cntk._graph.composite import Composite
from cntk._graph.op import RunKernel
from cntk._graph.primitive import Primitive
from cntk._graph.types import TensorType
from cntk._graph.variable import Variable
from cntk._ops.comparison import LessEqual, Select
from cntk._ops.composed import Fused, compose_fused, constants_of
from cntk._ops.elementwise import ElementTimes
from cntk._ops.operands import apply
from cntk._ops.packed import need_sequence
from cntk._ops.reconcile import ReconcileDynamicAxis
from cntk._ops.reduction import ReduceElements
from cntk._ops.sequence_shape import positions_of
from cntk._ops.shape import Reshape
from cntk._ops.softmax import softmax
from cntk._ops.unpack import UnpackSequence
from cntk.axis import Axis
from cntk.variables import Constant

__all__ = ["scaled_dot_product_attention"]

# Scores of frames that must not be looked at, before the softmax.
_NEVER = -1e30


@dataclass(frozen=True)
class Attention(Fused):
    """For each frame of a query the frames of a value, weighted by how their keys fit.

    Attributes:
        scale: by which the products of queries and keys are multiplied.
        causal: whether a frame looks only at frames that do not stand later than itself.
    """

    scale: float
    causal: bool = False

    op_name = "Sequence::Attention"

    def infer(self, *operands: TensorType) -> TensorType:
        query, key, value = operands
        for operand in operands:
            need_sequence(operand)
        if key.dynamic_axes != value.dynamic_axes:
            raise GraphError("key and value must lie on the same sequence axis")
        if not 1 <= query.rank <= 2 or key.rank != query.rank or value.rank != query.rank:
            raise GraphError("query, key and value must be vectors, or matrices with a row for each head")
        if query.shape != key.shape and min(*query.shape, *key.shape) >= 0:
            raise GraphError("query and key must have the same shape")
        if value.shape[:-1] != query.shape[:-1] and min(*query.shape, *value.shape) >= 0:
            raise GraphError("query and value must have the same number of heads")
        return query.dense().with_shape((*query.shape[:-1], value.shape[-1]))

    def lower(self, *operands: TensorType) -> RunKernel:
        ours, theirs = operands[0].dynamic_axes, operands[1].dynamic_axes
        heads = operands[0].rank > 1

        def compute(run: Run, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
            asking, asked = run.layout(ours), run.layout(theirs)
            frames = [x if heads else x.unsqueeze(1) for x in (query, key, value)]
            if asking.uniform and asked.uniform:
                result = self._attend(frames, asking.count, asking.longest, asked.longest)
            else:
                result = self._by_lengths(frames, asking, asked)
            return result if heads else result.squeeze(1)

        return RunKernel(compute)

    def _by_lengths(self, frames: list[Tensor], asking: Layout, asked: Layout) -> Tensor:
        """All sequences of the same two lengths in one call."""
        groups: dict[tuple[int, int], list[int]] = {}
        for number, lengths in enumerate(zip(asking.lengths, asked.lengths, strict=True)):
            groups.setdefault(lengths, []).append(number)
        order = [number for numbers in groups.values() for number in numbers]
        query_rows, key_rows = _rows(asking, order), _rows(asked, order)
        query, key, value = (
            x.index_select(0, rows) for x, rows in zip(frames, (query_rows, key_rows, key_rows), strict=True)
        )
        queries = query.split([n * len(numbers) for (n, _), numbers in groups.items()])
        sizes = [m * len(numbers) for (_, m), numbers in groups.items()]
        keys, values = key.split(sizes), value.split(sizes)
        parts = [
            self._attend([q, k, v], len(numbers), *lengths)
            for (lengths, numbers), q, k, v in zip(groups.items(), queries, keys, values, strict=True)
        ]
        back = torch.empty_like(query_rows)
        back[query_rows] = torch.arange(asking.frames, device=query_rows.device)
        return torch.cat(parts).index_select(0, back)

    def _attend(self, frames: list[Tensor], count: int, length: int, other: int) -> Tensor:
        """Sequences of the same lengths: ``[count * length, heads, size]`` and ``[count * other, heads, size]``."""
        query, key, value = (
            x.reshape(count, n, *x.shape[1:]).transpose(1, 2)
            for x, n in zip(frames, (length, other, other), strict=True)
        )
        found = torch.nn.functional.scaled_dot_product_attention(
            query, key, value, is_causal=self.causal, scale=self.scale
        )
        return found.transpose(1, 2).reshape(count * length, *found.shape[1:2], found.shape[-1])

    def expand(self, *operands: Variable) -> Composite:
        query, key, value = operands
        if not all(v.type_.has_shape for v in operands):
            raise GraphError("the operands' number of static axes must be known")
        rank, dtype = query.type_.rank, query.type_.dtype

        def on_query(x: Any) -> Composite:
            return apply(ReconcileDynamicAxis(), (x, query))

        keys, present = (on_query(v) for v in apply(UnpackSequence(0.0, False), (key,)).outputs)
        values = on_query(apply(UnpackSequence(0.0, True), (value,)))
        fit = apply(ReduceElements("Sum", True, Axis(-1)), (apply(ElementTimes(), (keys, query)),))
        scores = apply(ElementTimes(), (fit, Constant(self.scale, dtype=dtype)))
        if self.causal:
            places = on_query(apply(UnpackSequence(0.0, True), (positions_of(key),)))
            present = apply(ElementTimes(), (present, apply(LessEqual(), (places, positions_of(query)))))
        shown = apply(Reshape((-1, *(1,) * rank), Axis(-1), Axis(-2)), (present,))
        weights = softmax(apply(Select(), (shown, scores, Constant(_NEVER, dtype=dtype))), Axis(-1 - rank))
        summed = apply(ReduceElements("Sum", True, Axis(-1 - rank)), (apply(ElementTimes(), (weights, values)),))
        return apply(Reshape((*query.shape[:-1], value.shape[-1]), Axis(-1), Axis(-2 - rank)), (summed,))

    @classmethod
    def guesses(cls, inside: Sequence[Primitive]) -> Iterable[Attention]:
        causal = any(isinstance(p.op, LessEqual) for p in inside)
        return [cls(scale, causal) for scale in constants_of(inside, ElementTimes)]


def _rows(layout: Layout, order: list[int]) -> Tensor:
    """The frames of sequences in another order of the sequences."""
    sequences = torch.tensor(order, dtype=torch.int64, device=layout.device)
    lengths = layout.lengths_tensor[sequences]
    ends = torch.cumsum(lengths, 0)
    shift = torch.repeat_interleave(layout.first[sequences] - (ends - lengths), lengths, output_size=layout.frames)
    return shift + torch.arange(layout.frames, device=layout.device)


def scaled_dot_product_attention(
    query: Any, key: Any, value: Any, causal: bool = False, scale: float | None = None, name: str = ""
) -> Composite:
    """Attention between sequences (Vaswani et al., 2017). An addition: the original has none.

    Each frame of the query gets the sum of the value's frames, weighted by the softmax of ``scale`` times the products
    of the query with the keys. Nothing is padded: sequences are taken together where both their lengths are the same,
    each group in one call of torch's kernel, so many different lengths cost many calls.

    Args:
        query: a sequence of vectors ``[size]``, or ``[heads, size]`` for several heads beside each other.
        key: a sequence of the same shape; it may lie on another sequence axis.
        value: a sequence ``[out]`` or ``[heads, out]`` on the key's axis.
        causal: whether a frame looks only at the frames of the value that stand no later in their sequence than the
            frame in its own.
        scale: 1 / sqrt(size) if not given; ``size`` must be known then.
        name: its name in the graph.

    Returns:
        A function of shape ``[out]`` or ``[heads, out]`` on the query's axes.

    Raises:
        GraphError: if an operand is no sequence, key and value lie on different axes, or the shapes do not fit.

    Example:
        >>> import cntk as C
        >>> source, target = C.Axis('source'), C.Axis('target')
        >>> memory = C.sequence.input_variable(2, sequence_axis=source)
        >>> query = C.sequence.input_variable(2, sequence_axis=target)
        >>> attend = C.sequence.scaled_dot_product_attention(query, memory, memory)
        >>> attend.eval({query: [[[0, 0]]], memory: [[[1, 2], [3, 4]]]})
        [array([[2., 3.]], dtype=float32)]
    """
    if scale is None:
        shape = query.shape
        if not shape or shape[-1] < 1:
            raise GraphError(
                "sequence.scaled_dot_product_attention: the query's size is not known yet; give the scale, or apply it to "
                "a query of known shape"
            )
        scale = 1 / math.sqrt(shape[-1])
    op = Attention(float(scale), bool(causal))
    return compose_fused(op.op_name, op, (query, key, value), name, aligned=False)
