"""Blocks and bundles: one operation that stands for a graph, and one function that shows several
outputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from cntk._graph import walk
from cntk._graph.composite import Composite, whole_graph
from cntk._graph.function import Function
from cntk._graph.infer import infer_guessing
from cntk._graph.op import Op, PrimitiveOp, primitive
from cntk._graph.types import TensorType, TypeHint
from cntk._graph.variable import Variable
from cntk._wording import quoted
from cntk.errors import GraphError

Operand = TypeVar("Operand", Variable, TensorType)


@primitive(PrimitiveOp.Combine)
@dataclass(frozen=True)
class Combine(Op):
    """Several outputs as those of one function. Computes nothing."""

    is_bundle = True

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
        single: an operation on the arguments that computes the whole graph in one step, if there is
            one.
        details: attributes of the block by their names in files: numbers, flags, strings, axes and
            tuples of them; those that files hold in 32 bits are NumPy's.
    """

    is_block = True

    composite: Composite
    arguments: tuple[Variable, ...]
    block_name: str
    single: Op | None = field(default=None, kw_only=True)
    details: Mapping[str, Any] = field(default_factory=dict, kw_only=True)

    @property
    def op_name(self) -> str:  # type: ignore[override]
        return self.block_name

    @property
    def output_count(self) -> int:
        return len(self.composite.outputs)

    @property
    def hands_on(self) -> bool:
        """True if its outputs are its arguments themselves, as where a function returns several."""
        return self.composite.outputs == self.arguments

    def attributes(self) -> dict[str, Any]:
        return dict(self.details)

    def operands_of(self, operands: Sequence[Operand]) -> Sequence[Operand]:
        """Return the values of the arguments, among the operands of the block.

        Args:
            operands: all of them, or their types: those that the graph holds, then what the
                arguments stand for.
        """
        return operands[len(operands) - len(self.arguments) :]

    def held_in(self, operands: Sequence[Variable]) -> Sequence[Variable]:
        """Return the constants and parameters of the graph, among the operands of the block."""
        return operands[: len(operands) - len(self.arguments)]

    def bind_axis_names(self, operands: Sequence[Variable]) -> Block:
        outside = self.operands_of(operands)
        for inner, outer in zip(self.arguments, outside, strict=True):
            # Axes are named after what is outside.
            inner.stands_for = outer
        if self.single is None or not all(v.type_.is_known for v in outside):
            return self
        single = self.single.bind_axis_names(outside)
        return self if single == self.single else replace(self, single=single)

    def infer(self, *operands: TensorType) -> tuple[TensorType, ...]:
        return self.infer_through(operands, TypeHint.AXES)[1]

    def infer_through(
        self, operands: Sequence[TensorType], partial: TypeHint
    ) -> tuple[bool, tuple[TensorType, ...]]:
        """Types of the outputs, and whether anything inside became known, given the operands'."""
        changed = False
        outside = self.operands_of(operands)
        if self.single is not None and all(t.is_known for t in outside):
            # It knows the operation, and says what does not fit better than what is inside.
            self.single.infer(*outside)
        for inner, outer in zip(self.arguments, outside, strict=True):
            if outer.has_shape or outer.has_axes:
                changed |= inner.refine(outer)
        changed |= infer_guessing(self.composite.outputs, partial)
        return changed, tuple(v.type_ for v in self.composite.outputs)


def combine_variables(variables: Iterable[Variable], name: str = "") -> Composite:
    """Return a function whose outputs are these variables."""
    from cntk._graph.primitive import Primitive

    return Composite(Primitive(Combine(), variables, name))


def make_block(
    composite: Function,
    arguments: Sequence[tuple[Variable, Variable]],
    block_name: str,
    instance_name: str = "",
    first_leaves: Sequence[Variable] = (),
    single: Op | None = None,
    details: Mapping[str, Any] | None = None,
) -> Composite:
    """Wrap a graph as one operation.

    Args:
        composite: the graph.
        arguments: pairs of an argument of the graph and the variable outside that it stands for.
        block_name: what the operation is called.
        instance_name: its name in the graph.
        first_leaves: constants and parameters to list first among its operands, in this order,
            where the graph holds them.
        single: an operation that computes the whole graph in one step.
        details: attributes; see `Block`.

    Raises:
        GraphError: if an argument of the graph is not among the pairs, or one of the pairs is no
            argument.
    """
    from cntk._graph.primitive import Primitive

    inner = [pair[0] for pair in arguments]
    outer = [pair[1] for pair in arguments]
    known = set(inner)
    free = [v for v in composite.arguments if v not in known]
    if free:
        raise GraphError(
            f"as_block {quoted(block_name)}: the block_arguments_map leaves out "
            f"{', '.join(map(repr, free))}; map every argument"
        )
    unused = [v for v in inner if not (v.is_placeholder or v.is_input)]
    if unused:
        raise GraphError(
            f"as_block {quoted(block_name)}: {', '.join(map(repr, unused))} is neither placeholder "
            f"nor input"
        )
    body = whole_graph(composite)
    leaves = [v for v in walk.leaves(body.root_function, as_on_disk=True) if v not in known]
    listed = dict.fromkeys([*(v for v in first_leaves if v in leaves), *leaves])
    block = Block(body, tuple(inner), block_name, single=single, details=details or {})
    return Composite(Primitive(block, [*listed, *outer], instance_name))
