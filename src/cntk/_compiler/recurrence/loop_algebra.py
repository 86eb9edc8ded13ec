"""Symbolic algebra of a loop: expressions over states and values from outside.

Nested sums and products are flattened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cntk._compiler.ir import Node, Ref
from cntk._compiler.recurrence.loop import Loop
from cntk._graph.op import Op
from cntk._ops.math.activation import ReLU, Sigmoid, StableSigmoid, Tanh
from cntk._ops.math.arithmetic import ElementTimes, Minus, Plus
from cntk._ops.math.times import Times
from cntk._ops.shape.slicing import Slice
from cntk._ops.support.structure import NoOp
from cntk._runtime.transfer import Everywhere
from cntk._wording import operation_text

NOT_THE_STATE = "another value of it is read than its state"


class NoMatch(Exception):
    """Signal that a loop is no such cell; the message says why."""


@dataclass(frozen=True)
class SymbolicExpr:
    """Expression over a loop's states and its values from outside.

    Attributes:
        kind: 'sum', 'product', 'negative', 'state', 'outside', 'times', 'slice', or a function's
            name.
        parts: its operands.
        ref: the value outside, or the matrix of 'times'.
        span: the state's number, or the slice's begin and end.
    """

    kind: str
    parts: tuple[SymbolicExpr, ...] = ()
    ref: Ref | None = None
    span: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        """Name of the expression in reasons."""
        if self.kind != "outside" or self.ref is None:
            return f"a {self.kind}"
        if self.ref.node is not None:
            return _named(self.ref.node)
        return repr(self.ref.leaf)

    def is_one(self) -> bool:
        """Return whether this is the constant 1."""
        return self.ref is not None and is_constant(self.ref, 1)

    def spread(self) -> list[tuple[SymbolicExpr, tuple[int, int] | None]]:
        """Return the terms of a sum, also of sliced sums: each with the span of its columns, if
        it is sliced.
        """
        if self.kind == "sum":
            return [term for part in self.parts for term in part.spread()]
        if self.kind == "slice":
            below = self.parts[0].spread()
            if all(span is None for _, span in below):
                return [(term, (self.span[0], self.span[1])) for term, _ in below]
        return [(self, None)]


def is_constant(ref: Ref, number: float) -> bool:
    """Return whether a value is a constant all of whose elements are this number."""
    leaf = ref.leaf
    return leaf is not None and leaf.is_constant and bool((leaf.data == number).all())  # type: ignore[attr-defined]


# By the exact class: a class derived from one of them computes something else.
_FUNCTIONS: dict[type[Op], str] = {
    StableSigmoid: "sigmoid",
    Sigmoid: "sigmoid",
    Tanh: "tanh",
    ReLU: "relu",
}


class LoopParser:
    """Parser of a loop's nodes into expressions."""

    def __init__(self, loop: Loop) -> None:
        self.inside = {id(n) for n in loop.members}
        self.states = {id(n): k for k, n in enumerate(loop.delays)}

    def read(self, ref: Ref) -> SymbolicExpr:
        """Return a value of the loop as an expression.

        Raises:
            NoMatch: if an operation is part of no known cell.
        """
        node = ref.node
        if node is None or id(node) not in self.inside:
            return SymbolicExpr("outside", ref=ref)
        if id(node) in self.states:
            return SymbolicExpr("state", span=(self.states[id(node)],))
        if isinstance(node.op, (Plus, ElementTimes)):
            kind = "sum" if isinstance(node.op, Plus) else "product"
            parts: list[SymbolicExpr] = []
            for operand in node.operands:
                part = self.read(operand)
                parts.extend(part.parts if part.kind == kind else (part,))
            return SymbolicExpr(kind, tuple(parts))
        if isinstance(node.op, Minus):
            left, right = (self.read(operand) for operand in node.operands)
            return SymbolicExpr(
                "sum",
                (
                    *(left.parts if left.kind == "sum" else (left,)),
                    SymbolicExpr("negative", (right,)),
                ),
            )
        if type(node.op) in _FUNCTIONS:
            return SymbolicExpr(_FUNCTIONS[type(node.op)], (self.read(node.operands[0]),))
        if isinstance(node.op, NoOp):
            return self.read(node.operands[0])
        if isinstance(node.op, Times):
            return self._product(node)
        if isinstance(node.op, Slice):
            part, span = self.read(node.operands[0]), last_axis_span(node)
            if span is None:
                raise NoMatch(f"{_named(node)} is not a part of a vector")
            return SymbolicExpr("slice", (part,), span=span)
        raise NoMatch(f"{_named(node)} has no place in it")

    def _product(self, node: Node) -> SymbolicExpr:
        left, matrix = node.operands
        part = self.read(left)
        if matrix.leaf is None or matrix.type.rank != 2 or left.type.rank != 1:
            raise NoMatch(
                f"{_named(node)} multiplies {left.type} and {matrix.type}, and not a vector and a "
                f"parameter that is a matrix"
            )
        return SymbolicExpr("times", (part,), ref=matrix)


