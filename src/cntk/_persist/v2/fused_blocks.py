"""Recognises blocks that a single fused operation computes.

A block's graph is compared with the expansions of candidate operations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from cntk._graph import walk
from cntk._graph.op import Op
from cntk._graph.primitive import Primitive
from cntk._graph.variable import Variable, VariableKind
from cntk._ops.support.composite_op import Fused
from cntk._persist.v2.attributes import attributes_to_file
from cntk.errors import GraphError


def single_operation(
    block_name: str, root: Primitive, arguments: Sequence[Variable]
) -> Fused | None:
    """Return a fused operation that computes the same as a block's graph, or None.

    Args:
        block_name: name of the block's operation.
        root: the root of its graph.
        arguments: the graph's arguments in order.
    """
    inside = walk.post_order(root.results)
    for kind in _kinds(Fused):  # type: ignore[type-abstract]
        if block_name not in (kind.block_names or (kind.op_name,)):
            continue
        for op in kind.guesses(inside):
            try:
                expanded = op.expand(*arguments)
            except (GraphError, ValueError):
                # The operands' types are not known well enough, or do not fit the operation.
                continue
            if same_graph(root, expanded.root_function):
                return op
    return None


def _kinds(base: type[Fused]) -> Iterator[type[Fused]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _kinds(kind)


def same_graph(
    left: Primitive, right: Primitive, stand_ins: Mapping[Variable, Variable] | None = None
) -> bool:
    """Return whether two graphs are the same, operation by operation.

    Args:
        left, right: their roots.
        stand_ins: variables of the right graph, and those of the left that they stand for.
    """
    known = stand_ins or {}
    seen: dict[int, Primitive] = {}
    stack = [(left, right)]
    while stack:
        a, b = stack.pop()
        if id(a) in seen:
            if seen[id(a)] is not b:
                return False
            continue
        seen[id(a)] = b
        if not _same_operation(a, b):
            return False
        for v, w in zip(a.operands, b.operands, strict=True):
            p, q = v._owner, w._owner
            if p is None or q is None or w in known:
                if not _same_leaf(v, known.get(w, w)):
                    return False
            elif _output_index(v) != _output_index(w):
                return False
            else:
                stack.append((p.root_function, q.root_function))
    return True


def _output_index(variable: Variable) -> int:
    return next(k for k, v in enumerate(variable.owner.root_function.results) if v is variable)


def _same_operation(a: Primitive, b: Primitive) -> bool:
    if len(a.operands) != len(b.operands):
        return False
    if a.block is None or b.block is None:
        return a.op == b.op or _as_in_files(a) == _as_in_files(b)
    if a.block.block_name != b.block.block_name or len(a.block.arguments) != len(b.block.arguments):
        return False
    stand_ins = dict(zip(b.block.arguments, a.block.arguments, strict=True))
    return same_graph(a.block.composite.root_function, b.block.composite.root_function, stand_ins)


def _as_in_files(primitive: Primitive) -> tuple[type[Op], Op | dict[str, Any]]:
    """Return an operation's class and attributes of files, where equal axes have equal numbers."""
    op = primitive.op
    written = op.primitive is not None
    return type(op), attributes_to_file(
        op, [v.type_ for v in primitive.operands]
    ) if written else op


def _same_leaf(v: Variable, w: Variable) -> bool:
    if v is w:
        return True
    if v.kind is not VariableKind.Constant or w.kind is not VariableKind.Constant:
        return False
    return v.shape == w.shape and v.name == w.name and np.array_equal(v.value, w.value)  # type: ignore[attr-defined]
