"""Patterns that run as one torch call: a sum with a bias, and recurrences that there are kernels
for.
"""

from __future__ import annotations

from collections import Counter

from cntk._compiler.ir import Node, Ref
from cntk._compiler.recurrence.fused_loop import FusedLoop
from cntk._compiler.recurrence.gru import match_gru
from cntk._compiler.recurrence.loop import Loop
from cntk._compiler.recurrence.lstm import match_lstm
from cntk._compiler.recurrence.rnn import match_rnn
from cntk._graph.types import FreeDimension

Uses = Counter[tuple[int, int]]


def fuse(refs: list[Ref], work: list[Node | Loop]) -> list[Node | Loop]:
    """A work list with known patterns replaced; nodes keep their identity, so references to them
    stay valid.

    Args:
        refs: the plan's outputs.
        work: nodes and loops, operands first.
    """
    done = [item if isinstance(item, Node) else _fused(item) for item in work]
    uses: Uses = Counter(ref.key for item in done for ref in item.operands)
    uses.update(ref.key for ref in refs)
    done = _final_states(done, uses)
    for item in done:
        if isinstance(item, Node) and item.op.op_name == "Plus":
            _absorb_bias(item, uses)
    return done


# Known cells have few operations; longer loops are not read, which would go as deep as they are
# long.
_MOST_MEMBERS = 100


def _fused(loop: Loop) -> Node | Loop:
    """A known cell in place of a loop, if it is one of which nothing but its output is read."""
    if len(loop.members) > _MOST_MEMBERS or len(loop.outputs) != 1:
        return loop
    if any(FreeDimension in t.shape for node in loop.members for t in node.types):
        return loop
    if any(abs(d.op.delay) != 1 or len(d.types[0].shape) != 1 for d in loop.delays):
        return loop
    if any(len(d.operands[1].type.dynamic_axes) > 1 for d in loop.delays):
        return loop
    if len(loop.delays) == 1:
        return match_rnn(loop) or match_gru(loop) or loop
    return (match_lstm(loop) if len(loop.delays) == 2 else None) or loop


def _final_states(work: list[Node | Loop], uses: Uses) -> list[Node | Loop]:
    """A recurrence of which only the state after the last step is read gives only that."""
    cells = {item.outputs[0].key: item for item in work if isinstance(item, FusedLoop)}
    kept: list[Node | Loop] = []
    for item in work:
        if (
            isinstance(item, Node)
            and item.op.op_name == "Sequence::Slice"
            and len(item.types[0].dynamic_axes) == 1
        ):
            cell = cells.get(item.operands[0].key)
            end = 0 if cell is not None and cell.backwards else -1
            if (
                cell is not None
                and uses[item.operands[0].key] == 1
                and getattr(item.op, "begin", None) == end
            ):
                cell.give_final(Ref(item, 0))
                continue
        kept.append(item)
    return kept


def _absorb_bias(node: Node, uses: Uses) -> None:
    """A sum with a bias becomes part of the operation whose result it is added to."""
    for operand, bias in (node.operands, node.operands[::-1]):
        inner = operand.node
        if (
            inner is None
            or uses[operand.key] != 1
            or bias.type.dynamic_axes
            or operand.type != node.types[0]
        ):
            continue
        biased = inner.op.absorb_bias(tuple(r.type for r in inner.operands), bias.type)
        if biased is not None:
            node.op, node.operands = biased, [*inner.operands, bias]
            return
