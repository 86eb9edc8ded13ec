"""Optimizations of recorded steps: common subexpressions, dead code, and cheaper forms of calls.

A call costs about two microseconds by torch's own bindings and three by `torch.ops`, so for small
networks what counts is how few calls are left.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch
from torch.fx import Graph, GraphModule, Node

from cntk._runtime import matmul

aten = torch.ops.aten

_SAME = (aten.detach.default, aten.alias.default, aten.lift_fresh_copy.default)
_VIEWS = (aten.view.default, aten._unsafe_view.default, aten.reshape.default)

# The same calls by torch's own bindings, where arguments are the same.
_BINDINGS: dict[Any, Callable[..., Any]] = {
    aten.mm.default: torch.mm,
    aten.bmm.default: torch.bmm,
    aten.addmm.default: torch.addmm,
    aten.add.Tensor: torch.add,
    aten.sub.Tensor: torch.sub,
    aten.mul.Tensor: torch.mul,
    aten.div.Tensor: torch.div,
    aten.neg.default: torch.neg,
    aten.exp.default: torch.exp,
    aten.log.default: torch.log,
    aten.t.default: torch.t,
    aten.sum.default: torch.sum,
    aten.sum.dim_IntList: torch.sum,
    aten.relu.default: torch.relu,
    aten.sigmoid.default: torch.sigmoid,
    aten.tanh.default: torch.tanh,
    aten._log_softmax.default: torch._log_softmax,
    aten._softmax.default: torch._softmax,
    aten.argmax.default: torch.argmax,
    aten.ne.Tensor: torch.ne,
    aten.eq.Tensor: torch.eq,
    aten.ge.Scalar: torch.ge,
}

# Memory that calls write into, by the node that made it, and the last of these calls.
Written = dict[Node, Node]


def optimize(module: GraphModule, gradients: int, inputs: int) -> list[bool]:
    """Optimize a recorded step in place.

    Args:
        module: the step; its last outputs are gradients.
        gradients: their number.
        inputs: number of its first arguments that are data; the next ones are weights, which an
            update will change.

    Returns:
        For each gradient True if its output is now a pair of factors ``(x, dy)``: the gradient is
        ``x.t() @ dy``.
    """
    graph = module.graph
    written = clean(graph)
    products = _leave_products(graph, gradients, inputs, written)
    _clean(graph)
    use_bindings(graph)
    graph.lint()
    module.recompile()
    return products


def clean(graph: Graph) -> Written:
    """Eliminate common subexpressions and dead code of a recording.

    Returns:
        Memory that calls write into; see `Written`.
    """
    written = _written(graph)
    _drop_copies(graph, written)
    _drop_ones(graph, written)
    _drop_views(graph, written)
    _share(graph, written)
    return written


def written_placeholders(graph: Graph) -> list[int]:
    """Return which of a graph's arguments its calls write into."""
    written = _written(graph)
    return [
        k for k, n in enumerate(n for n in graph.nodes if n.op == "placeholder") if n in written
    ]


def use_bindings(graph: Graph) -> None:
    """Make calls by torch's own bindings, which are faster than its operators, and large products
    by ours.
    """
    written = _written(graph)
    for node in _calls(graph):
        if node.target in _VIEWS and _root(node) not in written:
            # The strides that a recording was made with need not be those that a kernel gives.
            node.target = torch.reshape
        elif node.target in _PRODUCTS and not node.kwargs and _is_large_product(node):
            node.target = _PRODUCTS[node.target]
        elif node.target in _BINDINGS:
            node.target = _BINDINGS[node.target]


_PRODUCTS: dict[Any, Callable[..., Any]] = {
    aten.mm.default: matmul.mm,
    aten.addmm.default: matmul.addmm,
}


def _is_large_product(node: Node) -> bool:
    left, right = (_shape(x) for x in node.args[-2:])
    return left is not None and right is not None and matmul.is_large(left[0], left[1], right[1])


def _clean(graph: Graph) -> None:
    graph.eliminate_dead_code()


def _shape(node: Any) -> tuple[int, ...] | None:
    value = node.meta.get("val") if isinstance(node, Node) else None
    return tuple(value.shape) if isinstance(value, torch.Tensor) else None


def _dtype(node: Any) -> Any:
    value = node.meta.get("val") if isinstance(node, Node) else None
    return value.dtype if isinstance(value, torch.Tensor) else None


def _calls(graph: Graph) -> list[Node]:
    return [n for n in graph.nodes if n.op == "call_function"]


def _root(node: Any) -> Node:
    """Return the node that made the memory of a value: views and calls in place share their
    operand's.
    """
    while node.op == "call_function":
        source = node.args[0] if node.target is operator.getitem else _aliased(node)
        if not isinstance(source, Node):
            break
        node = source
    return node  # type: ignore[no-any-return]


def _arguments(node: Node) -> list[tuple[Any, Any]]:
    """Return a call's arguments with the alias information of its schema."""
    schema = getattr(node.target, "_schema", None)
    declared = [] if schema is None else schema.arguments
    return [
        (node.args[k] if k < len(node.args) else node.kwargs.get(a.name), a.alias_info)
        for k, a in enumerate(declared)
    ]


