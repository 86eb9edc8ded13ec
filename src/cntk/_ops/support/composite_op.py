"""Composed operations: graphs of simpler operations that appear as one block, and fused operations
that compute such a block in one step.
"""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, ClassVar

from cntk._graph.bfloat16 import is_short
from cntk._graph.block import make_block
from cntk._graph.composite import Composite
from cntk._graph.op import Op
from cntk._graph.primitive import Primitive, misfit
from cntk._graph.types import DType
from cntk._graph.variable import Variable, VariableKind, as_name
from cntk._ops.support.broadcasting import join_axes
from cntk._ops.support.operands import apply, as_operands
from cntk.errors import GraphError
from cntk.variables import Constant

if TYPE_CHECKING:
    from typing import Self


class Fused(Op):
    """An operation that computes in one step what the original, and its files, have as a graph of
    several.

    It computes a block in whose inside is the graph of `expand`, as in files. Where that depends on
    the operands' types, the operation itself stands inside until the block is written to a file, or
    to another format. A graph read from a file becomes the operation again if it is what the
    operation would be written as.
    """

    # Blocks that it stands in; called as itself if not given.
    block_names: ClassVar[tuple[str, ...]] = ()
    # Attributes that are constants in the graph of `expand`: there they are rounded to the
    # operands' dtype.
    constants: ClassVar[tuple[str, ...]] = ()
    # Whether the graph of `expand` depends on the operands' types.
    reads_operands: ClassVar[bool] = False

    def details(self) -> dict[str, Any]:
        """Return the attributes of its block; see `Block.details`."""
        return {}

    def in_dtype(self, dtype: DType | None) -> Fused:
        """Return the operation as it is computed in a dtype, which may round its constants."""
        if dtype is None or not is_short(dtype):
            return self
        constants = {name: getattr(self, name) for name in self.constants}
        return replace(
            self, **{name: float(dtype.type(x)) for name, x in constants.items() if x is not None}
        )  # type: ignore[type-var]

    @abstractmethod
    def expand(self, *operands: Variable, name: str = "") -> Composite:
        """Build the graph that this operation stands for; it computes the same numbers, but for
        rounding.

        Args:
            *operands: what it reads.
            name: what the block is called; some of what is inside is named after it.
        """

    @classmethod
    def guesses(cls, inside: Sequence[Primitive]) -> Iterable[Self]:
        """Return operations of this kind that a graph may be the expansion of; the caller compares
        them.

        Args:
            inside: the graph's operations, operands before what uses them.
        """
        return () if fields(cls) else (cls(),)  # type: ignore[arg-type]


def constants_of(inside: Sequence[Primitive], kind: type[Op]) -> list[float]:
    """Return the scalars that operations of a kind have as constant operands, in order."""
    operands = (
        v for primitive in inside if isinstance(primitive.op, kind) for v in primitive.operands
    )
    return [float(v.value) for v in operands if isinstance(v, Constant) and v.shape == ()]


def compose(
    op_name: str,
    operands: Sequence[Any],
    build: Callable[..., Composite],
    name: str = "",
    aligned: bool = True,
    details: Mapping[str, Any] | None = None,
    single: Op | None = None,
) -> Composite:
    """Build a block over operands.

    Args:
        op_name: what the operation is called.
        operands: variables, functions, numbers or arrays.
        build: makes the graph, given a stand-in for each operand.
        name: its name in the graph.
        aligned: whether the operands must be on the same dynamic axes, where they have any.
        details: the block's attributes; see `Block.details`.
        single: an operation that computes the graph in one step.

    Raises:
        GraphError: if the operands do not fit.
    """
    variables, name = as_operands(operands, op_name), as_name(name, op_name)
    try:
        # Inside a block nothing is broadcast along sequences by itself, as in the original.
        if aligned:
            join_axes(tuple(v.type_ for v in variables), broadcast=False)
        if single is not None and all(v.type_.is_known for v in variables):
            single.infer(*(v.type_ for v in variables))
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
    return make_block(
        built, list(zip(stand_ins, variables, strict=True)), op_name, name, (), single, details
    )


def compose_fused(
    op_name: str, op: Fused, operands: Sequence[Any], name: str = "", aligned: bool = True
) -> Composite:
    """Build a block that one fused operation computes; see `compose`."""
    if op.reads_operands:
        return compose(
            op_name, operands, lambda *stand_ins: apply(op, stand_ins), name, aligned, op.details()
        )
    return compose(
        op_name, operands, functools.partial(op.expand, name=name), name, aligned, op.details(), op
    )
