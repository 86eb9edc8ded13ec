"""Blocks and bundles: one operation that stands for a graph, and one function that shows several outputs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cntk._errors import GraphError
from cntk._graph import walk
from cntk._graph.composite import Composite, whole_graph
from cntk._graph.function import Function
from cntk._graph.infer import infer_guessing
from cntk._graph.op import Op, PrimitiveOp, primitive
from cntk._graph.types import Guess, TensorType
from cntk._graph.variable import Variable


@primitive(PrimitiveOp.Combine)
@dataclass(frozen=True)
class Combine(Op):
    """Several outputs as those of one function. Computes nothing."""

    def infer(self, *operands: TensorType) -> tuple[TensorType, ...]:
        return operands


@primitive(PrimitiveOp.Block)
@dataclass(frozen=True, eq=False)
class Block(Op):
    """A graph that appears as one operation.

    Attributes:
        composite: the graph.
        arguments: its inner arguments, in the order of the block's last operands.
        block_name: what the operation is called.
    """

    composite: Composite
    arguments: tuple[Variable, ...]
    block_name: str

    @property
    def op_name(self) -> str:  # type: ignore[override]
        return self.block_name

    @property
    def output_count(self) -> int:
        return len(self.composite.outputs)

    def attributes(self) -> dict[str, Any]:
        return {}

    def stand_for(self, operands: Sequence[Variable]) -> None:
        """Have the inner arguments know the operands that they stand for: axes are named after these."""
        for inner, outer in zip(self.arguments, operands[len(operands) - len(self.arguments) :], strict=True):
            inner.stands_for = outer

    def infer(self, *operands: TensorType) -> tuple[TensorType, ...]:
        return self.infer_through(operands, Guess.AXES)[1]

    def infer_through(self, operands: Sequence[TensorType], partial: Guess) -> tuple[bool, tuple[TensorType, ...]]:
        """Types of the outputs, and whether anything inside became known, given the operands'."""
        changed = False
        for inner, outer in zip(self.arguments, operands[len(operands) - len(self.arguments) :], strict=True):
            if outer.has_shape or outer.has_axes:
                changed |= inner.refine(outer)
        changed |= infer_guessing(self.composite.outputs, partial)
        return changed, tuple(v.type_ for v in self.composite.outputs)


def combine_variables(variables: Iterable[Variable], name: str = "") -> Composite:
    """A function whose outputs are the given variables."""
    from cntk._graph.primitive import Primitive

    return Composite(Primitive(Combine(), variables, name))


def make_block(
    composite: Function,
    arguments: Sequence[tuple[Variable, Variable]],
    block_name: str,
    instance_name: str = "",
    held: Sequence[Variable] = (),
) -> Composite:
    """Wrap a graph as one operation.

    Args:
        composite: the graph.
        arguments: pairs of an argument of the graph and the variable outside that it stands for.
        block_name: what the operation is called.
        instance_name: its name in the graph.
        held: constants to list among its operands before those that the graph holds.

    Raises:
        GraphError: if an argument of the graph is not among the pairs, or one of the pairs is no argument.
    """
    from cntk._graph.primitive import Primitive

    inner = [pair[0] for pair in arguments]
    outer = [pair[1] for pair in arguments]
    known = set(inner)
    free = [v for v in composite.arguments if v not in known]
    if free:
        raise GraphError(
            f"as_block '{block_name}': the block_arguments_map leaves out {', '.join(map(repr, free))}; "
            "map every argument"
        )
    unused = [v for v in inner if not (v.is_placeholder or v.is_input)]
    if unused:
        raise GraphError(f"as_block '{block_name}': {', '.join(map(repr, unused))} is neither placeholder nor input")
    body = whole_graph(composite)
    held = [*held, *(v for v in walk.leaves(body.root_function, as_on_disk=True) if v not in known)]
    return Composite(Primitive(Block(body, tuple(inner), block_name), [*held, *outer], instance_name))
