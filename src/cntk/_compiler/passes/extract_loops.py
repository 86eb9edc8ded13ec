"""Find the recurrent loops of a graph: what feeds itself through delays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cntk._compiler.ir import Node, delay_of
from cntk._compiler.passes.flat_graph import FlatGraph, named
from cntk._compiler.recurrence.loop import Loop
from cntk._graph.walk import cycles


def extract_loops(graph: FlatGraph) -> list[str]:
    """Make each component that feeds itself one item of the work: a loop, run step by step.

    What does not depend on a loop's states stays outside and is computed for all frames at once.

    Raises:
        GraphError: if an operation depends on its own output without a delay between.

    Example:
        >>> import cntk as C
        >>> from cntk._compiler.passes.pipeline import before_and_after
        >>> s = C.sequence.input_variable(1, name="s")
        >>> total = C.layers.Recurrence(lambda state, x: state + C.exp(x))(s)
        >>> print(before_and_after("extract_loops", total))
        %1 = PastValue(%2, 0)
        %3 = Exp(s)
        %2 = Plus(%1, %3)
        output %2
        becomes
        %3 = Exp(s)
        %1, %2 = loop:
          %1 = PastValue(%2, 0)
          %2 = Plus(%1, %3)
        output %2
    """
    nodes = [item for item in graph.work if isinstance(item, Node)]
    components = cycles(nodes, lambda n: [r.node for r in n.operands if r.node is not None])
    loops = []
    for members in components:
        if not any(delay_of(n) for n in members):
            raise members[0].primitive.misfit(
                "it depends on its own output without a past_value or future_value between"
            )
        loops.append(Loop(members))
    if loops:
        graph.work = _with_loops(nodes, loops)
    return [f"{named(loop)} has {len(loop.members)} operations" for loop in loops]


def _with_loops(nodes: Sequence[Node], loops: Sequence[Loop]) -> list[Node | Loop]:
    """Put loops in the places of their members, operands first."""
    owner: dict[int, Any] = {id(node): loop for loop in loops for node in loop.members}
    work: list[Node | Loop] = []
    placed: set[int] = set()

    def unit(node: Node) -> Node | Loop:
        return owner.get(id(node), node)  # type: ignore[no-any-return]

    for start in nodes:
        stack: list[Node | Loop] = [unit(start)]
        while stack:
            item = stack[-1]
            waiting = [
                unit(r.node)
                for r in item.operands
                if r.node is not None and id(unit(r.node)) not in placed
            ]
            if id(item) in placed:
                stack.pop()
            elif waiting:
                stack.extend(waiting)
            else:
                placed.add(id(item))
                work.append(item)
                stack.pop()
    return work
