"""Draw the masks of dropout apart from what they are multiplied by."""

from __future__ import annotations

from cntk._compiler.ir import Node, Ref
from cntk._compiler.passes.flat_graph import FlatGraph, named
from cntk._compiler.recurrence.loop import Loop
from cntk._ops.math.arithmetic import ElementTimes
from cntk._ops.nn.dropout import Dropout, DropoutMask
from cntk._runtime.random.seeds import is_dropout_compatible


def split_dropout(graph: FlatGraph) -> list[str]:
    """Make dropout a product with a mask, while it is to drop what the original drops.

    The mask reads its operand's type alone: a loop draws those of all its steps at once, in the
    original's order. See `cntk.cntk_py.set_dropout_compatibility`.

    Example:
        >>> import cntk as C
        >>> from cntk._compiler.passes.pipeline import before_and_after
        >>> x = C.input_variable(3, name="x")
        >>> C.cntk_py.set_dropout_compatibility()
        >>> print(before_and_after("split_dropout", C.dropout(x, 0.5, seed=7)))
        %1 = Dropout(x, dropout_rate=0.5, rng_seed=7)
        output %1
        becomes
        %2 = DropoutMask(x, dropout_rate=0.5, rng_seed=7)
        %1 = ElementTimes(x, %2)
        output %1
        >>> C.cntk_py.set_dropout_compatibility(False)
    """
    if not is_dropout_compatible():
        return []
    work: list[Node | Loop] = []
    notes = []
    for item in graph.work:
        # By the very class: a mask is a dropout to files.
        if isinstance(item, Node) and type(item.op) is Dropout and item.op.dropout_rate != 0.0:
            notes.append(f"{named(item)} draws its mask for itself")
            work.append(_take_mask_out(item, item.op))
        work.append(item)
    graph.work = work
    return notes


def _take_mask_out(node: Node, dropout: Dropout) -> Node:
    """Make a dropout a product with its mask; return the mask."""
    mask = DropoutMask(dropout.dropout_rate, dropout.rng_seed, dropout.rng_offset)
    beside = Node(mask, node.primitive, list(node.operands), node.types, node.place)
    node.op, node.operands = ElementTimes(), [*node.operands, Ref(beside)]
    return beside
