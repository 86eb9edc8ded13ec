"""Loops that are a GRU, however they were written, on one kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from cntk._compiler.ir import Ref
from cntk._compiler.recurrence.fused_loop import FusedLoop
from cntk._compiler.recurrence.gates import Gate, Projection, add_outside, same_inputs
from cntk._compiler.recurrence.gru_kernel import GatedRecurrence
from cntk._compiler.recurrence.loop import Loop
from cntk._compiler.recurrence.loop_algebra import (
    NOT_THE_STATE,
    LoopParser,
    NoMatch,
    SymbolicExpr,
    WeightSlices,
    transpose_together,
)
from cntk._runtime.context import RunContext
from cntk._runtime.layout.layout import Layout
from cntk._runtime.matmul import addmm, mm

_STATE = SymbolicExpr("state", span=(0,))


@dataclass(frozen=True)
class _Cell:
    """Parts of a GRU: the values from outside for z, r and c, and the recurrent matrices, each
    with its columns.
    """

    outside: tuple[tuple[Ref, tuple[int, int]], ...]
    recurrent: tuple[tuple[Ref, tuple[int, int]], ...]
    reset_after: bool


class FusedGRU(FusedLoop):
    """GRU kernel in place of a loop.

    Args:
        loop: the loop.
        output: the value that is read outside.
        cell: the unit's parts.
    """

    def __init__(self, loop: Loop, output: Ref, cell: _Cell) -> None:
        super().__init__(loop, output, [0])
        self.reset_after = cell.reset_after
        gates = [Gate() for _ in cell.outside]
        apart = [
            add_outside(g, ref, span) for g, (ref, span) in zip(gates, cell.outside, strict=True)
        ]
        # Products of dense inputs are computed here, on time-major frames; others are computed
        # outside the loop.
        self._arguments: Projection | WeightSlices
        if all(apart) and same_inputs(gates):
            self._arguments = Projection(gates, self.size, self.position)
        else:
            self._arguments = self.columns(cell.outside)
        self._gates = self.columns(cell.recurrent[:2])
        self._candidate = self.columns(cell.recurrent[2:])
        self._initial = self.position(self.delays[0].operands[1])

    def _compute(self, run: RunContext, *operands: Tensor) -> list[Tensor]:
        layout = run.layout(self.axes)
        opened, values = self._from_outside(layout, operands)
        initial = self.state(run, layout, operands[self._initial], self.delays[0]).index_select(
            0, layout.sorted_rows
        )
        gates, candidate = self._gates.of(operands), self._candidate.of(operands)
        states = GatedRecurrence.apply(
            opened, values, gates, candidate, initial, layout.step_sizes, self.reset_after
        )  # type: ignore[no-untyped-call]
        return [self.finish(run, layout, states)]

    def _from_outside(self, layout: Layout, operands: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return new tensors with the inputs of z and r ``[frames, 2 h]`` and of c ``[frames,
        h]``, time-major.
        """
        cut = 2 * self.size
        if isinstance(self._arguments, WeightSlices):
            a = layout.by_steps(self._arguments.frames(operands), self.backwards)
            return a[:, :cut].contiguous(), a[:, cut:].contiguous()
        x = layout.by_steps(self._arguments.x(operands), self.backwards)
        weights, bias = self._arguments.joined(
            transpose_together(self._arguments.columns, operands)
        )
        if bias is None:
            return mm(x, weights[:cut].t()), mm(x, weights[cut:].t())
        return addmm(bias[:cut], x, weights[:cut].t()), addmm(bias[cut:], x, weights[cut:].t())


def match_gru(loop: Loop) -> FusedGRU:
    """Return a kernel for a loop that is a GRU.

    Raises:
        NoMatch: if it is not.
    """
    output = loop.delays[0].operands[0]
    if loop.outputs[0].key != output.key:
        raise NoMatch(NOT_THE_STATE)
    return FusedGRU(loop, output, _cell(LoopParser(loop).read(output), output.type.shape[0]))


