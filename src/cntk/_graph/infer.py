"""Inference over whole graphs: types settle in one pass, or in a few where there are loops."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cntk._graph import walk
from cntk._graph.variable import Variable

if TYPE_CHECKING:
    from cntk._graph.primitive import Primitive


def infer_graph(outputs: Iterable[Variable], partial: bool = False) -> bool:
    """Bring the types of a graph's variables up to date.

    Args:
        outputs: variables of the graph that depend on all others.
        partial: whether unknown operands may be passed over, as inside a loop.

    Returns:
        Whether anything new became known.

    Raises:
        GraphError: if operands do not fit their operation.
    """
    order = walk.post_order(outputs)
    changed = _settle(order, partial)
    if any(not v.type_.is_known for p in order for v in p.results):
        for loop in walk.loops(order):
            # Inside a loop something has to be guessed first: operands that are known say what the others will be.
            if _settle(loop, True):
                changed = True
                _settle(order, partial)
    return changed


def _settle(order: list[Primitive], partial: bool) -> bool:
    changed = False
    for _ in range(len(order) + 2):
        news = False
        for primitive in order:
            news |= primitive.infer_results(partial)
        changed |= news
        if not news:
            break
    return changed
