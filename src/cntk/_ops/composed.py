"""Composed operations: graphs of simpler operations that appear as one, and what computes such a graph in one step."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cntk._errors import GraphError
from cntk._graph.block import make_block
from cntk._graph.composite import Composite
from cntk._graph.op import Op
from cntk._graph.primitive import Primitive, misfit
from cntk._graph.variable import Variable, VariableKind
from cntk._ops.align import join_axes
from cntk._ops.operands import apply, as_operands
from cntk.variables import Constant

if TYPE_CHECKING:
    from typing import Self


class Fused(Op):
    """An operation that computes in one step what the original, and its files, hold as a graph of several.

    It stands inside a block; whoever writes the block to a file, or to another format, may take `expand` instead. A
    graph read from a file becomes the operation again if it is what the operation would be written as.
    """

    # Blocks that it stands in; called as itself if not given.
    block_names: ClassVar[tuple[str, ...]] = ()

    def numbers(self) -> tuple[float, ...]:
        """The constants in the graph of `expand`: the original lists them among the operands of the block."""
        return ()

    @abstractmethod
    def expand(self, *operands: Variable) -> Composite:
        """The graph that this stands for; the same numbers, but for rounding."""

    @classmethod
    def guesses(cls, inside: Sequence[Primitive]) -> Iterable[Self]:
        """Operations of this kind that a graph may be the expansion of; whoever asks compares them.

        Args:
            inside: the graph's operations, operands before what uses them.
        """
        return () if fields(cls) else (cls(),)  # type: ignore[arg-type]


def constants_of(inside: Sequence[Primitive], kind: type[Op]) -> list[float]:
    """The single numbers that operations of a kind have as constant operands, in order."""
    operands = (v for primitive in inside if isinstance(primitive.op, kind) for v in primitive.operands)
    return [float(v.value) for v in operands if isinstance(v, Constant) and v.shape == ()]


def compose(
    op_name: str,
    operands: Sequence[Any],
    build: Callable[..., Composite],
    name: str = "",
    aligned: bool = True,
    numbers: Sequence[float] = (),
) -> Composite:
    """A block over operands.

    Args:
        op_name: what the operation is called.
        operands: variables, functions, numbers or arrays.
        build: makes the graph, given a stand-in for each operand.
        name: its name in the graph.
        aligned: whether the operands must lie on the same dynamic axes, where they have any.
        numbers: constants that the block lists although nothing reads them; see `Fused.numbers`.

    Raises:
        GraphError: if the operands do not fit.
    """
    variables = as_operands(operands, op_name)
    try:
        # Inside a block nothing stretches by itself along sequences, as in the original.
        if aligned:
            join_axes(tuple(v.type_ for v in variables), stretch=False)
    except GraphError as error:
        raise misfit(op_name, name, str(error), variables) from None
    stand_ins = [Variable.make(VariableKind.Placeholder, v.type_, v.name) for v in variables]
    for inner, outer in zip(stand_ins, variables, strict=True):
        inner.stands_for = outer
    try:
        built = build(*stand_ins)
    except GraphError as error:
        # What is inside is not the program's: it knows this operation and its operands.
        raise misfit(op_name, name, error.reason or str(error), variables) from None
    held = [Constant(number, dtype=variables[0].type_.dtype or np.float32) for number in numbers]
    return make_block(built, list(zip(stand_ins, variables, strict=True)), op_name, name, held)


def compose_fused(op_name: str, op: Fused, operands: Sequence[Any], name: str = "", aligned: bool = True) -> Composite:
    """A block with one fused operation inside; see `compose`."""
    return compose(op_name, operands, lambda *stand_ins: apply(op, stand_ins), name, aligned, op.numbers())
