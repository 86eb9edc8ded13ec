"""Inference over whole graphs: types settle in one pass, or in a few where there are loops."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cntk._graph import walk
from cntk._graph.types import TensorType, TypeHint
from cntk._graph.variable import Variable
from cntk.errors import GraphError

if TYPE_CHECKING:
    from cntk._graph.primitive import Primitive


def infer_graph(outputs: Iterable[Variable]) -> bool:
    """Bring the types of a graph's variables up to date.

    As in CNTK, what is known of some operands counts before all are known, and parameters take it
    on: behind a recurrence whose state turns out to have more axes, a parameter may have been made
    for fewer. Where that leads to operands that do not fit, parameters wait for what is certain.

    Args:
        outputs: variables of the graph that depend on all others.

    Returns:
        Whether anything new became known.

    Raises:
        GraphError: if operands do not fit their operation.
    """
    outputs = list(outputs)
    order = walk.post_order(outputs)
    before = _types_of(order)
    try:
        return infer_guessing(outputs, TypeHint.AXES)
    except GraphError as error:
        for variable, type_ in before.items():
            variable.type_ = type_
        changed = infer_guessing(outputs, TypeHint.NONE)
        variables = {v for p in order for v in p.operands}
        if _are_known(v for v in variables if v._owner is None) and not _are_known(
            v for p in order for v in p.results
        ):
            raise error from None
        return changed


def _are_known(variables: Iterable[Variable]) -> bool:
    return all(v.type_.is_known for v in variables)


def infer_guessing(outputs: Iterable[Variable], guess: TypeHint) -> bool:
    """Bring the types of a graph's variables up to date, with one kind of guess where operands are
    unknown.

    Args:
        outputs: variables of the graph that depend on all others.
        guess: what is said of results while operands are unknown.

    Returns:
        Whether anything new became known.

    Raises:
        GraphError: if operands do not fit their operation.
    """
    order = walk.post_order(outputs)
    changed, misfit = _pass_over(order, guess)
    if not _are_known(v for p in order for v in p.results):
        for loop in walk.loops(order):
            # Inside a loop something has to be guessed first: operands that are known say what the
            # others will be.
            for bolder in (
                (TypeHint.EXACT, TypeHint.FROM_SCALARS) if _is_fed(loop) else (TypeHint.EXACT,)
            ):
                if not _are_known(v for p in loop for v in p.results) and _guess(loop, bolder):
                    changed = True
                    misfit = _pass_over(order, guess)[1]
    if misfit is not None:
        raise misfit
    return changed


def _is_fed(loop: list[Primitive]) -> bool:
    """Return whether all that a loop reads from outside is known, so that nothing more will be."""
    inside = {v for p in loop for v in p.results}
    return _are_known(v for p in loop for v in p.operands if v not in inside)


def _guess(loop: list[Primitive], guess: TypeHint) -> bool:
    before = _types_of(loop)
    try:
        return _settle(loop, guess)
    except GraphError as error:
        for variable, type_ in before.items():
            variable.type_ = type_
        try:
            return _settle(loop, TypeHint.BROADCASTABLE)
        except GraphError:
            raise error from None


def _types_of(primitives: Iterable[Primitive]) -> dict[Variable, TensorType]:
    """Return the types of all variables of some operations, also inside blocks."""
    types: dict[Variable, TensorType] = {}
    for primitive in primitives:
        types.update({v: v.type_ for v in (*primitive.operands, *primitive.results)})
        if primitive.block is not None:
            types.update(_types_of(walk.post_order(primitive.block.composite.outputs)))
            types.update({v: v.type_ for v in primitive.block.arguments})
    return types


def _settle(loop: list[Primitive], guess: TypeHint) -> bool:
    changed, misfit = _pass_over(loop, guess)
    if misfit is not None:
        raise misfit
    return changed


def _pass_over(order: list[Primitive], guess: TypeHint) -> tuple[bool, GraphError | None]:
    """Infer in passes until nothing new becomes known: whether anything did, and what does not fit
    then.

    Until then an operand's type may be a guess that a later pass corrects.
    """
    changed, misfit = False, None
    for _ in range(len(order) + 2):
        news, misfit = False, None
        for primitive in order:
            try:
                news |= primitive.infer_results(guess)
            except GraphError as error:
                misfit = misfit or error
        changed |= news
        if not news:
            break
    return changed, misfit
