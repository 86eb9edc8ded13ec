"""Give only the last state of a recurrence of which nothing else is read."""

from __future__ import annotations

from cntk._compiler.ir import Node, Ref
from cntk._compiler.passes.flat_graph import FlatGraph, Key, named
from cntk._compiler.recurrence.fused_loop import FusedLoop
from cntk._compiler.recurrence.loop import Loop
from cntk._ops.sequence.parts import SequenceSlice


def final_state(graph: FlatGraph) -> list[str]:
    """Let a fused recurrence give only the state after its last step, where only that is read.

    Example:
        >>> import cntk as C
        >>> from cntk._compiler.passes.pipeline import before_and_after
        >>> s = C.sequence.input_variable(3, name="s")
        >>> states = C.layers.Recurrence(C.layers.RNNStep(2, activation=C.tanh))(s)
        >>> print(before_and_after("final_state", C.sequence.last(states)))
        %1 = Times(s, W)
        %2 = FusedRNN(s, W, b, H, 0)
        %3 = SequenceSlice(%2, begin=-1, end=0)
        output %3
        becomes
        %1 = Times(s, W)
        %3 = FusedRNN(s, W, b, H, 0), the last state alone
        output %3
    """
    cells = {item.outputs[0].key: item for item in graph.work if isinstance(item, FusedLoop)}
    if not cells:
        return []
    uses = graph.uses()
    remaining: list[Node | Loop] = []
    notes = []
    for item in graph.work:
        cell = _ended_by(item, cells) if isinstance(item, Node) else None
        if isinstance(item, Loop) or cell is None or uses[item.operands[0].key] != 1:
            remaining.append(item)
            continue
        notes.append(f"{named(cell)} gives its last state alone")
        cell.give_final(Ref(item, 0))
    graph.work = remaining
    return notes


def _ended_by(node: Node, cells: dict[Key, FusedLoop]) -> FusedLoop | None:
    """Return the recurrence of whose states an operation takes the last one, if it does that."""
    if not isinstance(node.op, SequenceSlice) or len(node.types[0].dynamic_axes) != 1:
        return None
    cell = cells.get(node.operands[0].key)
    if cell is None:
        return None
    return cell if node.op.begin == (0 if cell.backwards else -1) else None
