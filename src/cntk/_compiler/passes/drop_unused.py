"""Leave out what no output needs."""

from __future__ import annotations

from cntk._compiler.ir import Node
from cntk._compiler.passes.flat_graph import FlatGraph, named, results
from cntk._compiler.recurrence.loop import Loop


def drop_unused(graph: FlatGraph) -> list[str]:
    """Drop operations whose results nobody reads, and outputs of loops that nobody reads.

    An operation that does more than compute its result stays (`Op.has_side_effect`).

    Example:
        Of the loop, one value is read outside:

        >>> import cntk as C
        >>> from cntk._compiler.passes.pipeline import before_and_after
        >>> s = C.sequence.input_variable(1, name="s")
        >>> total = C.layers.Recurrence(lambda state, x: state + x)(s)
        >>> print(before_and_after("drop_unused", total))
        %1, %2 = loop:
          %1 = PastValue(%2, 0)
          %2 = Plus(%1, s)
        output %2
        becomes
        %2 = loop:
          %1 = PastValue(%2, 0)
          %2 = Plus(%1, s)
        output %2
    """
    needed = {ref.key for ref in graph.outputs}
    remaining: list[Node | Loop] = []
    notes = []
    for item in reversed(graph.work):
        is_read = any(ref.key in needed for ref in results(item))
        if not is_read and not (isinstance(item, Node) and item.op.has_side_effect):
            notes.append(f"{named(item)} is read by nothing")
            continue
        if isinstance(item, Loop):
            count = len(item.outputs)
            item.keep_outputs(needed)
            if len(item.outputs) < count:
                notes.append(f"{named(item)} gives {len(item.outputs)} of its {count} values")
        remaining.append(item)
        needed.update(ref.key for ref in item.operands)
    graph.work = remaining[::-1]
    return notes[::-1]