def _named(node: Node) -> str:
    return operation_text(node.op.op_name, node.primitive.name or node.primitive.uid)


def last_axis_span(node: Node) -> tuple[int, int] | None:
    """Begin and end of a slice along the only axis of a vector."""
    shape = node.operands[0].type.shape
    return node.op.vector_span(shape[0]) if isinstance(node.op, Slice) and len(shape) == 1 else None


class WeightSlices:
    """Column slices of weight matrices (or elements of vectors), joined gate by gate.

    Args:
        parts: for each gate the operand's index and the span of its columns.
        size: number of columns of a gate.
    """

    def __init__(self, parts: list[tuple[int, tuple[int, int]]], size: int) -> None:
        self.parts, self.size, self.first = parts, size, parts[0][0]
        begins = [span[0] for _, span in parts]
        self._shared = len({p for p, _ in parts}) == 1 and sorted(begins) == [
            k * size for k in range(len(parts))
        ]
        order = torch.tensor([b // size for b in begins])
        self._order, self._back = Everywhere(order), Everywhere(torch.argsort(order))
        self._in_place = begins == sorted(begins)

    def on(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return the permutation of an operand's gates and its inverse, int64."""
        return self._order.on(device), self._back.on(device)

    def of(self, operands: Sequence[Tensor]) -> Tensor:
        """Return the columns of matrices, ``[rows, gates * size]``."""
        whole = self._whole(operands)
        return self.transposed(operands).t() if whole is None else whole

    def frames(self, operands: Sequence[Tensor]) -> Tensor:
        """Return the columns of values that have frames, ``[frames, gates * size]``."""
        whole = self._whole(operands)
        return (
            torch.cat([operands[p][:, b:e] for p, (b, e) in self.parts], 1)
            if whole is None
            else whole
        )

    def _whole(self, operands: Sequence[Tensor]) -> Tensor | None:
        """Return the operand itself if these are all its columns in its order, else None."""
        return (
            operands[self.first]
            if self.are_all_of(operands[self.first]) and self._in_place
            else None
        )

    def transposed(self, operands: Sequence[Tensor]) -> Tensor:
        """Return the slices as rows ``[gates * size, rows]``, contiguous; of vectors the
        elements.

        torch's kernels want weights in this form.
        """
        return transpose_together([self], operands)[0]

    def store_column_major(self, operands: Sequence[Ref]) -> None:
        """Have a parameter stored column-major if its columns are needed as rows."""
        leaf = operands[self.first].leaf
        if self._shared and leaf is not None and leaf.is_parameter:
            leaf.use_column_major()  # type: ignore[attr-defined]

    def are_all_of(self, operand: Tensor) -> bool:
        """Return whether these are all columns of an operand, in any order of the gates."""
        return self._shared and operand.shape[-1] == len(self.parts) * self.size

    def select(self, operands: Sequence[Tensor]) -> Tensor:
        """Return the same as `transposed`, for any operands."""
        if operands[self.first].dim() == 1:
            return torch.cat([operands[p][b:e] for p, (b, e) in self.parts])
        return torch.cat([operands[p][:, b:e] for p, (b, e) in self.parts], 1).t().contiguous()


def transpose_together(columns: Sequence[WeightSlices], operands: Sequence[Tensor]) -> list[Tensor]:
    """Return `WeightSlices.transposed` of several.

    Where each is all of one operand, it is a single step of autograd, which saves time.
    """
    weights = [operands[c.first] for c in columns]
    if all(c.are_all_of(x) for c, x in zip(columns, weights, strict=True)):
        return list(_PermuteGates.apply(columns, *weights))  # type: ignore[no-untyped-call]
    return [c.select(operands) for c in columns]


class _PermuteGates(torch.autograd.Function):
    """Transposes of matrices (and vectors) with permuted gates, each in one copy."""

    @staticmethod
    def forward(ctx: Any, columns: Sequence[WeightSlices], *weights: Tensor) -> tuple[Tensor, ...]:
        ctx.columns = columns
        # Vectors are their own transposes.
        return tuple(
            _permuted(x.t(), c.size, c.on(x.device)[0])
            for c, x in zip(columns, weights, strict=True)
        )

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        transposed = (
            _permuted(g, c.size, c.on(g.device)[1])
            for c, g in zip(ctx.columns, gradients, strict=True)
        )
        return None, *(g.t() for g in transposed)


def _permuted(x: Tensor, size: int, gates: Tensor) -> Tensor:
    """Return the gates of ``size`` rows (or elements) each in another order."""
    return x.reshape(-1, size, *x.shape[1:]).index_select(0, gates).flatten(0, 1)
