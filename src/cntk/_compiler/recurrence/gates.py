"""Arguments of a cell's gates, split into products of inputs and states with matrices, and
biases.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from cntk._compiler.ir import Ref
from cntk._compiler.recurrence.loop_algebra import (
    NoMatch,
    SymbolicExpr,
    WeightSlices,
    last_axis_span,
)
from cntk._ops.math.arithmetic import Plus
from cntk._ops.math.times import Times
from cntk._ops.shape.slicing import Slice


@dataclass
class Gate:
    """Argument of one gate: the terms of its sum.

    Attributes:
        scale: a factor of the output state, or one for each of its elements, applied before the
            matrix; None if there is none.
        inputs: values outside, each with its matrix and the span of the matrix's columns.
        biases: vectors, each with the span of its elements.
    """

    scale: Ref | None = None
    inputs: list[tuple[Ref, Ref, tuple[int, int]]] = field(default_factory=list)
    biases: list[tuple[Ref, tuple[int, int]]] = field(default_factory=list)


@dataclass
class RecurrentGate(Gate):
    """Gate that reads the output state.

    Attributes:
        recurrent: the matrix by which the output state is multiplied, and the span of its columns.
    """

    recurrent: tuple[Ref, tuple[int, int]] = field(kw_only=True)


def add_outside(gate: Gate, ref: Ref, span: tuple[int, int]) -> bool:
    """Split a value outside into products of sequences with matrices, and biases; return whether
    it is such a sum.
    """
    node = ref.node
    if not ref.type.dynamic_axes:
        if ref.type.rank != 1 or ref.type.shape[0] < span[1]:
            return False
        gate.biases.append((ref, span))
        return True
    if node is None:
        return False
    if isinstance(node.op, Plus):
        same = all(r.type.shape == ref.type.shape for r in node.operands)
        return same and all(add_outside(gate, r, span) for r in node.operands)
    if isinstance(node.op, Slice):
        within = last_axis_span(node)
        whole = node.operands[0]
        return within is not None and add_outside(
            gate, whole, (within[0] + span[0], within[0] + span[1])
        )
    if isinstance(node.op, Times):
        x, matrix = node.operands
        plain = (
            matrix.leaf is not None
            and matrix.type.rank == 2
            and x.type.rank == 1
            and not x.type.is_sparse
        )
        if plain and x.type.is_sequence and x.type.dynamic_axes == ref.type.dynamic_axes:
            gate.inputs.append((x, matrix, span))
            return True
    return False


def read_gate(expr: SymbolicExpr, size: int, state: int) -> RecurrentGate:
    """Return a gate's argument as products of inputs and of the output state with matrices, and
    biases.

    Raises:
        NoMatch: if it is anything else.
    """
    span = (0, size)
    if expr.kind == "slice":
        span, expr = (expr.span[0], expr.span[1]), expr.parts[0]
    if span[1] - span[0] != size:
        raise NoMatch(f"a gate has {span[1] - span[0]} elements, and the state {size}")
    gate, recurrent = Gate(), None
    for term in expr.parts if expr.kind == "sum" else (expr,):
        state_read = (
            _state(term.parts[0], state, size)
            if term.kind == "times" and recurrent is None
            else None
        )
        if state_read is not None and term.ref is not None:
            recurrent, gate.scale = (term.ref, span), state_read.ref
        elif term.kind != "outside" or term.ref is None or not add_outside(gate, term.ref, span):
            raise NoMatch(
                f"{term.text} in a gate's sum is no input or output state by a matrix, and no bias"
            )
    if recurrent is None:
        raise NoMatch("a gate does not read the output state")
    return RecurrentGate(gate.scale, gate.inputs, gate.biases, recurrent=recurrent)


def _state(expr: SymbolicExpr, state: int, size: int) -> SymbolicExpr | None:
    """Return the output state, or its static factors if it is scaled; None for all else."""
    output = SymbolicExpr("state", span=(state,))
    if expr == output:
        return output
    scale = (
        other_than(output, expr.parts) if expr.kind == "product" and len(expr.parts) == 2 else None
    )
    if scale is None or scale.kind != "outside" or scale.ref is None:
        return None
    fits = not scale.ref.type.dynamic_axes and scale.ref.type.shape in ((), (1,), (size,))
    return scale if fits else None


def other_than(known: SymbolicExpr, parts: tuple[SymbolicExpr, ...]) -> SymbolicExpr | None:
    """Return the only part that is not the known one."""
    rest = [p for p in parts if p != known]
    return rest[0] if len(rest) == 1 else None


def same_inputs(gates: Sequence[Gate]) -> bool:
    """Return whether all gates read the same values outside and the same scaled state, and have
    equally many biases.
    """

    def read(gate: Gate) -> tuple[object, ...]:
        scale = None if gate.scale is None else gate.scale.key
        return [x.key for x, _, _ in gate.inputs], len(gate.biases), scale

    return bool(gates[0].inputs) and all(read(g) == read(gates[0]) for g in gates)


class Projection:
    """Sum of the gates' terms from outside: inputs by matrices, and biases, gate after gate.

    Args:
        gates: the gates; all read the same inputs (see `same_inputs`).
        size: elements in a gate.
        position: returns a value's index among the operands.

    Attributes:
        columns: the matrices' columns, then the biases' elements.
    """

    def __init__(self, gates: Sequence[Gate], size: int, position: Callable[[Ref], int]) -> None:
        first = gates[0]
        self._xs = [position(x) for x, _, _ in first.inputs]
        matrices = [
            [(position(g.inputs[k][1]), g.inputs[k][2]) for g in gates]
            for k in range(len(self._xs))
        ]
        biases = [
            [(position(g.biases[k][0]), g.biases[k][1]) for g in gates]
            for k in range(len(first.biases))
        ]
        self.columns = [WeightSlices(parts, size) for parts in (*matrices, *biases)]

    def x(self, operands: Sequence[Tensor]) -> Tensor:
        """Return the inputs side by side, ``[frames, inputs]``."""
        inputs = [operands[k] for k in self._xs]
        return inputs[0] if len(inputs) == 1 else torch.cat(inputs, 1)

    def joined(self, parts: Sequence[Tensor]) -> tuple[Tensor, Tensor | None]:
        """Return the joined weights of the inputs and the sum of biases.

        Args:
            parts: the transposes of `columns`.

        Returns:
            The weights ``[gates * size, inputs]``, and the bias ``[gates * size]``, None if
            there is none.
        """
        matrices, biases = parts[: len(self._xs)], parts[len(self._xs) :]
        weights = matrices[0] if len(matrices) == 1 else torch.cat(list(matrices), 1)
        return weights, sum(biases[1:], biases[0]) if biases else None
