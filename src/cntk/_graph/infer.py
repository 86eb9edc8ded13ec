"""Inference over whole graphs: types settle in one pass, or in a few where there are loops."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cntk._errors import GraphError
from cntk._graph import walk
from cntk._graph.types import Guess, TensorType
from cntk._graph.variable import Variable

if TYPE_CHECKING:
    from cntk._graph.primitive import Primitive


def infer_graph(outputs: Iterable[Variable], partial: Guess = Guess.NONE) -> bool:
    """Bring the types of a graph's variables up to date.

    Args:
        outputs: variables of the graph that depend on all others.
        partial: whether unknown operands may be passed over, as inside a loop, and what is guessed of them.

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
            for guess in (Guess.CLOSED, Guess.NUMBERS) if _is_fed(loop) else (Guess.CLOSED,):
                if any(not v.type_.is_known for p in loop for v in p.results) and _guess(loop, guess):
                    changed = True
                    _settle(order, partial)
    return changed


def _is_fed(loop: list[Primitive]) -> bool:
    """Whether all that a loop reads from outside is known: nothing will come that tells more."""
    inside = {v for p in loop for v in p.results}
    return all(v.type_.is_known for p in loop for v in p.operands if v not in inside)


def _guess(loop: list[Primitive], guess: Guess) -> bool:
    before = _types(loop)
    try:
        return _settle(loop, guess)
    except GraphError as error:
        for variable, type_ in before.items():
            variable.type_ = type_
        try:
            return _settle(loop, Guess.OPEN)
        except GraphError:
            raise error from None


def _types(primitives: Iterable[Primitive]) -> dict[Variable, TensorType]:
    """The types of all variables of some operations, also inside blocks."""
    found: dict[Variable, TensorType] = {}
    for primitive in primitives:
        found.update({v: v.type_ for v in (*primitive.operands, *primitive.results)})
        if primitive.block is not None:
            found.update(_types(walk.post_order(primitive.block.composite.outputs)))
            found.update({v: v.type_ for v in primitive.block.arguments})
    return found


def _settle(order: list[Primitive], partial: Guess) -> bool:
    changed = False
    for _ in range(len(order) + 2):
        news = False
        for primitive in order:
            news |= primitive.infer_results(partial)
        changed |= news
        if not news:
            break
    return changed