def _aliased(node: Node) -> Any:
    """Return the operand whose memory a call's result shares, or may share, if any."""
    if node.target is aten.reshape.default:
        return node.args[0]
    schema = getattr(node.target, "_schema", None)
    if schema is None or not any(r.alias_info is not None for r in schema.returns):
        return None
    operands = [
        (x, alias) for x, alias in _arguments(node) if alias is not None and isinstance(x, Node)
    ]
    return next(
        (x for x, alias in operands if alias.is_write), operands[0][0] if operands else None
    )


def _written(graph: Graph) -> Written:
    return {
        _root(x): node
        for node in _calls(graph)
        for x, alias in _arguments(node)
        if alias is not None and alias.is_write and isinstance(x, Node)
    }


def _drop_copies(graph: Graph, written: Written) -> None:
    """Replace detached tensors by the tensors themselves: nothing is recorded for gradients any
    more.
    """
    for node in _calls(graph):
        if node.target in _SAME and isinstance(node.args[0], Node) and node not in written:
            node.replace_all_uses_with(node.args[0])
    _clean(graph)


def _drop_ones(graph: Graph, written: Written) -> None:
    """Drop factors of one: the gradient of a sum is one everywhere."""
    ones: set[Node] = set()
    for node in _calls(graph):
        target, args = node.target, node.args
        if _root(node) in written:
            continue
        if target is aten.ones_like.default or (target is aten.full.default and args[1] == 1):
            ones.add(node)
        elif (
            target in (*_VIEWS, aten.expand.default, aten.unsqueeze.default, aten.clone.default)
            and args[0] in ones
        ):
            ones.add(node)
        elif target is aten.mul.Tensor:
            for one, other in (args, args[::-1]):
                if (
                    one in ones
                    and isinstance(other, Node)
                    and _shape(other) == _shape(node)
                    and _dtype(other) == _dtype(node)
                    and _root(other) not in written
                ):
                    node.replace_all_uses_with(other)
                    if other in ones:
                        ones.add(node)
                    break
    _clean(graph)


def _drop_views(graph: Graph, written: Written) -> None:
    """Drop views of the same shape, transposes of transposes, and kept axes of sums that a view
    drops.
    """
    for node in _calls(graph):
        source = node.args[0] if node.args else None
        if not isinstance(source, Node):
            continue
        if node.target in (*_VIEWS, aten.expand.default) and _shape(node) == _shape(source):
            node.replace_all_uses_with(source)
        elif node.target is aten.t.default and source.target is aten.t.default:
            node.replace_all_uses_with(source.args[0])  # type: ignore[arg-type]
        elif (
            node.target in _VIEWS
            and source.target is aten.sum.dim_IntList
            and len(source.args) == 3
            and source.args[2]
            and _root(source.args[0]) not in written
        ):
            _sum_without_axis(graph, node, source)
    _clean(graph)


def _sum_without_axis(graph: Graph, view: Node, total: Node) -> None:
    operand, axes, _ = total.args
    shape = _shape(operand)
    if shape is None or not isinstance(axes, (list, tuple)):
        return
    dropped = {int(a) % len(shape) for a in axes}  # type: ignore[arg-type]
    if _shape(view) != tuple(d for k, d in enumerate(shape) if k not in dropped):
        return
    with graph.inserting_before(view):
        shorter = graph.call_function(aten.sum.dim_IntList, (operand, axes))
        shorter.meta.update(view.meta)
    view.replace_all_uses_with(shorter)


def _share(graph: Graph, written: Written) -> None:
    """Eliminate common subexpressions, unless their operands or results are written into."""
    seen: dict[Any, Node] = {}
    for node in _calls(graph):
        schema = getattr(node.target, "_schema", None)
        if schema is None or schema.is_mutable or node.target is operator.getitem:
            continue
        if torch.Tag.nondeterministic_seeded in node.target.tags:  # type: ignore[union-attr]
            continue
        if any(_root(x) in written for x in (node, *node.all_input_nodes)):
            continue
        key = (node.target, _hashable(node.args), _hashable(node.kwargs))
        twin = seen.setdefault(key, node)
        if twin is not node:
            node.replace_all_uses_with(twin)
    _clean(graph)


def _hashable(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return ("sequence", *map(_hashable, value))
    if isinstance(value, dict):
        return tuple((k, _hashable(v)) for k, v in value.items())
    return value if isinstance(value, Node) else (type(value), value)


def _leave_products(graph: Graph, gradients: int, inputs: int, written: Written) -> list[bool]:
    """Return gradients of weights as two factors: an update may add their product to the weight
    without storing it.
    """
    output = next(iter(reversed(graph.nodes)))
    results = list(output.args[0])
    first = len(results) - gradients
    products = [False] * gradients
    weights = set([n for n in graph.nodes if n.op == "placeholder"][inputs:])
    for k in range(gradients):
        node = results[first + k]
        if isinstance(node, Node) and node.target in _VIEWS and len(node.users) == 1:
            node = node.args[0]
        if not (isinstance(node, Node) and node.target is aten.mm.default and len(node.users) == 1):
            continue
        left, right = node.args
        if not (isinstance(left, Node) and left.target is aten.t.default):
            continue
        roots = {_root(left), _root(right)}
        # One weight's update must not change what another's is still to be computed from.
        if not roots & weights and not any(node < written[r] for r in roots if r in written):
            results[first + k] = (left.args[0], right)
            products[k] = True
    output.args = (results,)
    return products
