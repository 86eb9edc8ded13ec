"""Loops read as algebra: expressions over states and values from outside, with sums and products flattened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cntk._engine.loop import Loop
from cntk._engine.moved_rows import moved
from cntk._engine.nodes import Node, Ref


@dataclass(frozen=True)
class Expr:
    """An expression over a loop's states and what it reads from outside.

    Attributes:
        kind: 'sum', 'product', 'negative', 'state', 'outside', 'times', 'slice', or a function's name.
        parts: its operands.
        ref: the value outside, or the matrix of 'times'.
        span: the state's number, or the slice's begin and end.
    """

    kind: str
    parts: tuple[Expr, ...] = ()
    ref: Ref | None = None
    span: tuple[int, ...] = ()

    def is_one(self) -> bool:
        """Whether this is the constant 1."""
        return self.ref is not None and is_constant(self.ref, 1)

    def spread(self) -> list[tuple[Expr, tuple[int, int] | None]]:
        """The terms of a sum, slices of sums taken apart: each term and which of its columns."""
        if self.kind == "sum":
            return [term for part in self.parts for term in part.spread()]
        if self.kind == "slice":
            below = self.parts[0].spread()
            if all(span is None for _, span in below):
                return [(term, (self.span[0], self.span[1])) for term, _ in below]
        return [(self, None)]


def is_constant(ref: Ref, number: float) -> bool:
    """Whether a value is a constant all of whose elements are this number."""
    leaf = ref.leaf
    return leaf is not None and leaf.is_constant and bool((leaf.data == number).all())  # type: ignore[attr-defined]


_FUNCTIONS = {"StableSigmoid": "sigmoid", "Sigmoid": "sigmoid", "Tanh": "tanh", "ReLU": "relu"}


class LoopReader:
    """Reads a loop's nodes as expressions."""

    def __init__(self, loop: Loop) -> None:
        self.inside = {id(n) for n in loop.members}
        self.states = {id(n): k for k, n in enumerate(loop.delays)}

    def read(self, ref: Ref) -> Expr | None:
        node = ref.node
        if node is None or id(node) not in self.inside:
            return Expr("outside", ref=ref)
        if id(node) in self.states:
            return Expr("state", span=(self.states[id(node)],))
        name = node.op.op_name
        if name in ("Plus", "ElementTimes"):
            kind = "sum" if name == "Plus" else "product"
            parts: list[Expr] = []
            for operand in node.operands:
                part = self.read(operand)
                if part is None:
                    return None
                parts.extend(part.parts if part.kind == kind else (part,))
            return Expr(kind, tuple(parts))
        if name == "Minus":
            left, right = (self.read(operand) for operand in node.operands)
            if left is None or right is None:
                return None
            return Expr("sum", (*(left.parts if left.kind == "sum" else (left,)), Expr("negative", (right,))))
        if name in _FUNCTIONS:
            part = self.read(node.operands[0])
            return None if part is None else Expr(_FUNCTIONS[name], (part,))
        if name == "NoOp":
            return self.read(node.operands[0])
        if name == "Times":
            part, matrix = self.read(node.operands[0]), node.operands[1]
            plain = matrix.leaf is not None and matrix.type.rank == 2 and node.operands[0].type.rank == 1
            return Expr("times", (part,), ref=matrix) if part is not None and plain else None
        if name == "Slice":
            part, span = self.read(node.operands[0]), _last_axis_span(node)
            return None if part is None or span is None else Expr("slice", (part,), span=span)
        return None


def _last_axis_span(node: Node) -> tuple[int, int] | None:
    """Begin and end of a slice along the only axis of a vector."""
    shape = node.operands[0].type.shape
    span = getattr(node.op, "vector_span", None)
    return span(shape[0]) if span is not None and len(shape) == 1 else None


class Columns:
    """Columns of matrices (or elements of vectors) put together gate by gate.

    Args:
        parts: for each gate the operand's position and the columns.
        size: number of columns a gate has.
    """

    def __init__(self, parts: list[tuple[int, tuple[int, int]]], size: int) -> None:
        self.parts, self.size = parts, size
        begins = [span[0] for _, span in parts]
        shared = len({p for p, _ in parts}) == 1 and sorted(begins) == [k * size for k in range(len(parts))]
        self._order = torch.tensor([b // size for b in begins]) if shared else None
        self._in_place = begins == sorted(begins)
        self._back = torch.argsort(self._order) if self._order is not None else None

    def of(self, operands: Sequence[Tensor]) -> Tensor:
        """The columns, ``[rows, gates * size]``."""
        return self.transposed(operands).t() if operands[self.parts[0][0]].dim() == 2 else self.elements(operands)

    def frames(self, operands: Sequence[Tensor]) -> Tensor:
        """The columns of values that have frames, ``[frames, gates * size]``."""
        first = operands[self.parts[0][0]]
        if self._are_all_of(first) and self._in_place:
            return first
        return torch.cat([operands[p][:, b:e] for p, (b, e) in self.parts], 1)

    def elements(self, operands: Sequence[Tensor]) -> Tensor:
        """The elements of vectors, ``[gates * size]``."""
        first = operands[self.parts[0][0]]
        if len(self.parts) == 1 and first.shape[0] == self.size and not self.parts[0][1][0]:
            return first
        if self._are_all_of(first):
            return self._ordered(first.reshape(-1, self.size)).flatten()
        return torch.cat([operands[p][b:e] for p, (b, e) in self.parts])

    def transposed(self, operands: Sequence[Tensor]) -> Tensor:
        """The columns as rows, ``[gates * size, rows]``, contiguous: as torch's kernels want them."""
        first = operands[self.parts[0][0]]
        if self._are_all_of(first):
            # One copy that transposes and sorts at once.
            return self._ordered(first.reshape(first.shape[0], -1, self.size).permute(1, 2, 0)).flatten(0, 1)
        return torch.cat([operands[p][:, b:e] for p, (b, e) in self.parts], 1).t().contiguous()

    def _are_all_of(self, operand: Tensor) -> bool:
        """Whether the columns are all that an operand has, in any order of the gates."""
        return self._order is not None and operand.shape[-1] == len(self._order) * self.size

    def _ordered(self, gates: Tensor) -> Tensor:
        """The gates' parts ``[gates, ...]`` in the wanted order."""
        assert self._order is not None and self._back is not None
        return moved(gates, self._order.to(gates.device), self._back.to(gates.device))
