"""Loops that are a plain RNN, however they were written, on one kernel."""

from __future__ import annotations

from torch import Tensor

from cntk._compiler.ir import Ref
from cntk._compiler.recurrence.fused_loop import FusedLoop
from cntk._compiler.recurrence.gates import Projection, RecurrentGate, read_gate
from cntk._compiler.recurrence.loop import Loop
from cntk._compiler.recurrence.loop_algebra import (
    NOT_THE_STATE,
    LoopParser,
    NoMatch,
    transpose_together,
)
from cntk._compiler.recurrence.rnn_kernel import ACTIVATIONS, PlainRecurrence
from cntk._runtime.context import RunContext
from cntk._runtime.matmul import addmm, mm


class FusedRNN(FusedLoop):
    """RNN kernel in place of a loop.

    Args:
        loop: the loop.
        output: the state.
        gate: the argument of its function.
        activation: that function's name.
    """

    def __init__(self, loop: Loop, output: Ref, gate: RecurrentGate, activation: str) -> None:
        super().__init__(loop, output, [0])
        self.activation = activation
        self._projection = Projection([gate], self.size, self.position)
        self._recurrent = self.columns([gate.recurrent])
        self._scale = None if gate.scale is None else self.position(gate.scale)
        self._initial = self.position(self.delays[0].operands[1])

    def _compute(self, run: RunContext, *operands: Tensor) -> list[Tensor]:
        layout = run.layout(self.axes)
        x = layout.by_steps(self._projection.x(operands), self.backwards)
        weights, bias = self._projection.joined(
            transpose_together(self._projection.columns, operands)
        )
        opened = mm(x, weights.t()) if bias is None else addmm(bias, x, weights.t())
        recurrent = self._recurrent.of(operands)
        if self._scale is not None:
            recurrent = recurrent * operands[self._scale].reshape(-1, 1)
        initial = self.state(run, layout, operands[self._initial], self.delays[0]).index_select(
            0, layout.sorted_rows
        )
        states = PlainRecurrence.apply(
            opened, recurrent, initial, layout.step_sizes, self.activation
        )  # type: ignore[no-untyped-call]
        return [self.finish(run, layout, states)]


def match_rnn(loop: Loop) -> FusedRNN:
    """Return a kernel for a loop that is a plain RNN.

    Raises:
        NoMatch: if it is not.
    """
    output = loop.delays[0].operands[0]
    if loop.outputs[0].key != output.key:
        raise NoMatch(NOT_THE_STATE)
    expr = LoopParser(loop).read(output)
    if expr.kind not in ACTIVATIONS:
        raise NoMatch(f"its state is {expr.text}, and not one of {', '.join(ACTIVATIONS)}")
    gate = read_gate(expr.parts[0], output.type.shape[0], 0)
    if not gate.inputs:
        raise NoMatch("no input comes into it by a matrix")
    return FusedRNN(loop, output, gate, expr.kind)