def _cell(expr: SymbolicExpr, size: int) -> _Cell:
    """Return the parts of ``(1 - z) * c + z * h'``.

    Raises:
        NoMatch: if it is anything else.
    """
    other = NoMatch("its state is not (1 - sigmoid(z)) * tanh(c) + sigmoid(z) * h'")
    if expr.kind != "sum" or len(expr.parts) != 2:
        raise other
    carried = next(
        (p for p in expr.parts if p.kind == "product" and len(p.parts) == 2 and _STATE in p.parts),
        None,
    )
    if carried is None:
        raise other
    new = expr.parts[1] if expr.parts[0] is carried else expr.parts[0]
    z = carried.parts[0] if carried.parts[1] == _STATE else carried.parts[1]
    if z.kind != "sigmoid" or new.kind != "product" or len(new.parts) != 2:
        raise other
    c = next((p for p in new.parts if p.kind == "tanh"), None)
    rest = next((p for p in new.parts if _is_complement(p, z)), None)
    if c is None or rest is None:
        raise other
    update = _gate(z.parts[0], size)
    if update is None:
        raise NoMatch(f"its update gate {_NO_GATE}")
    candidate = _candidate(c.parts[0], size)
    if candidate is None:
        raise NoMatch("its candidate is not an input and the reset state by a matrix")
    reset, outside, matrix, after = candidate
    reset_gate = _gate(reset.parts[0], size)
    if reset_gate is None:
        raise NoMatch(f"its reset gate {_NO_GATE}")
    return _Cell((update[0], reset_gate[0], outside), (update[1], reset_gate[1], matrix), after)


_NO_GATE = "is not the sum of one value from outside and the state by a matrix"


def _is_complement(expr: SymbolicExpr, of: SymbolicExpr) -> bool:
    """Return whether this is 1 minus an expression."""
    return (
        expr.kind == "sum"
        and len(expr.parts) == 2
        and expr.parts[0].is_one()
        and expr.parts[1] == SymbolicExpr("negative", (of,))
    )


Columned = tuple[Ref, tuple[int, int]]


def _gate(expr: SymbolicExpr, size: int) -> tuple[Columned, Columned] | None:
    """Return the value from outside and the recurrent matrix of a gate; None if it is no sum of
    these.
    """
    terms = expr.spread()
    outside = [t for t in terms if t[0].kind == "outside"]
    products = [t for t in terms if t[0].kind == "times" and t[0].parts[0] == _STATE]
    if len(terms) != 2 or len(outside) != 1 or len(products) != 1:
        return None
    first, second = _columns(outside[0], size), _columns(products[0], size)
    return None if first is None or second is None else (first, second)


def _columns(term: tuple[SymbolicExpr, tuple[int, int] | None], size: int) -> Columned | None:
    expr, span = term
    if expr.ref is None or not (expr.kind == "times" or len(expr.ref.type.dynamic_axes) > 1):
        return None
    span = span or (0, size)
    return (expr.ref, span) if span[1] - span[0] == size else None


def _candidate(
    expr: SymbolicExpr, size: int
) -> tuple[SymbolicExpr, Columned, Columned, bool] | None:
    """Return the reset gate, the value from outside, the recurrent matrix, and whether the reset
    acts after the product.
    """
    terms = expr.spread()
    outside = [t for t in terms if t[0].kind == "outside"]
    others = [t for t in terms if t[0].kind != "outside"]
    if len(outside) != 1 or len(others) != 1:
        return None
    first, (other, span) = _columns(outside[0], size), others[0]
    if first is None:
        return None
    if (
        other.kind == "times"
        and other.parts[0].kind == "product"
        and _STATE in other.parts[0].parts
    ):
        inner = other.parts[0].parts
        reset = inner[0] if inner[1] == _STATE else inner[1]
        matrix = _columns((other, span), size)
        return (
            None
            if matrix is None or reset.kind != "sigmoid" or len(inner) != 2
            else (reset, first, matrix, False)
        )
    if other.kind == "product" and len(other.parts) == 2 and span is None:
        reset_after = next((p for p in other.parts if p.kind == "sigmoid"), None)
        product = next((p for p in other.parts if p.kind in ("times", "slice")), None)
        if reset_after is None or product is None:
            return None
        spread = product.spread()
        if len(spread) != 1:
            return None
        term, columns = spread[0]
        if term.kind == "times" and term.parts[0] == _STATE:
            matrix = _columns((term, columns), size)
            return None if matrix is None else (reset_after, first, matrix, True)
    return None
