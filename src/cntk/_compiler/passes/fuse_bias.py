"""Add a bias in the call that computes what it is added to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cntk._compiler.ir import Node
from cntk._compiler.passes.flat_graph import FlatGraph, Uses, named
from cntk._graph.op import Op
from cntk._graph.types import TensorType
from cntk._ops.math.arithmetic import Plus
from cntk._ops.math.times import Affine, Times
from cntk._ops.nn.convolution_op import Biased, Convolution

Types = tuple[TensorType, ...]


def fuse_bias(graph: FlatGraph) -> list[str]:
    """Let a sum with a bias be part of the product or convolution that the bias is added to.

    What is absorbed is read by nothing any more; `drop_unused` takes it away.

    Example:
        >>> import cntk as C
        >>> from cntk._compiler.passes.pipeline import before_and_after
        >>> x = C.input_variable(3, name="x")
        >>> print(before_and_after("fuse_bias", C.layers.Dense(2)(x)))
        %1 = Times(x, W, infer_input_rank_to_map=0)
        %2 = Plus(%1, b)
        output %2
        becomes
        %1 = Times(x, W, infer_input_rank_to_map=0)
        %2 = Affine(x, W, b)
        output %2
    """
    uses = graph.uses()
    notes = []
    for item in graph.work:
        if isinstance(item, Node) and isinstance(item.op, Plus):
            absorbed = _absorb_bias(item, uses)
            if absorbed is not None:
                notes.append(f"{named(absorbed)} adds the bias as {named(item)}")
    return notes


def _absorb_bias(node: Node, uses: Uses) -> Node | None:
    """Make a sum one operation with what the bias is added to; return that."""
    for operand, bias in (node.operands, node.operands[::-1]):
        inner = operand.node
        if (
            inner is None
            or uses[operand.key] != 1
            or bias.type.dynamic_axes
            or operand.type != node.types[0]
            or type(inner.op) not in _WITH_BIAS
        ):
            continue
        types = tuple(r.type for r in inner.operands)
        biased = _WITH_BIAS[type(inner.op)](inner.op, types, bias.type)
        if biased is not None:
            node.op, node.operands = biased, [*inner.operands, bias]
            node.stands_for = (inner.primitive, node.primitive)
            return inner
    return None


def _affine(times: Times, operands: Types, bias: TensorType) -> Affine | None:
    """Return a product that adds a bias; of dense samples whose axes all vanish, by a parameter."""
    left, right = operands
    whole = (
        times.contracted_axes(right) == left.rank and left.rank > 0 and not times.reduces_sequence
    )
    plain = left.has_batch_axis and not left.is_sparse and not right.dynamic_axes
    return Affine(times) if whole and plain and bias.shape == right.shape[left.rank :] else None


def _biased(convolution: Convolution, operands: Types, bias: TensorType) -> Biased | None:
    """Return a convolution that adds a bias for each filter, which is torch's own."""
    kernel, x = operands
    whole = kernel.rank == x.rank + 1 and bool(x.lead) and not convolution.transpose
    for_filters = bias.shape == (kernel.shape[0], *(1,) * (x.rank - 1))
    return Biased(convolution) if whole and for_filters else None


# By the very class: what derives from one of them computes something else.
_WITH_BIAS: dict[type[Op], Callable[[Any, Types, TensorType], Op | None]] = {
    Times: _affine,
    Convolution: _biased,
}
