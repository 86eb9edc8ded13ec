"""Compute the same operation on the same operands once."""

from __future__ import annotations

from typing import Any

from cntk._compiler.ir import Node, Ref
from cntk._compiler.passes.flat_graph import FlatGraph, Key, named
from cntk._compiler.recurrence.loop import Loop


def share(graph: FlatGraph) -> list[str]:
    """Let equal operations on the same operands be one (common subexpressions).

    Operations that differ from run to run, as random ones do, are not touched (`Op.pure`).

    Example:
        >>> import cntk as C
        >>> from cntk._compiler.passes.pipeline import before_and_after
        >>> x = C.input_variable(2, name="x")
        >>> print(before_and_after("share", C.exp(x) + C.exp(x)))
        %1 = Exp(x)
        %2 = Exp(x)
        %3 = Plus(%1, %2)
        output %3
        becomes
        %1 = Exp(x)
        %3 = Plus(%1, %1)
        output %3
    """
    same: dict[Key, Ref] = {}
    seen: dict[Any, Node] = {}
    remaining: list[Node | Loop] = []
    notes = []
    for item in graph.work:
        if isinstance(item, Loop):
            item.substitute(same)
        else:
            item.operands = [same.get(ref.key, ref) for ref in item.operands]
            if item.op.pure:
                key = (item.op, tuple(ref.key for ref in item.operands))
                twin = seen.setdefault(key, item)
                if twin is not item:
                    same.update({(id(item), k): Ref(twin, k) for k in range(len(item.types))})
                    notes.append(f"{named(item)} is {named(twin)}")
                    continue
        remaining.append(item)
    graph.outputs = [same.get(ref.key, ref) for ref in graph.outputs]
    graph.work = remaining
    return notes
